"""Examples as columns, whatever they come in: NumPy, JAX, pandas, lists.

An array of examples of any shape has a column for each number of one example; a
pandas DataFrame has its own, with names.
"""

import math
import re
from typing import Any, NamedTuple

import numpy as np

from vecevo.errors import InputError, describe

# Numbers with a decimal comma, thousands apart, or a unit: 1.234,5 and 42%.
ODD_NUMBER = r"[-+]?[\d\s.,']*\d[\d\s.,']*[%€$£]?"
MOST_ODD = 10  # such texts, in a column of choices
MOST_CATEGORIES = 50  # of a column of texts; the others are one more, `other`


class Categories(NamedTuple):
    """A column that holds no numbers: one input for each choice, and one for others."""

    column: int
    choices: tuple[str, ...]


def is_frame(x: Any) -> bool:
    """Whether examples are a pandas DataFrame, without importing pandas."""
    return hasattr(x, "columns") and hasattr(x, "iloc")


def as_examples(x: Any, name: str) -> Any:
    """Returns a DataFrame as it is, and all else as an array, examples first.

    Raises:
      InputError: for what is neither, or has no example or nothing in it.
    """
    if is_frame(x):
        _check_frame(x, name)
    else:
        x = _as_array(x, name)
    if 0 in x.shape:
        raise InputError(f"{name} has shape {x.shape}: give some examples.")
    return x


def _check_frame(frame: Any, name: str) -> None:
    names = list(map(str, frame.columns))
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputError(f"{name} has the column {twice[0]!r} twice: rename one.")
    for column, kind in zip(names, frame.dtypes, strict=True):
        if getattr(kind, "kind", "O") in "Mmc":
            raise InputError(
                f"{name} has the column {column!r} of {kind}: turn it into numbers, or "
                "leave it out."
            )


def _as_array(x: Any, name: str) -> np.ndarray:
    try:
        if isinstance(x, np.ma.MaskedArray):
            x = np.ma.filled(x.astype(float), np.nan)
        array = np.asarray(x)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name}={describe(x)} is no array ({error}): give examples of one shape "
            "each."
        ) from error
    if array.dtype.kind in "cMmV":
        raise InputError(f"{name} is of type {array.dtype}: give real numbers.")
    if array.ndim == 0 or (array.dtype == object and array.ndim != 2):
        raise InputError(f"{name} is {describe(x)}: give numbers, the examples first.")
    return array


def take_rows(x: Any, rows: np.ndarray) -> Any:
    """Picks examples int[n] of an array or a DataFrame."""
    return x.iloc[rows] if is_frame(x) else x[rows]


def column_names(x: Any) -> tuple[str, ...]:
    """The names of a DataFrame's columns; () for an array."""
    return tuple(map(str, x.columns)) if is_frame(x) else ()


def name_of(columns: tuple[str, ...], column: int) -> str:
    """A column as a message shows it: by its name, or by its number from 0."""
    return repr(columns[column]) if columns else str(column)


def is_table(x: Any) -> bool:
    """Whether columns have a meaning each: of a DataFrame, and of [N] or [N, F]."""
    return is_frame(x) or x.ndim <= 2


def kind_of(x: Any) -> str:
    """What examples are: a table, or an array of bytes, floats or others."""
    if is_frame(x):
        return "table"
    return "bytes" if x.dtype == np.uint8 else {"f": "float"}.get(x.dtype.kind, "other")


def num_columns(x: Any) -> int:
    """Columns of a DataFrame, or numbers of one example."""
    return int(np.prod(x.shape[1:]))


def numbers_of(x: Any, columns: np.ndarray, rows: slice) -> np.ndarray:
    """Returns float64[n, K], the columns int[K] of some rows; NaN where missing.

    Raises:
      InputError: for a column that does not hold numbers.
    """
    if is_frame(x) or x.dtype.kind not in "biuf":
        parts = [column_numbers(raw_column(x, c)[rows]) for c in columns]
        for column, part in zip(columns, parts, strict=True):
            if part is None:
                raise InputError(
                    f"the column {name_of(column_names(x), column)} holds texts, and "
                    "numbers in the part trained on: give numbers, or nothing where "
                    "there is none."
                )
        num = len(range(*rows.indices(len(x))))
        return np.array(parts, float).T.reshape(num, len(columns))
    flat = x.reshape(len(x), -1)[rows]
    every = len(columns) == flat.shape[1]
    return np.asarray(flat if every else flat[:, columns], np.float64)


