"""Who lives on: the article's best plus random survivors, in its two versions."""

import jax
import jax.numpy as jnp


def random_count_survival(key, fitness, *, num_best, num_random):
    """Keeps the fittest and a fixed number of the others at random.

    Args:
      key: random key, consumed.
      fitness: float32[P], higher is better, no NaN.
      num_best: number of the fittest to keep, static.
      num_random: number of the others to keep, static; num_best + num_random <= P.

    Returns:
      bool[P], who survives; exactly num_best + num_random do.
    """
    draws = jax.random.uniform(key, fitness.shape)
    luck = jnp.where(_rank(fitness) < num_best, 2.0, draws)
    return _rank(luck) < num_best + num_random


def random_rate_survival(key, fitness, *, num_best, random_rate):
    """Keeps the fittest, and each of the others with a probability.

    Args:
      key: random key, consumed.
      fitness: float32[P], higher is better, no NaN.
      num_best: number of the fittest to keep.
      random_rate: probability, may be traced.

    Returns:
      bool[P], who survives; at least num_best do.
    """
    is_lucky = jax.random.bernoulli(key, random_rate, fitness.shape)
    return (_rank(fitness) < num_best) | is_lucky


def _rank(fitness):
    """Returns int32[P]: 0 for the best; of equals, the earlier ranks higher."""
    return jnp.argsort(jnp.argsort(-fitness))
