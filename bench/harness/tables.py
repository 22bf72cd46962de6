"""Markdown tables of the records, for bench/README.md."""

from bench.gpu import program
from bench.harness import markdown
from bench.searching import evolution, own_data, rendering
from bench.training import estimators, jobs, ladder, lanes, pieces, rung_seconds, small


def lanes_table(record):
    """Rates by width, and how often those of the baselines they are."""
    lines = markdown.head(
        ("features", "batch", "width", "depth", "lanes", "vecevo", "MFU", "MBU"),
        ("one scan", "a loop of steps", "Keras `fit`"),
    )
    for row in record["rows"]:
        lines.append(
            f"| {row['num_features']} | {row['batch_size']} | {row['width']} "
            f"| {'-'.join(map(str, row['depths']))} "
            f"| {row['num_workers']} x {row['num_lanes']} "
            f"| {row['vecevo']['samples_per_second']['median']:,.0f} "
            f"| {row['mfu']:.0%} | {row['mbu']:.0%} | "
            + " | ".join(lanes.ratio_text(row.get(side)) for side in lanes.BASELINES)
            + " |"
        )
    n = record["rows"][0]["vecevo"]["samples_per_second"]["n"]
    return markdown.finish(lines, record, f"Medians (spreads) of {n} interleaved pairs")


