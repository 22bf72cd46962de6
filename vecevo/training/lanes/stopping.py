"""When a lane stops, and which weights it keeps."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from vecevo.training.lanes.losses import Measures
from vecevo.training.lanes.optimizers import Slots


class StoppingRule(NamedTuple):
    """When a lane stops, and which weights it keeps; data, never compiled in."""

    patience: jax.Array  # int32[], epochs in a row that are no better
    max_epochs: jax.Array  # int32[]
    keeps_last: jax.Array  # bool[], the weights of the last epoch, not of the best


class LaneState(NamedTuple):
    """All that the next epoch needs; leading axis L on every leaf."""

    params: dict
    slots: Slots
    averaged: dict  # params, averaged over the ends of epochs; {} where no lane's are
    kept_params: dict  # of the best epoch, or of the last if the rule says so
    best_loss: jax.Array  # float[L], the validation loss of the best epoch so far
    epochs_since_best: jax.Array  # int32[L]
    is_active: jax.Array  # bool[L]
    best_metric: jax.Array | None = None  # float[L], of that epoch; None: the loss says
    # which is the best, and no metric


class EpochReport(NamedTuple):
    """What the host reads after an epoch, per lane."""

    train_loss: jax.Array  # float[L], mean over the epoch's minibatches
    train_accuracy: jax.Array  # float[L], likewise: while it learns, with dropout
    validation_loss: jax.Array  # float[L]
    validation_accuracy: jax.Array  # float[L], or the metric that lanes are judged by
    is_best: jax.Array  # bool[L], the lowest validation loss, or best metric, so far
    is_active: jax.Array  # bool[L], trains on after this epoch


def judged_params(state: LaneState) -> dict:
    """Returns the params that are evaluated, and may be kept."""
    return state.averaged or state.params


def average(state: LaneState, decay: jax.Array, epoch: jax.Array) -> dict:
    """Returns the averaged params of all lanes after an epoch.

    A mean of the params at the ends of epochs, whose weights fall by a factor for each
    epoch that has gone by since (Izmailov et al., 2018, but for the weights).

    Args:
      state: after the epoch's steps.
      decay: float[L], the factor; with 0 the mean is of the last epoch alone.
      epoch: int32[], counted from 0.
    """
    of_last = (1 - decay) / (1 - decay ** (epoch + 1))

    def mean(before: jax.Array, last: jax.Array) -> jax.Array:
        share = of_last.reshape(-1, *[1] * (last.ndim - 1))
        return jnp.where(share == 1, last, before + share * (last - before))

    return jax.tree.map(mean, state.averaged, state.params)


def apply_stopping_rule(
    state: LaneState,
    rule: StoppingRule,
    epoch: jax.Array,
    train: Measures,
    validation: Measures,
) -> tuple[LaneState, EpochReport]:
    """Stops lanes that ran out of patience, epochs or numbers.

    A lane stops after `patience` epochs in a row without a strictly lower
    validation loss, at the cap, and at once when a loss is not finite. By a metric an
    epoch is better with a higher one, or an equal one and a lower loss.

    Args:
      state: after the epoch's steps.
      rule: for all lanes.
      epoch: int32[], counted from 0.
      train, validation: of the epoch's minibatches, and of the validation part.
    """
    loss = validation.loss
    chex.assert_equal_shape([*train, *validation, state.best_loss])
    is_finite = jnp.isfinite(loss) & jnp.isfinite(train.loss)
    metric, best = validation.accuracy, state.best_metric
    is_training = state.is_active & is_finite
    is_better = loss < state.best_loss
    if best is not None:
        is_better = (metric > best) | ((metric == best) & is_better)
    is_best = is_training & is_better
    epochs_since_best = jnp.where(is_best, 0, state.epochs_since_best + 1)
    goes_on = (epochs_since_best < rule.patience) & (epoch + 1 < rule.max_epochs)
    is_kept = jnp.where(rule.keeps_last, state.is_active, is_best)

    def keep(new: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(is_kept.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    state = LaneState(
        params=state.params,
        slots=state.slots,
        averaged=state.averaged,
        kept_params=jax.tree.map(keep, judged_params(state), state.kept_params),
        best_loss=jnp.where(is_best, loss, state.best_loss),
        epochs_since_best=epochs_since_best,
        is_active=state.is_active & is_finite & goes_on,
        best_metric=None if best is None else jnp.where(is_best, metric, best),
    )
    report = EpochReport(
        train_loss=train.loss,
        train_accuracy=train.accuracy,
        validation_loss=loss,
        validation_accuracy=validation.accuracy,
        is_best=is_best,
        is_active=state.is_active,
    )
    return state, report
