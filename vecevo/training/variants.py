"""Which program networks need: the least that computes all of every one of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from vecevo.training import recipe
from vecevo.training.lanes import activations
from vecevo.training.lanes.optimizers import level_of, row_of
from vecevo.training.lanes.variants import Variant
from vecevo.training.lanes.widths import LAYER_WIDTHS


def choose_variant(
    choices: Mapping[str, Iterable[Any]], *, is_for_cpu: bool
) -> Variant:
    """Returns the least that networks of some choices need.

    By the kind of device it decides which updates a program has. A CPU chooses between
    updates for each cohort, as a lesser one takes less time. A GPU would wait for the
    host at every choice, and has one update that suits all.

    Args:
      choices: the values that a network may have, by hyperparameter; the default alone
        of one that is left out.
      is_for_cpu: and not for an accelerator.
    """
    names = choices["optimizer"]
    levels = {row_of(name).level for name in names} | {
        level_of(name, momentum)
        for name in names
        for momentum in choices.get("momentum", ())
        if row_of(name).momentum is not None
    }
    return Variant(
        activations=in_table_order(choices["activation"]),
        update_levels=tuple(sorted(levels) if is_for_cpu else [max(levels)]),
        pieces=tuple(row.name for row in recipe.TABLE if _is_needed(row, choices)),
        is_for_cpu=is_for_cpu,
    )


def _is_needed(
    row: recipe.Hyperparameter, choices: Mapping[str, Iterable[Any]]
) -> bool:
    """Whether a hyperparameter does something for some network of the choices.

    Where one layer has units of its own all may have, as `recipe.complete` gives them.
    """
    if row.name in LAYER_WIDTHS:
        return any(any(choices.get(name, ())) for name in LAYER_WIDTHS)
    default = () if callable(row.default) else (row.default,)
    return row.idle is not None and any(
        value != recipe.idle_of(row, {"optimizer": optimizer})
        for optimizer in choices["optimizer"]
        for value in choices.get(row.name, default)
    )


def is_enough(
    variant: Variant, hyperparams: Mapping[str, Any], *, width: int, depth: int
) -> bool:
    """Whether a program of a variant, width and depth computes all of a network."""
    level = level_of(hyperparams["optimizer"], hyperparams["momentum"])
    return (
        hyperparams["activation"] in variant.activations
        and level <= variant.update_levels[-1]
        and all(
            hyperparams[row.name] == recipe.idle_of(row, hyperparams)
            for row in recipe.TABLE
            if row.idle is not None and not variant.has(row.name)
        )
        and (variant.pads_width or hyperparams["width"] == width)
        and (variant.pads_depth or hyperparams["depth"] == depth)
    )


def in_table_order(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names of activations once each, in the order of their table."""
    return tuple(row.name for row in activations.rows_of(set(names)))
