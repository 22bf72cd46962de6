"""What every strategy is: three pure functions round one kind of state."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from vecevo import operators
from vecevo.errors import InputError
from vecevo.operators.checks import (
    NumChoices,
    as_genomes,
    check_indices,
    check_num_choices,
    check_whole,
)


class EvolutionState(NamedTuple):
    """All that the next generation needs, arrays alone.

    With several objectives, fitness is float32[P, M], and the best is the best by
    the first objective.
    """

    population: jax.Array  # int32[P, G]
    fitness: jax.Array  # float32[P]; -inf: failed, or not evaluated yet
    generation: jax.Array  # int32[], generations told so far
    best_genome: jax.Array  # int32[G], of all told
    best_fitness: jax.Array  # float32[]
    memory: Any = ()  # what else the strategy needs, a NamedTuple of arrays


class GenerationInfo(NamedTuple):
    """What an observer wants to know of a generation; by objective where several."""

    best_fitness: jax.Array  # float32[], of this generation
    mean_fitness: jax.Array  # float32[], over those that did not fail; -inf: all did
    num_failed: jax.Array  # int32[]
    is_exhausted: jax.Array  # bool[], every genome told; only `without_repeats` knows


class InitFn(Protocol):
    """Gives the first state, from a population int32[P, G] or from a random one."""

    def __call__(
        self, key: jax.Array, population: ArrayLike | None = None, /
    ) -> EvolutionState: ...


AskFn = Callable[[jax.Array, EvolutionState], jax.Array]  # key, state -> int32[P, G]
TellFn = Callable[  # state, offspring int32[P, G], fitness float32[P] -> ...
    [EvolutionState, jax.Array, jax.Array], tuple[EvolutionState, GenerationInfo]
]
JudgeFn = Callable[[EvolutionState, jax.Array], jax.Array]  # genomes int32[N, G] ->
# float32[N], what is expected of them
FitnessFn = Callable[[jax.Array], jax.Array]  # int32[P, G] -> float32[P] or [P, M]


class Strategy(NamedTuple):
    """A search; `ask` and `tell` draw nothing that the key or the state does not give.

    The offspring of the first generation are the population that `init` was given.
    """

    init: InitFn
    ask: AskFn
    tell: TellFn
    share_new: float  # of a generation, expected to be genomes not seen before
    judge: JudgeFn | None = None  # where it has a model: what it expects of genomes


def make_init(
    num_choices: NumChoices,
    population_size: int,
    *,
    num_objectives: int | None = None,
    memory_fn: Callable[[jax.Array, jax.Array], Any] | None = None,
) -> InitFn:
    """Makes the `init` of a strategy.

    Args:
      num_choices: int32[G].
      population_size: P, at least 1.
      num_objectives: M, or None where fitness is float32[P].
      memory_fn: key, population -> the state's memory; the key is that of `init`,
        from which a random population is drawn, so it may only be folded.

    Raises:
      InputError: for a population_size or numbers of choices below 1; `init`, for a
        population of another shape, or with an index that is no choice's.
    """
    check_num_choices(num_choices)
    check_whole(1, population_size=population_size)

    def init(key: jax.Array, population: ArrayLike | None = None) -> EvolutionState:
        if population is None:
            population = operators.random_population(
                key, num_choices, population_size=population_size
            )
        else:
            shape = (population_size, len(num_choices))
            population = as_genomes(population, name="population", shape=shape)
            check_indices(population, num_choices)
        population = jnp.asarray(population, jnp.int32)
        objectives = () if num_objectives is None else (num_objectives,)
        return EvolutionState(
            population=population,
            fitness=jnp.full((population_size, *objectives), -jnp.inf, jnp.float32),
            generation=jnp.zeros((), jnp.int32),
            best_genome=population[0],
            best_fitness=jnp.full(objectives, -jnp.inf, jnp.float32),
            memory=() if memory_fn is None else memory_fn(key, population),
        )

    return init


def as_told(
    state: EvolutionState, offspring: ArrayLike, fitness: ArrayLike
) -> tuple[jax.Array, jax.Array]:
    """Returns what a strategy is told as int32[P, G] and float32[P] or [P, M].

    Raises:
      InputError: for another shape than the state's, or for no genomes.
    """
    shape, wanted = state.population.shape, state.fitness.shape
    offspring = as_genomes(offspring, name="offspring", shape=shape)
    fitness = jnp.asarray(fitness, jnp.float32)
    if fitness.shape != wanted:
        raise InputError(
            f"fitness is float32{list(fitness.shape)}: give float32{list(wanted)}, as "
            "many numbers for each of the offspring as there are objectives."
        )
    return offspring.astype(jnp.int32), fitness


def conclude(
    state: EvolutionState,
    offspring: jax.Array,
    fitness: jax.Array,
    /,
    **changes: Any,
) -> tuple[EvolutionState, GenerationInfo]:
    """Ends a generation.

    Args:
      state: before it.
      offspring: int32[P, G].
      fitness: float32[P] or float32[P, M].
      **changes: fields of the new state: `memory`, and `population` and `fitness`
        where these are not what was told.

    Returns:
      EvolutionState, GenerationInfo.

    Raises:
      InputError: for offspring or fitness of another shape than the state's.
    """
    offspring, fitness = as_told(state, offspring, fitness)
    is_first = (..., 0) if fitness.ndim > 1 else ...
    best = jnp.argmax(fitness[is_first])
    is_better = fitness[best][is_first] > state.best_fitness[is_first]
    is_finite = jnp.isfinite(fitness)
    mean = jnp.mean(fitness, axis=0, where=is_finite)
    told = {"population": offspring, "fitness": fitness}
    new_state = state._replace(
        generation=state.generation + 1,
        best_genome=jnp.where(is_better, offspring[best], state.best_genome),
        best_fitness=jnp.where(is_better, fitness[best], state.best_fitness),
        **(told | changes),
    )
    info = GenerationInfo(
        best_fitness=fitness.max(axis=0),
        mean_fitness=jnp.where(is_finite.any(axis=0), mean, -jnp.inf),
        num_failed=jnp.sum(~is_finite.reshape(len(fitness), -1).all(axis=1)),
        is_exhausted=jnp.zeros((), bool),
    )
    return new_state, info
