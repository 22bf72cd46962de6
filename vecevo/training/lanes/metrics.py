"""What networks are judged by: a number of the validation part, larger is better.

Accuracy and R2 are measured in any case, batch by batch, and lanes stop by their loss
(`losses`). By any other metric they also stop: of each example some numbers are kept, a
batch at a time, and the metric is a function of all of them. Where less is better the
metric is the negative, and its word says so. All are scikit-learn's.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from vecevo.errors import InputError, did_you_mean

BYTES_PER_KEPT = 24  # what is kept of an example, sorted and summed up


KeepFn = Callable[[jax.Array, jax.Array], jax.Array]
FinishFn = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


class Metric(NamedTuple):
    """A row of TABLE; both functions are of one lane."""

    name: str
    word: str  # before its numbers, wherever they are shown
    task: str  # that it is of
    # Logits float[C, B], and labels int32[B], or float[K, B], give [B], or [K, B].
    # None: it is measured in any case.
    keep_fn: KeepFn | None = None
    # All that was kept, [N] or [K, N], labels as they are in a data set, and the unit
    # of each output, float[C] or float[K], of classes 1, give float[].
    finish_fn: FinishFn | None = None


def predicted(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Returns int[B], the class of the greatest logit, the first of equals."""
    del labels
    return jnp.argmax(logits, axis=0)


