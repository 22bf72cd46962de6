"""What networks a run is to expect, by its space and its strategy."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from vecevo.datasets.making import Dataset
from vecevo.errors import InputError, describe
from vecevo.runs.ending.voting import count_pool
from vecevo.runs.ledger import NUM_TOP
from vecevo.space import SearchSpace
from vecevo.training import recipe, sessions
from vecevo.training.lanes.weights import count_params
from vecevo.training.lanes.widths import LAYER_WIDTHS

NUM_SHAPES = 100  # by which the widths of layers are expected
MOST_COUNTED = 2000  # genomes whose networks are told apart, in a moment


def choose_pool_size(expected: sessions.Expected, dataset: Dataset) -> int:
    """How many networks keep their weights; the winners do in any case."""
    sizes = {
        "num_features": dataset.x_train.shape[1],
        "num_classes": dataset.num_outputs,
    }
    largest = max(
        count_params([width] * depth, **sizes) for width, depth in expected.shapes
    )
    return count_pool(largest, dataset, least=NUM_TOP)


def check_space(space: Any) -> None:
    """Refuses what is no search space.

    Raises:
      InputError: saying what to give.
    """
    if not isinstance(space, SearchSpace):
        raise InputError(
            f"space={describe(space)} is no search space: give vecevo.SearchSpace({{"
            "name: choices, ...}) or vecevo.article_space()."
        )


def count_networks(space: SearchSpace, fixed: Mapping[str, Any]) -> int | None:
    """How many networks the genomes of a space stand for; None: too many to count.

    Several genomes are one network where a gene has no say beside the others.

    Raises:
      InputError: for a value that a network cannot have, or one given twice.
    """
    if not set(checked_choices(space, fixed)) & set(recipe.CONDITIONAL):
        return space.num_genomes
    if space.num_genomes > MOST_COUNTED:
        return None
    names, networks = [name for name, _ in space.genes], set()
    for values in itertools.product(*(choices for _, choices in space.genes)):
        network = recipe.complete({**fixed, **dict(zip(names, values, strict=True))})
        networks.add(tuple(network.values()))
    return len(networks)


def count_lists(
    space: SearchSpace,
    fixed: Mapping[str, Any],
    share_new: float,
    population_size: int,
    num_generations: int,
) -> float:
    """How many generations all the new networks of a run are expected to fill."""
    num_lists = 1 + share_new * (num_generations - 1)
    num_networks = count_networks(space, fixed) or space.num_genomes
    return min(num_lists, num_networks / population_size)


def expected_networks(
    space: SearchSpace,
    fixed: Mapping[str, Any],
    *,
    list_size: int,
    num_lists: float,
    rungs: Sequence[int] | None = None,
) -> sessions.Expected:
    """Returns what networks of a space are to be expected.

    Args:
      space: of the networks.
      fixed: hyperparams that are no genes.
      list_size: networks of a generation.
      num_lists: generations that are trained.
      rungs: epochs at which some of a generation stop; None: all train to the end.

    Raises:
      InputError: for a value that a network cannot have, or one given twice.
    """
    choices = checked_choices(space, fixed)
    return sessions.Expected(
        shapes=expected_shapes(choices),
        variant=sessions.variant_of(choices),
        list_size=list_size,
        num_lists=num_lists,
        rungs=tuple(rungs or ()),
    )


def checked_choices(
    space: SearchSpace, fixed: Mapping[str, Any]
) -> dict[str, Sequence[Any]]:
    """Returns what each hyperparameter may be, of genes and of those that are none.

    Raises:
      InputError: for a value that a network cannot have, or one given twice.
    """
    choices: dict[str, Sequence[Any]] = {k: (value,) for k, value in fixed.items()}
    for name, values in space.genes:
        if name in choices:
            raise InputError(
                f"fixed has {name}={fixed[name]!r}, which is a gene of the space with "
                f"the choices {values}: leave it out of one of them."
            )
        choices[name] = values
    for name, values in choices.items():
        recipe.check_choices(name, values)
    for name in recipe.absent(choices):
        raise InputError(f"the space has no gene {name}: add it, or fix it.")
    return choices


def expected_shapes(choices: Mapping[str, Sequence[Any]]) -> list[tuple[int, int]]:
    """Returns the widest layer and the depth of networks, each equally likely.

    Where layers have units of their own, a hundred or more of each depth and `width`
    have widest layers as these choices make them.
    """
    has_own = any(name in choices for name in LAYER_WIDTHS)
    shapes = []
    for width, depth in itertools.product(choices.get("width", (0,)), choices["depth"]):
        units = [choices.get(name, (width,)) for name in LAYER_WIDTHS[:depth]]
        units += [(width,)] * (depth - len(units))
        num_so_far = 0
        for widest in sorted({number for layer in units for number in layer}):
            share = math.prod(
                sum(number <= widest for number in layer) / len(layer)
                for layer in units
            )
            if share > 0:
                num_up_to = math.ceil(NUM_SHAPES * share) if has_own else 1
                num_up_to = max(num_up_to, num_so_far + 1)  # the rarest, too
                shapes += [(widest, depth)] * (num_up_to - num_so_far)
                num_so_far = num_up_to
    return shapes
