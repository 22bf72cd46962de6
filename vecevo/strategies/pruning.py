"""Which networks of a generation are not worth their further epochs.

A rule reads the curves of a generation and says for how many epochs each network is
trained, and what the search is told of it; all in `jnp`, so that a search on recorded
curves is one compiled loop.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.errors import InputError, describe, do_ascend
from vecevo.operators import initialization
from vecevo.operators.checks import (
    NumChoices,
    as_population,
    check_numbers,
    check_whole,
)

NAMES = ("validation_accuracy", "validation_loss")  # of recorded curves
FACTOR = 3  # of the networks at a rung, one in so many goes on


class Curves(NamedTuple):
    """What networks would give if their training ended at an epoch; leading axes X.

    From where it ended of itself, its last values stay.
    """

    accuracy: jax.Array  # float32[*X, E], at the lowest loss so far; -inf: failed
    loss: jax.Array  # float32[*X, E], the lowest validation loss so far; inf: failed
    num_epochs: jax.Array  # int32[*X], after which training ends of itself


class Pruned(NamedTuple):
    """What a rule made of a generation of P networks."""

    fitness: jax.Array  # float32[P], for `tell`: of it the order alone means anything
    num_epochs: jax.Array  # int32[P], that each was trained for
    rung: jax.Array  # int32[P], the last that each reached, counted from 0


Rule = Callable[[Curves, jax.Array], Pruned]  # curves, ties int32[P] -> Pruned


def follow(
    curves: Mapping[str, np.ndarray],
    *,
    num_epochs: np.ndarray,
    is_failed: np.ndarray,
    patience: int,
) -> Curves:
    """Follows what training would have kept, epoch by epoch.

    Args:
      curves: by name of NAMES float[*X, E], after each epoch, as a `Table` has them.
      num_epochs: int[*X], that were trained.
      is_failed: bool[*X], whether the loss of the last of them was not finite.
      patience: epochs in a row without a lower loss, after which training ends.

    Returns:
      Curves, in which training also ends by this patience.

    Raises:
      InputError: for no curves, for shapes that do not go together, for num_epochs
        beyond the curves, or a patience below 1.
    """
    accuracy, loss = _take_curves(curves)
    num_epochs, is_failed = np.asarray(num_epochs), np.asarray(is_failed, bool)
    for name, array in {"num_epochs": num_epochs, "is_failed": is_failed}.items():
        if array.shape != loss.shape[:-1]:
            raise InputError(
                f"{name} is of shape {list(array.shape)}, and curves are of "
                f"{list(loss.shape)}: give one for each curve."
            )
    longest = loss.shape[-1]
    check_numbers(
        lambda n: np.issubdtype(n.dtype, np.integer) & (n >= 1) & (n <= longest),
        f"whole numbers from 1 to {longest}, the epochs of the curves",
        num_epochs=num_epochs,
    )
    check_whole(1, patience=patience)
    epochs = np.arange(loss.shape[-1])
    is_trained = epochs < num_epochs[..., None]
    comparable = np.where(is_trained & ~np.isnan(loss), loss, np.inf)
    lowest = np.minimum.accumulate(comparable, axis=-1)
    before = np.concatenate([np.full_like(lowest[..., :1], np.inf), lowest], axis=-1)
    best = np.maximum.accumulate(
        np.where(comparable < before[..., :-1], epochs, -1), axis=-1
    )
    is_over = (epochs - best >= patience) | (epochs >= num_epochs[..., None] - 1)
    last = is_over.argmax(axis=-1)
    at = np.minimum(epochs, last[..., None])
    best = np.take_along_axis(best, at, axis=-1)
    ends_failed = is_failed & (last == num_epochs - 1)
    has_failed = ends_failed[..., None] & (epochs >= last[..., None]) | (best < 0)
    kept = np.maximum(best, 0)
    return Curves(
        accuracy=jnp.asarray(
            np.where(has_failed, -np.inf, np.take_along_axis(accuracy, kept, axis=-1)),
            jnp.float32,
        ),
        loss=jnp.asarray(
            np.where(has_failed, np.inf, np.take_along_axis(loss, kept, axis=-1)),
            jnp.float32,
        ),
        num_epochs=jnp.asarray(last + 1, jnp.int32),
    )


def look_up(
    curves: Curves,
    num_choices: NumChoices,
    rule: Rule,
    *,
    replicate: jax.typing.ArrayLike = 0,
) -> Callable[[jax.Array], Pruned]:
    """Makes a function int32[P, G] -> Pruned, of recorded curves.

    Its `fitness` is one for `run_strategy`. A genome that is asked for again competes
    anew, in its new generation.

    Args:
      curves: [N, R], of every genome, in the order of `operators.grid_population`.
      num_choices: int32[G], static.
      rule: for every generation.
      replicate: that is observed, or one for each genome, int32[N]; may be traced.

    Raises:
      InputError: for curves of another number of genomes, or a replicate that they
        have not.
    """
    num_genomes = initialization.count_genomes(num_choices)
    if curves.num_epochs.ndim != 2 or len(curves.num_epochs) != num_genomes:
        raise InputError(
            f"curves are of shape {list(curves.num_epochs.shape)}: give [N, R], a row "
            f"for each of the {num_genomes} genomes."
        )
    num_replicates = curves.num_epochs.shape[1]
    check_numbers(
        lambda r: np.issubdtype(r.dtype, np.integer) & (r >= 0) & (r < num_replicates),
        f"a whole number from 0 to {num_replicates - 1}, a column of curves",
        replicate=replicate,
    )
    if np.shape(replicate) not in ((), (num_genomes,)):
        raise InputError(
            f"replicate is of shape {list(np.shape(replicate))}: give one number, or "
            f"one for each of the {num_genomes} genomes."
        )
    columns = jnp.broadcast_to(replicate, (num_genomes,))

    def evaluate(population: jax.Array) -> Pruned:
        population = as_population(population, num_choices)
        rows = initialization.numbers_of_genomes(population, num_choices)
        return rule(jax.tree.map(lambda leaf: leaf[rows, columns[rows]], curves), rows)

    return evaluate


def train_all() -> Rule:
    """No pruning: every network is trained until that ends of itself."""

    def rule(curves: Curves, ties: jax.Array) -> Pruned:
        del ties
        last, num_epochs = curves.accuracy[:, -1], curves.num_epochs
        return Pruned(last, num_epochs, jnp.zeros_like(num_epochs))

    return rule


def halving(rungs: Sequence[int], *, factor: int = FACTOR) -> Rule:
    """Successive halving within a generation.

    At each rung the best go on, one in `factor` of those that are there, rounded up;
    ties go by loss, then by genome. A network whose training ended of itself competes
    with what it has. Fitness sorts by the rung reached, then by accuracy there. See
    Jamieson & Talwalkar, "Non-stochastic best arm identification and hyperparameter
    optimization", 2016.

    Args:
      rungs: ascending numbers of epochs; the last one ends training.
      factor: at least 2.

    Raises:
      InputError: for rungs that do not ascend from 1 or more, or a factor below 2; the
        rule, for curves that end before the last rung.
    """
    rungs = _as_rungs(rungs)
    check_whole(2, factor=factor)

    def rule(curves: Curves, ties: jax.Array) -> Pruned:
        num_epochs = curves.accuracy.shape[1]
        if rungs[-1] > num_epochs:
            raise InputError(
                f"rungs={rungs} must be ascending numbers of epochs, of which the last "
                f"is at most {num_epochs}, the epochs of the curves."
            )
        accuracy = curves.accuracy[:, np.array(rungs) - 1]
        loss = curves.loss[:, np.array(rungs) - 1]
        is_there = jnp.ones(len(ties), bool)
        reached = jnp.zeros(len(ties), jnp.int32)
        for rung, num in enumerate(numbers_at(len(ties), len(rungs), factor)[1:]):
            order = jnp.lexsort((ties, loss[:, rung], -accuracy[:, rung], ~is_there))
            is_there = jnp.zeros_like(is_there).at[order[:num]].set(True)
            reached = jnp.where(is_there, rung + 1, reached)
        at = jnp.take_along_axis(accuracy, reached[:, None], axis=1)[:, 0]
        ends = jnp.minimum(jnp.array(rungs)[reached], curves.num_epochs)
        return Pruned(sort_keys(reached, at), ends, reached)

    return rule


def numbers_at(num_networks: int, num_rungs: int, factor: int) -> list[int]:
    """How many networks train to each rung."""
    numbers = [num_networks]
    for _ in range(num_rungs - 1):
        numbers.append(math.ceil(numbers[-1] / factor))
    return numbers


def sort_keys(
    rung: jax.Array | np.ndarray, accuracy: jax.Array | np.ndarray
) -> jax.Array:
    """Returns float32[P] that sort by rung, then by accuracy; -inf where that is.

    Of an R2, or the negative of an error, there is no least: below 0 it comes to
    (-1, 0] in its order, by a / (1 - a), and below -1 by the logarithm, which still
    tells numbers of any unit apart.
    """
    accuracy = jnp.asarray(accuracy)
    far = 1 / (2 + jnp.log(jnp.maximum(-accuracy, 1))) - 1
    near = 1 / (1 - jnp.maximum(accuracy, -1)) - 1
    below = jnp.where(accuracy < -1, far, near)
    below = jnp.where(jnp.isneginf(accuracy), accuracy, below)
    return jnp.asarray(rung + jnp.where(accuracy < 0, below, accuracy) / 2, jnp.float32)


def _as_rungs(rungs: Any) -> tuple[int, ...]:
    """Returns rungs as a tuple; refuses what are no epochs that ascend."""
    given = rungs.tolist() if hasattr(rungs, "tolist") else rungs
    if not do_ascend(given):
        raise InputError(
            f"rungs={describe(given)} must be ascending numbers of epochs from 1 up, "
            "as (3, 9, 25)."
        )
    return tuple(map(int, given))


def _take_curves(curves: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Returns accuracies and losses, float[*X, E]; refuses what are no curves."""
    if not isinstance(curves, Mapping) or not set(NAMES) <= set(curves):
        raise InputError(
            f"curves={describe(curves)} has no {' and '.join(NAMES)}: give those of a "
            'table that has them, as load_table("fashion_mnist").curves.'
        )
    accuracy, loss = (np.asarray(curves[name]) for name in NAMES)
    if accuracy.shape != loss.shape or not loss.shape or not loss.shape[-1]:
        raise InputError(
            f"curves are of shapes {list(accuracy.shape)} and {list(loss.shape)}: give "
            "accuracies and losses of the same networks and epochs, one epoch or more."
        )
    return accuracy, loss
