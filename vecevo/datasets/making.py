"""Data sets: examples and labels as arrays, in parts, ready to be learned."""

from typing import Any, NamedTuple

import numpy as np

from vecevo.datasets import columns, splitting
from vecevo.datasets.alike import check_alike
from vecevo.datasets.fitting import Scaling, fit_inputs
from vecevo.datasets.inputs import Inputs, apply_inputs
from vecevo.datasets.labels import (
    Label,
    as_labels,
    check_sizes,
    count_line,
    encode_labels,
    find_classes,
    labels_of,
)
from vecevo.errors import InputError, check_seed

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
FEW_EXAMPLES, FEW_TO_VALIDATE = 1000, 50
SMALL_BATCH, BATCH_SIZE = 16, 64


class Dataset(NamedTuple):
    """Inputs uint8[N, F] or float32[N, F], and labels int32[N], places in `classes`."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: tuple[Label, ...]
    inputs: Inputs  # how raw examples became these
    raw_x_test: Any  # the test part as it was given: what a Network is asked with
    notes: tuple[str, ...] = ()  # what was chosen or noticed, a line each
    is_article: bool = False  # the article's protocol: validation is the test part
    batch_size: int = BATCH_SIZE  # of minibatches, where a run is given none
    max_epochs: int = 50  # cap, where a run is given none

    @property
    def num_classes(self) -> int:
        """C."""
        return len(self.classes)

    @property
    def raw_y_test(self) -> np.ndarray:
        """The labels of the test part as they were given."""
        return labels_of(self.y_test, self.classes)

    @property
    def scaling(self) -> str:
        """What was done to the inputs, in words."""
        return self.inputs.words

    def __str__(self) -> str:
        return "\n".join(describe_dataset(self))


def make_dataset(
    x_train: Any,
    y_train: Any,
    x_test: Any = None,
    y_test: Any = None,
    *,
    inputs: Scaling = "auto",
    name: str = "arrays",
    seed: int = 0,
    limit_train: int | None = None,
    is_article: bool = False,
) -> Dataset:
    """Makes a Dataset of plain arrays or of tables, split and scaled.

    The validation part is stratified: 10,000 examples of a training part of 50,000
    and more, a fifth of a smaller one. By the article's protocol there is none: it
    trained on the whole training part, and stopped and scored on the test part.

    Args:
      x_train, x_test: NumPy or JAX arrays of any shape with the examples first, or
        pandas DataFrames. Without a test part, a fifth of the rest, stratified, is
        split off. In tables, of two dimensions, NaN is a missing value, and a column
        of texts is one input for each frequent text.
      y_train, y_test: a label each: texts, whole numbers or truth values.
      inputs: what is done to them, see `fit_inputs`; fitted to the part trained on.
      name: for the output.
      seed: of the split.
      limit_train: number of examples to train on, a stratified part; None is all.
      is_article: whether to follow the article's protocol.

    Raises:
      InputError: naming the array, for anything else.
    """
    check_seed(seed)
    given = _take_parts(x_train, y_train, x_test, y_test, seed, is_article)
    train, held_out = _split(given.codes, seed, limit_train, is_article)
    _check_trained(given.codes[train], given.classes, limit_train)
    x_part = columns.take_rows(given.x, train)
    fitted = fit_inputs(x_part, inputs, argument="x_train")
    if x_test is not None:  # what was split off is of one kind with the rest
        check_alike(fitted, given.x_test, argument="x_test")
    tested = apply_inputs(fitted, given.x_test, argument="x_test")
    x_validation, y_validation = tested, given.codes_test
    if not is_article:
        rest = columns.take_rows(given.x, held_out)
        x_validation = apply_inputs(fitted, rest, argument="x_train")
        y_validation = given.codes[held_out]
    return Dataset(
        name=name,
        x_train=apply_inputs(fitted, x_part, argument="x_train"),
        y_train=given.codes[train],
        x_validation=x_validation,
        y_validation=y_validation,
        x_test=tested,
        y_test=given.codes_test,
        classes=given.classes,
        inputs=fitted,
        raw_x_test=given.x_test,
        notes=(*given.notes, *_few(len(train), len(y_validation))),
        is_article=is_article,
        batch_size=SMALL_BATCH if len(train) < FEW_EXAMPLES else BATCH_SIZE,
    )


def describe_dataset(dataset: Dataset) -> list[str]:
    """Says in a few lines what a data set holds and what was done to it."""
    parts = (dataset.y_train, dataset.y_validation, dataset.y_test)
    num_train, num_validation, num_test = (f"{len(part):,}" for part in parts)
    return [
        f"{dataset.name}: {num_train} examples to train on, {num_validation} to "
        f"validate, {num_test} to test; {dataset.x_train.shape[1]:,} features",
        f"inputs: {dataset.scaling}",
        count_line(dataset.y_train, dataset.classes) + " to train on",
        *dataset.notes,
    ]


class _Given(NamedTuple):
    """What was given, checked: raw examples, and labels as places of classes."""

    x: Any
    codes: np.ndarray
    x_test: Any
    codes_test: np.ndarray
    classes: tuple[Label, ...]
    notes: tuple[str, ...]


def _take_parts(
    x: Any, y: Any, x_test: Any, y_test: Any, seed: int, is_article: bool
) -> _Given:
    if (x_test is None) != (y_test is None):
        raise InputError("x_test and y_test come together: give both, or none.")
    is_split = x_test is None
    x = columns.as_examples(x, "x_train")
    labels, order = as_labels(y, "y_train")
    _check_lengths(x, labels, "train")
    classes = find_classes(labels, order)
    num_parts = 1 + is_split + (not is_article)
    check_sizes(labels, classes, least=num_parts, name="y_train")
    codes = encode_labels(labels, classes, "y_train")
    if is_split:
        num = max(1, round(len(codes) / 5))
        stay, taken = splitting.split_off(codes, seed=seed, num=num)
        note = (
            f"no test part was given: {num:,} examples, stratified, were split off by "
            f"the seed {seed}"
        )
        x_test, codes_test = columns.take_rows(x, taken), codes[taken]
        x, codes = columns.take_rows(x, stay), codes[stay]
        return _Given(x, codes, x_test, codes_test, classes, (note,))
    x_test = columns.as_examples(x_test, "x_test")
    labels, _ = as_labels(y_test, "y_test")
    _check_lengths(x_test, labels, "test")
    return _Given(
        x, codes, x_test, encode_labels(labels, classes, "y_test"), classes, ()
    )


def _check_lengths(x: Any, labels: np.ndarray, part: str) -> None:
    if len(x) != len(labels):
        raise InputError(
            f"x_{part} has shape {x.shape} and y_{part} {labels.shape}: make their "
            "lengths equal."
        )


def _split(
    codes: np.ndarray, seed: int, limit_train: int | None, is_article: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the examples to train on and those to validate with, sorted."""
    num = 0 if is_article else splitting.num_held_out(len(codes))
    train, held_out = splitting.split_off(codes, seed=seed, num=num)
    return train[splitting.limit(codes[train], limit_train, seed=seed)], held_out


def _check_trained(
    codes: np.ndarray, classes: tuple[Label, ...], limit_train: int | None
) -> None:
    """Refuses a part to train on that lacks a class."""
    absent = np.setdiff1d(np.arange(len(classes)), codes)
    if len(absent):
        raise InputError(
            f"limit_train={limit_train} leaves no example of the class "
            f"{classes[absent[0]]!r} to train on: raise it."
        )


def _few(num_train: int, num_validation: int) -> list[str]:
    """Says where there are few examples."""
    said = []
    if num_validation < FEW_TO_VALIDATE:
        said.append(
            f"only {num_validation} examples to validate with: the best network is "
            f"chosen by accuracies in steps of {1 / num_validation:.3f}"
        )
    if num_train < SMALL_BATCH:
        said.append(f"only {num_train} examples to train on: less than a minibatch")
    return said
