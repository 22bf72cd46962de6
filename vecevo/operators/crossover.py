"""Offspring from pairs of parents."""

import chex
import jax
import jax.numpy as jnp


def uniform_crossover(key, parents_1, parents_2, *, swap_rate=0.5):
    """Takes each gene from the second parent with probability `swap_rate`.

    See Syswerda, "Uniform crossover in genetic algorithms", 1989.

    Args:
      key: random key, consumed.
      parents_1, parents_2: int32[S, G].
      swap_rate: probability, may be traced.

    Returns:
      int32[S, G], one offspring per pair.
    """
    chex.assert_equal_shape([parents_1, parents_2])
    is_swapped = jax.random.bernoulli(key, swap_rate, parents_1.shape)
    return jnp.where(is_swapped, parents_2, parents_1)
