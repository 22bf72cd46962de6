"""The data sets that scikit-learn brings along, without a download."""

from typing import Any

import numpy as np

from vecevo.datasets.targets import Task
from vecevo.errors import InputError, did_you_mean
from vecevo.extras import import_extra

PREFIX = "sklearn:"
CLASSES = ("breast_cancer", "digits", "iris", "wine")
NUMBERS = ("diabetes", "linnerud")
NAMES = (*CLASSES, *NUMBERS)


def load_bundled(name: str) -> dict[str, Any]:
    """Returns x_train and y_train: names of classes, or numbers to be predicted.

    Args:
      name: with or without the prefix `sklearn:`.

    Raises:
      InputError: for an unknown name, or where the extra `sklearn` is not installed.
    """
    short = name.removeprefix(PREFIX)
    if short not in NAMES:
        raise InputError(
            f"dataset={name!r} is no set that scikit-learn brings"
            f"{did_you_mean(short, NAMES)}: use "
            f"{', '.join(PREFIX + known for known in NAMES)}."
        )
    datasets = import_extra("sklearn.datasets", "sklearn")
    loaded = getattr(datasets, f"load_{short}")()
    x = loaded.images if "images" in loaded else loaded.data
    if short in NUMBERS:
        return {"x_train": x.astype(np.float32), "y_train": loaded.target}
    return {
        "x_train": x.astype(np.float32),
        "y_train": np.asarray(loaded.target_names)[loaded.target],
    }


def task_of(name: str) -> Task:
    """Returns what a set is for; the numbers of some are whole, as classes are."""
    is_of_numbers = name.removeprefix(PREFIX) in NUMBERS
    return "regression" if is_of_numbers else "classification"
