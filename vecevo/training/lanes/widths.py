"""The units of hidden layers, where they are not as many in each."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

# Of the first hidden layers, hyperparameters that hold their units.
LAYER_WIDTHS = ("width_1", "width_2", "width_3", "width_4")


def widths_of(values: Mapping[str, Any]) -> tuple[int, ...]:
    """Returns the units of each hidden layer of completed hyperparams."""
    depth = values["depth"]
    own = tuple(values[name] for name in LAYER_WIDTHS[:depth])
    return own + (values["width"],) * (depth - len(own))


def have_own(networks: Sequence[Mapping[str, Any]], genes: Collection[str]) -> bool:
    """Whether each hidden layer has units of its own, so that `width` has no say.

    >>> own = {"depth": 1, "width": 8, "width_1": 8}
    >>> have_own([own], ["width_1"]), have_own([own], ["optimizer"])
    (True, False)

    Args:
      networks: completed hyperparams of some, one or more.
      genes: names of those that vary.
    """
    depth = max(values["depth"] for values in networks)
    return depth <= len(LAYER_WIDTHS) and all(
        name in genes or any(0 < v.get(name, 0) < v["width"] for v in networks)
        for name in LAYER_WIDTHS[:depth]
    )
