"""Dropout whose draws do not depend on padding."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from vecevo.training.lanes import threefry

DROPOUT_LEVELS = 1 << 16  # a dropout draw is 16 bits of a 32-bit random word
MOST_LAYERS = 1024  # so that no two steps and layers share a dropout key


class Dropout(NamedTuple):
    """What one forward pass needs to drop units."""

    key: jax.Array  # random key of this network
    step: jax.Array  # int32[], number of the minibatch since training began
    rate: jax.Array  # float[], probability of dropping a unit


def dropout_draws(
    dropout: Dropout, num_layers: int, num_units: int, batch_size: int
) -> jax.Array:
    """Draws uint16[num_layers, num_units, batch_size], two from each random word.

    Layer k of step t draws from `fold_in(key, 1024 t + k)`, all layers in one call,
    which compiles once. The first layers and units do not depend on how many follow.
    """
    numbers = MOST_LAYERS * dropout.step + jnp.arange(num_layers)
    layer_keys = jax.vmap(jax.random.fold_in, (None, 0))(dropout.key, numbers)
    shape = (num_units, (batch_size + 1) // 2)
    words = jax.vmap(lambda k: threefry.random_bits(k, shape))(layer_keys)
    draws = jax.lax.bitcast_convert_type(words, jnp.uint16)
    draws = draws.reshape(num_layers, num_units, -1)[:, :, :batch_size]
    # Else every use in the forward and in the backward pass would draw them anew.
    return jax.lax.optimization_barrier(draws)


def drop_units(draws: jax.Array, hidden: jax.Array, *, rate: jax.Array) -> jax.Array:
    """Zeroes each entry of hidden [units, B] with probability `rate`.

    The rest is scaled to keep the expectation ("inverted" dropout; Srivastava et
    al., 2014). The rate is rounded to a multiple of 1 / DROPOUT_LEVELS.
    """
    chex.assert_equal_shape([draws, hidden])
    threshold = jnp.round(rate * DROPOUT_LEVELS)
    scale = (DROPOUT_LEVELS / (DROPOUT_LEVELS - threshold)).astype(hidden.dtype)
    return jnp.where(draws >= threshold.astype(jnp.uint32), hidden * scale, 0)
