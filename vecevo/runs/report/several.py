"""Several runs of one configuration, a seed each, and how their results spread."""

import math
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from vecevo.results import in_metric
from vecevo.runs.files.reading import Run
from vecevo.runs.report import facts

NUM_ROWS = 5  # of the table


def bests(run: Run) -> np.ndarray:
    """Returns float64[N], the best accuracy after each network; -inf: all failed.

    Within a generation networks count in the order of their genomes, as the one in
    which cohorts finish differs from time to time.
    """
    networks = sorted(
        facts.searched_networks(run), key=lambda n: (n.generation, n.genome)
    )
    return facts.best_so_far(networks)


def show_spread(runs: Sequence[Run], console: Console) -> None:
    """Prints how the results of runs spread, or that there is nothing to compare."""
    if (table := spread_table(runs)) is None:
        console.print("nothing to compare: a run trained no network to its end")
        return
    said = "best validation accuracy of the runs, by networks trained:"
    console.print(in_metric(said, facts.metric_of(runs)))
    console.print(table)


def spread_table(runs: Sequence[Run]) -> Table | None:
    """Returns quartiles of the best accuracy by networks trained, as a table.

    There is none where a run trained no network.
    """
    found = [bests(run) for run in runs]
    most = min(map(len, found))
    if not most:
        return None
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("networks", "lower quartile", "median", "upper quartile"):
        table.add_column(name, justify="right")
    for num in np.unique(np.linspace(1, most, NUM_ROWS).round().astype(int)).tolist():
        row = quartiles([float(best[num - 1]) for best in found])
        table.add_row(str(num), *(quartile_text(accuracy) for accuracy in row))
    return table


def quartiles(accuracies: Sequence[float]) -> np.ndarray:
    """Returns the quartiles float64[3] of accuracies, of which -inf is the worst.

    >>> quartiles([0.5, 0.6, 0.7]).round(2).tolist()
    [0.55, 0.6, 0.65]
    """
    # What lies between -inf and a number is -inf, where NumPy has NaN.
    with np.errstate(invalid="ignore"):
        found = np.quantile(accuracies, (0.25, 0.5, 0.75))
    return np.where(np.isnan(found), -np.inf, found)


def quartile_text(accuracy: float) -> str:
    """Returns a quartile as the table shows it."""
    return f"{accuracy:.4f}" if math.isfinite(accuracy) else "failed"
