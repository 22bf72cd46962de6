"""Records finished grid runs of one space, a seed each, as one embedded table."""

import pathlib
import shlex

import numpy as np

import vecevo
from bench.harness import records
from vecevo.errors import InputError

FOLDER = pathlib.Path(vecevo.__file__).parent / "data"


def record(console, *, runs, smoke):
    """Merges runs into the table that `vecevo.load_table("digits")` reads.

    Raises:
      ValueError: for runs that are not of one configuration and finished.
    """
    if not runs:
        raise InputError(
            "runs=() has no folder: give those of grid runs with --runs, made with "
            "python -m vecevo.run --strategy grid --seed 0 (1, 2, ...)."
        )
    command = f"python -m bench digits_table --runs {shlex.join(runs)}"
    tables = [vecevo.load_table(run) for run in runs]
    table = vecevo.merge_tables(tables, source=command)
    row = describe(table)
    console.print(
        f"{row['num_genomes']} networks, {row['num_replicates']} replicates; "
        f"best mean accuracy {row['best_mean_accuracy']:.4f}"
    )
    if not smoke:
        vecevo.save_table(FOLDER / "digits_table.npz", table)
        records.write("digits_table", [row], command=command)


def describe(table):
    """Returns what a record says of a table."""
    accuracy = table.validation_accuracy
    means = accuracy.mean(axis=1)
    best = np.unravel_index(means.argmax(), table.space.num_choices)
    finite = accuracy[np.isfinite(accuracy).all(axis=1)]
    num_replicates = accuracy.shape[1]
    deviation = None
    if num_replicates > 1:
        deviation = float(np.sqrt(finite.var(axis=1, ddof=1).mean()))
    return {
        "num_genomes": len(accuracy),
        "num_replicates": num_replicates,
        "num_failed": int((~np.isfinite(accuracy)).sum()),
        "best": vecevo.decode(table.space, best),
        "best_mean_accuracy": float(means.max()),
        "median_mean_accuracy": float(np.median(means)),
        "deviation_between_replicates": deviation,
    }