def parity_table(record):
    """Accuracies of Keras and vecevo."""
    lines = [
        "| data set | epochs | Keras, last epoch | vecevo, last epoch | seeds |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for row in record["rows"]:
        keras, ours = row["keras_accuracy"], row["vecevo_accuracy"]
        lines.append(
            f"| {row['dataset']} | {row['num_epochs']} "
            f"| {100 * sum(keras) / len(keras):.1f} % "
            f"| {100 * sum(ours) / len(ours):.1f} % | {len(ours)} |"
        )
    how = f"Means over the seeds; Keras {record['versions']['keras']} on JAX"
    return markdown.finish(lines, record, how)


def jobs_table(record):
    """Whole jobs, cold and warm."""
    lines = markdown.head(
        ("job", "data set", "side", "cold s", "warm s", "networks/h, warm"),
        ("vecevo's gain, cold", "warm"),
    )
    for row in record["rows"]:
        if row["job"] == "search":
            times = [f"{row[start]['seconds']:.0f}" for start in ("cold", "warm")]
            rate = 3600 * row["warm"]["num_networks"] / row["warm"]["seconds"]
            cells = ["genetic search, 20 x 10", row["dataset"], "vecevo", *times]
            lines.append(markdown.row([*cells, f"{rate:,.0f}", "", ""]))
        elif row["job"] == "list":
            for side in jobs.list_sides(row):
                lines.append(markdown.row(["24 networks", row["dataset"], *side]))
    projected = "; ".join(
        f"{row['name']} {row['hours']:.1f} h"
        for row in record["rows"]
        if row["job"] == "projection"
    )
    least = "; ".join(
        f"{'search' if row['job'] == 'search' else 'list'} "
        f"{row['least_seconds']['products']:.0f} + {row['least_seconds']['bytes']:.0f}"
        for row in record["rows"]
        if "least_seconds" in row
    )
    how = (
        "One run each; seconds that matrix products + bytes of the steps need by the "
        f"machine's measured rates: {least}; PROJECTED from the planner's constants, "
        "not run, for the article's jobs on CIFAR-10 at 25 epochs a network: "
        f"{projected}"
    )
    return markdown.finish(lines, record, how)


def packing_table(record):
    """Useful work of the plans and of the alternatives."""
    lines = markdown.head(
        ("data", "plan for", "networks", "useful work", "programs"),
        ("masked to depth 4: useful work", "programs"),
    )
    memory = []
    for row in record["rows"]:
        if "memory" in row:
            memory.append(
                f"{row['num_lanes']} x {row['width']} units x {row['depth']} layers "
                f"{row['state_bytes_per_param']:.1f} / "
                f"{row['peak_bytes_per_param']:.1f}"
            )
            continue
        cells = [row["data"], row["device"], row["networks"]]
        cells += [f"{row['useful_work_ratio']:.3f}", row["num_programs"]]
        masked = row["useful_work_ratio_masked"]
        lines.append(
            markdown.row([*cells, f"{masked:.3f}", row["num_programs_masked"]])
        )
    how = (
        "Stopping times of the recorded runs on digits; bytes per parameter, state / "
        f"peak, on CIFAR-10: {'; '.join(memory)}"
    )
    return markdown.finish(lines, record, how)


def startup_table(record):
    """Seconds until something happens."""
    lines = ["| what | seconds |", "| --- | ---: |"]
    for row in record["rows"]:
        spread = row["seconds"]
        lines.append(
            f"| {row['what']} "
            f"| {spread['median']:.1f} ({spread['min']:.1f}-{spread['max']:.1f}) |"
        )
    n = record["rows"][0]["seconds"]["n"]
    return markdown.finish(
        lines, record, f"Medians (spreads) of {n}, each a fresh process"
    )


def recording_table(record):
    """What recording and showing a run adds to it."""
    lines = markdown.head(("what",), ("with, s", "without, s", "with / without"))
    for row in record["rows"]:
        ratio = row["ratio"]
        lines.append(
            f"| {row['what']} | {row['with_seconds']['median']:.1f} "
            f"| {row['without_seconds']['median']:.1f} "
            f"| {ratio['median']:.3f} ({ratio['min']:.3f}-{ratio['max']:.3f}) |"
        )
    n = record["rows"][0]["ratio"]["n"]
    return markdown.finish(
        lines, record, f"Medians (spreads) of {n} pairs, programs cached"
    )


def small_table(record):
    """A thousand small networks on every side."""
    lines = markdown.head(small.COLUMNS)
    lines += [markdown.row(cells) for cells in small.gains(record["rows"])]
    n = record["rows"][0]["cold_seconds"]["n"]
    how = (
        f"Medians of {n} runs of vecevo; of the others some of the thousand, in a "
        "process a core, by their number"
    )
    return markdown.finish(lines, record, how)


def gpu_program_table(record):
    """The training step for an H100, by what XLA says of it."""
    names = ("kernels", "bytes a weight", "conditionals", "transfers")
    lines = markdown.head(
        ("features", "width", "depth", "lanes", *names),
        ("memory / planned", "PROJECTED us a step", "PROJECTED network-samples/s"),
    )
    for row in record["rows"]:
        lines.append(
            f"| {row['num_features']} | {row['width']} | {row['depth']} "
            f"| {row['num_lanes']} | {row['kernels']} | {row['bytes_per_weight']:.1f} "
            f"| {row['conditionals']} | {row['transfers']} "
            f"| {row['memory_of_planned']:.2f} "
            f"| {1e6 * row['projected_step_seconds']:,.0f} "
            f"| {row['projected_samples_per_second']:,.0f} |"
        )
    how = (
        f"Compiled by JAX {record['rows'][0]['jax']} for a described NVIDIA H100 80GB; "
        f"PROJECTED, not measured: {program.BANDWIDTH / 1e12:.1f} TB/s, "
        f"{1e6 * program.LAUNCH_SECONDS:.0f} us a launch"
    )
    return markdown.finish(lines, record, how)


def equivalence_table(record):
    """Largest differences by epoch."""
    num_epochs = len(record["rows"][0]["loss_difference"])
    lines = markdown.head(
        ("precision", "largest difference of"),
        [f"epoch {epoch + 1}" for epoch in range(num_epochs)],
    )
    for row in record["rows"]:
        for name in ("loss", "accuracy"):
            values = [f"{value:.1e}" for value in row[f"{name}_difference"]]
            lines.append(markdown.row([row["precision"], name, *values]))
    n = record["rows"][0]["num_networks"]
    return markdown.finish(
        lines, record, f"Over {n} networks on digits, all epochs compared"
    )


def operators_table(record):
    """Generations a second without training."""
    lines = markdown.head(
        ("population", "generations/s"), ("over DEAP", "over PyGAD", "over evosax")
    )
    for row in record["rows"]:
        rate = row["vecevo"]["generations_per_second"]["median"]
        ratios = [
            f"{row[name]['ratio']['median']:,.1f}" if name in row else "-"
            for name in ("deap", "pygad", "evosax")
        ]
        cells = [f"{row['population_size']:,}", f"{rate:,.1f}", *ratios]
        lines.append(markdown.row(cells))
    versions = record["versions"]
    peers = ", ".join(
        f"{name} {versions[name]}" for name in ("deap", "pygad", "evosax")
    )
    return markdown.finish(lines, record, f"Medians of interleaved pairs; {peers}")


def costs_table(record):
    """Rates by lane count."""
    rates, shape = {}, ("num_features", "batch_size", "width", "depth")
    for row in record["rows"]:
        of_shape = rates.setdefault(tuple(row[name] for name in shape), {})
        of_shape[row["num_lanes"]] = row["samples_per_second"]
    counts = sorted({count for of_shape in rates.values() for count in of_shape})
    lines = markdown.head(("features", "batch", "width", "depth"), counts)
    for key, of_shape in rates.items():
        cells = [
            f"{of_shape[n]['median']:,.0f}" if n in of_shape else "-" for n in counts
        ]
        lines.append(markdown.row([*key, *cells]))
    first = record["rows"][0]
    how = (
        f"Medians of {first['samples_per_second']['n']} passes, all with adam; "
        f"{first['num_workers']} cohorts of so many lanes at a time"
    )
    return markdown.finish(lines, record, how)


def runs_table(record):
    """Searches a second on the embedded table."""
    lines = markdown.head(("strategy", "runs a second", "spread", "compiled in s"))
    for row in record["rows"]:
        rate = row["runs_per_second"]
        cells = [row["strategy"], f"{rate['median']:,.0f}"]
        cells += [f"{rate['min']:,.0f}-{rate['max']:,.0f}"]
        lines.append(markdown.row([*cells, f"{row['compile_seconds']:.1f}"]))
    first = record["rows"][0]
    how = (
        f"Runs of 20 genomes x 10 generations, {first['num_runs']:,} at once, medians "
        f"of {first['runs_per_second']['n']}"
    )
    return markdown.finish(lines, record, how)


def gpu_table(record):
    """Rates by lane count, and the jobs."""
    lines = markdown.head(
        ("width", "lanes", "network-samples/s"),
        ("MFU", "MBU", "over one scan", "kernels"),
    )
    jobs_done = []
    for row in record["rows"]:
        if row["what"] == "lanes":
            cells = [row["width"], row["num_lanes"]]
            cells += [f"{row['samples_per_second']['median']:,.0f}"]
            cells += [f"{row[name]:.0%}" for name in ("mfu", "mbu")]
            cells += [f"{row['ratio_to_reference']['median']:.2f}", row["kernels"]]
            lines.append(markdown.row(cells))
        elif row["what"] == "job":
            jobs_done.append(f"{row['name']} {row['seconds']:.0f} s")
    return markdown.finish(
        lines, record, f"CIFAR-10 at 25 epochs: {'; '.join(jobs_done)}"
    )


TABLES = {
    "lanes": lanes_table,
    "jobs": jobs_table,
    "parity": parity_table,
    "packing": packing_table,
    "startup": startup_table,
    "recording": recording_table,
    "small": small_table,
    "gpu_program": gpu_program_table,
    "equivalence": equivalence_table,
    "operators": operators_table,
    "runs": runs_table,
    "costs": costs_table,
    "pieces": pieces.pieces_table,
    "ladder": ladder.ladder_table,
    "cifar": ladder.ladder_table,
    "gpu": gpu_table,
    "search": rendering.search_table,
    "search_models": rendering.models_table,
    "search_digits": rendering.noise_table,
    "search_choice": rendering.choice_table,
    "trainings": rendering.trainings_table,
    "rungs": rendering.rungs_table,
    "rung_ranks": rendering.rung_ranks_table,
    "rung_seconds": rung_seconds.rung_seconds_table,
    "evolution": evolution.evolution_table,
    "own_data": own_data.own_data_table,
    "estimators": estimators.estimators_table,
}
