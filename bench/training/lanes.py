"""Training throughput of mixed cohorts against one network after the other.

Networks of all activations and optimizers, with rates of their own, dropout and
weight decay on, are trained by vecevo in mixed cohorts, by `reference.py` (a jitted
`lax.scan` over plain Flax and Optax), by a Python loop over jitted steps, and by Keras.
The sides take turns in one process. A pass is an epoch and an evaluation.
"""

import time

import numpy as np
from rich.table import Table

from bench.harness import machine, records
from bench.training import sides
from vecevo import make_dataset
from vecevo.training import planning, sessions, settings

NUM_CLASSES = 10
SIZES = ((64, 64), (784, 128), (3072, 64))  # features and batch size
WIDTHS = (64, 256, 512, 1024)
RATES = {"dropout_rate": (0.1,), "weight_decay": (1e-4,)}  # some, of all networks
NARROW = (64, 256)  # where not all sizes and depths are measured
NUM_PAIRS = 5
PREPARE = {
    "reference": sides.prepare_reference,
    "loop": sides.prepare_loop,
    "keras": sides.prepare_keras,
}
BASELINES = tuple(PREPARE)


def measure(console, *, smoke, full, data_dir):
    """Measures every cell of the table, shows it, and writes the record."""
    del data_dir  # the inputs are random bytes
    ceilings = machine.measure_ceilings()
    console.print(
        f"machine: {ceilings['matrix'] / 1e9:,.0f} GFLOP/s of matrix products, "
        f"{ceilings['copy'] / 1e9:,.1f} GB/s of copies"
    )
    sides.say_if_absent(console, "lanes")
    rows = []
    for num_features, batch_size, width, depths in choose_cells(smoke, full):
        num_steps = 2 if smoke else 40 if width == 64 else 20
        dataset = random_dataset(num_features, num_steps * batch_size)
        row = measure_cell(
            dataset,
            width,
            depths,
            batch_size,
            baselines=choose_baselines(num_features, width, depths, full),
            num_pairs=2 if smoke else NUM_PAIRS,
            ceilings=ceilings,
        )
        rows.append(row)
        ratios = ", ".join(
            f"{row[side]['ratio']['median']:.2f} times {side}"
            for side in BASELINES
            if side in row
        )
        console.print(
            f"lanes: {num_features} features, width {width}, depth "
            f"{'-'.join(map(str, depths))}, {row['num_lanes']} lanes: {ratios}"
        )
    console.print(make_table(rows))
    if not smoke:
        path = records.write("lanes", rows, command=records.command("lanes", full=full))
        console.print(f"record: {path.name}")


def choose_cells(smoke, full):
    """Returns (features, batch size, width, depths) of each cell."""
    cells = [
        (num_features, batch_size, width, (2,))
        for num_features, batch_size in SIZES
        for width in WIDTHS
        if full or width in NARROW or num_features == SIZES[-1][0]
    ]
    cells += [(*SIZES[-1], width, (1, 2, 3, 4)) for width in NARROW[: 1 + full]]
    return cells[:1] if smoke else cells


def choose_baselines(num_features, width, depths, full):
    """Keras with many features, the loop where steps are short, all of them if full."""
    is_large = num_features == SIZES[-1][0] and len(depths) == 1
    has_loop = is_large and width in NARROW
    return [
        name
        for name, is_in in zip(BASELINES, (True, has_loop, is_large), strict=True)
        if full or is_in
    ]


