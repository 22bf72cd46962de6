"""What the steps of an epoch take: lanes, and minibatches with what goes by step."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from vecevo.datasets.making import Dataset
from vecevo.datasets.weighing import weigh
from vecevo.keys import IMPLEMENTATION
from vecevo.training import recipe
from vecevo.training.lanes import augmentation, losses, metrics, optimizers, schedules
from vecevo.training.lanes.dropout import layer_keys
from vecevo.training.lanes.networks import Architecture, PaddedMLP
from vecevo.training.lanes.variants import Variant
from vecevo.training.lanes.widths import LAYER_WIDTHS
from vecevo.training.settings import TrainingSettings, units_of


class Lanes(NamedTuple):
    """What differs between the networks of a cohort; leading axis L on each."""

    key: jax.Array  # random key[L], from the identity of the network
    architecture: Architecture  # of int32[L]
    optimizer: jax.Array  # int32[L], index into optimizers.NAMES
    schedule: jax.Array  # int32[L], index into schedules.NAMES
    rates: dict[str, jax.Array]  # float[L] of each of recipe.RATES


class TrainingData(NamedTuple):
    """The arrays of a data set that training reads, on the device."""

    x_train: jax.Array  # uint8[N, F], or float[N, F], scaled
    y_train: jax.Array  # int32[N], classes, or float[N, K], numbers
    x_validation: jax.Array  # [N', F], like x_train
    y_validation: jax.Array  # like y_train
    sample_weight: jax.Array | None = None  # float[N], of mean 1; None: all alike
    units: jax.Array | None = None  # float[C] or float[K], as metrics need it; None: no
    # metric does


def put_on_device(dataset: Dataset, settings: TrainingSettings) -> TrainingData:
    """Returns what training reads, by resolved settings."""
    names = ("x_train", "y_train", "x_validation", "y_validation")
    arrays = {name: getattr(dataset, name) for name in names}
    weights = weigh(
        *(dataset.sample_weight, settings.class_weight),
        *(dataset.y_train, dataset.classes),
    )
    if weights is not None:
        arrays["sample_weight"] = weights
    if metrics.stops_by(settings.metric) is not None:
        arrays["units"] = units_of(dataset)
    return TrainingData(**jax.device_put(arrays))


class Minibatches(NamedTuple):
    """What the steps of an epoch take, each its own; leading axis S on each."""

    indices: jax.Array  # int32[S, B], of examples
    weights: jax.Array  # float[S, B], of sum 1
    dropout_keys: jax.Array | None  # random key[S, L, layers]
    by_step: optimizers.StepCoefficients  # of float[S, L]
    share_of_rate: jax.Array | None  # float[S, L], of the learning rate; None: all
    mixture_share: jax.Array | None  # float[S], of examples in mixtures; None: none


def split_lane_key(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns the keys of a network's initialisation and of its dropout."""
    init_key, dropout_key = jax.random.split(key)
    return init_key, dropout_key


def example_lanes(num_lanes: int) -> Lanes:
    """Returns Lanes of the right shapes, to compile for."""
    whole, rate = jnp.zeros(num_lanes, jnp.int32), jnp.zeros(num_lanes)
    first = jnp.zeros((num_lanes, len(LAYER_WIDTHS)), jnp.int32)
    is_so = jnp.zeros(num_lanes, bool)
    return Lanes(
        key=jax.random.split(jax.random.key(0, impl=IMPLEMENTATION), num_lanes),
        architecture=Architecture(whole, first, whole, whole, is_so, is_so),
        optimizer=whole,
        schedule=whole,
        rates=dict.fromkeys(recipe.RATES, rate),
    )


class Epoch(NamedTuple):
    """What is drawn and looked up for an epoch."""

    minibatches: Minibatches
    weights: jax.Array  # float[S, B], 1 for an example and 0 for padding
    drawn: augmentation.Drawn | None  # None: examples stay as they are


