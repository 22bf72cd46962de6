"""The step of all lanes: one update with two slots, by the letters of `optimizers`."""

import functools
from typing import Any

import chex
import jax
import jax.numpy as jnp

from vecevo.training.lanes.optimizers import (
    ADAMAX_EPSILON,
    LEVELS,
    ONE_SLOT,
    PLAIN,
    TWO_SLOTS,
    Constants,
    Slots,
    StepCoefficients,
)


def clip(grads: dict, most: jax.Array) -> dict:
    """Scales the gradients of a lane to a norm of at most float[]; 0: as they are.

    The norm is that of all of them together. See Pascanu et al., "On the difficulty of
    training recurrent neural networks", 2013.
    """
    norm = jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(grads)))
    factor = jnp.where((most > 0) & (norm > most), most / norm, 1)
    return jax.tree.map(lambda leaf: factor * leaf, grads)


def update_lanes(
    params: dict,
    slots: Slots,
    grads: dict,
    *,
    constants: Constants,
    by_step: StepCoefficients,
    level: jax.Array,
    learning_rate: jax.Array,
    weight_decay: jax.Array | None,
    levels: tuple[int, ...] = LEVELS,
) -> tuple[dict, Slots]:
    """Takes one step with every weight of every lane.

    Weight decay is decoupled (Loshchilov & Hutter, 2019): kernels, not biases,
    shrink by learning_rate * weight_decay of themselves.

    Args:
      params, slots, grads: trees of [L, ...].
      constants: of the lanes, float[L] each.
      by_step: of the lanes at the step, float[L] each.
      level: int32[], the least that suits all lanes.
      learning_rate, weight_decay: float[L]; None decays nothing.
      levels: of the updates to choose from, static, ascending; the last suits all.

    Returns:
      The new params and the new slots.
    """
    chex.assert_trees_all_equal_shapes(params, grads)

    def update_all(
        level: int, params: dict, slots: Slots, grads: dict
    ) -> tuple[dict, Slots]:
        update = functools.partial(_update_lane, level)
        return jax.vmap(update)(
            *(params, slots, grads, constants, by_step, learning_rate, weight_decay)
        )

    branches = [functools.partial(update_all, level) for level in levels]
    if len(branches) == 1:
        return branches[0](params, slots, grads)
    # An update costs what it reads and writes, and adadelta two more square roots
    # and divisions a weight: a cohort does only what its neediest lane needs.
    chosen = jnp.searchsorted(jnp.array(levels), level)
    return jax.lax.switch(chosen, branches, params, slots, grads)


def _update_lane(
    level: int,
    params: dict,
    slots: Slots,
    grads: dict,
    c: Constants,
    by_step: StepCoefficients,
    learning_rate: jax.Array,
    weight_decay: jax.Array | None,
) -> tuple[dict, Slots]:
    leaves, tree = jax.tree.flatten(params)
    absent = [None] * len(leaves)
    # A slot that no lane needs is not there.
    a, b = (tree.flatten_up_to(slot) if slot else absent for slot in slots)
    grads, updated = tree.flatten_up_to(grads), []
    for p, a_leaf, b_leaf, g in zip(leaves, a, b, grads, strict=True):
        direction, *kept = _update_leaf(level, a_leaf, b_leaf, g, c, by_step)
        if weight_decay is not None and p.ndim > 1:
            p = (1 - learning_rate * weight_decay) * p
        updated.append((p - learning_rate * direction, *kept))
    params, a, b = (tree.unflatten(column) for column in zip(*updated, strict=True))
    return params, Slots(a=a if slots.a else {}, b=b if slots.b else {})


def _update_leaf(
    level: int, a: Any, b: Any, g: jax.Array, c: Constants, by_step: StepCoefficients
) -> tuple[jax.Array, Any, Any]:
    """Returns num / den and the new slots; by the formula of `optimizers`.

    A higher level computes the same, bit for bit, for the optimizers of a lower one.
    """
    if level == PLAIN:
        return g, a, b
    if level == ONE_SLOT:
        b = c.bb * b + c.cb * g * g
        return g / (jnp.sqrt(by_step.s * b + c.ei) + c.eo), a, b
    largest = jnp.maximum(c.bb * b, jnp.abs(g) + ADAMAX_EPSILON)
    b = jnp.where(c.is_adamax, largest, c.bb * b + c.cb * g * g)
    den = jnp.where(c.is_adamax, b, jnp.sqrt(by_step.s * b + c.ei) + c.eo)
    new_a = c.ba * a + c.ca * g
    num = by_step.cg * g + by_step.cm * new_a
    if level == TWO_SLOTS:
        return num / den, new_a, b
    num = jnp.where(c.is_adadelta, g * jnp.sqrt(a + c.ei), num)
    direction = num / den
    adadelta_a = c.ba * a + c.ca * direction * direction
    return direction, jnp.where(c.is_adadelta, adadelta_a, new_a), b
