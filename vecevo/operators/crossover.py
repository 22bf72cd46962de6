"""Offspring from pairs of parents."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from vecevo.operators import draws
from vecevo.operators.checks import Array, as_genomes, check_rates, check_whole


def uniform_crossover(
    key: jax.Array, parents_1: Array, parents_2: Array, *, swap_rate: ArrayLike = 0.5
) -> jax.Array:
    """Takes each gene from the second parent with probability `swap_rate`.

    See Syswerda, "Uniform crossover in genetic algorithms", 1989.

    Args:
      key: random key, consumed.
      parents_1, parents_2: int32[S, G].
      swap_rate: probability, may be traced; one for all, or an array that broadcasts
        to [S, G].

    Returns:
      int32[S, G], one offspring per pair.

    Raises:
      InputError: for parents of two shapes, or a swap_rate that is no probability.
    """
    parents_1, parents_2 = _as_pairs(parents_1, parents_2)
    check_rates(shape=parents_1.shape, swap_rate=swap_rate)
    is_swapped = draws.bernoulli(key, swap_rate, parents_1.shape)
    return jnp.where(is_swapped, parents_2, parents_1)


def one_point_crossover(
    key: jax.Array, parents_1: Array, parents_2: Array
) -> jax.Array:
    """Takes the genes before a cut from the first parent, those after from the second.

    Each of the G - 1 places between two genes is equally likely; a lone gene comes
    from the first parent. See Holland, "Adaptation in natural and artificial
    systems", 1975.

    Args:
      key: random key, consumed.
      parents_1, parents_2: int32[S, G].

    Returns:
      int32[S, G], one offspring per pair.

    Raises:
      InputError: for parents of two shapes.
    """
    return k_point_crossover(key, parents_1, parents_2, num_points=1)


def k_point_crossover(
    key: jax.Array, parents_1: Array, parents_2: Array, *, num_points: int | jax.Array
) -> jax.Array:
    """Changes from one parent to the other at k different cuts.

    Each set of k of the G - 1 places between two genes is equally likely; where there
    are fewer places, all are cut. The first gene comes from the first parent. See De
    Jong, "An analysis of the behavior of a class of genetic adaptive systems", 1975.

    Args:
      key: random key, consumed.
      parents_1, parents_2: int32[S, G].
      num_points: k, from 0 up, may be traced.

    Returns:
      int32[S, G], one offspring per pair.

    Raises:
      InputError: for parents of two shapes, or a num_points below 0.
    """
    parents_1, parents_2 = _as_pairs(parents_1, parents_2)
    check_whole(0, num_points=num_points)
    num_pairs, num_genes = parents_1.shape
    places = draws.uniform(key, (num_pairs, num_genes - 1))
    is_cut = jnp.argsort(jnp.argsort(places, axis=1), axis=1) < num_points
    num_cuts = jnp.cumsum(is_cut, axis=1)
    num_cuts = jnp.pad(num_cuts, ((0, 0), (1, 0)))
    return jnp.where(num_cuts % 2 == 1, parents_2, parents_1)


def _as_pairs(parents_1: Array, parents_2: Array) -> tuple[jax.Array, jax.Array]:
    parents_1 = as_genomes(parents_1, name="parents_1", shape=(None, None))
    return parents_1, as_genomes(parents_2, name="parents_2", shape=parents_1.shape)
