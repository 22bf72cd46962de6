"""How networks are trained, for all networks of a run alike: one value, one check."""

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

from vecevo.datasets.making import Dataset
from vecevo.errors import (
    InputError,
    check_counts,
    check_names,
    check_positive,
)
from vecevo.training.memory import free_memory
from vecevo.training.programs import is_on_cpu

Precision = Literal["float32", "tf32", "bfloat16"]


class TrainingSettings(NamedTuple):
    """How networks are trained; None: chosen by data set or device."""

    batch_size: int | None = None  # B; that of the data set: 16, 64 or 128
    max_epochs: int | None = None  # cap; that of the data set: 25 for digits, or 50
    patience: int = 5  # epochs in a row without a lower validation loss
    precision: Precision | None = None  # of networks' products; float32 on a CPU
    memory_bytes: int | None = None  # for networks in training; see `memory`


def resolve(settings: Mapping[str, Any], dataset: Dataset) -> TrainingSettings:
    """Checks settings given by name, and fills in what they leave out.

    Raises:
      InputError: for an unknown name, or a value that nothing can be trained with.
    """
    check_names(settings, TrainingSettings._fields, of="setting of training")
    given = TrainingSettings(**settings)
    check(given)
    filled = {
        "batch_size": given.batch_size or dataset.batch_size,
        "max_epochs": given.max_epochs or dataset.max_epochs,
        "memory_bytes": given.memory_bytes or free_memory(dataset_bytes(dataset)),
    }
    return given._replace(**filled)


def check(settings: TrainingSettings) -> None:
    """Refuses values that nothing can be trained with.

    Raises:
      InputError: naming the setting, its value and what it must be.
    """
    precision, optional = settings.precision, ("batch_size", "max_epochs")
    check_positive(memory_bytes=settings.memory_bytes)
    if settings.memory_bytes == math.inf:
        raise InputError("memory_bytes=inf must be finite, or None.")
    check_counts(patience=settings.patience)
    given = {name: getattr(settings, name) for name in optional}
    check_counts(**{name: n for name, n in given.items() if n is not None})
    if precision not in (None, *get_args(Precision)):
        raise InputError(
            f"precision={precision!r} must be one of {', '.join(get_args(Precision))}."
        )
    if is_on_cpu() and precision not in (None, "float32"):
        raise InputError(
            f"precision={precision!r} is not there: a CPU computes in float32, so "
            "leave it out, or choose another device."
        )


def precision_name(precision: str | None) -> str:
    """What products are computed in, for the record."""
    return precision or ("float32" if is_on_cpu() else "default")


def dataset_bytes(dataset: Dataset) -> int:
    """Bytes that a data set takes on the device while networks train on it."""
    parts = (dataset.x_train, dataset.y_train)
    parts += (dataset.x_validation, dataset.y_validation)
    return sum(part.nbytes for part in parts)
