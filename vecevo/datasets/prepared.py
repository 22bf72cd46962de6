"""Image-classification sets of tensorflow-datasets as arrays, and their cache.

Prepared files are looked for first, on the disk only: tensorflow-datasets itself
would retry for minutes where there is no network. Reading needs no TensorFlow.
"""

import hashlib
import importlib.util
import logging
import os
import pathlib
import re
import socket
import tempfile
from typing import Any

import numpy as np

from vecevo.errors import InputError, check_paths, did_you_mean
from vecevo.folders import expand

DEFAULT_DATA_DIR = "~/tensorflow_datasets"  # that of tensorflow-datasets
NAME = r"\w[\w.-]*(/\w[\w.-]*)?"
DOWNLOADS = ("storage.googleapis.com", 443)  # where it looks for prepared sets
MNIST_FAMILY = ("mnist", "fashion_mnist", "kmnist", "emnist")
# What names are compared to that are not there.
COMMON = ("digits", *MNIST_FAMILY, "cifar10", "cifar100")


def load_arrays(
    name: str,
    *,
    data_dir: str | os.PathLike | None = None,
    cache_dir: str | os.PathLike | None = None,
) -> dict[str, np.ndarray]:
    """Reads a set, from the cache of decoded arrays if it is there.

    Args:
      name: as in tensorflow-datasets, `name` or `name/config`.
      data_dir: where it keeps prepared sets; None is its default.
      cache_dir: where decoded arrays are kept; None keeps none.

    Returns:
      A dict with x_train, y_train, x_test, y_test: uint8 images and int64 labels.

    Raises:
      InputError: saying what to install or where to put what.
    """
    data_dir = data_folder(data_dir)
    folder = find_prepared(name, data_dir) or _prepare(name, data_dir)
    if cache_dir is None:
        return _decode(name, folder)
    cached = pathlib.Path(cache_dir) / f"{folder.parts[-2]}-{_fingerprint(folder)}.npz"
    if not cached.exists():
        _write_whole(cached, _decode(name, folder))
    with np.load(cached) as arrays:
        return dict(arrays)


def data_folder(data_dir: str | os.PathLike | None) -> pathlib.Path:
    """Returns where prepared sets are."""
    check_paths(data_dir=data_dir)
    return expand(data_dir or DEFAULT_DATA_DIR, name="data_dir").absolute()


def find_prepared(name: str, data_dir: pathlib.Path) -> pathlib.Path | None:
    """Returns the folder of the newest prepared version, or None."""
    if not re.fullmatch(NAME, name):
        raise InputError(
            f"dataset={name!r} is no name of a data set: give 'digits', the path of a "
            "file, or a name of tensorflow-datasets such as 'cifar10'."
        )
    infos = (data_dir / name).glob("*.*.*/dataset_info.json")

    def version(info: pathlib.Path) -> tuple[int, ...]:
        return tuple(int(number) for number in re.findall(r"\d+", info.parent.name))

    newest = max(infos, key=version, default=None)
    return newest and newest.parent


def _prepare(name: str, data_dir: pathlib.Path) -> pathlib.Path:
    """Downloads and prepares a set, which needs TensorFlow and the network."""
    not_there = (
        f"dataset={name!r}{did_you_mean(name, COMMON)} is not prepared under "
        f"data_dir={str(data_dir)!r}"
    )
    give = f"put the folder {name}/VERSION there or name its parent with --data-dir"
    if importlib.util.find_spec("tensorflow") is None:
        raise InputError(
            f"{not_there}, and preparing needs TensorFlow: pip install "
            f"'vecevo[prepare]', or {give}."
        )
    try:
        socket.create_connection(DOWNLOADS, timeout=5).close()
    except OSError as error:
        raise InputError(f"{not_there}, and there is no network: {give}.") from error
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        raise InputError(
            f"{not_there}, and tensorflow-datasets does not know it: check the name."
        ) from error
    builder.download_and_prepare(file_format="array_record")
    return pathlib.Path(builder.data_dir)


def _decode(name: str, folder: pathlib.Path) -> dict[str, np.ndarray]:
    """Reads all images of a prepared version into arrays."""
    import tensorflow_datasets as tfds

    # It recommends OpenCV for decoding, at every use.
    logging.getLogger("absl").setLevel(logging.ERROR)
    builder: Any = tfds.builder_from_directory(folder)
    features = builder.info.features
    if not {"image", "label"} <= set(features) or len(features["label"].shape):
        raise InputError(
            f"dataset={name!r} has features {', '.join(features)}: only sets with one "
            "image and one label each can be learned; save others as an .npz file."
        )
    if not {"train", "test"} <= set(builder.info.splits):
        raise InputError(
            f"dataset={name!r} has the splits {', '.join(builder.info.splits)}, not "
            "train and test: save it as an .npz file."
        )
    arrays = {}
    for part in ("train", "test"):
        source = builder.as_data_source(split=part)
        examples = [source[index] for index in range(len(source))]
        shapes = {example["image"].shape for example in examples}
        if len(shapes) > 1:
            raise InputError(
                f"dataset={name!r} has images of {len(shapes)} sizes: resize them to "
                "one and save them as an .npz file."
            )
        arrays[f"x_{part}"] = np.stack([example["image"] for example in examples])
        arrays[f"y_{part}"] = np.array([example["label"] for example in examples])
    return arrays


def _fingerprint(folder: pathlib.Path) -> str:
    """A name for the contents of a folder: by the names, sizes and ages of its files.

    Two sets of one name and version may differ, so these are not enough.
    """
    files = sorted(
        (f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in folder.iterdir()
    )
    digest = hashlib.sha256(repr((str(folder), files)).encode())
    return digest.hexdigest()[:16]


def _write_whole(path: pathlib.Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes an .npz file under a temporary name, then renames it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        os.replace(temporary, path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise
