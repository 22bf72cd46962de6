"""A whole search as one compiled loop."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from vecevo.keys import split_key
from vecevo.operators.checks import check_whole
from vecevo.strategies.protocol import (
    EvolutionState,
    FitnessFn,
    GenerationInfo,
    Strategy,
)


class Trace(NamedTuple):
    """What was asked and told, with a leading axis of T generations."""

    offspring: jax.Array  # int32[T, P, G]
    fitness: jax.Array  # float32[T, P], or [T, P, M] for M objectives
    info: GenerationInfo


def run_strategy(
    key: jax.Array,
    strategy: Strategy,
    fitness_fn: FitnessFn,
    num_generations: int,
    *,
    population: ArrayLike | None = None,
) -> tuple[EvolutionState, Trace]:
    """Runs a strategy on a fitness that JAX can compute, in one `lax.scan`.

    `jax.vmap` over keys runs thousands at once; what of the trace is not used costs
    nothing under `jax.jit`. With `jax.random.key(seed)` it asks for the same genomes
    as `vecevo.search` does with that seed, as long as it is told the same.

    Args:
      key: random key, consumed; generation g draws from a fold of it with g.
      strategy: the search.
      fitness_fn: int32[P, G] -> float32[P], or float32[P, M]; higher is better, -inf
        is failed, never NaN.
      num_generations: T, static, the initial one included.
      population: int32[P, G] to start from; None is a random one.

    Returns:
      The last EvolutionState, and the Trace.

    Raises:
      InputError: for a num_generations below 1, or a population of another shape.
    """
    check_whole(1, num_generations=num_generations)
    keys = split_key(key)

    def step(
        state: EvolutionState, generation: jax.Array
    ) -> tuple[EvolutionState, Trace]:
        offspring = strategy.ask(jax.random.fold_in(keys.search, generation), state)
        fitness = fitness_fn(offspring)
        state, info = strategy.tell(state, offspring, fitness)
        return state, Trace(offspring, fitness, info)

    state = strategy.init(keys.start, population)
    return jax.lax.scan(step, state, jnp.arange(num_generations))
