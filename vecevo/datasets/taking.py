"""What a data set is made of, as it was given: checked, and in two parts."""

from typing import Any, NamedTuple

import numpy as np

from vecevo.datasets import columns, splitting
from vecevo.datasets.labels import (
    Label,
    as_labels,
    check_sizes,
    encode_labels,
    find_classes,
)
from vecevo.datasets.targets import (
    Task,
    as_targets,
    check_alike_targets,
    is_regression,
)
from vecevo.errors import InputError


class Given(NamedTuple):
    """Raw examples, and places of classes, or numbers to be predicted."""

    x: Any
    x_test: Any
    y: np.ndarray  # int32[N], or float64[N, K]
    y_test: np.ndarray
    classes: tuple[Label, ...]
    names: tuple[str, ...] | None  # of targets; None: classes are learned
    rows: np.ndarray  # int[N], which of the examples given x and y are
    notes: tuple[str, ...] = ()


def take_parts(
    x: Any, y: Any, x_test: Any, y_test: Any, seed: int, is_article: bool, task: Task
) -> Given:
    """Checks what was given, and splits a test part off where there is none.

    Args:
      x, y, x_test, y_test: as `make_dataset` takes them.
      seed: of the split.
      is_article: whether there is to be no validation part.
      task: as `make_dataset` takes it.

    Raises:
      InputError: naming the array that nothing can be made of.
    """
    if (x_test is None) != (y_test is None):
        raise InputError("x_test and y_test come together: give both, or none.")
    is_split = x_test is None
    x = columns.as_examples(x, "x_train")
    take = _take_targets if is_regression(y, task) else _take_classes
    given = take(x, y, x_test, y_test, num_parts=1 + is_split + (not is_article))
    if not is_split:
        return given
    num = max(1, round(len(given.y) / 5))
    stay, taken = splitting.split_off(strata_of(given.y), seed=seed, num=num)
    how = "stratified" if given.names is None else "at random"
    note = (
        f"no test part was given: {num:,} examples, {how}, were split off by the seed "
        f"{seed}"
    )
    return given._replace(
        x=columns.take_rows(x, stay),
        x_test=columns.take_rows(x, taken),
        y=given.y[stay],
        y_test=given.y[taken],
        rows=stay,
        notes=(note,),
    )


def _take_classes(x: Any, y: Any, x_test: Any, y_test: Any, *, num_parts: int) -> Given:
    labels, order = as_labels(y, "y_train")
    _check_lengths(x, labels, "train")
    classes = find_classes(labels, order)
    check_sizes(labels, classes, least=num_parts, name="y_train")
    codes = encode_labels(labels, classes, "y_train")
    codes_test = codes[:0]
    if y_test is not None:
        x_test = columns.as_examples(x_test, "x_test")
        labels, _ = as_labels(y_test, "y_test")
        _check_lengths(x_test, labels, "test")
        codes_test = encode_labels(labels, classes, "y_test")
    return Given(x, x_test, codes, codes_test, classes, None, np.arange(len(codes)))


def _take_targets(x: Any, y: Any, x_test: Any, y_test: Any, *, num_parts: int) -> Given:
    values, names = as_targets(y, "y_train")
    _check_lengths(x, values, "train")
    if len(values) <= num_parts:
        raise InputError(
            f"y_train has {len(values)} examples: give {num_parts + 1} or more, two to "
            "train on and one for each other part."
        )
    values_test = values[:0]
    if y_test is not None:
        x_test = columns.as_examples(x_test, "x_test")
        values_test, names_test = as_targets(y_test, "y_test")
        _check_lengths(x_test, values_test, "test")
        is_named = columns.is_frame(y) and columns.is_frame(y_test)
        check_alike_targets(names, names_test, is_named=is_named)
    return Given(x, x_test, values, values_test, (), names, np.arange(len(values)))


def strata_of(y: np.ndarray) -> np.ndarray:
    """Returns int[N] by which parts are stratified: classes, or all of one kind."""
    return y if y.ndim == 1 else np.zeros(len(y), int)


def _check_lengths(x: Any, labels: np.ndarray, part: str) -> None:
    if len(x) != len(labels):
        raise InputError(
            f"x_{part} has shape {x.shape} and y_{part} {labels.shape}: make their "
            "lengths equal."
        )
