"""Keeps finished grid runs, with the curves of all their networks, as tables."""

import vecevo
from bench.harness import records
from bench.searching import digits_table
from vecevo.errors import InputError

GRID = "python -m vecevo.run --strategy grid --patience 25 --max-epochs 25 "
GRID += "--confirm 0 --ensemble 0 "
# By data set: the run that its table is of, and where it is kept.
COMMANDS = {
    "fashion_mnist": GRID + "--replicates 2 --dataset fashion_mnist "
    "--limit-train 10000 --width 8 16 32 64 128 256 --depth 1 2 3 "
    "--activation relu tanh --optimizer adam sgd "
    "--learning-rate 0.0001 0.0003 0.001 0.003 0.01 0.03 0.1",
}
PATHS = {"fashion_mnist": digits_table.FOLDER / "fashion_mnist_table.npz"}


def record(console, *, runs, smoke):
    """Writes a table for each data set that runs are of, and a record of them.

    Raises:
      InputError: for no run, or one of another data set.
    """
    if not runs:
        raise InputError(
            "runs=() has no folder: give those of grid runs with --runs, made with "
            + ", and ".join(COMMANDS.values())
        )
    tables, rows = {}, []
    for run in runs:
        dataset = vecevo.load_run(run).config.get("dataset")
        if dataset not in COMMANDS:
            raise InputError(
                f"runs={run!r} is of {dataset}: give some of {', '.join(COMMANDS)}."
            )
        tables.setdefault(dataset, []).append(vecevo.load_table(run))
    for dataset, parts in tables.items():
        table = vecevo.merge_tables(parts, source=COMMANDS[dataset])
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
