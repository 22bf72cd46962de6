"""What the device does: the lanes of one cohort start, and train for an epoch.

`train_epoch` is one program: all minibatches of an epoch, the evaluation and the
patience rule run on the device, and the host reads a few numbers per lane and
epoch. A lane that stopped keeps computing until the cohort is compacted or ends,
but its result no longer changes.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from vecevo.training import networks, optimizers

EVALUATION_BATCH = 1024  # examples evaluated at once, at most


class Lanes(NamedTuple):
    """What differs between the networks of a cohort; leading axis L on each."""

    key: jax.Array  # random key[L], from the identity of the network
    architecture: networks.Architecture  # of int32[L]
    optimizer: jax.Array  # int32[L], index into optimizers.OPTIMIZERS
    learning_rate: jax.Array  # float32[L]
    dropout_rate: jax.Array  # float32[L]
    weight_decay: jax.Array  # float32[L]


class TrainingData(NamedTuple):
    """The arrays of a data set that training reads, on the device."""

    x_train: jax.Array  # uint8[N, F], or float[N, F] in [0, 1]
    y_train: jax.Array  # int32[N]
    x_validation: jax.Array  # [N', F], like x_train
    y_validation: jax.Array  # int32[N']


class StoppingRule(NamedTuple):
    """When a lane stops, and which weights it keeps; data, never compiled in."""

    patience: jax.Array  # int32[], epochs in a row without a lower loss
    max_epochs: jax.Array  # int32[]
    keeps_last: jax.Array  # bool[], the weights of the last epoch, not of the best


class LaneState(NamedTuple):
    """All that the next epoch needs; leading axis L on every leaf."""

    params: dict
    slots: optimizers.Slots
    kept_params: dict  # of the best epoch, or of the last if the rule says so
    best_loss: jax.Array  # float[L], lowest validation loss so far
    epochs_since_best: jax.Array  # int32[L]
    is_active: jax.Array  # bool[L]


class EpochReport(NamedTuple):
    """What the host reads after an epoch, per lane."""

    train_loss: jax.Array  # float[L], mean over the epoch's examples
    validation_loss: jax.Array  # float[L]
    validation_accuracy: jax.Array  # float[L]
    is_best: jax.Array  # bool[L], the lowest validation loss so far
    is_active: jax.Array  # bool[L], trains on after this epoch


def split_lane_key(key):
    """Returns the keys of a network's initialisation and of its dropout."""
    init_key, dropout_key = jax.random.split(key)
    return init_key, dropout_key


def example_lanes(num_lanes):
    """Returns Lanes of the right shapes, to compile for."""
    whole, rate = jnp.zeros(num_lanes, jnp.int32), jnp.zeros(num_lanes)
    return Lanes(
        key=jax.random.split(jax.random.key(0), num_lanes),
        architecture=networks.Architecture(whole, whole, whole),
        optimizer=whole,
        learning_rate=rate,
        dropout_rate=rate,
        weight_decay=rate,
    )


@jax.jit
def take_lanes(tree, indices):
    """Picks lanes int[L'] of every leaf [L, ...] of a tree."""
    return jax.tree.map(lambda leaf: leaf[indices], tree)


@functools.partial(jax.jit, static_argnames=("network", "num_features"))
def init_lanes(lanes, *, network, num_features):
    """Returns the LaneState before the first epoch."""

    def init_lane(lane):
        init_key, _ = split_lane_key(lane.key)
        inputs = jnp.zeros((num_features, 1))
        params = network.init(init_key, inputs, lane.architecture)["params"]
        return LaneState(
            params=params,
            slots=optimizers.init_slots(lane.optimizer, params),
            kept_params=params,
            best_loss=jnp.array(jnp.inf),
            epochs_since_best=jnp.array(0),
            is_active=jnp.array(True),
        )

    return jax.vmap(init_lane)(lanes)


