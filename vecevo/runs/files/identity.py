"""What a run must share with the one that it goes on with."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from vecevo.datasets.making import Dataset
from vecevo.errors import InputError, describe

ARRAYS = ("x_train", "y_train", "x_validation", "y_validation", "x_test", "y_test")


def fingerprint(dataset: Dataset) -> str:
    """Returns a hash of the parts of a data set, as networks read them."""
    digest = hashlib.sha256()
    for name in ARRAYS:
        array = np.ascontiguousarray(getattr(dataset, name))
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.data)
    if dataset.sample_weight is not None:
        digest.update(np.ascontiguousarray(dataset.sample_weight).data)
    if dataset.targets is not None:  # of which the arrays do not tell the units
        digest.update(repr([np.asarray(v).tolist() for v in dataset.targets]).encode())
    return digest.hexdigest()[:16]


def as_recorded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values as the journal gives them back."""
    return json.loads(json.dumps(values))


def check_same(folder: Any, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuses to go on with a run as another one.

    Args:
      folder: of the run.
      before: what it recorded.
      now: what it would be now.

    Raises:
      InputError: naming all that differs.
    """
    differences = [
        "the data set has changed"
        if name == "data"
        else f"{name} was {describe(before.get(name))} and is {describe(value)}"
        for name, value in {**dict.fromkeys(before), **as_recorded(now)}.items()
        if before.get(name) != value
    ]
    if differences:
        raise InputError(
            f"resume={str(folder)!r} would be another run: {'; '.join(differences)}. "
            "Resume it as it began, or start another."
        )
