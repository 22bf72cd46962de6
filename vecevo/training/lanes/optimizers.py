"""Optimizers, one row of a table each, as one update with two slots.

    b' = max(bb b, |g| + 1e-8)   for adamax,   else   bb b + cb g^2
    den = b'                     for adamax,   else   sqrt(s b' + ei) + eo
    num = g sqrt(a + ei)         for adadelta, else   cg g + cm a'
    a' = ba a + ca (num / den)^2 for adadelta, else   ba a + ca g
    p' = (1 - lr decay) p - lr num / den, where decay is 0 for biases

Optax is the specification: each rule equals the Optax optimizer of its name with
Optax's defaults, except adadelta, whose rho is 0.95 as in Keras and the paper, and
nesterov, which is SGD with Nesterov's momentum, 0.9 by default. A coefficient is data,
so all optimizers, all rates and all momenta share one program.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

B1, B2 = 0.9, 0.999  # decay of the first and second moment in the Adam family
RHO = 0.9  # of the second moment in rmsprop
ADAMAX_EPSILON = 1e-8
LEVELS = PLAIN, ONE_SLOT, TWO_SLOTS, ADADELTA_TOO = (0, 1, 2, 3)  # of the formula


class Knobs(NamedTuple):
    """What the letters of the formula may depend on; numbers, or arrays of a lane."""

    t: Any  # the step, counted from 1
    momentum: Any
    beta_2: Any


KNOBS = ("momentum", "beta_2")  # those that are hyperparameters
Letter = float | Callable[[Knobs], Any]


class Optimizer(NamedTuple):
    """One optimizer: the letters of the formula above."""

    name: str
    learning_rate: float  # by default: that of Keras 2.0.x, of the article of 2017
    level: int
    bb: Letter = 0.0
    cb: Letter = 0.0
    ba: Letter = 0.0
    ca: Letter = 0.0
    ei: float = 0.0
    eo: float = 0.0
    cg: Letter = 1.0
    cm: Letter = 0.0
    s: Letter = 1.0
    initial_b: float = 0.0
    is_adamax: bool = False
    is_adadelta: bool = False
    momentum: float | None = None  # by default; None: it takes none
    beta_2: float | None = None  # likewise, the decay of the second moment


# Adam divides its moments by 1 - B^t (Kingma & Ba, 2015); nadam looks one step ahead
# (Dozat, 2016); the other rules do not depend on the step.
TABLE = (
    Optimizer(
        "rmsprop",
        0.001,
        ONE_SLOT,
        bb=lambda k: k.beta_2,
        cb=lambda k: 1 - k.beta_2,
        ei=1e-8,
        beta_2=RHO,
    ),
    Optimizer(
        "adam",
        0.001,
        TWO_SLOTS,
        bb=lambda k: k.beta_2,
        cb=lambda k: 1 - k.beta_2,
        ba=B1,
        ca=1 - B1,
        eo=1e-8,
        cg=0.0,
        cm=lambda k: 1 / (1 - B1**k.t),
        s=lambda k: 1 / (1 - k.beta_2**k.t),
        beta_2=B2,
    ),
    # Without momentum its direction is g, and it needs no slot.
    Optimizer(
        "sgd",
        0.01,
        PLAIN,
        ba=lambda k: k.momentum,
        ca=lambda k: jnp.where(k.momentum > 0, 1, 0),
        ei=1.0,
        cg=lambda k: jnp.where(k.momentum > 0, 0, 1),
        cm=1.0,
        s=0.0,
        momentum=0.0,
    ),
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
        bb=lambda k: k.beta_2,
        ba=B1,
        ca=1 - B1,
        cg=0.0,
        cm=lambda k: 1 / (1 - B1**k.t),
        is_adamax=True,
        beta_2=B2,
    ),
    Optimizer(
        "nadam",
        0.002,
        TWO_SLOTS,
        bb=lambda k: k.beta_2,
        cb=lambda k: 1 - k.beta_2,
        ba=B1,
        ca=1 - B1,
        eo=1e-8,
        cg=lambda k: (1 - B1) / (1 - B1**k.t),
        cm=lambda k: B1 / (1 - B1 ** (k.t + 1)),
        s=lambda k: 1 / (1 - k.beta_2**k.t),
        beta_2=B2,
    ),
    Optimizer(
        "nesterov",
        0.01,
        TWO_SLOTS,
        ba=lambda k: k.momentum,
        ca=1.0,
        ei=1.0,
        cm=lambda k: k.momentum,
        s=0.0,
        momentum=0.9,
    ),
)
NAMES = tuple(row.name for row in TABLE)


class Constants(NamedTuple):
    """The letters of the formula above that do not depend on the step, of a lane."""

    bb: jax.Array
    cb: jax.Array
    ba: jax.Array
    ca: jax.Array
    ei: jax.Array
    eo: jax.Array
    is_adamax: jax.Array
    is_adadelta: jax.Array


class StepCoefficients(NamedTuple):
    """The other letters, of a lane at a step."""

    cg: jax.Array
    cm: jax.Array
    s: jax.Array


class Slots(NamedTuple):
    """The two memories of the update, shaped like the params; {} where not needed."""

    a: dict
    b: dict


def row_of(name: str) -> Optimizer:
    """Returns the row of an optimizer."""
    return TABLE[NAMES.index(name)]


def init_slots(
    optimizer: jax.Array, params: dict, levels: tuple[int, ...] = LEVELS
) -> Slots:
    """Returns the slots before the first step; zeros but for adagrad's b = 0.1.

    Args:
      optimizer: int32[], index into NAMES.
      params: the weights of one lane.
      levels: of the updates that are to come, static, ascending.
    """
    has_a, has_b = _slots_of(levels)
    initial_b = _look_up("initial_b", optimizer, {})
    return Slots(
        a=jax.tree.map(jnp.zeros_like, params) if has_a else {},
        b=jax.tree.map(lambda p: jnp.full_like(p, initial_b), params) if has_b else {},
    )


def _slots_of(levels: tuple[int, ...]) -> tuple[bool, bool]:
    """Whether updates of some levels need the slots a and b."""
    return levels[-1] >= TWO_SLOTS, levels[-1] >= ONE_SLOT


def _look_up(
    letter: str, optimizer: jax.Array, given: Mapping[str, jax.Array], t: Any = None
) -> jax.Array:
    """Returns a letter of a lane's row as a float[], at a step where it needs one."""
    values = []
    for row in TABLE:
        value = getattr(row, letter)
        if callable(value):
            defaults = {name: getattr(row, name) for name in KNOBS}
            used = [name for name in given if defaults[name] is not None]
            is_default = [given[name] == defaults[name] for name in used]
            plain = jnp.asarray(value(Knobs(t=t, **defaults)), float)
            value = jnp.asarray(value(Knobs(t=t, **{**defaults, **given})), float)
            # With Python's numbers it rounds as it does where no lane has others.
            value = jnp.where(jnp.all(jnp.array(is_default)), plain, value)
        values.append(jnp.asarray(value, float))
    return jnp.stack(values)[optimizer]


