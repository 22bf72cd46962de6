"""Offspring from pairs of parents."""

import chex
import jax.numpy as jnp

from vecevo.operators import draws


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
    is_swapped = draws.bernoulli(key, swap_rate, parents_1.shape)
    return jnp.where(is_swapped, parents_2, parents_1)


def one_point_crossover(key, parents_1, parents_2):
    """Takes the genes before a cut from the first parent, those after from the second.

    Each of the G - 1 places between two genes is equally likely; a lone gene comes
    from the first parent. See Holland, "Adaptation in natural and artificial
    systems", 1975.

    Args:
      key: random key, consumed.
      parents_1, parents_2: int32[S, G].

    Returns:
      int32[S, G], one offspring per pair.
    """
    return k_point_crossover(key, parents_1, parents_2, num_points=1)


def k_point_crossover(key, parents_1, parents_2, *, num_points):
    """Changes from one parent to the other at k different cuts.

    Each set of k of the G - 1 places between two genes is equally likely; where there
    are fewer places, all are cut. The first gene comes from the first parent. See De
    Jong, "An analysis of the behavior of a class of genetic adaptive systems", 1975.

    Args:
      key: random key, consumed.
      parents_1, parents_2: int32[S, G].
      num_points: k, may be traced.

    Returns:
      int32[S, G], one offspring per pair.
    """
    chex.assert_equal_shape([parents_1, parents_2])
    num_pairs, num_genes = parents_1.shape
    places = draws.uniform(key, (num_pairs, num_genes - 1))
    is_cut = jnp.argsort(jnp.argsort(places, axis=1), axis=1) < num_points
    num_cuts = jnp.cumsum(is_cut, axis=1)
    num_cuts = jnp.pad(num_cuts, ((0, 0), (1, 0)))
    return jnp.where(num_cuts % 2 == 1, parents_2, parents_1)
