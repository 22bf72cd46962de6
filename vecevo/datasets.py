"""Data sets as arrays: the embedded digits and .npz files, with their splits."""

import importlib.resources
import pathlib
from typing import NamedTuple

import numpy as np


class Dataset(NamedTuple):
    """Inputs uint8[N, F] or float32[N, F] in [0, 1], and labels int32[N]."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    num_classes: int


def load_dataset(name, *, seed=0):
    """Loads `digits`, or the .npz file of a path, and splits off a validation part.

    The validation part is stratified: 10,000 examples of a training part of 50,000
    and more, a fifth of a smaller one.

    Raises:
      ValueError: naming what is wrong, for an unknown name or a malformed file.
    """
    if name == "digits":
        file = importlib.resources.files("vecevo.data") / "digits.npz"
        with file.open("rb") as opened, np.load(opened) as arrays:
            parts = {key: arrays[key] for key in arrays}
        for key in ("x_train", "x_test"):
            parts[key] = parts[key].astype(np.float32) / 16
        return make_dataset(name, **parts, seed=seed)
    if not name.endswith(".npz"):
        raise ValueError(f"dataset={name!r} is neither 'digits' nor an .npz file.")
    if not pathlib.Path(name).is_file():
        raise ValueError(f"dataset={name!r} does not exist: check the path.")
    with np.load(name, allow_pickle=False) as arrays:
        parts = {}
        for key in ("x_train", "y_train", "x_test", "y_test"):
            if key not in arrays:
                raise ValueError(f"dataset={name!r} has no array {key}: add it.")
            parts[key] = arrays[key]
    return make_dataset(pathlib.Path(name).stem, **parts, seed=seed)


def make_dataset(name, *, x_train, y_train, x_test, y_test, seed=0):
    """Makes a Dataset of plain arrays, examples first; see `load_dataset`."""
    for key, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        _check_part(key, np.asarray(x), np.asarray(y))
    x_train, x_test = _scale(np.asarray(x_train), np.asarray(x_test))
    y_train = np.asarray(y_train).astype(np.int32).ravel()
    y_test = np.asarray(y_test).astype(np.int32).ravel()
    num_classes = int(max(y_train.max(), y_test.max())) + 1
    if len(np.unique(y_train)) < 2:
        raise ValueError("y_train holds one class: give examples of at least two.")
    num = len(y_train)
    num_validation = 10_000 if num >= 50_000 else round(num / 5)
    held_out = stratified_sample(y_train, num_validation, seed=seed)
    rest = np.setdiff1d(np.arange(num), held_out)
    return Dataset(
        name=name,
        x_train=x_train[rest],
        y_train=y_train[rest],
        x_validation=x_train[held_out],
        y_validation=y_train[held_out],
        x_test=x_test,
        y_test=y_test,
        num_classes=num_classes,
    )


def stratified_sample(labels, num_samples, *, seed):
    """Picks indices, sorted, such that each class keeps its share of the labels."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    # Evenly spaced positions in an order sorted by class take an equal share of each.
    positions = (np.arange(num_samples) + 0.5) * len(labels) / num_samples
    return np.sort(order[positions.astype(int)])


def _check_part(key, x, y):
    if len(x) != len(y):
        raise ValueError(
            f"x_{key} has {len(x)} examples and y_{key} {len(y)}: make them equal."
        )
    if len(x) == 0:
        raise ValueError(f"x_{key} has no examples: give some.")
    if not np.issubdtype(y.dtype, np.integer) or y.size != len(y) or y.min() < 0:
        raise ValueError(
            f"y_{key} is {y.dtype}{list(y.shape)}: give one integer label, from 0 up, "
            "per example."
        )
    if not np.isfinite(x).all():
        raise ValueError(f"x_{key} has NaN or infinite values: remove them.")


def _scale(x_train, x_test):
    """Flattens examples; bytes stay, floats outside [0, 1] get the training range."""
    x_train, x_test = x_train.reshape(len(x_train), -1), x_test.reshape(len(x_test), -1)
    if x_train.dtype == np.uint8 and x_test.dtype == np.uint8:
        return x_train, x_test
    low, high = float(x_train.min()), float(x_train.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    span = max(high - low, np.finfo(np.float32).tiny)
    return tuple(((x - low) / span).astype(np.float32) for x in (x_train, x_test))
