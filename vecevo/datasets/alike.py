"""Whether examples are of the kind that was trained on: their type, their scale."""

import warnings
from typing import Any

import numpy as np

from vecevo.datasets import columns
from vecevo.datasets.inputs import Inputs, align
from vecevo.errors import InputError

MOST_APART = 1000  # deviations of the part trained on, of one column
MOST_RATIO = 100  # of the deviations of both parts, median over columns
LEAST_EXAMPLES = 10  # that tell another scale from a few that are extreme
MOST_LOOKED_AT = 2000  # examples


def check_alike(inputs: Inputs, x: Any, *, argument: str) -> None:
    """Refuses examples of another type or scale than those trained on.

    Args:
      inputs: fitted to the part trained on.
      x: raw examples, which can be transformed.
      argument: name of x, for messages.

    Raises:
      InputError: naming what differs, and the way out.
    """
    kind = columns.kind_of(x)
    if {kind, inputs.kind} == {"float", "bytes"}:
        raise InputError(
            f"{argument} is {x.dtype}, and the examples trained on were {inputs.kind}: "
            "give bytes, from 0 to 255, in both, or the same numbers in both."
        )
    if inputs.is_bytes:
        return
    x = align(inputs, x, argument)
    step = -(-len(x) // MOST_LOOKED_AT)
    numbers = columns.numbers_of(x, inputs.numeric, slice(0, None, step))
    if len(numbers) < LEAST_EXAMPLES:
        return  # a few may be extreme
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns of NaN alone
        _check_columns(inputs, numbers, argument)
        _check_scale(inputs, numbers, argument)


def _check_columns(inputs: Inputs, numbers: np.ndarray, argument: str) -> None:
    distance = np.nanmedian(abs(numbers - inputs.mean), axis=0)
    # A column that hardly varies in a part is no measure of the other.
    is_apart = (inputs.deviation > 0) & (distance > MOST_APART * inputs.deviation)
    if is_apart.any():
        column = int(inputs.numeric[is_apart.argmax()])
        raise InputError(
            f"{argument} is over {MOST_APART:,} deviations away from the examples "
            f"trained on, in column {columns.name_of(inputs.columns, column)}: give "
            "both in the same units."
        )


def _check_scale(inputs: Inputs, numbers: np.ndarray, argument: str) -> None:
    varies = (inputs.deviation > 0) & columns.varies(numbers)
    if not varies.any():
        return
    ratios = np.nanstd(numbers, axis=0)[varies] / inputs.deviation[varies]
    ratio = float(np.median(ratios))
    if not 1 / MOST_RATIO < ratio < MOST_RATIO:
        raise InputError(
            f"{argument} varies {ratio:.3g} times as much as the examples trained on "
            "(median of columns): give both in the same units."
        )
