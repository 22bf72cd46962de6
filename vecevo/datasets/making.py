"""Data sets: examples and labels as arrays, in parts, ready to be learned."""

from typing import Any, Literal, NamedTuple

import numpy as np

from vecevo.datasets import columns, splitting, weighing
from vecevo.datasets.alike import check_alike
from vecevo.datasets.fitting import Scaling, fit_inputs
from vecevo.datasets.inputs import Inputs, apply_inputs
from vecevo.datasets.labels import Label, count_line, labels_of
from vecevo.datasets.taking import Given, strata_of, take_parts
from vecevo.datasets.targets import (
    Targets,
    Task,
    fit_targets,
    restore,
    standardize,
    targets_line,
)
from vecevo.errors import InputError, check_seed

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
FEW_EXAMPLES, FEW_TO_VALIDATE = 1000, 50
SMALL_BATCH, BATCH_SIZE = 16, 64


class Dataset(NamedTuple):
    """Inputs uint8[N, F] or float32[N, F], and what is to be said of them.

    That is y: int32[N], places in `classes`; in regression float32[N, K], standardised
    numbers as `targets` has them, and there are no classes.
    """

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
    targets: Targets | None = None  # the numbers that are predicted; None: classes are
    sample_weight: np.ndarray | None = None  # float32[N], of mean 1, what examples to
    # train on weigh; None: all alike

    @property
    def num_classes(self) -> int:
        """C; 0 in regression."""
        return len(self.classes)

    @property
    def num_outputs(self) -> int:
        """What a network says of an example: C numbers, in regression K."""
        return len(self.classes) if self.targets is None else len(self.targets.names)

    @property
    def task(self) -> Literal["classification", "regression"]:
        """What is learned: classification or regression."""
        return "classification" if self.targets is None else "regression"

    @property
    def raw_y_test(self) -> np.ndarray:
        """The labels of the test part as they were given; numbers to 7 digits."""
        if self.targets is not None:
            return restore(self.targets, self.y_test)
        return labels_of(self.y_test, self.classes)

    @property
    def scaling(self) -> str:
        """What was done to the inputs, in words."""
        return self.inputs.words

    def __str__(self) -> str:
        return "\n".join(describe_dataset(self))

    def __repr__(self) -> str:
        return str(self)


def make_dataset(
    x_train: Any,
    y_train: Any,
    x_test: Any = None,
    y_test: Any = None,
    *,
    sample_weight: Any = None,
    task: Task = "auto",
    inputs: Scaling = "auto",
    name: str = "arrays",
    seed: int = 0,
    limit_train: int | None = None,
    is_article: bool = False,
) -> Dataset:
    """Makes a Dataset of plain arrays or of tables, split and scaled.

    The validation part is stratified: 10,000 examples of a training part of 50,000
    and more, a fifth of a smaller one. By the article's protocol there is none: it
    trained on the whole training part, and stopped and scored on the test part. Of
    numbers to be predicted parts are random, and not stratified.

    Args:
      x_train, x_test: NumPy or JAX arrays of any shape with the examples first, or
        pandas DataFrames. Without a test part, a fifth of the rest, stratified, is
        split off. In tables, of two dimensions, NaN is a missing value, and a column
        of texts is one input for each frequent text.
      y_train, y_test: a label each: texts, whole numbers or truth values. Or, to be
        predicted, a number each, or several, [N, K].
      sample_weight: how much each example of x_train weighs while it is learned, from
        0 up; None: all alike. Measures do not weigh examples.
      task: `classification`, `regression`, or by what y_train is: numbers of which
        some have fractions, and several floats for an example, are predicted.
      inputs: what is done to them, see `fit_inputs`; fitted to the part trained on.
      name: for the output.
      seed: of the split.
      limit_train: number of examples to train on, a stratified part; None is all.
      is_article: whether to follow the article's protocol.

    Raises:
      InputError: naming the array, for anything else.
    """
    check_seed(seed)
    given = take_parts(x_train, y_train, x_test, y_test, seed, is_article, task)
    train, held_out = _split(given.y, seed, limit_train, is_article)
    if sample_weight is not None:
        weights = weighing.as_weights(sample_weight, len(y_train))
        sample_weight = weighing.normalize(weights[given.rows][train])
    targets = _fit_answers(given, train, limit_train)
    answers, answers_test = given.y, given.y_test
    if targets is not None:
        answers = standardize(targets, given.y)
        answers_test = standardize(targets, given.y_test)
    x_part = columns.take_rows(given.x, train)
    fitted = fit_inputs(x_part, inputs, argument="x_train")
    if x_test is not None:  # what was split off is of one kind with the rest
        check_alike(fitted, given.x_test, argument="x_test")
    tested = apply_inputs(fitted, given.x_test, argument="x_test")
    x_validation, y_validation = tested, answers_test
    if not is_article:
        rest = columns.take_rows(given.x, held_out)
        x_validation = apply_inputs(fitted, rest, argument="x_train")
        y_validation = answers[held_out]
    few = _few(len(train), len(y_validation), are_classes=targets is None)
    return Dataset(
        name=name,
        x_train=apply_inputs(fitted, x_part, argument="x_train"),
        y_train=answers[train],
        x_validation=x_validation,
        y_validation=y_validation,
        x_test=tested,
        y_test=answers_test,
        classes=given.classes,
        inputs=fitted,
        raw_x_test=given.x_test,
        notes=(*given.notes, *few),
        is_article=is_article,
        batch_size=SMALL_BATCH if len(train) < FEW_EXAMPLES else BATCH_SIZE,
        targets=targets,
        sample_weight=sample_weight,
    )


def describe_dataset(dataset: Dataset) -> list[str]:
    """Says in a few lines what a data set holds and what was done to it."""
    parts = (dataset.y_train, dataset.y_validation, dataset.y_test)
    num_train, num_validation, num_test = (f"{len(part):,}" for part in parts)
    said = (
        count_line(dataset.y_train, dataset.classes) + " to train on"
        if dataset.targets is None
        else targets_line(dataset.targets)
    )
    return [
        f"{dataset.name}: {num_train} examples to train on, {num_validation} to "
        f"validate, {num_test} to test; {dataset.x_train.shape[1]:,} features",
        f"inputs: {dataset.scaling}",
        said,
        *weighing.weights_line(dataset.sample_weight),
        *dataset.notes,
    ]


def _fit_answers(
    given: Given, train: np.ndarray, limit_train: int | None
) -> Targets | None:
    """Returns the Targets of the part to train on, of classes None, both checked."""
    if given.names is not None:
        return fit_targets(given.y[train], given.names, "y_train")
    _check_trained(given.y[train], given.classes, limit_train)
    return None


def _split(
    y: np.ndarray, seed: int, limit_train: int | None, is_article: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the examples to train on and those to validate with, sorted."""
    strata, num = strata_of(y), 0 if is_article else splitting.num_held_out(len(y))
    train, held_out = splitting.split_off(strata, seed=seed, num=num)
    return train[splitting.limit(strata[train], limit_train, seed=seed)], held_out


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


def _few(num_train: int, num_validation: int, *, are_classes: bool) -> list[str]:
    """Says where there are few examples."""
    said = []
    if num_validation < FEW_TO_VALIDATE:
        steps = f", accuracies in steps of {1 / num_validation:.3f}"
        said.append(
            f"only {num_validation} examples to validate with: the best network is "
            f"chosen by these alone{steps * are_classes}"
        )
    if num_train < SMALL_BATCH:
        said.append(f"only {num_train} examples to train on: less than a minibatch")
    return said
