"""Activations, one row of a table each; a lane's is data, so it compiles nothing.

All are functions of x and of one shared t = tanh(linear x + cubic x^3), the costly
part. With t = tanh(x / 2), sigmoid(x) = (1 + t) / 2 and exp(x) - 1 = 2 t / (1 - t).
"""

import functools
from collections.abc import Callable, Collection
from typing import NamedTuple

import jax
import jax.numpy as jnp


class Activation(NamedTuple):
    """One activation. Its functions are elementwise, and finite wherever x is."""

    name: str
    value: Callable[[jax.Array, jax.Array], jax.Array]  # x, t -> y
    slope: Callable[[jax.Array, jax.Array, jax.Array], jax.Array]  # x, t, y -> dy/dx
    linear: float = 0.5
    cubic: float = 0.0


SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
LEAK = 0.01  # the slope of leaky_relu below 0
GELU_LINEAR = (2 / jnp.pi) ** 0.5  # by its tanh; Hendrycks & Gimpel, 2016
GELU_CUBIC = 0.044715 * GELU_LINEAR


def _gelu_slope(x: jax.Array, t: jax.Array, y: jax.Array) -> jax.Array:
    del y  # does not determine it: gelu falls before it rises
    # Of a large x the square overflows, and 1 - t^2 is 0: their product is to be 0 too.
    most = jnp.finfo(x.dtype).max
    inner = jnp.minimum(GELU_LINEAR + 3 * GELU_CUBIC * x * x, most)
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * inner


TABLE = (
    Activation(
        "relu",
        value=lambda x, t: jnp.maximum(x, 0),
        slope=lambda x, t, y: (y > 0).astype(y.dtype),
    ),
    Activation(
        "elu",
        value=lambda x, t: jnp.where(x > 0, x, 2 * t / (1 - t)),
        slope=lambda x, t, y: jnp.where(y > 0, 1, y + 1),
    ),
    Activation(
        "tanh", value=lambda x, t: t, slope=lambda x, t, y: 1 - y * y, linear=1.0
    ),
    Activation(
        "sigmoid",
        value=lambda x, t: 0.5 + 0.5 * t,
        slope=lambda x, t, y: y * (1 - y),
    ),
    Activation(
        "gelu",
        value=lambda x, t: 0.5 * x * (1 + t),
        slope=_gelu_slope,
        linear=GELU_LINEAR,
        cubic=GELU_CUBIC,
    ),
    # Elfwing et al., 2018; its slope is s + x s (1 - s), s = (1 + t) / 2 the sigmoid.
    Activation(
        "silu",
        value=lambda x, t: 0.5 * x * (1 + t),
        slope=lambda x, t, y: 0.5 * (1 + t) + 0.25 * x * (1 - t * t),
    ),
    # Klambauer et al., 2017.
    Activation(
        "selu",
        value=lambda x, t: (
            SELU_SCALE * jnp.where(x > 0, x, SELU_ALPHA * 2 * t / (1 - t))
        ),
        slope=lambda x, t, y: jnp.where(y > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA),
    ),
    Activation(
        "leaky_relu",
        value=lambda x, t: jnp.where(x >= 0, x, LEAK * x),
        slope=lambda x, t, y: jnp.where(x >= 0, 1, LEAK).astype(y.dtype),
    ),
)
NAMES = tuple(row.name for row in TABLE)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def activate(names: tuple[str, ...], activation: jax.Array, x: jax.Array) -> jax.Array:
    """Applies the activation of a lane to an array.

    Args:
      names: the activations that any lane may have, static; others cost nothing.
      activation: int32[], the lane's index into NAMES.
      x: any shape.

    Returns:
      As x.
    """
    t = _shared_tanh(names, activation, x)
    return _choose(activation, {row: row.value(x, t) for row in rows_of(names)})


@activate.defjvp
def _activate_jvp(names, primals, tangents):
    activation, x = primals
    t, y = _shared_tanh(names, activation, x), activate(names, activation, x)
    slopes = {row: row.slope(x, t, y) for row in rows_of(names)}
    return y, _choose(activation, slopes) * tangents[1]


def rows_of(names: Collection[str]) -> list[Activation]:
    """Returns the rows of some names, in the order of the table."""
    return [row for row in TABLE if row.name in names]


def _choose(activation: jax.Array, by_row: dict[Activation, jax.Array]) -> jax.Array:
    """Picks the value of a lane's row; all values have one shape, or are numbers."""
    rows = list(by_row)
    chosen = jnp.asarray(by_row[rows[0]])
    for row in rows[1:]:
        is_row = activation == TABLE.index(row)
        chosen = jnp.where(is_row, by_row[row], chosen)
    return chosen


def _shared_tanh(
    names: tuple[str, ...], activation: jax.Array, x: jax.Array
) -> jax.Array:
    rows = rows_of(names)
    scale = _choose(activation, {row: jnp.asarray(row.linear, x.dtype) for row in rows})
    if any(row.cubic for row in rows):
        cubic = _choose(activation, {r: jnp.asarray(r.cubic, x.dtype) for r in rows})
        # Of lanes without a cubic term, a large x may not overflow in it.
        scale = scale + jnp.where(cubic == 0, 0, cubic * x * x)
    return jnp.tanh(scale * x)
