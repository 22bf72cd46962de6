"""What every strategy is: three pure functions round one kind of state."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from vecevo import operators


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
    mean_fitness: jax.Array  # float32[], over those that did not fail; NaN: all did
    num_failed: jax.Array  # int32[]
    is_exhausted: jax.Array  # bool[], every genome told; only `without_repeats` knows


class Strategy(NamedTuple):
    """A search; `ask` and `tell` draw nothing that the key or the state does not give.

    The offspring of the first generation are the population that `init` was given.
    """

    init: Callable  # key, population int32[P, G] or None: random -> EvolutionState
    ask: Callable  # key, state -> offspring int32[P, G]
    tell: Callable  # state, offspring, fitness -> EvolutionState, GenerationInfo
    share_new: float  # of a generation, expected to be genomes not seen before


def make_init(num_choices, population_size, *, num_objectives=None, memory_fn=None):
    """Makes the `init` of a strategy.

    Args:
      num_choices: int32[G].
      population_size: P, at least 1.
      num_objectives: M, or None where fitness is float32[P].
      memory_fn: key, population -> the state's memory; the key is that of `init`,
        from which a random population is drawn, so it may only be folded.

    Raises:
      ValueError: for a population_size below 1; `init`, for another population.
    """
    if population_size < 1:
        raise ValueError(f"population_size={population_size} must be 1 or more.")

    def init(key, population=None):
        if population is None:
            population = operators.random_population(
                key, num_choices, population_size=population_size
            )
        shape = (population_size, len(num_choices))
        population = as_genomes(population, name="population", shape=shape)
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


def as_genomes(genomes, *, name, shape):
    """Returns genomes as int32[P, G].

    Raises:
      ValueError: for another shape, or for numbers that are not whole.
    """
    genomes = jnp.asarray(genomes)
    if genomes.shape != shape or not jnp.issubdtype(genomes.dtype, jnp.integer):
        raise ValueError(
            f"{name} is {genomes.dtype}{list(genomes.shape)}: give {shape[0]} genomes "
            f"of {shape[1]} whole numbers."
        )
    return genomes.astype(jnp.int32)


def conclude(state, offspring, fitness, /, **changes):
    """Ends a generation.

    Args:
      state: EvolutionState before it.
      offspring: int32[P, G].
      fitness: float32[P] or float32[P, M].
      **changes: fields of the new state: `memory`, and `population` and `fitness`
        where these are not what was told.

    Returns:
      EvolutionState, GenerationInfo.
    """
    shape = state.population.shape
    offspring = as_genomes(offspring, name="offspring", shape=shape)
    fitness = jnp.asarray(fitness, jnp.float32)
    is_first = (..., 0) if fitness.ndim > 1 else ...
    best = jnp.argmax(fitness[is_first])
    is_better = fitness[best][is_first] > state.best_fitness[is_first]
    is_finite = jnp.isfinite(fitness)
    told = {"population": offspring, "fitness": fitness}
    new_state = state._replace(
        generation=state.generation + 1,
        best_genome=jnp.where(is_better, offspring[best], state.best_genome),
        best_fitness=jnp.where(is_better, fitness[best], state.best_fitness),
        **(told | changes),
    )
    info = GenerationInfo(
        best_fitness=fitness.max(axis=0),
        mean_fitness=jnp.mean(fitness, axis=0, where=is_finite),
        num_failed=jnp.sum(~is_finite.reshape(len(fitness), -1).all(axis=1)),
        is_exhausted=jnp.zeros((), bool),
    )
    return new_state, info
