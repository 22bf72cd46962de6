"""Data sets as arrays with their splits, scaled."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vecevo.errors import InputError, check_counts, check_seed

MOST_CLASSES = 1000  # or as many as there are examples
ARRAYS = ("x_train", "y_train", "x_test", "y_test")


class Dataset(NamedTuple):
    """Inputs uint8[N, F] or float32[N, F], and labels int32[N] from 0 up."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    num_classes: int
    scaling: str  # how inputs come to [0, 1], in words
    is_article: bool = False  # the article's protocol: validation is the test part
    batch_size: int = 64  # of minibatches, where a run is given none
    max_epochs: int = 50  # cap, where a run is given none


def make_dataset(
    *,
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike,
    y_test: ArrayLike,
    name: str = "arrays",
    seed: int = 0,
    limit_train: int | None = None,
    is_article: bool = False,
) -> Dataset:
    """Makes a Dataset of plain arrays, split and scaled.

    The validation part is stratified: 10,000 examples of a training part of 50,000
    and more, a fifth of a smaller one. By the article's protocol there is none: it
    trained on the whole training part, and stopped and scored on the test part.

    Args:
      x_train, x_test: numbers, any shape with the examples first. Bytes (uint8) are
        divided by 255 while training; others outside [0, 1] are mapped to it by the
        range of x_train.
      y_train, y_test: integer labels from 0 up.
      name: for the output.
      seed: of the split.
      limit_train: number of examples to train on, a stratified part; None is all.
      is_article: whether to follow the article's protocol.

    Raises:
      InputError: naming the array, for anything else.
    """
    check_seed(seed)
    x_train, x_test, y_train, y_test = map(
        np.asarray, (x_train, x_test, y_train, y_test)
    )
    _check_part("train", x_train, y_train)
    _check_part("test", x_test, y_test)
    if x_train.shape[1:] != x_test.shape[1:]:
        raise InputError(
            f"x_test has examples of shape {x_test.shape[1:]} and x_train of "
            f"{x_train.shape[1:]}: make them equal."
        )
    most_classes = max(MOST_CLASSES, len(y_train))
    largest = max(y_train.max(), y_test.max())
    if largest >= most_classes:
        raise InputError(
            f"y_train or y_test has the label {largest}, too large for {len(y_train)} "
            "examples: number the classes from 0 up."
        )
    y_train, y_test = (y.ravel().astype(np.int32) for y in (y_train, y_test))
    num_classes = int(max(y_train.max(), y_test.max())) + 1
    x_train, x_test, scaling = _scale(x_train, x_test)
    train, held_out = _split(y_train, seed, limit_train, is_article)
    if len(np.unique(y_train[train])) < 2:
        raise InputError(
            "y_train holds one class in the part to train on: give examples of at "
            "least two."
        )
    return Dataset(
        name=name,
        x_train=x_train[train],
        y_train=y_train[train],
        x_validation=x_test if is_article else x_train[held_out],
        y_validation=y_test if is_article else y_train[held_out],
        x_test=x_test,
        y_test=y_test,
        num_classes=num_classes,
        scaling=scaling,
        is_article=is_article,
    )


def standardize(dataset: Dataset) -> Dataset:
    """Gives each input mean 0 and standard deviation 1 over the training part.

    An input that is constant there is only centred. Returns a Dataset of float32.
    """
    x = dataset.x_train
    mean, deviation = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
    deviation = np.where(deviation > 0, deviation, 1)

    def apply(x: np.ndarray) -> np.ndarray:
        return ((x - mean.astype(np.float32)) / deviation.astype(np.float32)).astype(
            np.float32
        )

    return dataset._replace(
        x_train=apply(dataset.x_train),
        x_validation=apply(dataset.x_validation),
        x_test=apply(dataset.x_test),
        scaling="each standardised over the part trained on",
    )


def _split(
    labels: np.ndarray, seed: int, limit_train: int | None, is_article: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the examples to train on and those to validate on, sorted."""
    num = len(labels)
    num_held_out = 10_000 if num >= 50_000 else round(num / 5)
    num_held_out = 0 if is_article else max(1, num_held_out)
    held_out = stratified_sample(labels, num_held_out, seed=seed)
    train = np.setdiff1d(np.arange(num), held_out)
    if limit_train is not None:
        check_counts(limit_train=limit_train)
        if not 1 <= limit_train <= len(train):
            raise InputError(
                f"limit_train={limit_train} must be from 1 to {len(train)}, the number "
                "of examples there are to train on."
            )
        train = train[stratified_sample(labels[train], limit_train, seed=seed)]
    return train, held_out


def stratified_sample(labels: np.ndarray, num_samples: int, *, seed: int) -> np.ndarray:
    """Picks indices, sorted, such that each class keeps its share of the labels."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    # Evenly spaced positions in an order sorted by class take an equal share of each.
    positions = (np.arange(num_samples) + 0.5) * len(labels) / max(num_samples, 1)
    return np.sort(order[positions.astype(int)])


def _check_part(key: str, x: np.ndarray, y: np.ndarray) -> None:
    if not x.ndim or not y.ndim or len(x) != len(y):
        raise InputError(
            f"x_{key} has shape {x.shape} and y_{key} {y.shape}: make their lengths "
            "equal."
        )
    if x.size == 0:
        raise InputError(f"x_{key} has shape {x.shape}: give some examples.")
    if not np.issubdtype(y.dtype, np.integer) or y.size != len(y) or y.min() < 0:
        raise InputError(
            f"y_{key} is {y.dtype}{list(y.shape)}: give one integer label, from 0 up, "
            "per example."
        )
    is_number = np.issubdtype(x.dtype, np.floating) or np.issubdtype(
        x.dtype, np.integer
    )
    if not is_number and x.dtype != bool:
        raise InputError(f"x_{key} is of type {x.dtype}: give real numbers.")
    if not np.isfinite(x).all():
        raise InputError(f"x_{key} has NaN or infinite values: remove them.")


def _scale(
    x_train: np.ndarray, x_test: np.ndarray
) -> tuple[np.ndarray, np.ndarray, str]:
    """Flattens examples, and scales to [0, 1] what is not bytes."""
    x_train, x_test = x_train.reshape(len(x_train), -1), x_test.reshape(len(x_test), -1)
    if x_train.dtype == np.uint8 and x_test.dtype == np.uint8:
        return x_train, x_test, "bytes / 255"
    low, high = float(x_train.min()), float(x_train.max())
    if low >= 0 and high <= 1:
        return x_train.astype(np.float32), x_test.astype(np.float32), "as given"
    # A constant input says nothing; any span maps it to 0.
    span = (high - low) or 1.0
    x_train, x_test = (((x - low) / span).astype(np.float32) for x in (x_train, x_test))
    return x_train, x_test, f"(x - {low:g}) / {span:g}, the range of x_train"
