"""How networks are trained, for all networks of a run alike: one value, one check."""

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from vecevo.datasets.making import Dataset
from vecevo.datasets.weighing import check_class_weight
from vecevo.errors import (
    InputError,
    check_counts,
    check_names,
    check_positive,
    is_number,
)
from vecevo.training.devices import is_on_cpu
from vecevo.training.lanes import metrics
from vecevo.training.lanes.augmentation import NAMES, Augmentation
from vecevo.training.memory import free_memory

DIGITS = {"digits", "mnist", "emnist", "kmnist", "svhn_cropped", "binarized_mnist"}
MOST_WORKERS = 1000  # far more than a plan was ever made for
CONSENT = "-anyway"  # behind flip, to mirror digits
LEAST_UNIT, MOST_UNIT = 0.01, 1e6  # of a target, whose RMSE is shown to 4 places
Precision = Literal["float32", "tf32", "bfloat16"]


class TrainingSettings(NamedTuple):
    """How networks are trained; None: chosen by data set or device."""

    batch_size: int | None = None  # B; that of the data set: 16, 64 or 128
    max_epochs: int | None = None  # cap; that of the data set: 25 for digits, or 50
    patience: int = (
        5  # epochs in a row without a lower validation loss, or better metric
    )
    metric: str | None = None  # of metrics.TABLE; accuracy, of numbers r2
    class_weight: Any = None  # none, balanced or a dict by label: of losses in training
    augment: tuple[str, ...] = ()  # what is done to images, of augmentation.NAMES
    mixup: float = 0.0  # alpha of the shares of examples that are mixed; 0: none are
    precision: Precision | None = None  # of networks' products; float32 on a CPU
    memory_bytes: int | None = None  # for networks in training; see `memory`
    planned_workers: int | None = None  # that the plan is made for; those of the device


def resolve(settings: Mapping[str, Any], dataset: Dataset) -> TrainingSettings:
    """Checks settings given by name, and fills in what they leave out.

    Raises:
      InputError: for an unknown name, or a value that nothing can be trained with.
    """
    check_names(settings, TrainingSettings._fields, of="setting of training")
    given = TrainingSettings(**settings)
    check(given)
    make_augmentation(given, dataset)
    metric = metrics.choose(given.metric, num_classes=dataset.num_classes).name
    _check_metric(metric, dataset)
    check_class_weight(given.class_weight, dataset.classes)
    filled = {
        "metric": metric,
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
    precision, optional = (
        settings.precision,
        ("batch_size", "max_epochs", "planned_workers"),
    )
    if isinstance(settings.augment, str):
        raise InputError(
            f"augment={settings.augment!r} must be a list of names: give "
            f"[{settings.augment!r}]."
        )
    known = (*NAMES, *(name + CONSENT for name in NAMES[:1]))
    check_names(settings.augment, known, of="augmentation")
    if not is_number(settings.mixup) or not 0 <= settings.mixup < math.inf:
        raise InputError(f"mixup={settings.mixup!r} must be a number from 0 up.")
    check_positive(memory_bytes=settings.memory_bytes)
    if settings.memory_bytes == math.inf:
        raise InputError("memory_bytes=inf must be finite, or None.")
    check_counts(patience=settings.patience)
    metrics.check(settings.metric)
    given = {name: getattr(settings, name) for name in optional}
    check_counts(**{name: n for name, n in given.items() if n is not None})
    if (settings.planned_workers or 0) > MOST_WORKERS:
        raise InputError(
            f"planned_workers={settings.planned_workers} must be at most "
            f"{MOST_WORKERS}."
        )
    if precision not in (None, *get_args(Precision)):
        raise InputError(
            f"precision={precision!r} must be one of {', '.join(get_args(Precision))}."
        )
    if is_on_cpu() and precision not in (None, "float32"):
        raise InputError(
            f"precision={precision!r} is not there: a CPU computes in float32, so "
            "leave it out, or choose another device."
        )


def _check_metric(metric: str, dataset: Dataset) -> None:
    """Refuses a metric that a part of the data set has no value of, or float32 none."""
    parts = {"validation": dataset.y_validation, "test": dataset.y_test}
    for part, y in parts.items() if metric == "auc" else ():
        absent = np.setdiff1d(range(dataset.num_classes), y)
        if len(absent):
            raise InputError(
                f"metric='auc' needs both classes in every part, and the {part} part "
                f"has no {dataset.classes[absent[0]]!r}: give more examples, or "
                "another metric."
            )
    units = units_of(dataset)
    if metric == "rmse" and not ((units > LEAST_UNIT) & (units < MOST_UNIT)).all():
        raise InputError(
            f"metric='rmse' is for targets of deviations from {LEAST_UNIT} to "
            f"{MOST_UNIT:g}, and one is {units[np.argmax(abs(np.log(units)))]:.3g}: "
            "give that in another unit, or metric='r2'."
        )


def units_of(dataset: Dataset) -> np.ndarray:
    """Returns float64[C] of 1 for classes, of numbers float64[K], their deviations."""
    if dataset.targets is None:
        return np.ones(dataset.num_classes)
    return dataset.targets.deviation


def make_augmentation(
    settings: TrainingSettings, dataset: Dataset
) -> Augmentation | None:
    """Returns what is done to the images of a data set; None: they stay as they are.

    Raises:
      InputError: where examples are no images, or mirrored ones would be wrong.
    """
    if not settings.augment and not settings.mixup:
        return None
    shape = dataset.inputs.shape
    is_image = len(shape) in (2, 3) and math.prod(shape) == dataset.inputs.num_features
    if settings.augment and not is_image:
        raise InputError(
            f"augment={settings.augment!r} is for images, and examples of "
            f"{dataset.name} have the shape {shape}: leave it out."
        )
    names = [name.removesuffix(CONSENT) for name in settings.augment]
    is_digits = dataset.name.partition("/")[0] in DIGITS
    if "flip" in settings.augment and is_digits:
        raise InputError(
            f"augment={settings.augment!r} would mirror the digits of {dataset.name}: "
            f"leave flip out, or give flip{CONSENT}."
        )
    height, width, channels = (*shape, 1, 1)[:3] if is_image else (1, 1, 1)
    done = tuple(name for name in NAMES if name in names)
    return Augmentation((height, width, channels), done, float(settings.mixup))


def precision_name(precision: str | None) -> str:
    """What products are computed in, for the record."""
    return precision or ("float32" if is_on_cpu() else "default")


def dataset_bytes(dataset: Dataset) -> int:
    """Bytes that a data set takes on the device while networks train on it."""
    parts = (dataset.x_train, dataset.y_train)
    parts += (dataset.x_validation, dataset.y_validation)
    weights = dataset.sample_weight
    parts += () if weights is None else (weights,)
    return sum(part.nbytes for part in parts)
