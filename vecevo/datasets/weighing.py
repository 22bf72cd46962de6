"""How much examples weigh while they are learned: by themselves, and by their class."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vecevo.datasets.labels import Label
from vecevo.errors import InputError, describe, is_number

BALANCED, NONE = "balanced", "none"


def as_weights(
    sample_weight: Any, num_examples: int, *, argument: str = "sample_weight"
) -> np.ndarray:
    """Returns weights float64[N].

    Args:
      sample_weight: list, array or Series of numbers from 0 up.
      num_examples: N.
      argument: for messages.

    Raises:
      InputError: for other numbers or another length.
    """
    if isinstance(sample_weight, np.ma.MaskedArray):
        sample_weight = sample_weight.tolist()  # None where it is masked
    try:
        weights = np.asarray(sample_weight)
        is_other = weights.dtype.kind not in "biufO"  # such as dates
        weights = np.zeros(()) if is_other else weights.astype(np.float64)
    except (TypeError, ValueError):
        weights = np.zeros(())
    if weights.shape != (num_examples,):
        raise InputError(
            f"{argument}={describe(sample_weight)} must be a number for each of the "
            f"{num_examples} examples."
        )
    is_wrong = ~(np.isfinite(weights) & (weights >= 0))
    if is_wrong.any():
        row = is_wrong.argmax()
        raise InputError(
            f"{argument} has {weights[row]} for example {row}: give finite numbers "
            "from 0 up."
        )
    return weights


def normalize(weights: np.ndarray) -> np.ndarray:
    """Returns weights float32[N] of mean 1.

    Raises:
      InputError: where all are 0.
    """
    largest = weights.max()
    if largest == 0:
        raise InputError(
            "sample_weight is zero for all examples to train on: give some a weight."
        )
    relative = weights / largest  # whose sum does not overflow
    return (relative / relative.mean()).astype(np.float32)


def check_class_weight(class_weight: Any, classes: tuple[Label, ...]) -> None:
    """Refuses what gives no weight to classes.

    Args:
      class_weight: None, `none`, `balanced`, or numbers by label.
      classes: of the data set; (): numbers are predicted.

    Raises:
      InputError: naming it.
    """
    is_text = isinstance(class_weight, str)
    if class_weight is None or (is_text and class_weight == NONE):
        return
    given = f"class_weight={describe(class_weight)}"
    if not classes:
        raise InputError(
            f"{given} has no say in regression, where there are no classes: leave it "
            "out, or weigh examples by sample_weight."
        )
    if is_text and class_weight == BALANCED:
        return
    if not isinstance(class_weight, Mapping):
        raise InputError(f"{given} must be none, balanced, or a dict by label.")
    for label, weight in class_weight.items():
        if label not in classes:
            raise InputError(
                f"{given} has the label {label!r}, which no example has: leave it out."
            )
        if not is_number(weight) or not 0 < weight < math.inf:
            raise InputError(
                f"{given} has {weight!r} for {label!r}: give a finite number above 0."
            )


def class_weights(
    class_weight: Any, y: np.ndarray, classes: tuple[Label, ...]
) -> np.ndarray | None:
    """Returns float64[C], what an example of each class weighs; None: all alike.

    Balanced, the classes weigh the same in total, N / (C n) for n examples. A class
    that a dict leaves out weighs 1.

    Args:
      class_weight: checked.
      y: int32[N], of the examples to train on.
      classes: C of them.
    """
    if class_weight is None or class_weight == NONE:
        return None
    if class_weight == BALANCED:
        counts = np.bincount(y, minlength=len(classes))
        return len(y) / (len(classes) * counts)
    return np.array([float(class_weight.get(label, 1)) for label in classes])


def weigh(
    sample_weight: np.ndarray | None,
    class_weight: Any,
    y: np.ndarray,
    classes: tuple[Label, ...],
) -> np.ndarray | None:
    """Returns what examples weigh, float32[N] of mean 1; None: all alike.

    Args:
      sample_weight: float32[N]; None: all alike.
      class_weight: checked.
      y: int32[N], or float32[N, K], of the examples to train on.
      classes: (): numbers are predicted.

    Raises:
      InputError: as `normalize`.
    """
    by_class = class_weights(class_weight, y, classes)
    if by_class is None:
        return sample_weight
    by_class = by_class / by_class.max()  # whose products do not overflow
    weights = by_class[y] * (1 if sample_weight is None else sample_weight)
    return normalize(weights)


def weights_line(sample_weight: np.ndarray | None) -> list[str]:
    """Says what examples float32[N] weigh; [] where all weigh alike."""
    if sample_weight is None:
        return []
    least, most = sample_weight.min(), sample_weight.max()
    return [f"weights of examples: {least:.3g} to {most:.3g}, their mean is 1"]
