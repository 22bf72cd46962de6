"""Data sets by name: embedded digits, files, scikit-learn's, tensorflow-datasets'."""

import importlib.resources
import os
import pathlib
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from vecevo.datasets import bundled, prepared, tables
from vecevo.datasets.fitting import Scaling
from vecevo.datasets.making import ARRAYS, Dataset, make_dataset
from vecevo.datasets.targets import Task
from vecevo.errors import InputError, check_paths, describe

MNIST_BATCH_SIZE = 128  # the article's
DIGITS_EPOCHS = 25  # a cap that its few small images do with
DIGITS_SHAPE = (8, 8)
FILES = ".npz, .csv, .tsv or .parquet"


def load_dataset(
    name: str | os.PathLike,
    *,
    target: str | Sequence[str] | None = None,
    weight: str | None = None,
    task: Task = "auto",
    inputs: Scaling = "auto",
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
    seed: int = 0,
    limit_train: int | None = None,
    is_article: bool = False,
) -> Dataset:
    """Loads a data set and splits off a validation part.

    Args:
      name: `digits`; the path of an .npz file with the arrays of `make_dataset`, the
        test part's or not; of a .csv, .tsv or .parquet file; `sklearn:wine` and the
        like; or an image-classification set of tensorflow-datasets.
      target: the column of labels of a table, or several, of numbers to be predicted,
        a list or with commas between; None: one named target, label, class or y, or
        the last.
      weight: the column of a table that says how much an example weighs while it is
        learned, as `make_dataset` takes them by sample_weight; None: all alike.
      data_dir: where tensorflow-datasets has prepared its sets; None is its default.
      cache_dir: where decoded images are kept; None keeps none.
      task, inputs, seed, limit_train, is_article: see `make_dataset`.

    Raises:
      InputError: naming what is wrong, for an unknown name or a malformed file.
    """
    if not isinstance(name, str | os.PathLike):
        raise InputError(
            f"dataset={describe(name)} is no name of a data set: give 'digits', the "
            f"path of a file ({FILES}), or a name of tensorflow-datasets; arrays go to "
            "make_dataset."
        )
    check_paths(dataset=name)
    target = _joined(target)
    name, defaults, notes = os.fspath(name), {}, ()
    ending = pathlib.Path(name).suffix.lower()
    if ending not in tables.ENDINGS:
        _check_no_table(name, target=target, weight=weight)
    if name == "digits":
        arrays, defaults = _load_digits(), {"max_epochs": DIGITS_EPOCHS}
    elif name.startswith(bundled.PREFIX):
        arrays = bundled.load_bundled(name)
        task = bundled.task_of(name) if task == "auto" else task
    elif ending == ".npz":
        arrays = _load_npz(_existing(name))
    elif ending in tables.ENDINGS:
        arrays, notes = _load_table(_existing(name), target, weight)
    else:
        _check_no_file(name, ending)
        arrays = _load_prepared(name, data_dir, cache_dir)
        if name.partition("/")[0] in prepared.MNIST_FAMILY:
            defaults = {"batch_size": MNIST_BATCH_SIZE}
    dataset = make_dataset(
        **arrays,
        task=task,
        inputs=inputs,
        name=pathlib.Path(name).stem if ending in (".npz", *tables.ENDINGS) else name,
        seed=seed,
        limit_train=limit_train,
        is_article=is_article,
    )
    return dataset._replace(**defaults, notes=(*notes, *dataset.notes))


def as_dataset(dataset: Dataset | str | os.PathLike) -> Dataset:
    """Returns a Dataset as it is, and loads one that is named.

    Raises:
      InputError: for what is neither.
    """
    return dataset if isinstance(dataset, Dataset) else load_dataset(dataset)


def _joined(target: Any) -> str | None:
    """Returns names of columns with commas between."""
    if target is None or isinstance(target, str):
        return target
    if isinstance(target, list | tuple) and all(isinstance(t, str) for t in target):
        return ",".join(target)
    raise InputError(
        f"target={describe(target)} must be the name of a column, or a list of names."
    )


def _load_digits() -> dict[str, np.ndarray]:
    file = importlib.resources.files("vecevo.data") / "digits.npz"
    with file.open("rb") as opened, np.load(opened) as arrays:
        parts = {key: arrays[key] for key in ARRAYS}
    for key in ("x_train", "x_test"):
        parts[key] = parts[key].astype(np.float32).reshape(-1, *DIGITS_SHAPE)
    return parts


def _existing(name: str) -> pathlib.Path:
    path = pathlib.Path(name)
    if path.is_dir():
        raise InputError(f"dataset={name!r} is a folder: give a file in it.")
    if not path.is_file():
        raise InputError(f"dataset={name!r} does not exist: check the path.")
    return path


def _load_table(
    path: pathlib.Path, target: str | None, weight: str | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    frame = tables.read_table(path, argument="dataset")
    given = f"dataset={str(path)!r}"
    if weight is not None and target is not None and weight in target.split(","):
        raise InputError(
            f"weight={weight!r} is what target={target!r} predicts: name another "
            "column, or leave it out."
        )
    frame, weights = tables.split_weight(frame, weight, argument=given)
    x, y, said = tables.split_target(frame, target, argument=given)
    return {"x_train": x, "y_train": y, "sample_weight": weights}, (said,)


def _check_no_table(name: str, **columns: str | None) -> None:
    """Refuses names of columns where there are none."""
    for argument, column in columns.items():
        if column is not None:
            raise InputError(
                f"{argument}={column!r} has no say with dataset={name!r}, which is no "
                "table: leave it out."
            )


def _load_npz(path: pathlib.Path) -> dict[str, np.ndarray]:
    try:
        # A file opened by NumPy would stay open where it is damaged.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if not isinstance(arrays, np.lib.npyio.NpzFile):
                raise InputError("it holds one array")
            absent = [key for key in ARRAYS if key not in arrays]
            if absent and absent != ["x_test", "y_test"]:
                raise InputError(f"it has no array {absent[0]}; add it")
            return {key: arrays[key] for key in ARRAYS if key not in absent}
    except (OSError, EOFError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(
            f"dataset={str(path)!r} cannot be read ({error}): save x_train, y_train, "
            "and x_test and y_test if there are any, with numpy.savez."
        ) from error


def _check_no_file(name: str, ending: str) -> None:
    """Refuses paths of what is no data set, before they are taken for names."""
    path = pathlib.Path(name)
    if ending == ".npy":
        raise InputError(
            f"dataset={name!r} holds one array: save x_train and y_train together with "
            "numpy.savez, as an .npz file."
        )
    if re.fullmatch(r"\.[a-z]\w*", ending) or path.is_file():
        raise InputError(
            f"dataset={name!r} is no file that can be read: give one of {FILES}."
        )


def _load_prepared(
    name: str, data_dir: str | os.PathLike | None, cache_dir: str | os.PathLike | None
) -> dict[str, np.ndarray]:
    is_known = re.fullmatch(prepared.NAME, name) and prepared.find_prepared(
        name, prepared.data_folder(data_dir)
    )
    if not is_known and pathlib.Path(name).is_dir():
        raise InputError(f"dataset={name!r} is a folder: give a file in it, {FILES}.")
    return prepared.load_arrays(name, data_dir=data_dir, cache_dir=cache_dir)
