"""One command for a machine with one large GPU: ceilings, lanes, kernels, both jobs.

    python -m bench gpu --data-dir FOLDER

Needs neither tyro nor, without a folder, tensorflow-datasets: then the jobs run on
random bytes of CIFAR-10's shape, which takes the same time at a fixed number of epochs.
Lane counts double until the rate grows by less than a twentieth.
"""

from rich.table import Table

from bench.gpu import hlo
from bench.harness import machine, records
from bench.training import lanes, sides
from vecevo import article_space, load_dataset, search, strategies
from vecevo.training import planning, sessions

NUM_FEATURES, BATCH_SIZE, NUM_PAIRS, NUM_STEPS = 3072, 64, 5, 100
WIDTHS, DEPTH = (64, 256, 512, 1024), 2
MOST_LANES, LEAST_GROWTH = 256, 1.05
NUM_EPOCHS = 25
JOBS = {
    "672 networks": {"population_size": 672, "num_generations": 1},
    "genetic search of 20 x 10": {"population_size": 20, "num_generations": 10},
}


def measure(console, *, smoke, full, data_dir):
    """Measures everything, and writes the record."""
    del full
    ceilings = machine.measure_ceilings()
    console.print(
        f"gpu: {ceilings['matrix'] / 1e12:,.2f} TFLOP/s of matrix products, "
        f"{ceilings['copy'] / 1e9:,.0f} GB/s of copies"
    )
    rows = [{"what": "ceilings", **ceilings}]
    for width in WIDTHS[:1] if smoke else WIDTHS:
        for row in measure_width(width, ceilings, smoke):
            console.print(
                f"gpu: width {width}, {row['num_lanes']} lanes: "
                f"{row['samples_per_second']['median']:,.0f} network-samples/s, MFU "
                f"{row['mfu']:.0%}, MBU {row['mbu']:.0%}, {row['kernels']} kernels"
            )
            rows.append(row)
    dataset = load_data(data_dir, smoke)
    for name in JOBS:
        rows.append(run_job(name, dataset, smoke))
        console.print(f"gpu: {name}: {rows[-1]['seconds']:.0f} s")
    console.print(make_table(rows))
    if not smoke:
        records.write("gpu", rows, command=records.command("gpu"))


def measure_width(width, ceilings, smoke):
    """Yields a row for each lane count, until more lanes bring little."""
    num_features = 64 if smoke else NUM_FEATURES
    num_steps = 2 if smoke else NUM_STEPS
    dataset = lanes.random_dataset(num_features, num_steps * BATCH_SIZE)
    session = lanes.make_session(dataset, width, (DEPTH,), BATCH_SIZE)
    described = sides.describe_networks(width, (DEPTH,), len(sides.OPTIMIZERS))
    reference = sides.prepare_reference(session, described[1:2])  # adam
    num_lanes, before = 1, 0.0
    while num_lanes <= (2 if smoke else MOST_LANES):
        session.classes[:] = [planning.CohortClass(width, DEPTH, (num_lanes,))]
        many = sides.describe_networks(
            width, (DEPTH,), num_lanes * session.job.num_workers
        )
        prepared = {
            "vecevo": sides.prepare_lanes(session, many),
            "reference": reference,
        }
        num_pairs = 1 if smoke else NUM_PAIRS
        rates = lanes.interleave(prepared, num_pairs, len(dataset.y_train))
        pairs = zip(rates["vecevo"], rates["reference"], strict=True)
        spread = records.spread(rates["vecevo"])
        yield {
            "what": "lanes",
            "width": width,
            "depth": DEPTH,
            "num_features": num_features,
            "batch_size": BATCH_SIZE,
            "num_lanes": num_lanes,
            "samples_per_second": spread,
            "ratio_to_reference": records.spread([a / b for a, b in pairs]),
            "compile_seconds": prepared["vecevo"].compile_seconds,
            "kernels": count_kernels(session, num_lanes),
            **lanes.shares(rates["vecevo"], dataset, described, BATCH_SIZE, ceilings),
        }
        if spread["median"] < LEAST_GROWTH * before:
            break
        before, num_lanes = spread["median"], 2 * num_lanes
    session.setup.programs.close()


def count_kernels(session, num_lanes):
    """Counts the kernels of a training step, in the compiled program's text."""
    module = sessions.padded_module(session, session.classes[0])
    text = session.setup.programs.get(module, num_lanes).train_epochs.as_text()
    return len(hlo.read_step(text, "train_step").kernels)


def load_data(data_dir, smoke):
    """CIFAR-10 from a folder, or random bytes of its shape."""
    if smoke:
        return lanes.random_dataset(64, 2 * BATCH_SIZE)
    if data_dir is None:
        return lanes.random_dataset(NUM_FEATURES, 40_000)
    return load_dataset("cifar10", data_dir=data_dir)


def run_job(name, dataset, smoke):
    """Runs one of the article's jobs; every network trains for 25 epochs."""
    space = article_space()
    if smoke:
        genes = dict(space.genes) | {"width": (16,), "depth": (1,)}
        space = space.__class__(tuple(genes.items()))
    population_size = min(JOBS[name]["population_size"], space.num_genomes)
    is_grid = JOBS[name]["num_generations"] == 1
    grid = strategies.grid(space.num_choices, population_size=population_size)
    result = search(
        space,
        dataset,
        strategy=grid if is_grid else "genetic",
        population_size=population_size,
        num_generations=JOBS[name]["num_generations"],
        patience=NUM_EPOCHS,
        max_epochs=1 if smoke else NUM_EPOCHS,
        confirm=0,
    )
    return {
        "what": "job",
        "name": name,
        "dataset": dataset.name,
        "seconds": result.time_seconds["total"],
        "compile_seconds": result.time_seconds["compile"],
        "num_networks": result.num_trained,
        "num_programs": result.num_programs,
        "useful_work_ratio": result.useful_work_ratio,
    }


def make_table(rows):
    """Returns the rows of lane counts as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = ("width", "lanes", "network-samples/s", "MFU", "MBU", "over reference")
    for name in (*names, "kernels"):
        table.add_column(name, justify="right")
    for row in rows:
        if row["what"] == "lanes":
            table.add_row(
                str(row["width"]),
                str(row["num_lanes"]),
                f"{row['samples_per_second']['median']:,.0f}",
                f"{row['mfu']:.0%}",
                f"{row['mbu']:.0%}",
                f"{row['ratio_to_reference']['median']:.2f}",
                str(row["kernels"]),
            )
    return table