@functools.partial(
    jax.jit, static_argnames=("network", "batch_size"), donate_argnames=("state",)
)
def train_epoch(state, lanes, data, rule, epoch, order_key, *, network, batch_size):
    """Trains every lane for one epoch, evaluates it and applies the stopping rule.

    Args:
      state: LaneState, donated.
      lanes: Lanes.
      data: TrainingData.
      rule: StoppingRule.
      epoch: int32[], counted from 0.
      order_key: random key of the order of examples, shared by all lanes.
      network: networks.PaddedMLP, static.
      batch_size: B, static; the last minibatch is padded with zero weights.

    Returns:
      The next LaneState and an EpochReport.
    """
    num_examples = data.x_train.shape[0]
    order_key = jax.random.fold_in(order_key, epoch)
    order = jax.random.permutation(order_key, num_examples)
    indices, weights = split_into_batches(order, batch_size)
    num_steps = indices.shape[0]
    _, dropout_keys = jax.vmap(split_lane_key)(lanes.key)

    def train_step(carry, minibatch):
        params, slots = carry
        step, indices, weights = minibatch
        inputs, labels = gather_examples(data.x_train, data.y_train, indices)

        def grad_lane(params, lane, dropout_key):
            dropout = networks.Dropout(dropout_key, step, lane.dropout_rate)
            loss_fn = functools.partial(
                mean_loss, network, lane.architecture, dropout, inputs, labels, weights
            )
            return jax.value_and_grad(loss_fn)(params)

        losses, grads = jax.vmap(grad_lane)(params, lanes, dropout_keys)
        params, slots = optimizers.update_lanes(
            params,
            slots,
            grads,
            optimizer=lanes.optimizer,
            step=step + 1,
            learning_rate=lanes.learning_rate,
            weight_decay=lanes.weight_decay,
        )
        return (params, slots), losses * jnp.sum(weights)

    steps = epoch * num_steps + jnp.arange(num_steps)
    (params, slots), losses = jax.lax.scan(
        train_step, (state.params, state.slots), (steps, indices, weights)
    )
    train_loss = losses.sum(0) / num_examples
    loss, accuracy = evaluate(
        params,
        lanes.architecture,
        data.x_validation,
        data.y_validation,
        network=network,
    )
    state = state._replace(params=params, slots=slots)
    return apply_stopping_rule(state, rule, epoch, train_loss, loss, accuracy)


def split_into_batches(order, batch_size):
    """Cuts an order of N examples into batches, padding the last with weight 0.

    Returns:
      int32[ceil(N / B), B] examples and float[ceil(N / B), B] weights, 1 or 0.
    """
    num_examples = order.shape[0]
    num_batches = -(-num_examples // batch_size)
    padding = num_batches * batch_size - num_examples
    indices = jnp.pad(order, (0, padding)).reshape(num_batches, batch_size)
    weights = jnp.pad(jnp.ones(num_examples), (0, padding)).reshape(indices.shape)
    return indices, weights


def gather_examples(x, y, indices):
    """Returns inputs float[F, B] in [0, 1], features first, and labels int32[B]."""
    inputs = x[indices].T
    if inputs.dtype == jnp.uint8:
        inputs = inputs.astype(float) / 255
    return inputs, y[indices]


def mean_loss(network, architecture, dropout, inputs, labels, weights, params):
    """Softmax cross-entropy of one lane's minibatch, weighted mean over examples."""
    logits = network.apply({"params": params}, inputs, architecture, dropout)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels, axis=0)
    return jnp.sum(losses * weights) / jnp.sum(weights)


def evaluate(params, architecture, x, y, *, network):
    """Measures all lanes without dropout, a batch of examples at a time.

    Returns:
      Mean loss float[L] and accuracy float[L] over all examples.
    """
    num_examples = x.shape[0]
    num_batches = -(-num_examples // EVALUATION_BATCH)
    batch_size = -(-num_examples // num_batches)
    batches = split_into_batches(jnp.arange(num_examples), batch_size)

    def add_batch(totals, batch):
        indices, weights = batch
        inputs, labels = gather_examples(x, y, indices)

        def measure_lane(params, architecture):
            logits = network.apply({"params": params}, inputs, architecture)
            losses = optax.softmax_cross_entropy_with_integer_labels(
                logits, labels, axis=0
            )
            is_right = jnp.argmax(logits, axis=0) == labels
            return jnp.sum(losses * weights), jnp.sum(is_right * weights)

        measured = jax.vmap(measure_lane)(params, architecture)
        return jax.tree.map(jnp.add, totals, measured), None

    zeros = jnp.zeros(architecture.width.shape)
    (loss, num_right), _ = jax.lax.scan(add_batch, (zeros, zeros), batches)
    return loss / num_examples, num_right / num_examples


def apply_stopping_rule(state, rule, epoch, train_loss, loss, accuracy):
    """Stops lanes that ran out of patience, epochs or numbers.

    A lane stops after `patience` epochs in a row without a strictly lower
    validation loss, at the cap, and at once when a loss is not finite.
    """
    is_finite = jnp.isfinite(loss) & jnp.isfinite(train_loss)
    is_best = state.is_active & is_finite & (loss < state.best_loss)
    epochs_since_best = jnp.where(is_best, 0, state.epochs_since_best + 1)
    goes_on = (epochs_since_best < rule.patience) & (epoch + 1 < rule.max_epochs)
    is_kept = jnp.where(rule.keeps_last, state.is_active, is_best)

    def keep(new, old):
        return jnp.where(is_kept.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    state = LaneState(
        params=state.params,
        slots=state.slots,
        kept_params=jax.tree.map(keep, state.params, state.kept_params),
        best_loss=jnp.where(is_best, loss, state.best_loss),
        epochs_since_best=epochs_since_best,
        is_active=state.is_active & is_finite & goes_on,
    )
    report = EpochReport(
        train_loss=train_loss,
        validation_loss=loss,
        validation_accuracy=accuracy,
        is_best=is_best,
        is_active=state.is_active,
    )
    return state, report
