"""A whole search as one compiled loop."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from vecevo.strategies.protocol import GenerationInfo


class Trace(NamedTuple):
    """What was asked and told, with a leading axis of T generations."""

    offspring: jax.Array  # int32[T, P, G]
    fitness: jax.Array  # float32[T, P], or [T, P, M] for M objectives
    info: GenerationInfo


def run_strategy(key, strategy, fitness_fn, num_generations, *, population=None):
    """Runs a strategy on a fitness that JAX can compute, in one `lax.scan`.

    `jax.vmap` over keys runs thousands at once; what of the trace is not used costs
    nothing under `jax.jit`. With `jax.random.key(seed)` it asks for the same genomes
    as `vecevo.search` does with that seed, as long as it is told the same.

    Args:
      key: random key, consumed; generation g draws from a fold of it with g.
      strategy: Strategy.
      fitness_fn: int32[P, G] -> float32[P], or float32[P, M]; higher is better, -inf
        is failed, never NaN.
      num_generations: T, static, the initial one included.
      population: int32[P, G] to start from; None is a random one.

    Returns:
      The last EvolutionState, and the Trace.
    """
    # The domains of sessions.RunKeys.
    search_key, _, _, start_key = jax.random.split(key, 4)

    def step(state, generation):
        offspring = strategy.ask(jax.random.fold_in(search_key, generation), state)
        fitness = fitness_fn(offspring)
        state, info = strategy.tell(state, offspring, fitness)
        return state, Trace(offspring, fitness, info)

    state = strategy.init(start_key, population)
    return jax.lax.scan(step, state, jnp.arange(num_generations))