def margins(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Returns float[B], by how much the second of two logits is above the first."""
    del labels
    return logits[1] - logits[0]


def log_losses(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Returns float[B], the softmax cross-entropies."""
    is_label = jnp.arange(len(logits))[:, None] == labels
    of_label = jnp.sum(jnp.where(is_label, logits, 0), axis=0)
    return jax.nn.logsumexp(logits, axis=0) - of_label


def squared_errors(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Returns float[K, B]."""
    return jnp.square(logits - labels)


def balanced_accuracy(said: jax.Array, y: jax.Array, units: jax.Array) -> jax.Array:
    """Mean recall over the classes that there are in the part."""
    right, _, there = _count(said, y, units)
    recall = right / jnp.maximum(there, 1)
    return jnp.sum(recall) / jnp.sum(there > 0)


def f1(said: jax.Array, y: jax.Array, units: jax.Array) -> jax.Array:
    """Mean F1 over the classes that are there or are said, of two classes too."""
    right, predicted, there = _count(said, y, units)
    both = predicted + there
    return jnp.sum(2 * right / jnp.maximum(both, 1)) / jnp.sum(both > 0)


def auc(scores: jax.Array, y: jax.Array, units: jax.Array) -> jax.Array:
    """Area under the ROC curve, of two classes: how often the second is above.

    That is the share of pairs, one of each class, in which the example of the second
    class has the greater score, ties counted by half. NaN where a class is missing.
    """
    del units
    scores, is_second = jax.lax.sort((scores, y), num_keys=1)
    is_first = 1 - is_second
    num_up_to = jnp.cumsum(is_first)
    differs = scores[1:] != scores[:-1]
    ends = jnp.ones(1, bool)
    # Of each example, how many of the first class are below it, and how many are not
    # above: counts are ascending, and equal within ties.
    starts = jnp.where(jnp.concatenate([ends, differs]), num_up_to - is_first, 0)
    num_below = jax.lax.cummax(starts)
    stops = jnp.where(jnp.concatenate([differs, ends]), num_up_to, len(y))
    num_not_above = jax.lax.cummin(stops, reverse=True)
    shares = (num_below + num_not_above) / (2 * jnp.sum(is_first))
    return jnp.sum(jnp.where(is_second == 1, shares, 0)) / jnp.sum(is_second)


def negative_mean(kept: jax.Array, y: jax.Array, units: jax.Array) -> jax.Array:
    """The mean, below 0."""
    del y, units
    return -jnp.mean(kept)


def negative_rmse(errors: jax.Array, y: jax.Array, units: jax.Array) -> jax.Array:
    """Root mean squared error of each target in its unit, their mean, below 0."""
    del y
    return -jnp.mean(jnp.sqrt(jnp.mean(errors, axis=1)) * units)


def _count(
    said: jax.Array, y: jax.Array, units: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """By class int[C]: examples that are right, that are said to be of it, that are."""
    classes = jnp.arange(len(units))[:, None]
    is_said, is_there = said == classes, y == classes
    counts = (is_said & is_there, is_said, is_there)
    right, predicted, there = (jnp.sum(is_so, axis=1) for is_so in counts)
    return right, predicted, there


_OF_CLASSES, _OF_NUMBERS = "classification", "regression"
TABLE = (
    Metric("accuracy", "accuracy", _OF_CLASSES),
    Metric(
        *("balanced_accuracy", "balanced accuracy", _OF_CLASSES),
        *(predicted, balanced_accuracy),
    ),
    Metric("log_loss", "negative log loss", _OF_CLASSES, log_losses, negative_mean),
    Metric("auc", "AUC", _OF_CLASSES, margins, auc),
    Metric("f1", "F1", _OF_CLASSES, predicted, f1),
    Metric("r2", "R2", _OF_NUMBERS),
    Metric("rmse", "negative RMSE", _OF_NUMBERS, squared_errors, negative_rmse),
)
NAMES = tuple(row.name for row in TABLE)


def name_of(word: str) -> str:
    """Returns the name of the metric that is called by a word."""
    return next(row.name for row in TABLE if row.word == word)


def row_of(name: str) -> Metric:
    """Returns the row of a name."""
    return TABLE[NAMES.index(name)]


def functions_of(name: str) -> tuple[KeepFn, FinishFn]:
    """Returns both functions of a metric that lanes stop by."""
    row = row_of(name)
    if row.keep_fn is None or row.finish_fn is None:
        raise TypeError(f"{name} is measured in any case")
    return row.keep_fn, row.finish_fn


@functools.partial(jax.jit, static_argnames=("name",))
def measure(name: str, logits: jax.Array, y: jax.Array, units: jax.Array) -> jax.Array:
    """Returns float[], the metric of logits float[C, N], or float[K, N].

    Args:
      name: of a metric that lanes stop by; static.
      logits: of one network.
      y: int32[N], or float[N, K].
      units: float[C], or float[K].
    """
    keep_fn, finish_fn = functions_of(name)
    return finish_fn(keep_fn(logits, y.T), y, units)


def choose(name: str | None, *, num_classes: int) -> Metric:
    """Returns the metric of a name, or of None: accuracy, or R2.

    Args:
      name: of TABLE.
      num_classes: C; 0: numbers are predicted.

    Raises:
      InputError: for an unknown one, or one that is not of the task.
    """
    task = _OF_CLASSES if num_classes else _OF_NUMBERS
    of_task = [row.name for row in TABLE if row.task == task]
    if name is None:
        return row_of(of_task[0])
    check(name)
    if name not in of_task:
        raise InputError(
            f"metric={name!r} has no say in {task}: give one of {', '.join(of_task)}."
        )
    if name == "auc" and num_classes != 2:
        others = ", ".join(other for other in of_task if other != name)
        raise InputError(
            f"metric='auc' is of two classes, and there are {num_classes}: give one "
            f"of {others}."
        )
    return row_of(name)


def check(name: str | None) -> None:
    """Refuses a name that no metric has; None is one.

    Raises:
      InputError: naming it.
    """
    if name is not None and name not in NAMES:
        near = did_you_mean(name, NAMES)
        raise InputError(f"metric={name!r}{near} must be one of {', '.join(NAMES)}.")


def count_bytes(name: str | None, num_examples: int, num_outputs: int) -> int:
    """Returns the bytes that a lane takes for the metric of some examples."""
    per_example = num_outputs if name == "rmse" else 1
    return BYTES_PER_KEPT * num_examples * per_example * (stops_by(name) is not None)


def stops_by(name: str | None) -> str | None:
    """Returns the metric that lanes stop by; None: their loss, as by accuracy or R2."""
    return None if name is None or row_of(name).keep_fn is None else name
