"""Markdown tables of the records, for the README."""

from bench import jobs, lanes


def lanes_table(record):
    """Rates by width, and how often those of the baselines they are."""
    lines = markdown_head(
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
    return finish(lines, record, f"Medians (spreads) of {n} interleaved pairs")


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
    return finish(lines, record, how)


def jobs_table(record):
    """Whole jobs, cold and warm."""
    lines = markdown_head(
        ("job", "data set", "side", "cold s", "warm s", "networks/h, warm"),
        ("vecevo's gain, cold", "warm"),
    )
    for row in record["rows"]:
        if row["job"] == "search":
            times = [f"{row[start]['seconds']:.0f}" for start in ("cold", "warm")]
            rate = 3600 * row["warm"]["num_networks"] / row["warm"]["seconds"]
            cells = ["genetic search, 20 x 10", row["dataset"], "vecevo", *times]
            lines.append(markdown_row([*cells, f"{rate:,.0f}", "", ""]))
        elif row["job"] == "list":
            for side in jobs.list_sides(row):
                lines.append(markdown_row(["24 networks", row["dataset"], *side]))
    projected = "; ".join(
        f"{row['name']} {row['hours']:.1f} h"
        for row in record["rows"]
        if row["job"] == "projection"
    )
    how = (
        "One run each; PROJECTED from the planner's constants, not run, for the "
        f"article's jobs on CIFAR-10 at 25 epochs a network: {projected}"
    )
    return finish(lines, record, how)


def packing_table(record):
    """Useful work of the plans and of the alternatives."""
    lines = markdown_head(
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
            markdown_row([*cells, f"{masked:.3f}", row["num_programs_masked"]])
        )
    how = (
        "Stopping times of the recorded runs on digits; bytes per parameter, state / "
        f"peak, on CIFAR-10: {'; '.join(memory)}"
    )
    return finish(lines, record, how)


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
    return finish(lines, record, f"Medians (spreads) of {n}, each a fresh process")


def equivalence_table(record):
    """Largest differences by epoch."""
    num_epochs = len(record["rows"][0]["loss_difference"])
    lines = markdown_head(
        ("precision", "largest difference of"),
        [f"epoch {epoch + 1}" for epoch in range(num_epochs)],
    )
    for row in record["rows"]:
        for name in ("loss", "accuracy"):
            values = [f"{value:.1e}" for value in row[f"{name}_difference"]]
            lines.append(markdown_row([row["precision"], name, *values]))
    n = record["rows"][0]["num_networks"]
    return finish(lines, record, f"Over {n} networks on digits, all epochs compared")


def operators_table(record):
    """Generations a second without training."""
    lines = markdown_head(
        ("population", "generations/s"), ("over DEAP", "over PyGAD", "over evosax")
    )
    for row in record["rows"]:
        rate = row["vecevo"]["generations_per_second"]["median"]
        ratios = [
            f"{row[name]['ratio']['median']:,.1f}" if name in row else "-"
            for name in ("deap", "pygad", "evosax")
        ]
        cells = [f"{row['population_size']:,}", f"{rate:,.1f}", *ratios]
        lines.append(markdown_row(cells))
    versions = record["versions"]
    peers = ", ".join(
        f"{name} {versions[name]}" for name in ("deap", "pygad", "evosax")
    )
    return finish(lines, record, f"Medians of interleaved pairs; {peers}")


def costs_table(record):
    """Rates by lane count."""
    rates, shape = {}, ("num_features", "batch_size", "width", "depth")
    for row in record["rows"]:
        of_shape = rates.setdefault(tuple(row[name] for name in shape), {})
        of_shape[row["num_lanes"]] = row["samples_per_second"]
    counts = sorted({count for of_shape in rates.values() for count in of_shape})
    lines = markdown_head(("features", "batch", "width", "depth"), counts)
    for key, of_shape in rates.items():
        cells = [
            f"{of_shape[n]['median']:,.0f}" if n in of_shape else "-" for n in counts
        ]
        lines.append(markdown_row([*key, *cells]))
    first = record["rows"][0]
    how = (
        f"Medians of {first['samples_per_second']['n']} passes, all with adam; "
        f"{first['num_workers']} cohorts of so many lanes at a time"
    )
    return finish(lines, record, how)


def runs_table(record):
    """Searches a second on the embedded table."""
    lines = markdown_head(("strategy", "runs a second", "spread", "compiled in s"))
    for row in record["rows"]:
        rate = row["runs_per_second"]
        cells = [row["strategy"], f"{rate['median']:,.0f}"]
        cells += [f"{rate['min']:,.0f}-{rate['max']:,.0f}"]
        lines.append(markdown_row([*cells, f"{row['compile_seconds']:.1f}"]))
    first = record["rows"][0]
    how = (
        f"Runs of 20 genomes x 10 generations, {first['num_runs']:,} at once, medians "
        f"of {first['runs_per_second']['n']}"
    )
    return finish(lines, record, how)


def gpu_table(record):
    """Rates by lane count, and the jobs."""
    lines = markdown_head(
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
            lines.append(markdown_row(cells))
        elif row["what"] == "job":
            jobs_done.append(f"{row['name']} {row['seconds']:.0f} s")
    return finish(lines, record, f"CIFAR-10 at 25 epochs: {'; '.join(jobs_done)}")


def search_table(record):
    """Regrets on recorded tables, and mean ranks."""
    rows = record["rows"]
    places = dict.fromkeys(cell["table"] for cell in rows[0]["cells"])
    lines = markdown_head(
        ("method", "mean rank"), [name.replace("_", " ") for name in places]
    )
    for row in sorted(rows, key=lambda row: row.get("mean_rank", len(rows))):
        if "cells" not in row:
            lines.append(
                markdown_row([row["method"], "absent", *("-" for _ in places)])
            )
            continue
        texts = {table: [] for table in places}
        for cell in row["cells"]:
            texts[cell["table"]].append(f"{cell['median']:.1e}")
        version = f" {row['version']}" if row["version"] else ""
        cells = [" / ".join(texts[table]) for table in places]
        lines.append(
            markdown_row(
                [f"{row['method']}{version}", f"{row['mean_rank']:.2f}", *cells]
            )
        )
    compared = rows[0]["against_best_peer"]
    num_worse = sum(cell["is_worse"] for cell in compared)
    num_better = sum(cell["is_better"] for cell in compared)
    read_at = dict.fromkeys(str(cell["num_distinct"]) for cell in rows[0]["cells"])
    how = (
        f"Median regrets of {rows[0]['cells'][0]['n']} seeds at {' / '.join(read_at)} "
        "distinct networks; `recommended` is beyond chance (paired bootstrap, 95 %) "
        f"better than the best other package in {num_better} of {len(compared)} cells "
        f"and worse in {num_worse}; quartiles are in the record"
    )
    return finish(lines, record, how)


def choice_table(record):
    """Mean ranks of the candidates."""
    lines = markdown_head(("candidate", "mean rank"))
    ranks = record["rows"][-1]["mean_ranks"]
    for name in sorted(ranks, key=ranks.__getitem__):
        lines.append(markdown_row([name, f"{ranks[name]:.2f}"]))
    num_tables = len(record["rows"]) - 1
    how = f"All without repeats, on {num_tables} landscapes, 3 budgets each"
    return finish(lines, record, how)


def trainings_table(record):
    """Networks trained until a good one is found."""
    shares = ("5 %", "25 %", "median", "75 %", "95 %")
    lines = markdown_head(("strategy", *shares), ("found within 100", "200"))
    for row in record["rows"]:
        cells = ["> 200" if value is None else value for value in row["quantiles"]]
        found = [f"{row[name]:.1%}" for name in ("share_within_100", "share_reached")]
        lines.append(markdown_row([row["strategy"], *cells, *found]))
    n = record["rows"][0]["n"]
    return finish(lines, record, f"Quantiles of {n:,} runs in generations of 20")


def markdown_head(names, more=()):
    """The first lines of a table whose cells are aligned to the right."""
    names = (*names, *more)
    return [markdown_row(names), "|" + " ---: |" * len(names)]


def markdown_row(cells):
    """A line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def finish(lines, record, how):
    """The table with a line below that says where its numbers come from."""
    versions = record["versions"]
    source = (
        f"{how}; {record['device']}; Python {versions['python']}, JAX "
        f"{versions['jax']}, Flax {versions['flax']}, Optax {versions['optax']}; "
        f"`{record['command']}`, commit {record['commit']}, "
        f"[record](bench/records/{record['name']}.json)."
    )
    return "\n".join([*lines, "", source])


TABLES = {
    "lanes": lanes_table,
    "jobs": jobs_table,
    "parity": parity_table,
    "packing": packing_table,
    "startup": startup_table,
    "equivalence": equivalence_table,
    "operators": operators_table,
    "runs": runs_table,
    "costs": costs_table,
    "gpu": gpu_table,
    "search": search_table,
    "search_digits": search_table,
    "search_choice": choice_table,
    "trainings": trainings_table,
}
