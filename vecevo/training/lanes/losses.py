"""What a network is measured by: loss and accuracy over minibatches of examples.

The type of y says what it learns, when a program is traced: whole numbers are classes,
int32[N], and floats are numbers to be predicted, float[N, K], standardised.
"""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from vecevo.training.lanes import metrics
from vecevo.training.lanes.dropout import Dropout
from vecevo.training.lanes.networks import Architecture, PaddedMLP

EVALUATION_BATCH = 1024  # examples evaluated at once, at most


class Measures(NamedTuple):
    """What lanes are measured by: of each example, or a mean over some."""

    loss: jax.Array  # softmax cross-entropy; of numbers the squared error
    accuracy: jax.Array  # share that is classified right, 0 or 1 of one example; of
    # numbers 1 - squared error / variance, whose mean over a part is its R2. Of the
    # validation part the metric of a variant that has one


def are_numbers(y: jax.Array) -> bool:
    """Whether y are numbers to be predicted, and not classes."""
    return jnp.issubdtype(y.dtype, jnp.floating)


class Mixture(NamedTuple):
    """What is mixed into a minibatch; see Zhang et al., "mixup", 2018."""

    labels: jax.Array  # as in `mean_loss`, of the examples that are mixed in
    share: jax.Array  # float[] or float[B], of those that are mixed with them


def split_into_batches(
    order: jax.Array, batch_size: int
) -> tuple[jax.Array, jax.Array]:
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


