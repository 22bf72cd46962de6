"""What networks a run is to expect, by its space and its strategy."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from vecevo.datasets.making import Dataset
from vecevo.errors import InputError, describe
from vecevo.runs.ending.voting import count_pool
from vecevo.runs.ledger import NUM_TOP
from vecevo.space import SearchSpace
from vecevo.training import recipe, sessions
from vecevo.training.lanes.weights import count_params


def choose_pool_size(expected: sessions.Expected, dataset: Dataset) -> int:
    """How many networks keep their weights; the winners do in any case."""
    sizes = {
        "num_features": dataset.x_train.shape[1],
        "num_classes": dataset.num_outputs,
    }
    largest = max(count_params(*shape, **sizes) for shape in expected.shapes)
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


def count_lists(
    space: SearchSpace, share_new: float, population_size: int, num_generations: int
) -> float:
    """How many generations all the new networks of a run are expected to fill."""
    num_lists = 1 + share_new * (num_generations - 1)
    return min(num_lists, space.num_genomes / population_size)


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
    choices = {name: (value,) for name, value in fixed.items()}
    for name, values in space.genes:
        if name in choices:
            raise InputError(
                f"fixed has {name}={fixed[name]!r}, which is a gene of the space with "
                f"the choices {values}: leave it out of one of them."
            )
        choices[name] = values
    for name, values in choices.items():
        for value in values:
            recipe.check_choice(name, value)
    absent = [name for name in recipe.REQUIRED if name not in choices]
    if absent:
        raise InputError(f"the space has no gene {absent[0]}: add it, or fix it.")
    return sessions.Expected(
        shapes=list(itertools.product(choices["width"], choices["depth"])),
        variant=sessions.variant_of(choices),
        list_size=list_size,
        num_lists=num_lists,
        rungs=tuple(rungs or ()),
    )
