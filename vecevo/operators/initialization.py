"""Populations to start from."""

import jax
import jax.numpy as jnp


def random_population(key, num_choices, *, population_size):
    """Draws every gene of every individual uniformly from its choices.

    Args:
      key: random key, consumed.
      num_choices: int32[G], at least 1 each.
      population_size: P, static.

    Returns:
      int32[P, G]; genomes may repeat.
    """
    num_choices = jnp.asarray(num_choices)
    shape = (population_size, num_choices.shape[0])
    return jax.random.randint(key, shape, 0, num_choices)
