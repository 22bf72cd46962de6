"""Data sets by name: embedded digits, .npz files, names of tensorflow-datasets."""

import importlib.resources
import os
import pathlib
import zipfile

import numpy as np

from vecevo.datasets import prepared
from vecevo.datasets.making import ARRAYS, Dataset, make_dataset
from vecevo.errors import InputError, describe

MNIST_FAMILY = ("mnist", "fashion_mnist", "kmnist", "emnist")
MNIST_BATCH_SIZE = 128  # the article's
DIGITS_EPOCHS = 25  # a cap that its few small images do with


def load_dataset(
    name: str | os.PathLike,
    *,
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
    seed: int = 0,
    limit_train: int | None = None,
    is_article: bool = False,
) -> Dataset:
    """Loads a data set and splits off a validation part.

    Args:
      name: `digits`, the path of an .npz file with the arrays of `make_dataset`, or
        an image-classification set of tensorflow-datasets.
      data_dir: where tensorflow-datasets has prepared its sets; None is its default.
      cache_dir: where decoded images are kept; None keeps none.
      seed, limit_train, is_article: see `make_dataset`.

    Raises:
      InputError: naming what is wrong, for an unknown name or a malformed file.
    """
    if not isinstance(name, str | os.PathLike):
        raise InputError(
            f"dataset={describe(name)} is no name of a data set: give 'digits', the "
            "path of an .npz file, or a name of tensorflow-datasets; arrays go to "
            "make_dataset."
        )
    name, defaults = os.fspath(name), {}
    if name == "digits":
        arrays, defaults = _load_digits(), {"max_epochs": DIGITS_EPOCHS}
    elif name.lower().endswith(".npz"):
        arrays = _load_npz(name)
        name = pathlib.Path(name).stem
    elif pathlib.Path(name).is_dir() and "/" in name.strip("/."):
        raise InputError(f"dataset={name!r} is a folder: give a file in it.")
    else:
        arrays = prepared.load_arrays(name, data_dir=data_dir, cache_dir=cache_dir)
        if name.partition("/")[0] in MNIST_FAMILY:
            defaults = {"batch_size": MNIST_BATCH_SIZE}
    dataset = make_dataset(
        **arrays, name=name, seed=seed, limit_train=limit_train, is_article=is_article
    )
    return dataset._replace(**defaults)


def as_dataset(dataset: Dataset | str | os.PathLike) -> Dataset:
    """Returns a Dataset as it is, and loads one that is named.

    Raises:
      InputError: for what is neither.
    """
    return dataset if isinstance(dataset, Dataset) else load_dataset(dataset)


def _load_digits() -> dict[str, np.ndarray]:
    file = importlib.resources.files("vecevo.data") / "digits.npz"
    with file.open("rb") as opened, np.load(opened) as arrays:
        parts = {key: arrays[key] for key in ARRAYS}
    for key in ("x_train", "x_test"):
        parts[key] = parts[key].astype(np.float32)
    return parts


def _load_npz(name: str) -> dict[str, np.ndarray]:
    if pathlib.Path(name).is_dir():
        raise InputError(f"dataset={name!r} is a folder: give a file in it.")
    if not pathlib.Path(name).is_file():
        raise InputError(f"dataset={name!r} does not exist: check the path.")
    try:
        with np.load(name, allow_pickle=False) as arrays:
            if not isinstance(arrays, np.lib.npyio.NpzFile):
                raise InputError("it holds one array")
            absent = [key for key in ARRAYS if key not in arrays]
            if absent:
                raise InputError(f"it has no array {absent[0]}; add it")
            return {key: arrays[key] for key in ARRAYS}
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(
            f"dataset={name!r} cannot be read ({error}): save x_train, y_train, "
            "x_test and y_test with numpy.savez."
        ) from error