def constants(optimizer: jax.Array, given: Mapping[str, jax.Array]) -> Constants:
    """Looks up what does not depend on the step, of a lane.

    Args:
      optimizer: int32[], index into NAMES.
      given: float[] by name, those of KNOBS that are not left to the rows' defaults.
    """
    letters = {name: _look_up(name, optimizer, given) for name in Constants._fields}
    return Constants(
        **letters | {name: letters[name] > 0 for name in ("is_adamax", "is_adadelta")}
    )


def step_coefficients(
    optimizer: jax.Array, given: Mapping[str, jax.Array], step: jax.Array
) -> StepCoefficients:
    """Looks up what depends on the step, counted from 1; else as `constants`."""
    t = jnp.asarray(step, float)
    names = StepCoefficients._fields
    return StepCoefficients(*(_look_up(name, optimizer, given, t) for name in names))


def level_of(name: str, momentum: float) -> int:
    """Returns the least level that suits an optimizer with some momentum."""
    return max(row_of(name).level, TWO_SLOTS if momentum else PLAIN)


def neediest_level(optimizer: jax.Array, given: Mapping[str, jax.Array]) -> jax.Array:
    """Returns int32[], the greatest `level_of` lanes; arguments of [L]."""
    level = jnp.array([row.level for row in TABLE])[optimizer]
    if "momentum" in given:
        level = jnp.where(given["momentum"] > 0, jnp.maximum(level, TWO_SLOTS), level)
    return jnp.max(level).astype(jnp.int32)
