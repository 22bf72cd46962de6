"""THE table from names to strategies. It can be read without JAX."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from vecevo.errors import check_names

if TYPE_CHECKING:
    from vecevo.operators.checks import NumChoices
    from vecevo.strategies import Strategy

StrategyName = Literal[
    "recommended",
    "genetic",
    "evolution_plus",
    "regularized_evolution",
    "self_adaptive",
    "nsga2",
    "univariate_estimation",
    "local_search",
    "random",
    "grid",
]
NAMES: tuple[str, ...] = typing.get_args(StrategyName)

MOST_LISTED = 1 << 20  # genomes that a list of the last of them may have


class Request(NamedTuple):
    """What is asked of a strategy by its name."""

    population_size: int
    num_generations: int
    num_objectives: int = 1
    genetic_setting: str = "article"
    is_ordered: Sequence[bool] | None = None

    @property
    def most_told(self) -> int:
        """Genomes that it is told at most, or as many of the last as are listed."""
        return min(self.population_size * self.num_generations, MOST_LISTED)


def _genetic_settings(request: Request) -> dict[str, Any]:
    from vecevo import strategies

    make_setting = {
        "article": strategies.article_setting,
        "code": strategies.code_setting,
    }[request.genetic_setting]
    return make_setting(request.population_size)


# Settings beside the population size; a name is that of a function in `strategies`.
_SETTINGS: dict[str, Callable[[Request], dict[str, Any]]] = {
    "recommended": lambda request: {
        "capacity": request.most_told,
        "is_ordered": request.is_ordered,
    },
    "genetic": _genetic_settings,
    "nsga2": lambda request: {"num_objectives": request.num_objectives},
}


def make_strategy(
    name: str,
    num_choices: NumChoices,
    *,
    population_size: int,
    num_generations: int,
    num_objectives: int = 1,
    genetic_setting: str = "article",
    without_repeats: bool = False,
    is_ordered: Sequence[bool] | None = None,
) -> Strategy:
    """Makes the strategy of a name.

    Args:
      name: one of NAMES.
      num_choices: int32[G].
      population_size: P.
      num_generations: that it will be asked for at most.
      num_objectives: M, of nsga2.
      genetic_setting: of genetic: `article` or `code`.
      without_repeats: whether it asks for each genome once; `recommended` always does.
      is_ordered: by gene, whether its choices have an order, of recommended; None where
        that is not known.

    Raises:
      InputError: for an unknown name, or settings that the strategy refuses.
    """
    from vecevo import strategies

    check_names([name], NAMES, of="strategy")
    request = Request(
        population_size, num_generations, num_objectives, genetic_setting, is_ordered
    )
    settings = {"population_size": population_size}
    if name in _SETTINGS:
        settings |= _SETTINGS[name](request)
    strategy = getattr(strategies, name)(num_choices, **settings)
    if without_repeats and name != "recommended":
        return strategies.without_repeats(
            strategy, num_choices, capacity=request.most_told
        )
    return strategy
