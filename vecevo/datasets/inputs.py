"""How raw examples become the numbers that a network reads: data, applied in one place.

What is fitted to the part that is trained on is applied to every other part, and to
all that a network is ever asked about.
"""

from typing import Any, NamedTuple

import numpy as np

from vecevo.datasets import columns
from vecevo.datasets.columns import Categories
from vecevo.errors import InputError

AT_ONCE = 4096  # examples that are transformed at once


class Inputs(NamedTuple):
    """A fitted transformation of K numeric columns, M indicators and categories."""

    words: str  # what it does, in one line
    shape: tuple[int, ...]  # of a raw example; (F,) of a table
    columns: tuple[str, ...]  # of a table with names; or ()
    is_bytes: bool  # uint8, divided by 255 on the device; the rest has then no say
    numeric: np.ndarray  # int32[K], columns
    shift: np.ndarray  # float64[K], subtracted
    scale: np.ndarray  # float64[K], divided by
    fill: np.ndarray  # float64[K], where a value is missing
    indicated: np.ndarray  # int32[M], of the K, each with an input: 1 where missing
    categories: tuple[Categories, ...] = ()
    kind: str = "other"  # of the examples trained on: bytes, float, table or other
    mean: np.ndarray = np.zeros(0)  # float64[K], of these
    deviation: np.ndarray = np.zeros(0)  # float64[K]; 0: the column does not vary

    @property
    def num_features(self) -> int:
        """F, the numbers that a network reads of one example."""
        one_hot = sum(len(c.choices) + 1 for c in self.categories)
        return len(self.numeric) + len(self.indicated) + one_hot


def apply_inputs(inputs: Inputs, x: Any, *, argument: str = "x") -> np.ndarray:
    """Returns uint8[N, F] for bytes, and float32[N, F] for all else.

    Args:
      inputs: fitted.
      x: raw examples, array or DataFrame; one with names may have more columns.
      argument: name of x, for messages.

    Raises:
      InputError: for examples of another shape or type, or with infinite values.
    """
    x = columns.as_examples(x, argument)
    x = align(inputs, x, argument)
    if inputs.is_bytes:
        if columns.is_frame(x) or x.dtype != np.uint8:
            kind = "a table" if columns.is_frame(x) else str(x.dtype)
            raise InputError(
                f"{argument} is {kind}, and the examples trained on were bytes, from 0 "
                "to 255: give uint8."
            )
        return x.reshape(len(x), -1)
    result = np.empty((len(x), inputs.num_features), np.float32)
    for start in range(0, len(x), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        result[rows] = _transform(inputs, x, rows, argument)
    return result


def _transform(inputs: Inputs, x: Any, rows: slice, argument: str) -> np.ndarray:
    numbers = columns.numbers_of(x, inputs.numeric, rows)
    check_finite(numbers, inputs, argument)
    is_missing = np.isnan(numbers)
    if len(inputs.shape) > 1 and is_missing.any():
        raise InputError(f"{argument} has NaN or infinite values: remove them.")
    scaled = (np.where(is_missing, inputs.fill, numbers) - inputs.shift) / inputs.scale
    parts = [scaled, is_missing[:, inputs.indicated]]
    for column, choices in inputs.categories:
        texts = columns.texts_of(columns.raw_column(x, column)[rows])
        parts.append(columns.one_hot(texts, choices))
    return np.concatenate(parts, axis=1, dtype=np.float32)


def align(inputs: Inputs, x: Any, argument: str) -> Any:
    """Returns examples with the columns that were fitted, in their order.

    Raises:
      InputError: where one is missing, or examples have another shape.
    """
    if columns.is_frame(x) and inputs.columns:
        names = list(map(str, x.columns))
        absent = [name for name in inputs.columns if name not in names]
        if absent:
            raise InputError(
                f"{argument} has no column {absent[0]!r}: give the columns that were "
                "trained on."
            )
        return x.iloc[:, [names.index(name) for name in inputs.columns]]
    if columns.num_columns(x) != int(np.prod(inputs.shape)):
        raise InputError(
            f"{argument} has examples of shape {x.shape[1:]} and those trained on have "
            f"{inputs.shape}: make them equal."
        )
    return x


def check_finite(numbers: np.ndarray, inputs: Inputs, argument: str) -> None:
    """Refuses infinite numbers [N, K]; missing ones, as NaN, are none.

    Raises:
      InputError: naming the column.
    """
    is_infinite = np.isinf(numbers).any(axis=0)
    if is_infinite.any():
        column = int(inputs.numeric[is_infinite.argmax()])
        raise InputError(
            f"{argument} has an infinite value, in column "
            f"{columns.name_of(inputs.columns, column)}: remove it."
        )
