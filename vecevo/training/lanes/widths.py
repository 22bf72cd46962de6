"""The units of hidden layers, where they are not as many in each."""

from collections.abc import Mapping
from typing import Any

# Of the first hidden layers, hyperparameters that hold their units.
LAYER_WIDTHS = ("width_1", "width_2", "width_3", "width_4")


def widths_of(values: Mapping[str, Any]) -> tuple[int, ...]:
    """Returns the units of each hidden layer of completed hyperparams."""
    depth = values["depth"]
    own = tuple(values[name] for name in LAYER_WIDTHS[:depth])
    return own + (values["width"],) * (depth - len(own))
