"""Metrics in plain form: of logits [n, C] and labels int[n], or of numbers [n, K]."""

import jax
import jax.numpy as jnp
import optax


def balanced_accuracy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Mean recall over the classes that there are."""
    counts = confusions(logits, labels)
    return jnp.nanmean(jnp.diag(counts) / counts.sum(axis=1))


def f1(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Mean F1 over the classes that there are, or that are said."""
    counts = confusions(logits, labels)
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return jnp.nanmean(2 * jnp.diag(counts) / both)


def confusions(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Returns float[C, C]: examples of a class, in rows, by what is said of them."""
    said = jax.nn.one_hot(logits.argmax(axis=1), logits.shape[1])
    return jax.nn.one_hot(labels, logits.shape[1]).T @ said


def auc(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Share of pairs of examples, one of each class, that are in the right order."""
    scores = logits[:, 1] - logits[:, 0]
    differences = scores[:, None] - scores[None, :]
    is_pair = (labels[:, None] == 1) & (labels[None, :] == 0)
    return (jnp.sign(differences) / 2 + 0.5).mean(where=is_pair)


def log_loss(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """The negative of the mean cross-entropy."""
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return -losses.mean()


def rmse(outputs: jax.Array, numbers: jax.Array) -> jax.Array:
    """The negative of the root mean squared error, the mean over numbers, in units."""
    return -jnp.sqrt(optax.squared_error(outputs, numbers).mean(axis=0)).mean()