def gather_examples(
    x: jax.Array, y: jax.Array, indices: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Returns [B, F] as they are, and labels int32[B], or float[K, B]."""
    x, y = (a.at[indices].get(mode="promise_in_bounds") for a in (x, y))
    return x, y.T if are_numbers(y) else y


def as_inputs(x: jax.Array) -> jax.Array:
    """Returns float[F, B], features first, of [B, F].

    Bytes come to [0, 1]; other inputs are scaled already.
    """
    x = x.T
    return x.astype(float) / 255 if x.dtype == jnp.uint8 else x


def apply(
    module: PaddedMLP,
    params: dict,
    inputs: jax.Array,
    architecture: Architecture,
    dropout: Dropout | None,
) -> jax.Array:
    """Returns the logits float[C, B] of one lane."""
    return jnp.asarray(module.apply({"params": params}, inputs, architecture, dropout))


def mean_loss(
    module: PaddedMLP,
    architecture: Architecture,
    dropout: Dropout | None,
    inputs: jax.Array,
    labels: jax.Array,
    weights: jax.Array,
    smoothing: jax.Array | None,
    mixture: Mixture | None,
    params: dict,
) -> tuple[jax.Array, Measures]:
    """Loss of one lane's minibatch, weighted mean over examples.

    Labels are smoothed (Szegedy et al., 2016); Measures are by those that are not, nor
    mixed. Numbers are standardised, and their variance is 1.

    Args:
      module: static.
      architecture: of the lane.
      dropout: None drops nothing.
      inputs: float[F, B].
      labels: int32[B], or float[K, B].
      weights: float[B], of sum 1 where examples weigh alike.
      smoothing: float[], the share of a label that all classes share; None: of none.
      mixture: None: nothing is mixed in.
      params: of the lane.

    Returns:
      float[], and Measures of the examples, float[B].
    """
    chex.assert_rank(inputs, 2)
    chex.assert_equal_shape_suffix([labels, weights], 1)
    logits = apply(module, params, inputs, architecture, dropout)
    measures = measure(logits, labels)
    losses = measures.loss
    if mixture is not None:
        others = measure(logits, mixture.labels).loss
        losses = mixture.share * losses + (1 - mixture.share) * others
    if smoothing is not None:
        # The mean of -log p over the classes exceeds that of the label by so much.
        of_label = jax.nn.logsumexp(logits, axis=0) - losses
        losses = losses + smoothing * (of_label - jnp.mean(logits, axis=0))
    return jnp.sum(losses * weights), measures


def variances_of(y: jax.Array) -> jax.Array | None:
    """Returns float[K, 1], the variance of each number of y float[N, K].

    Where all are the same it is 1, as in the part trained on. None: y are classes.
    """
    if not are_numbers(y):
        return None
    variances = jnp.var(y, axis=0)
    return jnp.where(variances > 0, variances, 1)[:, None]


def measure(
    logits: jax.Array, labels: jax.Array, variances: jax.Array | None = None
) -> Measures:
    """Loss and whether it is right, of each example; of numbers how far it is off.

    What is right is the first of the greatest logits. Without gathers, which an
    accelerator would do in kernels of their own.

    Args:
      logits: float[C, B], or float[K, B].
      labels: int32[B], or float[K, B].
      variances: float[K, 1], of numbers; None: 1.

    Returns:
      float[B] each.
    """
    if are_numbers(labels):
        chex.assert_equal_shape([logits, labels])
        errors = jnp.square(logits - labels)
        shares = errors if variances is None else errors / variances
        return Measures(jnp.mean(errors, axis=0), 1 - jnp.mean(shares, axis=0))
    classes = jnp.arange(len(logits))[:, None]
    shifted = logits - jax.lax.stop_gradient(jnp.max(logits, axis=0))
    of_label = jnp.sum(jnp.where(classes == labels, shifted, 0), axis=0)
    losses = jnp.log(jnp.sum(jnp.exp(shifted), axis=0)) - of_label
    is_behind = (shifted < of_label) | ((shifted == of_label) & (classes >= labels))
    return Measures(losses, jnp.all(is_behind, axis=0).astype(losses.dtype))


@functools.partial(jax.jit, static_argnames=("module", "of_numbers"))
def outputs(
    params: dict,
    architecture: Architecture,
    x: jax.Array,
    *,
    module: PaddedMLP,
    of_numbers: bool,
) -> jax.Array:
    """What one lane says of inputs [N, F], without dropout.

    Args:
      params, architecture: of the lane.
      x: [N, F].
      module, of_numbers: static.

    Returns:
      float[N, C], probabilities; of numbers float[N, K], standardised.
    """
    num_batches = -(-len(x) // EVALUATION_BATCH)
    batch_size = -(-len(x) // num_batches)
    padded = jnp.pad(x, ((0, num_batches * batch_size - len(x)), (0, 0)))

    def predict(batch: jax.Array) -> jax.Array:
        logits = apply(module, params, as_inputs(batch), architecture, None)
        return logits.T if of_numbers else jax.nn.softmax(logits, axis=0).T

    batches = padded.reshape(num_batches, batch_size, x.shape[1])
    return jax.lax.map(predict, batches).reshape(len(padded), -1)[: len(x)]


def evaluate(
    params: dict,
    architecture: Architecture,
    x: jax.Array,
    y: jax.Array,
    units: jax.Array | None = None,
    *,
    module: PaddedMLP,
) -> Measures:
    """Measures all lanes without dropout, a batch of examples at a time.

    Args:
      params: of [L, ...].
      architecture: of int32[L].
      x: [N, F].
      y: int32[N], or float[N, K].
      units: float[C] or float[K], where the variant has a metric; see `metrics`.
      module: static.

    Returns:
      Means over all examples, float[L]; the metric in place of the accuracy.
    """
    chex.assert_rank([x, y], [2, 1 + are_numbers(y)])
    variances = variances_of(y)
    num_examples = x.shape[0]
    num_batches = -(-num_examples // EVALUATION_BATCH)
    batch_size = -(-num_examples // num_batches)
    batches = split_into_batches(jnp.arange(num_examples), batch_size)
    metric = module.variant.metric
    keep_fn, finish_fn = metrics.functions_of(metric) if metric else (None, None)

    def add_batch(
        totals: Measures, batch: tuple[jax.Array, ...]
    ) -> tuple[Measures, jax.Array | None]:
        indices, weights = batch
        examples, labels = gather_examples(x, y, indices)
        inputs = as_inputs(examples)

        def measure_lane(
            params: dict, architecture: Architecture
        ) -> tuple[Measures, jax.Array | None]:
            logits = apply(module, params, inputs, architecture, None)
            measures = measure(logits, labels, variances)
            sums = Measures(*(jnp.sum(weights * values) for values in measures))
            return sums, keep_fn(logits, labels) if keep_fn else None

        measured, kept = jax.vmap(measure_lane)(params, architecture)
        return jax.tree.map(jnp.add, totals, measured), kept

    zeros = jnp.zeros(architecture.width.shape)
    sums, kept = jax.lax.scan(add_batch, Measures(zeros, zeros), batches)
    means = Measures(*(total / num_examples for total in sums))
    if finish_fn is None:
        return means
    if kept is None or units is None:
        raise TypeError(f"{metric} needs units")
    kept = jnp.moveaxis(kept, 0, -2)  # [L, batches, B], of numbers [L, K, batches, B]
    kept = kept.reshape(*kept.shape[:-2], -1)[..., :num_examples]
    of_lanes = jax.vmap(finish_fn, (0, None, None))
    return means._replace(accuracy=of_lanes(kept, y, units))
