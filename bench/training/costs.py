"""Throughput by lane count, and the planner's constants fitted to it.

All workers train cohorts of equal shape at the same time. Constants are fitted by
non-negative least squares of relative errors; `planning` of the package holds them.
"""

import numpy as np
from rich.table import Table

from bench.harness import records
from bench.training import lanes, sides
from vecevo.training import planning

WIDTHS = (64, 256, 512, 1024)
LANE_COUNTS = (1, 2, 4, 8, 16)
MOST_LANES = (16, 64)  # of narrow networks
MOST_WEIGHTS = 4_000_000  # of a cohort that is measured
NARROW = tuple((64, 64, width, 2) for width in (8, 16, 32))
DEPTHS = ((64, 64, 64, 1), (64, 64, 64, 4), (3072, 64, 64, 4), (784, 128, 256, 4))
NUM_PAIRS = 5
TERMS = (
    "seconds_per_step",
    "seconds_per_layer_step",
    "seconds_per_unit_example",
    "seconds_per_weight_example",
    "seconds_per_weight",
)


def measure(console, *, smoke, full, data_dir):
    """Measures every lane count, fits the constants, and writes the record."""
    del data_dir
    cells = [
        (num_features, batch_size, width, 2)
        for num_features, batch_size in lanes.SIZES
        for width in (WIDTHS if full else WIDTHS[:2] + WIDTHS[3:])
    ]
    cells = cells[:1] if smoke else [*NARROW, *cells, *DEPTHS]
    rows = []
    for num_features, batch_size, width, depth in cells:
        is_narrow = (num_features, batch_size, width, depth) in NARROW
        lane_counts = MOST_LANES if is_narrow else LANE_COUNTS
        for num_lanes in lane_counts[:2] if smoke else lane_counts:
            weights = num_lanes * (num_features * width + (depth - 1) * width**2)
            if num_lanes > 1 and weights > MOST_WEIGHTS:
                break
            dataset = lanes.random_dataset(num_features, 20 * batch_size)
            row = measure_lanes(dataset, width, depth, batch_size, num_lanes)
            rows.append(row)
            console.print(
                f"costs: {num_features} features, width {width}, depth {depth}, "
                f"{num_lanes} lanes: {row['samples_per_second']['median']:,.0f} "
                "network-samples/s"
            )
    console.print(make_table(rows))
    for name, value in fit(rows).items():
        console.print(f"fitted: {name} = {value:.2g}")
    if not smoke:
        records.write("costs", rows, command=records.command("costs", full=full))


def measure_lanes(dataset, width, depth, batch_size, num_lanes):
    """Measures cohorts of one shape and lane count."""
    session = lanes.make_session(dataset, width, (depth,), batch_size)
    session.classes[:] = [planning.CohortClass(width, depth, (num_lanes,))]
    num_networks = num_lanes * session.job.num_workers
    described = sides.describe_networks(width, (depth,), num_networks)
    # Each cohort's update is that of its neediest lane: all alike here.
    described = [h | {"optimizer": "adam", "learning_rate": 1e-3} for h in described]
    side = sides.prepare_lanes(session, described)
    num_examples = len(dataset.y_train)
    rates = lanes.interleave({"vecevo": side}, NUM_PAIRS, num_examples)["vecevo"]
    session.setup.programs.close()
    steps_per_second = records.spread(rates)["median"] / batch_size / num_lanes
    return {
        "num_features": dataset.x_train.shape[1],
        "width": width,
        "depth": depth,
        "batch_size": batch_size,
        "num_lanes": num_lanes,
        "num_workers": session.job.num_workers,
        "samples_per_second": records.spread(rates),
        "step_seconds": 1 / steps_per_second,
    }


def fit(rows):
    """Returns the constants of `planning.Costs` that explain the rows best."""
    from scipy import optimize  # it comes with JAX

    shared = [row for row in rows if row["num_lanes"] == 1 or row["width"] <= 256]
    terms = np.array([terms_of(row) for row in shared])
    seconds = np.array([row["step_seconds"] for row in shared])
    fitted, _ = optimize.nnls(terms / seconds[:, None], np.ones(len(shared)))
    return dict(zip(TERMS, fitted, strict=True))


def terms_of(row):
    """What each of the constants is multiplied with in `planning.step_seconds`."""
    width, depth, num_lanes = row["width"], row["depth"], row["num_lanes"]
    sources = row["num_features"] + (depth - 1) * width + lanes.NUM_CLASSES
    weights = num_lanes * width * sources
    examples = row["batch_size"]
    units = num_lanes * width * depth
    return [1, depth, units * examples, weights * examples, weights]


def make_table(rows):
    """Returns the rates by lane count as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("features", "width", "depth", "lanes", "network-samples/s"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            *(str(row[n]) for n in ("num_features", "width", "depth", "num_lanes")),
            f"{row['samples_per_second']['median']:,.0f}",
        )
    return table