def begin_epoch(
    lanes: Lanes,
    order_key: jax.Array,
    epoch: jax.Array,
    max_epochs: jax.Array,
    *,
    num_examples: int,
    batch_size: int,
    module: PaddedMLP,
) -> Epoch:
    """Draws the order of an epoch's examples, and looks up what goes by step.

    Args:
      lanes: L of them.
      order_key: random key of the order of examples, shared by all lanes.
      epoch: int32[], counted from 0.
      max_epochs: int32[], the cap, at which schedules end.
      num_examples: N, static.
      batch_size: B, static; the last minibatch is padded.
      module: static.
    """
    order = jax.random.permutation(jax.random.fold_in(order_key, epoch), num_examples)
    indices, weights = losses.split_into_batches(order, batch_size)
    variant, num_steps = module.variant, len(indices)
    steps = epoch * num_steps + jnp.arange(num_steps)
    progress = steps.astype(float) / (max_epochs.astype(float) * num_steps)
    done, drawn = variant.augmentation, None
    if done is not None:
        counts = {"num_examples": num_examples, "num_steps": num_steps}
        drawn = augmentation.draw(done, order_key, epoch, **counts)
    minibatches = Minibatches(
        indices=indices,
        weights=weights / jnp.sum(weights, axis=1, keepdims=True),
        dropout_keys=_dropout_keys(lanes, steps, module),
        by_step=_by_step(lanes, given_knobs(lanes, variant), steps),
        share_of_rate=_share_of_rate(lanes, progress, variant),
        mixture_share=drawn.share if done and done.mixup and drawn else None,
    )
    return Epoch(minibatches, weights, drawn)


class Taken(NamedTuple):
    """What a minibatch is learned from."""

    inputs: jax.Array  # float[F, B]
    labels: jax.Array  # as in `losses.mean_loss`
    weights: jax.Array  # float[B], of sum 1 where examples weigh alike
    mixture: losses.Mixture | None  # None: nothing is mixed in


def take_examples(
    data: TrainingData,
    minibatch: Minibatches,
    drawn: augmentation.Drawn | None,
    variant: Variant,
) -> Taken:
    """Returns the examples of a minibatch, changed as a variant does."""
    x, labels = losses.gather_examples(data.x_train, data.y_train, minibatch.indices)
    if variant.augmentation is not None and drawn is not None:
        x = augmentation.change(variant.augmentation, drawn, minibatch.indices, x)
    inputs, share = losses.as_inputs(x), minibatch.mixture_share
    weights, own = minibatch.weights, data.sample_weight
    if own is not None:
        own = own.at[minibatch.indices].get(mode="promise_in_bounds")
    if share is None:
        weights = weights if own is None else weights * own
        return Taken(inputs, labels, weights, None)
    others = augmentation.partners(weights)
    inputs = share * inputs + (1 - share) * inputs[:, others]
    if own is not None:
        # Each label has its share of the loss, times what its example weighs.
        both = share * own + (1 - share) * own[others]
        weights, share = weights * both, jnp.where(both > 0, share * own / both, share)
    return Taken(inputs, labels, weights, losses.Mixture(labels[..., others], share))


def given_knobs(lanes: Lanes, variant: Variant) -> dict[str, jax.Array]:
    """Returns what lanes set of optimizers, float[L] by name; the rest has defaults."""
    names = (name for name in optimizers.KNOBS if variant.has(name))
    return {name: lanes.rates[name] for name in names}


def _dropout_keys(
    lanes: Lanes, steps: jax.Array, module: PaddedMLP
) -> jax.Array | None:
    """Returns random key[S, L, layers] of some steps; None: nothing is dropped."""
    if not module.variant.has("dropout_rate"):
        return None
    _, keys = jax.vmap(split_lane_key)(lanes.key)
    of_lanes = jax.vmap(layer_keys, (0, None, None))
    return jax.vmap(of_lanes, (None, 0, None))(keys, steps, module.depth)


def _by_step(
    lanes: Lanes, given: dict[str, jax.Array], steps: jax.Array
) -> optimizers.StepCoefficients:
    of_lanes = jax.vmap(optimizers.step_coefficients, (0, 0, None))
    return jax.vmap(of_lanes, (None, None, 0))(lanes.optimizer, given, steps + 1)


def _share_of_rate(
    lanes: Lanes, progress: jax.Array, variant: Variant
) -> jax.Array | None:
    """Returns float[S, L] at steps of some progress float[S]; None: it is all."""
    if not (variant.has("schedule") or variant.has("warmup")):
        return None
    of_lanes = jax.vmap(schedules.share_of_rate, (0, 0, None))
    return jax.vmap(of_lanes, (None, None, 0))(
        lanes.schedule, lanes.rates["warmup"], progress
    )
