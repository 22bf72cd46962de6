"""Examples as scikit-learn gives them: checked, and in the parts of a data set."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from vecevo.datasets.columns import is_frame, take_rows
from vecevo.datasets.fitting import Scaling
from vecevo.datasets.inputs import apply_inputs
from vecevo.datasets.making import Dataset, make_dataset
from vecevo.datasets.splitting import num_held_out, split_off
from vecevo.datasets.targets import Task, standardize
from vecevo.datasets.weighing import as_weights
from vecevo.errors import InputError, describe, is_number
from vecevo.extras import import_extra

try:
    from sklearn.utils import assert_all_finite, check_array
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import column_or_1d, validate_data
except ImportError:
    import_extra("sklearn", "sklearn")  # raises, and says how to install it
    raise


def take_examples(
    estimator: Any, x: Any, y: Any, check_fn: Callable[[Any], np.ndarray]
) -> tuple[Any, np.ndarray]:
    """Returns examples as they were given, and y as an array, both checked.

    Args:
      estimator: that is fitted, and notes what the examples are.
      x, y: as given.
      check_fn: y -> an array, N of them.

    Raises:
      ValueError: for what scikit-learn refuses.
    """
    x = check_examples(estimator, x, reset=True)
    if y is None:
        raise InputError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is "
            "None."
        )
    checked = check_fn(y)
    if len(checked) != len(x):
        raise InputError(
            f"X has {len(x)} examples and y {len(checked)} labels: give one for each."
        )
    return x, checked


def check_labels(y: Any) -> np.ndarray:
    """Returns labels [N]; of columns [N, 1] with a warning.

    Raises:
      ValueError: for what are no classes.
    """
    labels = column_or_1d(y, warn=True)
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    return labels


def check_numbers(y: Any) -> np.ndarray:
    """Returns finite numbers [N] or [N, K].

    Raises:
      ValueError: for what are none, or do not vary.
    """
    numbers = check_array(y, ensure_2d=False, dtype="numeric", input_name="y")
    if len(numbers) < 3:
        raise InputError(
            f"y has {len(numbers)} sample{'s'[: len(numbers) != 1]}: give 3 or more, "
            "two to train on and one to validate with."
        )
    if (numbers == numbers[:1]).all(axis=0).any():
        raise InputError(
            "y has a target of one value in all examples: give some that vary."
        )
    return numbers


def check_examples(estimator: Any, x: Any, *, reset: bool) -> Any:
    """Refuses what scikit-learn refuses, but missing values, texts and images.

    Raises:
      ValueError: naming it.
    """
    if is_frame(x):
        validate_data(estimator, x, reset=reset, skip_check_array=True)
        return x
    return validate_data(
        estimator,
        x,
        reset=reset,
        dtype=None,
        ensure_all_finite="allow-nan",
        allow_nd=True,
    )


def num_validation(num_examples: int, fraction: Any) -> int:
    """Returns how many examples validate.

    Raises:
      InputError: for what is no fraction.
    """
    if fraction is None:
        return num_held_out(num_examples)
    if not is_number(fraction) or not 0 < fraction < 1:
        raise InputError(
            f"validation_fraction={describe(fraction)} must be between 0 and 1, or "
            "None."
        )
    return math.ceil(fraction * num_examples)


def split(strata: np.ndarray, num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the examples to train on, one of each stratum at least, and the others.

    Args:
      strata: int[N], classes; of numbers all alike.
      num: of the others, at most.
      seed: of the draw.

    Raises:
      InputError: where there are no others.
    """
    _, first = np.unique(strata, return_index=True)
    free = np.setdiff1d(np.arange(len(strata)), first)
    if not len(free):
        raise InputError(
            f"X has {len(strata)} samples of {len(first)} classes, one of each: give "
            "more, as some are to validate with."
        )
    _, taken = split_off(strata[free], seed=seed, num=min(num, len(free)))
    held_out = free[taken]
    return np.setdiff1d(np.arange(len(strata)), held_out), held_out


def make_parts(
    x: Any,
    y: np.ndarray,
    stay: np.ndarray,
    held_out: np.ndarray,
    *,
    sample_weight: Any,
    inputs: Scaling,
    task: Task,
) -> Dataset:
    """Makes a data set whose test part is the one that validates.

    The part trained on stands for the test part at first: what is refused of a test
    part, as one on another scale, is no reason to refuse to learn.

    Args:
      x, y: checked.
      stay, held_out: int[n] each, the examples to train on, and the others.
      sample_weight: [N]; None: all weigh alike.
      inputs, task: as `make_dataset` takes them.

    Raises:
      InputError: for what cannot be learned.
    """
    known = take_rows(x, stay), y[stay]
    if sample_weight is not None:
        sample_weight = as_weights(sample_weight, len(y))[stay]
    how = {"sample_weight": sample_weight, "inputs": inputs, "task": task}
    dataset = make_dataset(*known, *known, is_article=True, **how)
    raw, others = take_rows(x, held_out), y[held_out]
    examples = apply_inputs(dataset.inputs, raw, argument="X")
    if dataset.targets is None:
        answers = np.searchsorted(np.unique(y), others).astype(np.int32)
    else:
        answers = standardize(dataset.targets, others.reshape(len(others), -1))
    return dataset._replace(
        x_validation=examples,
        y_validation=answers,
        x_test=examples,
        y_test=answers,
        raw_x_test=raw,
        is_article=False,
    )
