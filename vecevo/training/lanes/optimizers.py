"""Optimizers, one row of a table each, as one update with two slots.

    b' = max(bb b, |g| + 1e-8)   for adamax,   else   bb b + cb g^2
    den = b'                     for adamax,   else   sqrt(s b' + ei) + eo
    num = g sqrt(a + ei)         for adadelta, else   cg g + cm a'
    a' = ba a + ca (num / den)^2 for adadelta, else   ba a + ca g
    p' = keep p - lr num / den

Optax is the specification: each rule equals the Optax optimizer of its name with
Optax's defaults, except adadelta, whose rho is 0.95 as in Keras and the paper, and
nesterov, which is SGD with Nesterov's momentum of 0.9. A coefficient is data, so all
optimizers and all rates share one program.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

B1, B2 = 0.9, 0.999  # decay of the first and second moment in the Adam family
ADAMAX_EPSILON = 1e-8
PLAIN, ONE_SLOT, TWO_SLOTS, ADADELTA_TOO = range(4)  # how much of the formula

StepFn = Callable[[jax.Array], jax.Array]  # of the step t, counted from 1


class Optimizer(NamedTuple):
    """One optimizer: the letters of the formula above, some of them by the step."""

    name: str
    learning_rate: float  # by default: that of Keras 2.0.x, of the article of 2017
    level: int
    bb: float = 0.0
    cb: float = 0.0
    ba: float = 0.0
    ca: float = 0.0
    ei: float = 0.0
    eo: float = 0.0
    cg: float | StepFn = 1.0
    cm: float | StepFn = 0.0
    s: float | StepFn = 1.0
    initial_b: float = 0.0
    is_adamax: bool = False
    is_adadelta: bool = False


# Adam divides its moments by 1 - B^t (Kingma & Ba, 2015); nadam looks one step ahead
# (Dozat, 2016); the other rules do not depend on the step.
TABLE = (
    Optimizer("rmsprop", 0.001, ONE_SLOT, bb=0.9, cb=0.1, ei=1e-8),
    Optimizer(
        "adam",
        0.001,
        TWO_SLOTS,
        bb=B2,
        cb=1 - B2,
        ba=B1,
        ca=1 - B1,
        eo=1e-8,
        cg=0.0,
        cm=lambda t: 1 / (1 - B1**t),
        s=lambda t: 1 / (1 - B2**t),
    ),
    Optimizer("sgd", 0.01, PLAIN, ei=1.0, s=0.0),
    Optimizer("adagrad", 0.01, ONE_SLOT, bb=1.0, cb=1.0, ei=1e-7, initial_b=0.1),
    Optimizer(
        "adadelta",
        1.0,
        ADADELTA_TOO,
        bb=0.95,
        cb=0.05,
        ba=0.95,
        ca=0.05,
        ei=1e-6,
        is_adadelta=True,
    ),
    Optimizer(
        "adamax",
        0.002,
        TWO_SLOTS,
        bb=B2,
        ba=B1,
        ca=1 - B1,
        cg=0.0,
        cm=lambda t: 1 / (1 - B1**t),
        is_adamax=True,
    ),
    Optimizer(
        "nadam",
        0.002,
        TWO_SLOTS,
        bb=B2,
        cb=1 - B2,
        ba=B1,
        ca=1 - B1,
        eo=1e-8,
        cg=lambda t: (1 - B1) / (1 - B1**t),
        cm=lambda t: B1 / (1 - B1 ** (t + 1)),
        s=lambda t: 1 / (1 - B2**t),
    ),
    Optimizer("nesterov", 0.01, TWO_SLOTS, ba=B1, ca=1.0, ei=1.0, cm=B1, s=0.0),
)
NAMES = tuple(row.name for row in TABLE)


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


def row_of(name: str) -> Optimizer:
    """Returns the row of an optimizer."""
    return TABLE[NAMES.index(name)]


def init_slots(optimizer: jax.Array, params: dict) -> Slots:
    """Returns the slots before the first step; zeros but for adagrad's b = 0.1.

    Args:
      optimizer: int32[], index into NAMES.
      params: the weights of one lane.
    """
    initial_b = _look_up("initial_b", optimizer)
    return Slots(
        a=jax.tree.map(jnp.zeros_like, params),
        b=jax.tree.map(lambda p: jnp.full_like(p, initial_b), params),
    )


def _look_up(letter: str, optimizer: jax.Array) -> jax.Array:
    """Returns a constant letter of a lane's row, as a float."""
    values = np.array([getattr(row, letter) for row in TABLE], float)
    return jnp.asarray(values, jnp.result_type(float))[optimizer]


