"""Keeps finished grid runs, with the curves of all their networks, as tables."""

import shlex

import vecevo
from bench.harness import records
from bench.searching import digits_table
from vecevo.errors import InputError, describe
from vecevo.runs import parsing, resolving
from vecevo.runs.files import tables

GRID = "python -m vecevo.run --strategy grid --patience 25 --max-epochs 25 "
GRID += "--confirm 0 --ensemble 0 "
# By data set: the run that its table is of, and where it is kept.
COMMANDS = {
    "digits": GRID + "--replicates 3 --dataset digits --batch-size 64",
    "fashion_mnist": GRID + "--replicates 2 --dataset fashion_mnist "
    "--limit-train 10000 --batch-size 128 --width 8 16 32 64 128 256 --depth 1 2 3 "
    "--activation relu tanh --optimizer adam sgd "
    "--learning-rate 0.0001 0.0003 0.001 0.003 0.01 0.03 0.1",
}
PATHS = {
    "digits": digits_table.FOLDER / "digits_curves_table.npz",
    "fashion_mnist": digits_table.FOLDER / "fashion_mnist_table.npz",
}


def record(console, *, runs, smoke):
    """Writes a table for each data set that runs are of, and a record of them.

    Raises:
      InputError: for no run, or one that another command made.
    """
    if not runs:
        raise InputError(
            "runs=() has no folder: give those of grid runs with --runs, made with "
            + ", and ".join(COMMANDS.values())
        )
    found, rows = {}, _kept_rows()
    for run in runs:
        dataset, table = load(run)
        found.setdefault(dataset, []).append(table)
    for dataset, parts in found.items():
        table = vecevo.merge_tables(parts, source=COMMANDS[dataset])
        rows = [row for row in rows if row["dataset"] != dataset]
        rows.append(
            {
                "dataset": dataset,
                "run": table.source,
                **digits_table.describe(table),
                "num_epochs": table.curves["validation_accuracy"].shape[2],
            }
        )
        console.print(
            f"{dataset}: {rows[-1]['num_genomes']} networks, "
            f"{rows[-1]['num_replicates']} replicates"
        )
        if not smoke:
            vecevo.save_table(PATHS[dataset], table)
    if not smoke:
        command = "python -m bench curve_tables --runs FOLDER ..."
        records.write("curve_tables", rows, command=command)


def _kept_rows():
    """The rows of the record so far, of tables that are not made anew."""
    return (records.read("curve_tables") or {"rows": []})["rows"]


def load(run):
    """Returns the data set and the Table of a run.

    Raises:
      InputError: for a run of another data set, space or setting than its command
        says, or without curves.
    """
    recorded = vecevo.load_run(run)
    dataset = recorded.config.get("dataset")
    if dataset not in COMMANDS:
        raise InputError(
            f"runs={run!r} is of {dataset}: give some of {', '.join(COMMANDS)}."
        )
    config = parsing.parse(shlex.split(COMMANDS[dataset])[3:])
    space, fixed = resolving.make_space(config)
    wanted = {"genes": space.genes, "fixed": fixed}
    has = {"genes": recorded.space.genes, "fixed": recorded.fixed}
    of_run = parsing.from_recorded(recorded.config)
    for name in tables.SETTINGS:
        wanted[name], has[name] = getattr(config, name), getattr(of_run, name)
    # What a run records where it is given none.
    wanted |= {"task": "classification", "metric": "accuracy"}
    has["metric"] = has["metric"] or "accuracy"  # or it is of before there were others
    for name, value in wanted.items():
        if has[name] != value:
            raise InputError(
                f"runs={run!r} has {name}={describe(has[name])}, not "
                f"{describe(value)}: give one of {COMMANDS[dataset]}"
            )
    table = vecevo.load_table(run)
    if not table.curves:
        raise InputError(f"runs={run!r} has no curves: give one that recorded them.")
    return dataset, table
