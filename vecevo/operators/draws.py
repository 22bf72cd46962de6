"""Random draws for whole populations, in one dimension and then shaped.

They equal those of `jax.random` with the shape, bit for bit, and are drawn several
times faster on a CPU where the last axis is short.
"""

import math

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


def uniform(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Returns float32 of a shape, uniform in [0, 1)."""
    return jax.random.uniform(key, (math.prod(shape),)).reshape(shape)


def bernoulli(key: jax.Array, rate: ArrayLike, shape: tuple[int, ...]) -> jax.Array:
    """Returns bool of a shape, True with a rate that broadcasts to it."""
    return uniform(key, shape) < jnp.asarray(rate)


def randint(
    key: jax.Array, shape: tuple[int, ...], low: ArrayLike, high: ArrayLike
) -> jax.Array:
    """Returns int32 of a shape, uniform from low to high - 1; both broadcast to it."""
    low, high = (jnp.broadcast_to(bound, shape).ravel() for bound in (low, high))
    return jax.random.randint(key, (math.prod(shape),), low, high).reshape(shape)
