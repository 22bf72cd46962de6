"""Seven optimizers as one update with two slots and per-lane coefficients.

    b' = max(bb b, |g| + 1e-8)   for adamax,   else   bb b + cb g^2
    den = b'                     for adamax,   else   sqrt(s b' + ei) + eo
    num = g sqrt(a + ei)         for adadelta, else   cg g + cm a'
    a' = ba a + ca (num / den)^2 for adadelta, else   ba a + ca g
    p' = keep p - lr num / den

Optax is the specification: each rule equals the Optax optimizer of its name with
Optax's defaults, except adadelta, whose rho is 0.95 as in Keras and the paper.
A coefficient is data, so all optimizers and all rates share one program.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

OPTIMIZERS = ("rmsprop", "adam", "sgd", "adagrad", "adadelta", "adamax", "nadam")
RMSPROP, ADAM, SGD, ADAGRAD, ADADELTA, ADAMAX, NADAM = range(7)

# The defaults of Keras 2.0.x, which the article of 2017 ran with.
DEFAULT_LEARNING_RATES = {
    "rmsprop": 0.001,
    "adam": 0.001,
    "sgd": 0.01,
    "adagrad": 0.01,
    "adadelta": 1.0,
    "adamax": 0.002,
    "nadam": 0.002,
}

B1, B2 = 0.9, 0.999  # decay of the first and second moment in the Adam family
ADAMAX_EPSILON = 1e-8

#              rmsprop adam  sgd  adagrad adadelta adamax nadam
_BB = np.array([0.9, B2, 0.0, 1.0, 0.95, B2, B2])
_CB = np.array([0.1, 1 - B2, 0.0, 1.0, 0.05, 0.0, 1 - B2])
_BA = np.array([0.0, B1, 0.0, 0.0, 0.95, B1, B1])
_CA = np.array([0.0, 1 - B1, 0.0, 0.0, 0.05, 1 - B1, 1 - B1])
_EI = np.array([1e-8, 0.0, 1.0, 1e-7, 1e-6, 0.0, 0.0])
_EO = np.array([0.0, 1e-8, 0.0, 0.0, 0.0, 0.0, 1e-8])
_LEVEL = np.array([1, 2, 0, 1, 3, 2, 2])
PLAIN, ONE_SLOT, TWO_SLOTS, ADADELTA_TOO = range(4)
_INITIAL_B = np.array([0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0])


class Coefficients(NamedTuple):
    """The letters of the formula above, scalars of one lane at one step."""

    bb: jax.Array
    cb: jax.Array
    ba: jax.Array
    ca: jax.Array
    cg: jax.Array
    cm: jax.Array
    s: jax.Array
    ei: jax.Array
    eo: jax.Array
    is_adamax: jax.Array
    is_adadelta: jax.Array


class Slots(NamedTuple):
    """The two memories of the update, each shaped like the params."""

    a: dict
    b: dict


def init_slots(optimizer, params):
    """Returns the slots before the first step; zeros but for adagrad's b = 0.1."""
    initial_b = _look_up(_INITIAL_B, optimizer)
    return Slots(
        a=jax.tree.map(jnp.zeros_like, params),
        b=jax.tree.map(lambda p: jnp.full_like(p, initial_b), params),
    )


def _look_up(table, optimizer, dtype=float):
    return jnp.asarray(table, jnp.result_type(dtype))[optimizer]


def update_level(optimizer):
    """How much of the formula an optimizer, by name, needs: 0 to 3."""
    return int(_LEVEL[OPTIMIZERS.index(optimizer)])