def coefficients(optimizer: jax.Array, step: jax.Array) -> Coefficients:
    """Looks up the coefficients of a lane at a step, counted from 1."""
    t = jnp.asarray(step, float)

    def by_step(letter: str) -> jax.Array:
        values = [getattr(row, letter) for row in TABLE]
        values = [value(t) if callable(value) else value for value in values]
        return jnp.stack([jnp.asarray(value, t.dtype) for value in values])[optimizer]

    constants = ("bb", "cb", "ba", "ca", "ei", "eo")
    return Coefficients(
        **{letter: _look_up(letter, optimizer) for letter in constants},
        **{letter: by_step(letter) for letter in ("cg", "cm", "s")},
        is_adamax=_look_up("is_adamax", optimizer) > 0,
        is_adadelta=_look_up("is_adadelta", optimizer) > 0,
    )


def update_lanes(
    params: dict,
    slots: Slots,
    grads: dict,
    *,
    optimizer: jax.Array,
    step: jax.Array,
    learning_rate: jax.Array,
    weight_decay: jax.Array,
) -> tuple[dict, Slots]:
    """Takes one step with every weight of every lane.

    Weight decay is decoupled (Loshchilov & Hutter, 2019): kernels, not biases,
    shrink by learning_rate * weight_decay of themselves.

    Args:
      params, slots, grads: trees of [L, ...].
      optimizer: int32[L], indices into NAMES.
      step: int32[], counted from 1, the same for all lanes.
      learning_rate, weight_decay: float[L].

    Returns:
      The new params and the new slots.
    """

    chex.assert_trees_all_equal_shapes(params, grads, slots.a, slots.b)

    def update_all(
        level: int, params: dict, slots: Slots, grads: dict
    ) -> tuple[dict, Slots]:
        update = functools.partial(_update_lane, level)
        return jax.vmap(update, (0, 0, 0, 0, None, 0, 0))(
            params, slots, grads, optimizer, step, learning_rate, weight_decay
        )

    # An update costs what it reads and writes, and adadelta two more square roots
    # and divisions a weight: a cohort does only what its neediest lane needs.
    level = jnp.max(_look_up("level", optimizer)).astype(int)
    branches = [functools.partial(update_all, level) for level in range(4)]
    return jax.lax.switch(level, branches, params, slots, grads)


def _update_lane(
    level: int,
    params: dict,
    slots: Slots,
    grads: dict,
    optimizer: jax.Array,
    step: jax.Array,
    learning_rate: jax.Array,
    weight_decay: jax.Array,
) -> tuple[dict, Slots]:
    c = coefficients(optimizer, step)

    def update_leaf(
        p: jax.Array, a: jax.Array, b: jax.Array, g: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        keep = 1 - learning_rate * weight_decay if p.ndim > 1 else 1
        direction, a, b = _update_leaf(level, a, b, g, c)
        return keep * p - learning_rate * direction, a, b

    leaves = jax.tree.map(update_leaf, params, slots.a, slots.b, grads)
    outer, inner = jax.tree.structure(params), jax.tree.structure((0, 0, 0))
    params, a, b = jax.tree.transpose(outer, inner, leaves)
    return params, Slots(a=a, b=b)


def _update_leaf(
    level: int, a: jax.Array, b: jax.Array, g: jax.Array, c: Coefficients
) -> tuple[jax.Array, jax.Array, jax.Array]:
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
