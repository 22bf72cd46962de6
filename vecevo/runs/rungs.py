"""Which rungs a run has, and what its networks say of them."""

import math
from collections.abc import Sequence

import numpy as np

from vecevo.datasets.making import Dataset
from vecevo.errors import InputError, describe
from vecevo.results import Saved
from vecevo.runs.ledger import Ledger
from vecevo.training.rungs import check_rungs
from vecevo.training.settings import TrainingSettings

# Of the cap on epochs: earlier cuts lost more than noise in searches that learn where
# to look (`python -m bench rungs`).
AUTO_SHARE = 1 / 5
# Those that lose least by these rungs on two recorded tables with curves, 0.02 points
# and less on one and 0.04 and 0.10, within noise, on the other; there genetic and
# regularized_evolution lose 0.15 and more, and what others do is not known.
AUTO_STRATEGIES = ("recommended", "random")
LEAST_STEPS = 50  # to a rung by default: fewer say nothing of a network

Rungs = str | Sequence[int] | None  # auto, none as None is, or epochs


def choose_rungs(
    rungs: Rungs,
    dataset: Dataset,
    settings: TrainingSettings,
    *,
    strategy: str | None,
    objectives: Sequence[str],
) -> tuple[int, ...] | None:
    """Returns the rungs of a run, or None where all networks train to the end.

    Those of `auto` are a fifth of the cap on epochs, rounded up, and the cap, for the
    strategies `recommended` and `random` by name. There are none where a fifth is less
    than 50 steps, for several objectives, of which rungs know accuracy alone, and by
    the article's protocol.

    Args:
      rungs: as the run is asked for.
      dataset: to train on.
      settings: resolved.
      strategy: its name, where it has one.
      objectives: names.

    Raises:
      InputError: for rungs that do not ascend to the cap, or that several objectives
        go with.
    """
    max_epochs, batch_size = settings.max_epochs or 0, settings.batch_size or 1
    if isinstance(rungs, np.ndarray):
        rungs = rungs.tolist()
    if rungs is None or rungs == "none":
        return None
    if rungs == "auto":
        if strategy not in AUTO_STRATEGIES or len(objectives) > 1 or dataset.is_article:
            return None
        steps = -(-len(dataset.y_train) // batch_size)
        return auto_rungs(max_epochs, steps_per_epoch=steps)
    if isinstance(rungs, str):
        raise InputError(f"rungs={describe(rungs)} must be auto, none, or epochs.")
    check_rungs(rungs, max_epochs)
    check_alone(rungs, objectives)
    return tuple(int(rung) for rung in rungs) if len(rungs) > 1 else None


def check_alone(rungs: Sequence[int], objectives: Sequence[str]) -> None:
    """Refuses rungs beside several objectives, of which they know one."""
    if len(objectives) > 1:
        raise InputError(
            f"rungs={tuple(rungs)} choose by accuracy alone: with objectives="
            f"{tuple(objectives)} give none."
        )


def auto_rungs(max_epochs: int, *, steps_per_epoch: int) -> tuple[int, ...] | None:
    """Returns the rungs that a cap on epochs has by default; None: there are none.

    >>> auto_rungs(25, steps_per_epoch=18), auto_rungs(50, steps_per_epoch=4)
    ((5, 25), None)
    """
    first = math.ceil(max_epochs * AUTO_SHARE)
    if first == max_epochs or first * steps_per_epoch < LEAST_STEPS:
        return None
    return first, max_epochs


def count_saved(ledger: Ledger, rungs: Sequence[int] | None) -> Saved | None:
    """Counts what rungs have saved; None where there are none, or nothing to go by.

    How long networks that were stopped would have trained is told by those that came
    to the last rung.
    """
    results, whole = ledger.results.values(), ledger.whole_epochs
    if rungs is None or not whole:
        return None
    stopped = [result for result in results if result.is_stopped]
    num_epochs = sum(result.num_epochs for result in results)
    more = len(stopped) * np.mean(whole) - sum(result.num_epochs for result in stopped)
    counts = np.bincount([r.rung for r in stopped], minlength=len(rungs) - 1)
    num_replicates = ledger.num_replicates
    return Saved(
        rungs=tuple(rungs),
        num_stopped=tuple(counts.tolist()),
        num_epochs=num_epochs * num_replicates,
        num_without=float(num_epochs + max(0.0, more)) * num_replicates,
    )
