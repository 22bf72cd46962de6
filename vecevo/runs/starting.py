"""How a search starts: its strategy, its sizes and its first generation."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from vecevo import catalogue
from vecevo.errors import InputError, check_counts
from vecevo.objectives import check_objectives, objective_values
from vecevo.space import SearchSpace
from vecevo.strategies import EvolutionState, Strategy

POPULATION_SIZE = 20  # of all strategies but a grid
MOST_SIZE = 100_000  # networks in a generation, far more than were ever trained
MOST_AT_ONCE = 1000  # networks of a grid in one generation


class Budget(NamedTuple):
    """What a search may ask for."""

    strategy: str
    population_size: int
    num_generations: int


class Start(NamedTuple):
    """A search before its first generation."""

    strategy: Strategy
    state: EvolutionState
    num_generations: int  # at most
    name: str | None  # of the strategy; None: it was given


def choose_budget(
    strategy: str | None,
    space: SearchSpace,
    *,
    population_size: int | None,
    num_generations: int,
    objectives: Sequence[str] = ("accuracy",),
    has_start: bool = False,
) -> Budget:
    """Fills in what is not chosen: a strategy by the budget, sizes by the strategy.

    Args:
      strategy: a name, or None: a grid where the budget covers the space, nsga2 with
        several objectives, else recommended.
      space: to search.
      population_size: None is 20, and of a grid the space, up to 1000.
      num_generations: of a grid, as many as it needs.
      objectives: names.
      has_start: whether the first generation is given.

    Raises:
      InputError: for a size that is no count, or beyond what memory has room for.
    """
    check_counts(num_generations=num_generations)
    if population_size is not None:
        check_counts(population_size=population_size)
        if population_size > MOST_SIZE:
            raise InputError(
                f"population_size={population_size} must be at most {MOST_SIZE}."
            )
    if strategy is None:
        budget = (population_size or POPULATION_SIZE) * num_generations
        is_covered = space.num_genomes <= budget and not has_start
        strategy = "grid" if is_covered else "recommended"
        if len(objectives) > 1:
            strategy = "nsga2"
    if strategy == "grid":
        population_size = population_size or min(space.num_genomes, MOST_AT_ONCE)
        num_generations = -(-space.num_genomes // population_size)
    return Budget(strategy, population_size or POPULATION_SIZE, num_generations)


def start_search(
    strategy: Strategy | str | None,
    key: jax.Array,
    space: SearchSpace,
    *,
    population_size: int | None,
    num_generations: int,
    initial_population: jax.typing.ArrayLike | None,
    objectives: Sequence[str],
) -> Start:
    """Returns a strategy, made where it is named or None, and its first state.

    Raises:
      InputError: for a strategy of another size or space or for other objectives, or
        for a population of another space or size.
    """
    check_objectives(objectives)
    check_counts(num_generations=num_generations)
    name = None
    if strategy is None or isinstance(strategy, str):
        budget = choose_budget(
            strategy,
            space,
            population_size=population_size,
            num_generations=num_generations,
            objectives=objectives,
            has_start=initial_population is not None,
        )
        num_generations, name = budget.num_generations, budget.strategy
        strategy = catalogue.make_strategy(
            budget.strategy,
            space.num_choices,
            population_size=budget.population_size,
            num_generations=num_generations,
            num_objectives=len(objectives),
            is_ordered=space.is_ordered,
        )
    if not isinstance(strategy, Strategy):
        raise InputError(
            f"strategy={strategy!r} is no strategy: give one of vecevo.strategies, or "
            f"a name: {', '.join(catalogue.NAMES)}."
        )
    state = strategy.init(key)
    size, num_genes = state.population.shape
    if num_genes != len(space.genes):
        raise InputError(
            f"strategy has genomes of {num_genes} genes, and the space "
            f"{len(space.genes)}: make it with the space's num_choices."
        )
    if population_size not in (None, size):
        raise InputError(
            f"population_size={population_size} is not the {size} of the strategy: "
            "give it to the strategy alone."
        )
    if state.fitness.shape[1:] != objective_values(objectives, [0], [0]).shape[1:]:
        raise InputError(
            f"objectives={tuple(objectives)} are not as many as the strategy takes: "
            "use strategies.nsga2 for several, and another strategy for one."
        )
    if initial_population is not None:
        check_population(initial_population, space, size)
        state = strategy.init(key, initial_population)
    return Start(strategy, state, num_generations, name)


def check_population(
    population: jax.typing.ArrayLike, space: SearchSpace, population_size: int
) -> None:
    """Refuses what is no population int[P, G] of a space.

    Raises:
      InputError: saying what it is.
    """
    population = np.asarray(population)
    shape = (population_size, len(space.genes))
    if population.shape != shape or not np.issubdtype(population.dtype, np.integer):
        raise InputError(
            f"initial_population is {population.dtype}{list(population.shape)}: give "
            f"{shape[0]} genomes of {shape[1]} whole numbers."
        )
    if (population < 0).any() or (population >= space.num_choices).any():
        raise InputError(
            "initial_population has an index that is no choice of its gene: there are "
            f"{space.num_choices.tolist()} choices, counted from 0."
        )