def raw_column(x: Any, column: int) -> np.ndarray:
    """Returns one column [N] as NumPy has it: numbers, or objects."""
    if not is_frame(x):
        return x.reshape(len(x), -1)[:, column]
    series = x.iloc[:, column]
    if getattr(series.dtype, "kind", "O") in "biuf":
        is_plain = isinstance(series.dtype, np.dtype)
        return (
            series.to_numpy() if is_plain else series.to_numpy(float, na_value=np.nan)
        )
    return series.astype(object).to_numpy()


def column_numbers(values: np.ndarray) -> np.ndarray | None:
    """Returns a column [N] as float64[N], NaN where missing, or None for texts."""
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    try:
        return np.array([float_of(value) for value in values], float)
    except (TypeError, ValueError):
        return None


def float_of(value: Any) -> float:
    """Returns an entry of a table as a float; of one beyond float64 it is infinite.

    Raises:
      TypeError, ValueError: for what is no number.
    """
    try:
        return math.nan if is_missing(value) else float(value)
    except OverflowError:  # of a whole number
        return math.inf if value > 0 else -math.inf


def varies(numbers: np.ndarray) -> np.ndarray:
    """Returns bool[K]: whether a column has two values, beyond rounding."""
    is_there = ~np.isnan(numbers)
    low = np.where(is_there, numbers, np.inf).min(0)
    high = np.where(is_there, numbers, -np.inf).max(0)
    size = np.maximum(abs(low), abs(high))
    with np.errstate(invalid="ignore"):
        return (high > low) & (high - low > 1e-13 * size)


def is_missing(value: Any) -> bool:
    """Whether an entry of a table is missing: None, NaN, pandas' NA and NaT."""
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, float | np.floating) and bool(np.isnan(value)))
    )


def texts_of(values: np.ndarray) -> np.ndarray:
    """Returns the entries of a column [N] as texts; the empty one where missing.

    A whole number is one text, whether another part of the column makes it a float.
    """
    return np.array([_as_text(value) for value in values], object)


def _as_text(value: Any) -> str:
    if is_missing(value):
        return ""
    is_whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value) if is_whole else value).strip()


def find_categories(values: np.ndarray, column: int, name: str) -> Categories:
    """Returns the choices of a column of texts, the most frequent ones.

    What is there once alone says nothing about other examples: it is `other`.

    Raises:
      InputError: for numbers with a few texts among them.
    """
    found, counts = np.unique(texts_of(values).astype(str), return_counts=True)
    if len(found) < 2:
        return Categories(column, ())  # a constant says nothing
    _check_decimals(found, counts, name)
    if len(found) > MOST_CATEGORIES:
        _check_not_numbers(found, counts, name)
    order = np.argsort(-counts, kind="stable")[: MOST_CATEGORIES + 1]
    often = [str(found[i]) for i in order if counts[i] > 1 and found[i]]
    return Categories(column, tuple(sorted(often[:MOST_CATEGORIES])))


def _check_decimals(found: np.ndarray, counts: np.ndarray, name: str) -> None:
    """Refuses numbers in another spelling, which would be so many choices."""
    is_odd = np.array(
        [bool(re.fullmatch(ODD_NUMBER, t)) and not _is_plain(t) for t in found]
    )
    if is_odd.sum() > MOST_ODD and counts[is_odd].sum() > counts[found != ""].sum() / 2:
        raise InputError(
            f"the column {name} holds texts like {str(found[is_odd][0])!r}: write "
            "numbers plainly, with a decimal point."
        )


def _check_not_numbers(found: np.ndarray, counts: np.ndarray, name: str) -> None:
    found, counts = found[found != ""], counts[found != ""]
    is_text = np.array([not _is_plain(text) for text in found])
    if counts[is_text].sum() < counts[~is_text].sum():
        raise InputError(
            f"the column {name} holds numbers, but also {str(found[is_text][0])!r}: "
            "correct it, leave it empty, or leave the column out."
        )


def _is_plain(text: str) -> bool:
    return column_numbers(np.array([text], object)) is not None


def one_hot(texts: np.ndarray, choices: tuple[str, ...]) -> np.ndarray:
    """Returns float32[N, choices + 1] of texts [N]; the last is for all others."""
    places = {choice: place for place, choice in enumerate(choices)}
    found = np.array([places.get(text, len(choices)) for text in texts], int)
    return np.eye(len(choices) + 1, dtype=np.float32)[found]