def coefficients(optimizer, step):
    """Looks up the coefficients of a step, counted from 1.

    Adam divides its moments by 1 - B^t (Kingma & Ba, 2015); nadam looks one step
    ahead (Dozat, 2016); the other rules do not depend on the step.
    """
    t = jnp.asarray(step, float)
    debias_1, debias_2 = 1 - B1**t, 1 - B2**t
    is_nadam, is_sgd = optimizer == NADAM, optimizer == SGD
    has_momentum = (optimizer == ADAM) | (optimizer == ADAMAX)
    cg = jnp.where(has_momentum, 0.0, jnp.where(is_nadam, (1 - B1) / debias_1, 1.0))
    cm = jnp.where(has_momentum, 1 / debias_1, 0.0)
    cm = jnp.where(is_nadam, B1 / (1 - B1 ** (t + 1)), cm)
    s = jnp.where((optimizer == ADAM) | is_nadam, 1 / debias_2, 1.0)
    return Coefficients(
        bb=_look_up(_BB, optimizer),
        cb=_look_up(_CB, optimizer),
        ba=_look_up(_BA, optimizer),
        ca=_look_up(_CA, optimizer),
        cg=cg,
        cm=cm,
        s=jnp.where(is_sgd, 0.0, s),
        ei=_look_up(_EI, optimizer),
        eo=_look_up(_EO, optimizer),
        is_adamax=optimizer == ADAMAX,
        is_adadelta=optimizer == ADADELTA,
    )


def update_lanes(params, slots, grads, *, optimizer, step, learning_rate, weight_decay):
    """Takes one step with every weight of every lane.

    Weight decay is decoupled (Loshchilov & Hutter, 2019): kernels, not biases,
    shrink by learning_rate * weight_decay of themselves.

    Args:
      params, slots, grads: trees of [L, ...].
      optimizer: int32[L], indices into OPTIMIZERS.
      step: int32[], counted from 1, the same for all lanes.
      learning_rate, weight_decay: float[L].

    Returns:
      The new params and the new slots.
    """

    def update_all(level, params, slots, grads):
        update = functools.partial(_update_lane, level)
        return jax.vmap(update, (0, 0, 0, 0, None, 0, 0))(
            params, slots, grads, optimizer, step, learning_rate, weight_decay
        )

    # An update costs what it reads and writes, and adadelta two more square roots
    # and divisions a weight: a cohort does only what its neediest lane needs.
    level = jnp.max(_look_up(_LEVEL, optimizer, int))
    branches = [functools.partial(update_all, level) for level in range(4)]
    return jax.lax.switch(level, branches, params, slots, grads)


def _update_lane(
    level, params, slots, grads, optimizer, step, learning_rate, weight_decay
):
    c = coefficients(optimizer, step)

    def update_leaf(p, a, b, g):
        keep = 1 - learning_rate * weight_decay if p.ndim > 1 else 1
        direction, a, b = _update_leaf(level, a, b, g, c)
        return keep * p - learning_rate * direction, a, b

    leaves = jax.tree.map(update_leaf, params, slots.a, slots.b, grads)
    outer, inner = jax.tree.structure(params), jax.tree.structure((0, 0, 0))
    params, a, b = jax.tree.transpose(outer, inner, leaves)
    return params, Slots(a=a, b=b)


def _update_leaf(level, a, b, g, c):
    """Returns num / den and the new slots; the formula of the module docstring.

    A higher level computes the same, bit for bit, for the optimizers of a lower one.
    """
    if level == PLAIN:
        return g, a, b
    if level == ONE_SLOT:
        b = c.bb * b + c.cb * g * g
        return g / (jnp.sqrt(c.s * b + c.ei) + c.eo), a, b
    largest = jnp.maximum(c.bb * b, jnp.abs(g) + ADAMAX_EPSILON)
    b = jnp.where(c.is_adamax, largest, c.bb * b + c.cb * g * g)
    den = jnp.where(c.is_adamax, b, jnp.sqrt(c.s * b + c.ei) + c.eo)
    new_a = c.ba * a + c.ca * g
    num = c.cg * g + c.cm * new_a
    if level == TWO_SLOTS:
        return num / den, new_a, b
    num = jnp.where(c.is_adadelta, g * jnp.sqrt(a + c.ei), num)
    direction = num / den
    adadelta_a = c.ba * a + c.ca * direction * direction
    return direction, jnp.where(c.is_adadelta, adadelta_a, new_a), b
