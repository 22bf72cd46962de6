"""Whether a test part is of the kind that was trained on: its type, its scale."""

import warnings
from typing import Any

import numpy as np

from vecevo.datasets import columns
from vecevo.datasets.inputs import Inputs, align
from vecevo.errors import InputError

MOST_APART = 1000  # deviations of the part trained on, of one column
MOST_RATIO = 100  # of the deviations of both parts, median over columns
LEAST_EXAMPLES = 10  # for a deviation
MOST_LOOKED_AT = 2000  # examples of each part


def check_alike(inputs: Inputs, x_train: Any, x_test: Any) -> None:
    """Refuses a test part on another scale than the part trained on.

    Args:
      inputs: fitted to x_train.
      x_train, x_test: raw examples.

    Raises:
      InputError: naming what differs, and the way out.
    """
    kinds = [_kind(x) for x in (x_train, x_test)]
    if kinds in (["float", "bytes"], ["bytes", "float"]):
        raise InputError(
            f"x_test is {_dtype(x_test)} and x_train {_dtype(x_train)}: give bytes, "
            "from 0 to 255, in both, or the same numbers in both."
        )
    x_test = align(inputs, x_test, "x_test")
    if inputs.is_bytes:
        return  # so is the test part, or it is refused where it is applied
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns of NaN alone
        train, test = (_sample(x, inputs) for x in (x_train, x_test))
        _check_columns(inputs, train, test)
        if min(len(train), len(test)) >= LEAST_EXAMPLES:
            _check_scale(train, test)


def _check_columns(inputs: Inputs, train: np.ndarray, test: np.ndarray) -> None:
    deviation = np.nanstd(train, axis=0)
    distance = np.sqrt(np.nanmean((test - np.nanmean(train, axis=0)) ** 2, axis=0))
    # A column that hardly varies in a part is no measure of the other.
    is_apart = columns.varies(train) & (distance > MOST_APART * deviation)
    if is_apart.any():
        place = int(is_apart.argmax())
        column = columns.name_of(inputs.columns, int(inputs.numeric[place]))
        raise InputError(
            f"x_test is over {MOST_APART:,} deviations away from x_train in column "
            f"{column}: give both in the same units."
        )


def _check_scale(train: np.ndarray, test: np.ndarray) -> None:
    varies = columns.varies(train) & columns.varies(test)
    if not varies.any():
        return
    ratios = np.nanstd(test, axis=0)[varies] / np.nanstd(train, axis=0)[varies]
    ratio = float(np.median(ratios))
    if not 1 / MOST_RATIO < ratio < MOST_RATIO:
        raise InputError(
            f"x_test varies {ratio:.3g} times as much as x_train (median of columns): "
            "give both in the same units."
        )


def _sample(x: Any, inputs: Inputs) -> np.ndarray:
    step = -(-len(x) // MOST_LOOKED_AT)
    return columns.numbers_of(x, inputs.numeric, slice(0, None, step))


def _kind(x: Any) -> str:
    if columns.is_frame(x):
        return "table"
    return "bytes" if x.dtype == np.uint8 else {"f": "float"}.get(x.dtype.kind, "other")


def _dtype(x: Any) -> str:
    return "a table" if columns.is_frame(x) else str(x.dtype)
