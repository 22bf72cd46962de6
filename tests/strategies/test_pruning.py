"""Rules of pruning, against plain loops over lists."""

import math

import jax
import numpy as np
import pytest

from vecevo import strategies
from vecevo.errors import InputError
from vecevo.operators import grid_population
from vecevo.strategies import pruning

NUM_CHOICES, NUM_REPLICATES, NUM_EPOCHS = (2, 3, 4), 2, 12


def make_curves(seed):
    """Noisy curves of 24 networks, some short or with gaps, some of which failed."""
    rng = np.random.default_rng(seed)
    shape = (24, NUM_REPLICATES)
    accuracy = rng.random((*shape, NUM_EPOCHS)).astype(np.float32)
    loss = rng.random((*shape, NUM_EPOCHS)).round(1).astype(np.float32)
    loss[rng.random(loss.shape) < 0.1] = np.nan
    num_epochs = rng.integers(1, NUM_EPOCHS + 1, shape)
    is_failed = rng.random(shape) < 0.3
    is_failed[0], num_epochs[0] = True, 1
    after = np.arange(NUM_EPOCHS) >= num_epochs[..., None]
    accuracy[after] = loss[after] = np.nan
    rows, columns = np.nonzero(is_failed)
    loss[rows, columns, num_epochs[is_failed] - 1] = np.nan
    return accuracy, loss, num_epochs, is_failed


def follow_made(seed, *, patience):
    return pruning.follow(**as_arguments(*make_curves(seed)), patience=patience)


def as_arguments(accuracy, loss, num_epochs, is_failed):
    curves = {"validation_accuracy": accuracy, "validation_loss": loss}
    return {"curves": curves, "num_epochs": num_epochs, "is_failed": is_failed}


def follow_slowly(accuracy, loss, num_epochs, is_failed, patience):
    """Follows one network, epoch by epoch: scores, losses, and where it ended."""
    scores, losses, best, since = [], [], math.inf, 0
    kept, end = -math.inf, num_epochs
    for epoch in range(len(loss)):
        if epoch < end:
            if is_failed and epoch == num_epochs - 1:
                kept, best = -math.inf, math.inf
            elif loss[epoch] < best:
                best, kept, since = loss[epoch], accuracy[epoch], 0
            else:
                since += 1
            if since >= patience:
                end = epoch + 1
        scores.append(kept)
        losses.append(best)
    return scores, losses, end


@pytest.mark.parametrize("patience", [1, 2, 3, NUM_EPOCHS])
def test_what_training_would_keep_is_that_of_a_loop(patience):
    accuracy, loss, num_epochs, is_failed = make_curves(0)
    curves = follow_made(0, patience=patience)
    for place in np.ndindex(num_epochs.shape):
        expected = follow_slowly(
            *(accuracy[place], loss[place], num_epochs[place], is_failed[place]),
            patience,
        )
        np.testing.assert_array_equal(curves.accuracy[place], expected[0])
        np.testing.assert_array_equal(curves.loss[place], expected[1])
        assert curves.num_epochs[place] == expected[2]


