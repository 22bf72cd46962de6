"""Labels of any kind, as numbers from 0 up: the places of classes in their order."""

from typing import Any

import numpy as np

from vecevo.datasets.columns import column_numbers, is_missing
from vecevo.errors import InputError, describe

Label = str | int | bool
MOST_NAMED = 10  # classes in one line


def as_labels(y: Any, name: str) -> tuple[np.ndarray, tuple[Label, ...] | None]:
    """Returns labels [N] as Python's values, and the order that categories have.

    Args:
      y: list, array or pandas Series of texts, whole numbers or truth values.
      name: for messages.

    Raises:
      InputError: for what is no label: numbers with fractions, missing ones, several
        for an example.
    """
    order = None
    if str(getattr(y, "dtype", "")) == "category":  # of pandas
        categories = y.cat.categories if hasattr(y, "cat") else y.categories
        order = tuple(_as_label(value, name) for value in categories)
    if isinstance(y, list | tuple):
        y = np.array(y, object)  # which keeps numbers and texts apart
    values = y.to_numpy() if hasattr(y, "iloc") else np.asarray(y)
    if values.dtype.kind in "cMmV":
        raise InputError(
            f"{name} is {describe(values)}: give texts, whole numbers or truth values."
        )
    if values.ndim == 0 or values.size != len(values):
        raise InputError(
            f"{name} is {describe(values)}: give one label for each example, or "
            "several numbers with task='regression'."
        )
    labels = [_as_label(value, name) for value in values.ravel().tolist()]
    kinds = sorted({type(label).__name__ for label in labels})
    if len(kinds) > 1:
        raise InputError(
            f"{name} has labels of several types, {' and '.join(kinds)}: give one."
        )
    return np.array(labels, object), order


def find_classes(
    labels: np.ndarray, order: tuple[Label, ...] | None
) -> tuple[Label, ...]:
    """Returns the classes that there are: in the given order, or sorted."""
    present = set(labels.tolist())
    return tuple(label for label in order or sorted(present) if label in present)


def encode_labels(
    labels: np.ndarray, classes: tuple[Label, ...], name: str
) -> np.ndarray:
    """Returns int32[N], the place of each label among the classes.

    Raises:
      InputError: for a label that is no class, as it was never trained on.
    """
    places = {label: place for place, label in enumerate(classes)}
    unknown = [label for label in dict.fromkeys(labels.tolist()) if label not in places]
    if unknown:
        raise InputError(
            f"{name} has the label {unknown[0]!r}, which no example to train on has: "
            "add examples of it, or leave those out."
        )
    return np.array([places[label] for label in labels.tolist()], np.int32)


def labels_of(codes: np.ndarray, classes: tuple[Label, ...]) -> np.ndarray:
    """Returns the labels [N] of places int[N]; the inverse of `encode_labels`."""
    return np.array(classes)[codes]


def check_sizes(
    labels: np.ndarray, classes: tuple[Label, ...], *, least: int, name: str
) -> None:
    """Refuses classes with fewer examples than there are parts to have one each.

    Raises:
      InputError: naming the smallest of them.
    """
    if len(classes) < 2:
        raise InputError(
            f"{name} holds one class, {labels[0]!r}: give examples of at least two."
        )
    counts = {label: 0 for label in classes}
    for label in labels.tolist():
        counts[label] += 1
    rarest = min(counts, key=lambda label: counts[label])
    if counts[rarest] < least:
        is_many = len(classes) > MOST_NAMED
        many = f", and {len(classes)} classes" if is_many else ""
        asked = " Is it a number to predict? Give task='regression'."
        is_number = column_numbers(np.array([rarest], object)) is not None
        raise InputError(
            f"{name} has {counts[rarest]} example{'s'[: counts[rarest] != 1]} of the "
            f"class {rarest!r}{many}: give {least} or more of each, one for each part, "
            f"or leave it out.{asked if is_many and is_number else ''}"
        )


def count_line(labels: np.ndarray, classes: tuple[Label, ...]) -> str:
    """Says the classes, and how many examples int[N] each has."""
    counts = np.bincount(labels, minlength=len(classes))
    if len(classes) > MOST_NAMED:
        least, most = counts.min(), counts.max()
        return f"{len(classes)} classes, {least:,} to {most:,} examples each"
    pairs = zip(classes, counts, strict=True)
    named = ", ".join(f"{label} ({count:,})" for label, count in pairs)
    return f"{len(classes)} classes: {named}"


def _as_label(value: Any, name: str) -> Label:
    if is_missing(value):
        raise InputError(f"{name} has a missing label: leave that example out.")
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, str | int | bool):
        raise InputError(
            f"{name} has the label {value!r}: give texts, whole numbers or truth "
            "values, or finite numbers to be predicted with task='regression'."
        )
    return value