def measure_cell(dataset, width, depths, batch_size, *, baselines, num_pairs, ceilings):
    """Measures one width and number of features; returns a row of the record."""
    session = make_session(dataset, width, depths, batch_size)
    num_lanes = session.classes[0].lane_counts[-1]
    num_optimizers = len(sides.OPTIMIZERS)
    described = sides.describe_networks(
        width, depths, num_optimizers * num_lanes * session.job.num_workers
    )
    first = described[:num_optimizers]
    prepared = {"vecevo": sides.prepare_lanes(session, described)}
    prepared |= {name: PREPARE[name](session, first) for name in baselines}
    present = {name: side for name, side in prepared.items() if side is not None}
    rates = interleave(present, num_pairs, len(dataset.y_train))
    session.setup.programs.close()
    row = {
        "num_features": dataset.x_train.shape[1],
        "width": width,
        "depths": list(depths),
        "batch_size": batch_size,
        "num_lanes": num_lanes,
        "num_workers": session.job.num_workers,
        **shares(rates["vecevo"], dataset, first, batch_size, ceilings),
    }
    for name, side in present.items():
        row[name] = {
            "samples_per_second": records.spread(rates[name]),
            "compile_seconds": side.compile_seconds,
        }
        if name != "vecevo":
            pairs = zip(rates["vecevo"], rates[name], strict=True)
            row[name]["ratio"] = records.spread(
                [ours / theirs for ours, theirs in pairs]
            )
    return row


def interleave(present, num_pairs, num_examples):
    """Lets the sides take turns; returns the network-samples a second of each pass."""
    rates = {name: [] for name in present}
    for turn in range(num_pairs + 1):
        for name, side in present.items():
            start = time.perf_counter()
            side.train(np.int32(turn))
            seconds = time.perf_counter() - start
            if turn:  # the first pass warms caches up
                num_samples = side.num_networks * side.num_epochs * num_examples
                rates[name].append(num_samples / seconds)
    return rates


def shares(rates, dataset, described, batch_size, ceilings):
    """MFU and MBU of the median rate, for the true sizes of the networks."""
    sizes = {
        "num_features": dataset.x_train.shape[1],
        "num_classes": NUM_CLASSES,
    }
    rate = records.spread(rates)["median"]
    shapes = [(h["width"], h["depth"]) for h in described]
    operations = np.mean([machine.sample_operations(*s, **sizes) for s in shapes])
    moved = np.mean([machine.step_bytes(*s, **sizes) for s in shapes]) / batch_size
    return {
        "mfu": rate * operations / ceilings["matrix"],
        "mbu": rate * moved / ceilings["copy"],
    }


def random_dataset(num_features, num_train):
    """Random bytes, exactly so many of them to train on."""
    rng = np.random.default_rng(0)
    num = num_train + num_train // 4  # a fifth of these is held out
    return make_dataset(
        x_train=rng.integers(0, 256, (num, num_features), np.uint8),
        y_train=np.arange(num) % NUM_CLASSES,
        x_test=rng.integers(0, 256, (10, num_features), np.uint8),
        y_test=np.arange(10),
    )._replace(
        x_validation=rng.integers(0, 256, (64, num_features), np.uint8),
        y_validation=np.arange(64, dtype=np.int32) % NUM_CLASSES,
    )


def make_session(dataset, width, depths, batch_size):
    """Plans as for a long run, so that compilation does not decide."""
    given = {"batch_size": batch_size, "max_epochs": 1000, "patience": 1000}
    expected = sessions.Expected(
        [(width, depth) for depth in depths],
        variant=sessions.variant_of(sides.GENES | RATES),
        list_size=1000 * planning.LADDER[-1],
        num_lists=1000,
    )
    return sessions.start_session(dataset, expected, settings.resolve(given, dataset))


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = ("features", "batch", "width", "depth", "lanes", "vecevo", "MFU", "MBU")
    for name in (*names, *BASELINES, "compile s"):
        table.add_column(name, justify="right")
    for row in rows:
        ours = row["vecevo"]
        table.add_row(
            str(row["num_features"]),
            str(row["batch_size"]),
            str(row["width"]),
            "-".join(map(str, row["depths"])),
            str(row["num_lanes"]),
            f"{ours['samples_per_second']['median']:,.0f}",
            f"{row['mfu']:.0%}",
            f"{row['mbu']:.0%}",
            *(ratio_text(row.get(side)) for side in BASELINES),
            " / ".join(
                f"{row[side]['compile_seconds']:.0f}"
                for side in ("vecevo", *BASELINES)
                if side in row
            ),
        )
    return table


def ratio_text(side):
    """How often the rate of a baseline vecevo's is: median and spread."""
    if side is None:
        return "-"
    ratio = side["ratio"]
    return f"{ratio['median']:.2f} ({ratio['min']:.2f}-{ratio['max']:.2f})"