def halve_slowly(curves, ties, rungs, factor):
    """Sorts Python's tuples; the rung that each reached."""
    there, reached = list(range(len(ties))), [0] * len(ties)
    for rung in range(len(rungs) - 1):
        at = rungs[rung] - 1
        there.sort(key=lambda i: (-curves.accuracy[i, at], curves.loss[i, at], ties[i]))
        there = there[: -(-len(there) // factor)]
        for i in there:
            reached[i] = rung + 1
    return reached


@pytest.mark.parametrize(("rungs", "factor"), [((3, 6, 12), 2), ((1, 4, 12), 3)])
def test_halving_is_that_of_a_sorted_list(rungs, factor):
    curves = follow_made(1, patience=4)
    curves = jax.tree.map(lambda leaf: leaf[:, 0], curves)
    # Equal accuracies, and losses, leave it to the next word.
    coarse = {"accuracy": np.round(2 * curves.accuracy) / 2}
    curves = curves._replace(**coarse, loss=np.round(curves.loss))
    ties = np.random.default_rng(0).permutation(24)
    pruned = jax.jit(pruning.halving(rungs, factor=factor))(curves, ties)
    plain = jax.tree.map(np.asarray, curves)
    reached = halve_slowly(plain, ties, rungs, factor)
    assert reached != halve_slowly(plain, np.arange(24), rungs, factor)
    np.testing.assert_array_equal(pruned.rung, reached)
    ends = np.minimum(np.array(rungs)[reached], curves.num_epochs)
    np.testing.assert_array_equal(pruned.num_epochs, ends)
    at = curves.accuracy[np.arange(24), np.array(rungs)[reached] - 1]
    pairs = list(zip(reached, at, strict=True))
    by_key = np.argsort(pruned.fitness, kind="stable")
    is_fine = np.isfinite(at)[by_key]
    ordered = [pairs[i] for i in by_key[is_fine]]
    assert ordered == sorted(ordered)
    assert (pruned.fitness[~np.isfinite(at)] == -np.inf).all()


def test_a_single_rung_prunes_nothing():
    curves = follow_made(2, patience=12)
    population = grid_population(np.array(NUM_CHOICES), start=0, population_size=24)
    one = pruning.look_up(curves, NUM_CHOICES, pruning.halving([NUM_EPOCHS]))
    whole = pruning.look_up(curves, NUM_CHOICES, pruning.train_all())
    np.testing.assert_array_equal(one(population).num_epochs, curves.num_epochs[:, 0])
    np.testing.assert_array_equal(whole(population).fitness, curves.accuracy[:, 0, -1])
    order = np.argsort(whole(population).fitness, kind="stable")
    np.testing.assert_array_equal(
        np.argsort(one(population).fitness, kind="stable"), order
    )


def test_a_search_is_told_of_pruned_generations():
    curves = follow_made(3, patience=12)
    columns = np.arange(24) % 2
    evaluate = pruning.look_up(
        curves, NUM_CHOICES, pruning.halving((2, 12)), replicate=columns
    )
    strategy = strategies.regularized_evolution(NUM_CHOICES, population_size=6)
    _, trace = strategies.run_strategy(
        jax.random.key(0), strategy, lambda p: evaluate(p).fitness, 3
    )
    for offspring, fitness in zip(trace.offspring, trace.fitness, strict=True):
        rows = np.ravel_multi_index(tuple(np.asarray(offspring).T), NUM_CHOICES)
        whole = pruning.Curves(*(leaf[rows, columns[rows]] for leaf in curves))
        expected = pruning.halving((2, 12))(whole, rows)
        np.testing.assert_array_equal(fitness, expected.fitness)
        assert (expected.rung == 1).sum() == 2


def test_rungs_may_be_an_array():
    curves = jax.tree.map(lambda leaf: leaf[:, 0], follow_made(1, patience=4))
    ties = np.arange(24)
    expected = pruning.halving((1, 4, 12))(curves, ties)
    for rungs in (np.array([1, 4, 12]), [1, np.int64(4), 12]):
        found = pruning.halving(rungs)(curves, ties)
        np.testing.assert_array_equal(found.fitness, expected.fitness)


@pytest.mark.parametrize(
    "rungs",
    [(), [3, 3], (9, 3), [0, 3], (3, 6.0), np.array([3.0, 9.0]), "39", 3, None, [True]],
)
def test_what_are_no_rungs_is_refused_in_one_line(rungs):
    with pytest.raises(InputError, match=r"^rungs=.* must be ascending numbers of"):
        pruning.halving(rungs)


def prune(rule):
    curves = jax.tree.map(lambda leaf: leaf[:, 0], follow_made(0, patience=3))
    return rule(curves, np.arange(24))


def look_up(num_choices=NUM_CHOICES, **replicate):
    curves = follow_made(0, patience=3)
    return pruning.look_up(curves, num_choices, pruning.train_all(), **replicate)


def follow(**changed):
    whole = as_arguments(*make_curves(0)) | {"patience": 3}
    return pruning.follow(**whole | changed)


ACCURACY, LOSS, ENDS, FAILED = make_curves(0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: pruning.halving([3], factor=1), "factor=1"),
        (lambda: prune(pruning.halving((3, 13))), r"rungs=\(3, 13\) .* at most 12"),
        (lambda: look_up((2, 2)), r"curves are of shape \[24, 2\]: .* 4 genomes"),
        (lambda: look_up(replicate=2), "replicate=2 must be .* from 0 to 1, a column"),
        (lambda: look_up(replicate=-1), "replicate=-1 must be"),
        (lambda: look_up(replicate=0.5), "replicate=0.5 must be"),
        (lambda: look_up(replicate=None), "replicate=None must be"),
        (lambda: look_up(replicate=[0, 1]), r"replicate is of shape \[2\]: .* the 24"),
        (lambda: look_up(replicate=np.full(24, 2)), "replicate has 2, and must be"),
        (lambda: follow(curves={}), "curves={} has no validation_accuracy and"),
        (
            lambda: follow(curves=ACCURACY),
            r"curves=ndarray float32\[24, 2, 12\] has no",
        ),
        (
            lambda: follow(**as_arguments(ACCURACY[:, :1], LOSS, ENDS, FAILED)),
            r"curves are of shapes \[24, 1, 12\] and \[24, 2, 12\]",
        ),
        (lambda: follow(num_epochs=ENDS[0]), r"num_epochs is of shape \[2\]"),
        (lambda: follow(num_epochs=ENDS + 12), "num_epochs has .* from 1 to 12"),
        (lambda: follow(num_epochs=ENDS * 0), "num_epochs has 0, and must be"),
        (lambda: follow(num_epochs=ENDS * 1.0), "num_epochs has .*whole numbers"),
        (lambda: follow(is_failed=FAILED.T), r"is_failed is of shape \[2, 24\]"),
        (lambda: follow(patience=0), "patience=0"),
    ],
)
def test_what_is_no_rule_nor_curve_is_refused_in_one_line(make, words):
    with pytest.raises(InputError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_keys_sort_by_rung_and_then_by_any_r2():
    accuracy = np.array([-np.inf, -1e6, -3.0, -0.5, 0.0, 0.25, 1.0], np.float32)
    keys = np.concatenate([pruning.sort_keys(rung, accuracy)[1:] for rung in range(3)])
    assert (np.diff(keys) > 0).all()
    assert pruning.sort_keys(1, accuracy)[0] == -np.inf
    share = np.linspace(0, 1, 9, dtype=np.float32)
    np.testing.assert_array_equal(pruning.sort_keys(2, share), 2 + share / 2)
