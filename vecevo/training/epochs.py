"""What the device does: the lanes of one cohort start, and train for an epoch.

`train_epochs` is one program: all minibatches of some epochs, their evaluation and the
patience rule run on the device, and the host reads a few numbers per lane and
epoch. A lane that stopped keeps computing until the cohort is compacted or ends,
but its result no longer changes.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from vecevo.training.lanes import losses, optimizers, updates
from vecevo.training.lanes.dropout import Dropout, as_rate
from vecevo.training.lanes.networks import Architecture, PaddedMLP
from vecevo.training.lanes.stopping import (
    EpochReport,
    LaneState,
    StoppingRule,
    apply_stopping_rule,
    average,
    judged_params,
)
from vecevo.training.minibatches import (
    Lanes,
    Minibatches,
    TrainingData,
    begin_epoch,
    given_knobs,
    split_lane_key,
    take_examples,
)

MOST_EPOCHS = 64  # of one call


class Call(NamedTuple):
    """What a call of `train_epochs` is to train; data."""

    epoch: jax.Array  # int32[], the first, counted from 0
    num_epochs: jax.Array  # int32[], up to MOST_EPOCHS
    num_idle: jax.Array  # int32[]: it ends when no more lanes than that are active


@functools.partial(jax.jit, static_argnames=("module", "num_features"))
def init_lanes(lanes: Lanes, *, module: PaddedMLP, num_features: int) -> LaneState:
    """Returns the LaneState before the first epoch."""
    variant = module.variant

    def init_lane(lane: Lanes) -> LaneState:
        init_key, _ = split_lane_key(lane.key)
        inputs = jnp.zeros((num_features, 1))
        params = dict(module.init(init_key, inputs, lane.architecture)["params"])
        if variant.has("init_gain"):
            gain = lane.rates["init_gain"]
            params = jax.tree.map(lambda p: gain * p if p.ndim > 1 else p, params)
        return LaneState(
            params=params,
            slots=optimizers.init_slots(lane.optimizer, params, variant.update_levels),
            averaged=params if variant.has("averaging") else {},
            kept_params=params,
            best_loss=jnp.array(jnp.inf),
            epochs_since_best=jnp.array(0),
            is_active=jnp.array(True),
            best_metric=None if variant.metric is None else jnp.array(-jnp.inf),
        )

    return jax.vmap(init_lane)(lanes)


@functools.partial(
    jax.jit, static_argnames=("module", "batch_size"), donate_argnames=("state",)
)
def train_epoch(
    state: LaneState,
    lanes: Lanes,
    data: TrainingData,
    rule: StoppingRule,
    epoch: jax.Array,
    order_key: jax.Array,
    *,
    module: PaddedMLP,
    batch_size: int,
) -> tuple[LaneState, EpochReport]:
    """Trains every lane for one epoch, evaluates it and applies the stopping rule.

    Args:
      state: donated.
      lanes: L of them.
      data: on the device.
      rule: for all lanes.
      epoch: int32[], counted from 0.
      order_key: random key of the order of examples, shared by all lanes.
      module: static.
      batch_size: B, static; the last minibatch is padded with zero weights.

    Returns:
      The next LaneState and an EpochReport.
    """
    variant, rates = module.variant, lanes.rates
    given = given_knobs(lanes, variant)
    begun = begin_epoch(
        *(lanes, order_key, epoch, rule.max_epochs),
        num_examples=len(data.x_train),
        batch_size=batch_size,
        module=module,
    )
    dropout_rates = jax.vmap(as_rate)(rates["dropout_rate"])
    smoothing = rates["label_smoothing"] if variant.has("label_smoothing") else None
    constants = jax.vmap(optimizers.constants)(lanes.optimizer, given)
    level = optimizers.neediest_level(lanes.optimizer, given)

    @jax.named_scope("train_step")
    def train_step(
        carry: tuple[dict, optimizers.Slots], minibatch: Minibatches
    ) -> tuple[tuple[dict, optimizers.Slots], jax.Array]:
        params, slots = carry
        taken = take_examples(data, minibatch, begun.drawn, variant)

        def grad_lane(
            params: dict,
            architecture: Architecture,
            dropout: Dropout | None,
            smoothing: jax.Array | None,
        ) -> tuple[losses.Measures, dict]:
            loss_fn = functools.partial(
                losses.mean_loss,
                *(module, architecture, dropout, taken.inputs, taken.labels),
                *(taken.weights, smoothing, taken.mixture),
            )
            (_, measures), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
            return measures, grads

        keys = minibatch.dropout_keys
        dropout = None if keys is None else Dropout(keys, dropout_rates)
        measures, grads = jax.vmap(grad_lane)(
            params, lanes.architecture, dropout, smoothing
        )
        if variant.has("gradient_clip"):
            grads = jax.vmap(updates.clip)(grads, rates["gradient_clip"])
        learning_rate = rates["learning_rate"]
        if minibatch.share_of_rate is not None:
            learning_rate = learning_rate * minibatch.share_of_rate
        params, slots = updates.update_lanes(
            params,
            slots,
            grads,
            constants=constants,
            by_step=minibatch.by_step,
            level=level,
            learning_rate=learning_rate,
            weight_decay=rates["weight_decay"] if variant.has("weight_decay") else None,
            levels=variant.update_levels,
        )
        return (params, slots), jnp.stack(measures)

    (params, slots), measures = jax.lax.scan(
        train_step, (state.params, state.slots), begun.minibatches
    )
    sums = jnp.sum(measures * begun.weights[:, None, None], axis=3)  # by minibatch
    train = losses.Measures(*(sums.sum(0) / len(data.x_train)))
    state = state._replace(params=params, slots=slots)
    if variant.has("averaging"):
        state = state._replace(averaged=average(state, rates["averaging"], epoch))
    validation = losses.evaluate(
        judged_params(state),
        lanes.architecture,
        data.x_validation,
        data.y_validation,
        data.units,
        module=module,
    )
    return apply_stopping_rule(state, rule, epoch, train, validation)


@functools.partial(
    jax.jit, static_argnames=("module", "batch_size"), donate_argnames=("state",)
)
def train_epochs(
    state: LaneState,
    lanes: Lanes,
    data: TrainingData,
    rule: StoppingRule,
    call: Call,
    order_key: jax.Array,
    *,
    module: PaddedMLP,
    batch_size: int,
) -> tuple[LaneState, EpochReport, jax.Array]:
    """Trains lanes for some epochs, as `train_epoch` does, without the host.

    Args:
      state: donated.
      lanes, data, rule, order_key, module, batch_size: as for `train_epoch`.
      call: which epochs.

    Returns:
      The next LaneState, EpochReports of [MOST_EPOCHS, L], and int32[], the number of
      epochs that were trained, and that reports are of.
    """
    fixed = {"module": module, "batch_size": batch_size}

    def train(
        carry: tuple[LaneState, EpochReport, jax.Array],
    ) -> tuple[LaneState, EpochReport, jax.Array]:
        state, reports, done = carry
        state, report = train_epoch(
            *(state, lanes, data, rule, call.epoch + done, order_key), **fixed
        )
        reports = jax.tree.map(
            lambda rows, row: rows.at[done].set(row), reports, report
        )
        return state, reports, done + 1

    def goes_on(carry: tuple[LaneState, EpochReport, jax.Array]) -> jax.Array:
        state, _, done = carry
        num_active = jnp.sum(state.is_active)
        return (done < call.num_epochs) & ((num_active > call.num_idle) | (done == 0))

    rows = (MOST_EPOCHS, *state.is_active.shape)
    measured, is_so = jnp.zeros(rows, state.best_loss.dtype), jnp.zeros(rows, bool)
    reports = EpochReport(*[measured] * 4, is_best=is_so, is_active=is_so)
    return jax.lax.while_loop(goes_on, train, (state, reports, jnp.array(0)))
