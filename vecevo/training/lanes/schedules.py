"""How a learning rate changes while a network trains, one row of a table each.

A schedule is a share of the learning rate by the progress u from 0 to 1, the steps
after a warm-up over those up to the cap on epochs. It is data, and compiles nothing.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

LEAST = 1 / 25  # share of the rate that one-cycle begins with,
LAST = LEAST / 1e4  # that it ends with,
PEAK = 0.3  # and the progress at which it has all of it


class Schedule(NamedTuple):
    """One schedule."""

    name: str
    share: Callable[[jax.Array], jax.Array]  # progress u -> share of the rate
    has_warmup: bool = True  # one may go before it


def _between(first: float, last: float, u: jax.Array) -> jax.Array:
    """Half a cosine from one number to another, as u goes from 0 to 1."""
    return last + (first - last) * (1 + jnp.cos(jnp.pi * u)) / 2


def _one_cycle(u: jax.Array) -> jax.Array:
    falling = _between(1.0, LAST, (u - PEAK) / (1 - PEAK))
    return jnp.where(u < PEAK, _between(LEAST, 1.0, u / PEAK), falling)


# Cosine: Loshchilov & Hutter, 2017, without restarts; one-cycle: Smith & Topin, 2018,
# in the form with cosines, and constants, of PyTorch and Optax.
TABLE = (
    Schedule("constant", jnp.ones_like),
    Schedule("cosine", lambda u: _between(1.0, 0.0, u)),
    Schedule("linear", lambda u: 1 - u),
    Schedule("one_cycle", _one_cycle, has_warmup=False),
)
NAMES = tuple(row.name for row in TABLE)
CONSTANT = TABLE[0].name


def row_of(name: str) -> Schedule:
    """Returns the row of a schedule."""
    return TABLE[NAMES.index(name)]


def share_of_rate(
    schedule: jax.Array, warmup: jax.Array, progress: jax.Array
) -> jax.Array:
    """Returns the share of its learning rate that a lane takes at a step.

    Args:
      schedule: int32[], index into NAMES.
      warmup: float[], the share of all steps over which the rate rises from 0.
      progress: float[], the step, counted from 0, over the number of all steps.
    """
    u = jnp.clip((progress - warmup) / (1 - warmup), 0, 1)
    share = jnp.stack([row.share(u) for row in TABLE])[schedule]
    return jnp.where(progress < warmup, progress / jnp.maximum(warmup, 1e-9), share)
