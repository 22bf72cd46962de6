"""The data sets that scikit-learn brings along, without a download."""

from typing import Any

import numpy as np

from vecevo.errors import InputError
from vecevo.extras import import_extra

PREFIX = "sklearn:"
NAMES = ("breast_cancer", "digits", "iris", "wine")


def load_bundled(name: str) -> dict[str, Any]:
    """Returns x_train and y_train, with names of classes where they have some.

    Args:
      name: with or without the prefix `sklearn:`.

    Raises:
      InputError: for an unknown name, or where the extra `sklearn` is not installed.
    """
    short = name.removeprefix(PREFIX)
    if short not in NAMES:
        raise InputError(
            f"dataset={name!r} is no set for classification that scikit-learn brings: "
            f"use {', '.join(PREFIX + known for known in NAMES)}."
        )
    datasets = import_extra("sklearn.datasets", "sklearn")
    loaded = getattr(datasets, f"load_{short}")()
    x = loaded.images if "images" in loaded else loaded.data
    return {
        "x_train": x.astype(np.float32),
        "y_train": np.asarray(loaded.target_names)[loaded.target],
    }
