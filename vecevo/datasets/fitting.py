"""Chooses how inputs are scaled, by what the examples to train on are."""

from typing import Any, Literal, get_args

import numpy as np

from vecevo.datasets import columns
from vecevo.datasets.columns import Categories
from vecevo.datasets.inputs import Inputs, check_finite
from vecevo.errors import InputError, first_few

Scaling = Literal["auto", "as-given", "unit", "standardize"]
MOST_LOOKED_AT = 2000  # examples, for what later ones are compared with


def fit_inputs(x: Any, scaling: Scaling = "auto", *, argument: str) -> Inputs:
    """Chooses a transformation by what the examples to train on are.

    Bytes are divided by 255, images of one range by that range; of tables each column
    comes to mean 0 and deviation 1. What has these already, or lies in [0, 1], stays.

    Args:
      x: array or DataFrame.
      scaling: `auto`; or what to do in any case: `as-given` nothing, `unit` to [0, 1],
        `standardize` to mean 0 and deviation 1, column by column.
      argument: name of x, for messages.

    Raises:
      InputError: for what holds no numbers, or nothing that varies.
    """
    if scaling not in get_args(Scaling):
        raise InputError(
            f"inputs={scaling!r} must be one of {', '.join(get_args(Scaling))}."
        )
    fitted = _choose(x, scaling, argument)
    if fitted.is_bytes:
        return fitted._replace(kind="bytes")
    step = -(-len(x) // MOST_LOOKED_AT)
    numbers = columns.numbers_of(x, fitted.numeric, slice(0, None, step))
    return fitted._replace(
        kind=columns.kind_of(x),
        mean=np.nan_to_num(np.nanmean(numbers, axis=0)),
        deviation=np.where(columns.varies(numbers), np.nanstd(numbers, axis=0), 0),
    )


def _choose(x: Any, scaling: Scaling, argument: str) -> Inputs:
    is_table, num = columns.is_table(x), columns.num_columns(x)
    if not columns.is_frame(x) and x.dtype == np.uint8 and scaling in ("auto", "unit"):
        every = np.arange(num, dtype=np.int32)
        plain = _plain("bytes / 255", x, every)
        # A mask of 0 and 1 is no picture in bytes.
        return plain._replace(is_bytes=bool(x.max() > 1))._replace(
            words="bytes / 255" if x.max() > 1 else "as given, in [0, 1]"
        )
    categories, numeric = _sort_columns(x, argument)
    if not is_table and categories:
        raise InputError(f"{argument} is of type {x.dtype}: give real numbers.")
    plain = _plain("", x, numeric)._replace(categories=tuple(categories))
    if is_table:
        return _fit_table(x, plain, scaling, argument)
    return _fit_images(x, plain, scaling, argument)


def _plain(words: str, x: Any, numeric: np.ndarray) -> Inputs:
    """Inputs that leave numbers as they are."""
    shape = x.shape[1:] or (1,)
    return Inputs(
        words=words,
        shape=tuple(map(int, shape)),
        columns=columns.column_names(x),
        is_bytes=False,
        numeric=numeric,
        shift=np.zeros(len(numeric)),
        scale=np.ones(len(numeric)),
        fill=np.zeros(len(numeric)),
        indicated=np.zeros(0, np.int32),
    )


def _sort_columns(x: Any, argument: str) -> tuple[list[Categories], np.ndarray]:
    """Returns the columns of texts, and int32[K] those of numbers."""
    if not columns.is_frame(x) and x.dtype.kind in "biuf":
        return [], np.arange(columns.num_columns(x), dtype=np.int32)
    if not columns.is_table(x) or (not columns.is_frame(x) and x.dtype.kind in "cMm"):
        raise InputError(f"{argument} is of type {x.dtype}: give real numbers.")
    categories, numeric = [], []
    for column in range(columns.num_columns(x)):
        values = columns.raw_column(x, column)
        if columns.column_numbers(values) is None:
            name = columns.name_of(columns.column_names(x), column)
            categories.append(columns.find_categories(values, column, name))
        else:
            numeric.append(column)
    return categories, np.array(numeric, np.int32)


def _fit_images(x: Any, plain: Inputs, scaling: Scaling, argument: str) -> Inputs:
    """Fits one range to all numbers of examples that have a shape."""
    numbers = np.asarray(x, np.float64).reshape(len(x), -1)
    if not np.isfinite(numbers).all():
        raise InputError(f"{argument} has NaN or infinite values: remove them.")
    low, high = float(numbers.min()), float(numbers.max())
    if scaling == "standardize":
        return _standardized(plain, numbers, "standardised, pixel by pixel")
    is_unit = low >= 0 and high <= 1
    is_standard = abs(numbers.mean()) < 0.5 and 0.5 < numbers.std() < 2 and low < 0
    if scaling == "as-given" or (scaling == "auto" and (is_unit or is_standard)):
        return plain._replace(words=f"as given, from {low:g} to {high:g}")
    # A constant input says nothing; any span maps it to 0.
    span = (high - low) or 1.0
    return plain._replace(
        words=f"(x - {low:g}) / {span:g}, the range of the examples trained on",
        shift=np.full(len(plain.numeric), low),
        scale=np.full(len(plain.numeric), span),
    )


def _standardized(plain: Inputs, numbers: np.ndarray, words: str) -> Inputs:
    deviation = np.nanstd(numbers, axis=0)
    return plain._replace(
        words=words,
        shift=np.nanmean(numbers, axis=0),
        scale=np.where(deviation > 0, deviation, 1),
    )


def _fit_table(x: Any, plain: Inputs, scaling: Scaling, argument: str) -> Inputs:
    """Fits each numeric column of a table on its own."""
    numbers = columns.numbers_of(x, plain.numeric, slice(None))
    check_finite(numbers, plain, argument)
    said, is_missing = [], np.isnan(numbers)
    is_unit, is_standard = _is_unit(numbers), _is_standard(numbers)
    is_left = scaling == "as-given" or (scaling == "auto" and (is_unit or is_standard))
    is_kept = ~is_missing.all(0)
    if not is_left or (scaling == "auto" and not is_unit):
        # That a value is missing says something, even of a column that is constant.
        is_kept &= columns.varies(numbers) | is_missing.any(0)
    is_partly = is_missing.any(0) & ~is_missing.all(0)
    is_informed = bool((columns.varies(numbers) | is_partly).any())
    numeric, numbers = plain.numeric[is_kept], numbers[:, is_kept]
    categories = [c for c in plain.categories if c.choices]
    if not is_informed and not categories:
        raise InputError(f"{argument} has no column that varies: give some that do.")
    fitted = plain._replace(
        numeric=numeric,
        fill=np.nanmedian(numbers, axis=0) if numbers.size else np.zeros(0),
        shift=np.zeros(len(numeric)),
        scale=np.ones(len(numeric)),
        indicated=np.flatnonzero(np.isnan(numbers).any(0)).astype(np.int32),
        categories=tuple(categories),
    )
    if len(numeric) and is_left:
        said.append("as given")
    elif len(numeric) and scaling == "unit":
        low, high = np.nanmin(numbers, axis=0), np.nanmax(numbers, axis=0)
        fitted = fitted._replace(shift=low, scale=high - low)
        said.append("each column to [0, 1] by its range")
    elif len(numeric):
        fitted = _standardized(fitted, numbers, "")
        said.append("each column to mean 0 and deviation 1")
    dropped = [*plain.numeric[~is_kept], *(c[0] for c in plain.categories if not c[1])]
    said += _tell(plain.columns, fitted, sorted(map(int, dropped)))
    return fitted._replace(words="; ".join(said))


def _is_unit(numbers: np.ndarray) -> bool:
    """Whether all numbers lie in [0, 1]."""
    there = numbers[~np.isnan(numbers)]
    return bool(((there >= 0) & (there <= 1)).all())


def _is_standard(numbers: np.ndarray) -> bool:
    """Whether all columns that vary are of mean 0 and deviation 1."""
    there = numbers[:, columns.varies(numbers)]
    mean, deviation = np.nanmean(there, axis=0), np.nanstd(there, axis=0)
    # Of a part of what was standardised as a whole.
    is_standard = (abs(mean) < 0.3) & (abs(deviation - 1) < 0.3)
    return bool(there.size and is_standard.all())


def _tell(names: tuple[str, ...], fitted: Inputs, dropped: list[int]) -> list[str]:
    """Returns what was done to single columns, in words."""
    said = []
    if len(fitted.indicated):
        missing = [int(c) for c in fitted.numeric[fitted.indicated]]
        said.append(
            "missing values by the median, and an indicator, of "
            f"{_named(names, missing)}"
        )
    if fitted.categories:
        texts = [c.column for c in fitted.categories]
        said.append(f"one-hot with an 'other' choice: {_named(names, texts)}")
    if dropped:
        said.append(f"dropped, as they say nothing: {_named(names, dropped)}")
    return said


def _named(names: tuple[str, ...], numbers: list[int]) -> str:
    word = "column" if len(numbers) == 1 else "columns"
    return f"{word} {first_few([columns.name_of(names, n) for n in numbers])}"
