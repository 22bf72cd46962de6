"""What a program is made for: its lanes, all of them together, and the device."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from vecevo.training.lanes import activations, optimizers


class Variant(NamedTuple):
    """What a program can do, static; what none of its lanes needs is not computed."""

    activations: tuple[str, ...] = activations.NAMES  # in the order of their table
    update_levels: tuple[int, ...] = optimizers.LEVELS  # that it chooses from
    has_dropout: bool = True
    has_decay: bool = True
    pads_width: bool = True  # some lanes are narrower than the program
    pads_depth: bool = True  # some lanes are shallower
    # Whether products and updates suit a CPU, and lanes are taken from its memory. A
    # GPU computes the same by such a program, in more time.
    is_for_cpu: bool = True


def choose_variant(
    choices: Mapping[str, Iterable[Any]], *, is_for_cpu: bool
) -> Variant:
    """Returns the least that networks of some choices need.

    By the kind of device it decides which updates a program has. A CPU chooses between
    updates for each cohort, as a lesser one takes less time. A GPU would wait for the
    host at every choice, and has one update that suits all.

    Args:
      choices: the values that a network may have of every hyperparameter.
      is_for_cpu: and not for an accelerator.
    """
    levels = sorted({optimizers.row_of(name).level for name in choices["optimizer"]})
    return Variant(
        activations=in_table_order(choices["activation"]),
        update_levels=tuple(levels if is_for_cpu else levels[-1:]),
        has_dropout=any(rate > 0 for rate in choices["dropout_rate"]),
        has_decay=any(decay > 0 for decay in choices["weight_decay"]),
        is_for_cpu=is_for_cpu,
    )


def is_enough(
    variant: Variant, hyperparams: Mapping[str, Any], *, width: int, depth: int
) -> bool:
    """Whether a program of a variant, width and depth computes all of a network."""
    return (
        hyperparams["activation"] in variant.activations
        and optimizers.row_of(hyperparams["optimizer"]).level
        <= variant.update_levels[-1]
        and (variant.has_dropout or not hyperparams["dropout_rate"])
        and (variant.has_decay or not hyperparams["weight_decay"])
        and (variant.pads_width or hyperparams["width"] == width)
        and (variant.pads_depth or hyperparams["depth"] == depth)
    )


def in_table_order(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names of activations once each, in the order of their table."""
    return tuple(row.name for row in activations.rows_of(set(names)))
