"""Dropout whose draws do not depend on padding."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from vecevo.training.lanes import threefry

DROPOUT_LEVELS = 1 << 16  # a dropout draw is 16 bits of a 32-bit random word
MOST_LAYERS = 1024  # of a network, and
MOST_STEPS = 1 << 22  # of its training: so that no two share a dropout key of 32 bits


class Dropout(NamedTuple):
    """What one forward pass needs to drop units."""

    keys: jax.Array  # random key[layers], of this network and this minibatch
    rate: "Rate"


class Rate(NamedTuple):
    """The probability of dropping a unit, as it is used."""

    threshold: jax.Array  # uint32[], of draws below which a unit is dropped
    scale: jax.Array  # float[], of the others, which keeps the expectation


def as_rate(rate: jax.Array) -> Rate:
    """Rounds a rate to a multiple of 1 / DROPOUT_LEVELS."""
    threshold = jnp.round(rate * DROPOUT_LEVELS)
    scale = DROPOUT_LEVELS / (DROPOUT_LEVELS - threshold)
    return Rate(threshold.astype(jnp.uint32), scale)


def layer_keys(key: jax.Array, step: jax.Array, num_layers: int) -> jax.Array:
    """Returns random key[num_layers], of the layers of a network at a step.

    Layer k of step t, the minibatches since training began, has
    `fold_in(key, 1024 t + k)`, which takes numbers of 32 bits: after MOST_STEPS steps
    keys would come again. The first keys do not depend on how many follow.
    """
    numbers = MOST_LAYERS * step + jnp.arange(num_layers)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, numbers)


def dropout_draws(keys: jax.Array, num_units: int, batch_size: int) -> jax.Array:
    """Draws uint16[layers, num_units, batch_size], two from each random word.

    All layers in one call, which compiles once. The first units do not depend on how
    many follow.

    Args:
      keys: random key[layers], consumed.
      num_units, batch_size: static.
    """
    shape = (num_units, (batch_size + 1) // 2)
    words = jax.vmap(lambda k: threefry.random_bits(k, shape))(keys)
    draws = jax.lax.bitcast_convert_type(words, jnp.uint16)
    draws = draws.reshape(len(keys), num_units, -1)[:, :, :batch_size]
    # Else every use in the forward and in the backward pass would draw them anew.
    return jax.lax.optimization_barrier(draws)


def drop_units(draws: jax.Array, hidden: jax.Array, rate: Rate) -> jax.Array:
    """Zeroes each entry of hidden [units, B] with the probability of a rate.

    The rest is scaled to keep the expectation ("inverted" dropout; Srivastava et
    al., 2014).
    """
    chex.assert_equal_shape([draws, hidden])
    scaled = hidden * rate.scale.astype(hidden.dtype)
    return jnp.where(draws >= rate.threshold, scaled, 0)
