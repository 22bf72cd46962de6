"""The best networks of a search trained again, so that luck does not choose."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.stats

from vecevo.errors import InputError, is_whole
from vecevo.results import Confirmed, Genome, NetworkResult

LEAST_REPLICATES, MOST_REPLICATES = 2, 8
TRAINED_FOR_ONE = 25  # networks that a search trains for each replicate of the best
LEAST_TO_TELL = 3  # replicates, without which no test says anything
LEVEL = 0.05  # of the tests together


def check_confirm(confirm: Any) -> None:
    """Refuses a number of networks to confirm that is no whole number from 0 up.

    Raises:
      InputError: naming it.
    """
    if not is_whole(confirm) or confirm < 0:
        raise InputError(f"confirm={confirm!r} must be a whole number from 0 up.")


def count_replicates(num_trained: int) -> int:
    """How often each of the best is trained again, by the networks of the search."""
    return min(MOST_REPLICATES, max(LEAST_REPLICATES, num_trained // TRAINED_FOR_ONE))


def compare(
    trainings: dict[Genome, Sequence[NetworkResult]],
) -> tuple[Confirmed, ...]:
    """Ranks networks by the mean of their replicates, and tells them from the first.

    Each is compared with the first by a paired t-test of validation accuracies, pairs
    being replicates, at a level of 0.05 for all together (Holm, "A simple sequentially
    rejective multiple test procedure", 1979). As the first was chosen by these same
    accuracies, the tests favour it a little.

    Args:
      trainings: by genome, R results in the order of replicates, the same of all.
    """
    ranked = sorted(trainings, key=lambda genome: _rank(genome, trainings[genome]))
    accuracies = np.array(
        [[r.validation_accuracy for r in trainings[genome]] for genome in ranked]
    )
    p_values = holm(_p_values(accuracies))
    confirmed = []
    for place, genome in enumerate(ranked):
        results, row = trainings[genome], place - 1
        is_compared = place > 0 and len(results) >= LEAST_TO_TELL
        tested = [r.test_accuracy for r in results]
        confirmed.append(
            Confirmed(
                genome=genome,
                hyperparams=results[0].hyperparams,
                validation_accuracy=accuracies[place],
                test_accuracy=np.array(tested, float),
                p_value=float(p_values[row]) if is_compared else None,
                is_tied=bool(p_values[row] > LEVEL) if is_compared else None,
            )
        )
    return tuple(confirmed)


def _rank(
    genome: Genome, results: Sequence[NetworkResult]
) -> tuple[float, float, Genome]:
    accuracy = np.mean([result.validation_accuracy for result in results])
    loss = np.mean([result.validation_loss for result in results])
    return -float(accuracy), float(loss), genome


def _p_values(accuracies: np.ndarray) -> np.ndarray:
    """Paired t-tests of rows float[K, R] with the first: float[K - 1]."""
    p_values = []
    for row in accuracies[1:]:
        if not np.isfinite(row).all() or not np.isfinite(accuracies[0]).all():
            p_values.append(0.0)  # one that failed is no equal of one that did not
            continue
        differences = accuracies[0] - row
        if np.ptp(differences) == 0:  # nothing varies: equal, or always as far apart
            p_values.append(float(differences[0] == 0))
            continue
        p_values.append(float(scipy.stats.ttest_rel(accuracies[0], row).pvalue))
    return np.array(p_values)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Returns p-values float[N] adjusted for being N, by Holm's procedure.

    At any level for all together, those are rejected that are not above it.
    """
    order, num = np.argsort(p_values, kind="stable"), len(p_values)
    steps = np.maximum.accumulate(p_values[order] * np.arange(num, 0, -1))
    adjusted = np.empty(num)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted
