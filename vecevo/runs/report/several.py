"""Several runs of one configuration, a seed each, and how their results spread."""

from collections.abc import Sequence

import numpy as np
from rich.table import Table

from vecevo.runs.files.reading import Run
from vecevo.runs.report import facts

NUM_ROWS = 5  # of the table


def bests(run: Run) -> np.ndarray:
    """Returns float64[N], the best accuracy after each network of a run's search."""
    networks = sorted(facts.searched_networks(run), key=lambda n: n.generation)
    return np.maximum.accumulate(facts.accuracies_of(networks))


def spread_table(runs: Sequence[Run]) -> Table:
    """Returns quartiles of the best accuracy by networks trained, as a table.

    Networks of one generation count in the order in which their cohorts finished.
    """
    found = [bests(run) for run in runs]
    most = min(map(len, found))
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("networks", "lower quartile", "median", "upper quartile"):
        table.add_column(name, justify="right")
    for num in np.unique(np.linspace(1, most, NUM_ROWS).round().astype(int)).tolist():
        quartiles = np.quantile([best[num - 1] for best in found], (0.25, 0.5, 0.75))
        table.add_row(str(num), *(f"{accuracy:.4f}" for accuracy in quartiles))
    return table
