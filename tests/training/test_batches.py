"""Lists of networks: order, lanes, results, and what is compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo.datasets import making
from vecevo.errors import InputError
from vecevo.training import (
    batches,
    library,
    planning,
    recipe,
    reference,
    sessions,
    settings,
)

SEED, SETTINGS = 3, {"batch_size": 16, "max_epochs": 4, "patience": 2}


def make_dataset(num_train=90):
    """A learnable toy problem: the class shifts the mean of every feature."""
    rng = np.random.default_rng(0)
    y = np.arange(num_train + 20) % 3
    shift = rng.normal(0, 40, (3, 5))
    x = np.clip(128 + shift[y] + rng.normal(0, 20, (len(y), 5)), 0, 255)
    x = x.astype(np.uint8)
    return making.make_dataset(
        x_train=x[:num_train],
        y_train=y[:num_train],
        x_test=x[num_train:],
        y_test=y[num_train:],
    )


def start(dataset, shapes, list_size):
    expected = sessions.Expected(shapes, list_size=list_size)
    resolved = settings.resolve(SETTINGS, dataset)
    return sessions.start_session(dataset, expected, resolved, seed=SEED)


def describe(width, depth, activation="relu", optimizer="adam", **rates):
    return {
        "width": width,
        "depth": depth,
        "activation": activation,
        "optimizer": optimizer,
        **rates,
    }


def train_reference(values, dataset, session, replicate=0):
    """Trains by reference.py with a patience rule written out; returns the curves."""
    trainer = reference.make_trainer(
        recipe.complete(values),
        num_features=dataset.x_train.shape[1],
        num_classes=dataset.num_classes,
        batch_size=SETTINGS["batch_size"],
    )
    key = recipe.network_key(session.network_root, values, replicate)
    order_key = session.setup.order_key
    if replicate:
        order_key = jax.random.fold_in(order_key, 0xFFFFFFFF)
        order_key = jax.random.fold_in(order_key, replicate)
    init_key, dropout_key = reference.split_network_key(key)
    state, losses, accuracies = jax.jit(trainer.init)(init_key), [], []
    for epoch in range(SETTINGS["max_epochs"]):
        state, _ = trainer.train_epoch(
            state,
            dropout_key,
            epoch,
            order_key,
            jnp.array(dataset.x_train),
            jnp.array(dataset.y_train),
        )
        loss, accuracy = trainer.evaluate(
            state.params, jnp.array(dataset.x_validation), dataset.y_validation
        )
        losses.append(float(loss))
        accuracies.append(float(accuracy))
        if epoch - int(np.argmin(losses)) >= SETTINGS["patience"]:
            break
    return losses, accuracies


@pytest.mark.optimized
def test_networks_train_as_the_reference_and_come_in_order():
    dataset = make_dataset()
    asked = [
        describe(20, 2, "tanh", "sgd", learning_rate=0.1),
        describe(70, 1, weight_decay=0.1),
        describe(20, 2, "tanh", "sgd", learning_rate=0.1),
        describe(5, 1, "elu", "adadelta", dropout_rate=0.0),
    ]
    results = library.train_networks(asked, dataset, seed=SEED, **SETTINGS)
    completed = [recipe.complete(values) for values in asked]
    assert [result.hyperparams for result in results] == completed
    assert results[0] is results[2]
    session = start(dataset, [(5, 1)], 1)
    session.setup.programs.close()
    for result in (results[0], results[1], results[3]):
        losses, accuracies = train_reference(result.hyperparams, dataset, session)
        curves, best = result.curves, int(np.argmin(losses))
        np.testing.assert_allclose(curves["validation_loss"], losses, rtol=1e-3)
        assert result.num_epochs == len(losses)
        assert result.validation_accuracy == pytest.approx(accuracies[best], abs=0.06)
        num_params = sum(leaf.size for leaf in jax.tree.leaves(result.params))
        assert result.num_params == num_params


def test_replicates_train_as_the_reference_in_cohorts_of_their_own():
    dataset, described = make_dataset(), describe(65, 2, "tanh", "sgd")
    network = recipe.complete({**described, "learning_rate": 0.1})
    session, found = start(dataset, [(65, 2)], 2), {}
    for rows, results, _ in batches.train_list(session, [network] * 3, [0, 2, 1]):
        assert len({result.replicate for result in results}) == 1
        for row, result in zip(rows, results, strict=True):
            found[result.replicate] = row, result
    session.setup.programs.close()
    assert [found[replicate][0] for replicate in (0, 2, 1)] == [0, 1, 2]
    for replicate, (_, result) in found.items():
        losses, _ = train_reference(network, dataset, session, replicate)
        curve = result.curves["validation_loss"]
        np.testing.assert_allclose(curve, losses, rtol=1e-3)
    (alone,) = library.train_networks([network], dataset, seed=SEED, **SETTINGS)
    np.testing.assert_allclose(
        found[0][1].curves["train_loss"], alone.curves["train_loss"], rtol=1e-5
    )
    assert len({result.validation_loss for _, result in found.values()}) == 3


def test_draws_that_depend_on_padding_are_refused():
    with (
        jax.threefry_partitionable(False),
        pytest.raises(InputError, match="jax_threefry_partitionable=False"),
    ):
        start(make_dataset(), [(8, 1)], 1)


def test_a_cohort_whose_networks_are_known_is_not_trained():
    dataset, widths = make_dataset(), (20, 12, 5, 3)
    listed = [recipe.complete(describe(width, 1)) for width in widths]
    session = start(dataset, [(width, 1) for width in widths], 4)
    session = session._replace(classes=[planning.CohortClass(65, 1, (2,))])
    whole = dict(train_all(session, listed))
    some = dict(train_all(session, listed, is_known_fn=lambda row: row < 3))
    assert sorted(whole) == [(0, 1), (2, 3)] and list(some) == [(2, 3)]
    for result, again in zip(whole[2, 3], some[2, 3], strict=True):
        jax.tree.map(np.testing.assert_array_equal, result.params, again.params)
    assert not list(train_all(session, listed, is_known_fn=lambda row: True))
    session.setup.programs.close()


def train_all(session, listed, **settings):
    for rows, results, _ in batches.train_list(session, listed, **settings):
        yield tuple(sorted(rows)), results


def test_lanes_hold_the_networks_of_their_cohort_in_any_order():
    completed = [recipe.complete(describe(width, 1)) for width in (3, 4, 5)]
    cohort = planning.Cohort(planning.CohortClass(8, 1, (4,)), (2, 0, 1, -1))
    lanes = batches.make_lanes(jax.random.key(0), cohort, completed)
    assert lanes.architecture.width.tolist() == [5, 3, 4, 5]


def test_a_generation_of_the_same_make_up_compiles_nothing():
    compiled = []

    def count(event, seconds, **kwargs):
        del seconds, kwargs
        if event.endswith("backend_compile_duration"):
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(count)
    shapes = [(9, 1), (30, 2), (64, 1), (64, 2)]
    session = start(make_dataset(), shapes, 2)
    generations = (
        [describe(30, 2), describe(64, 1, "elu", "sgd")],
        [
            describe(9, 1, "sigmoid", "adadelta", learning_rate=0.5),
            describe(64, 2, "tanh", "nadam", dropout_rate=0.5, weight_decay=0.3),
        ],
    )
    counts = []
    for generation in generations:
        completed = [recipe.complete(values) for values in generation]
        assert list(batches.train_list(session, completed))
        counts.append((session.setup.programs.num_programs, len(compiled)))
    session.setup.programs.close()
    assert counts[0][1] > 0
    assert counts[0] == counts[1]


@pytest.mark.optimized
def test_a_diverged_network_fails_alone():
    calm = describe(12, 2, "relu", "sgd")
    wild = describe(12, 2, "relu", "sgd", learning_rate=1e30)
    results = library.train_networks(
        [wild, calm], make_dataset(), seed=SEED, **SETTINGS
    )
    assert results[0].validation_accuracy == -np.inf and results[0].failed_epoch == 0
    assert results[1].failed_epoch is None and results[1].num_epochs == 4
    # The neighbour is another calm one: bit by bit the same.
    other = library.train_networks(
        [describe(12, 2, "relu", "sgd", learning_rate=0.02), calm],
        make_dataset(),
        seed=SEED,
        **SETTINGS,
    )
    jax.tree.map(np.testing.assert_array_equal, results[1].params, other[1].params)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"width": 0}, "width=0"),
        ({"depth": 1.5}, r"depth=1\.5"),
        ({"optimizer": "lion"}, "optimizer='lion'"),
        ({"dropout_rate": 1.5}, r"dropout_rate=1\.5"),
        ({"weight_decay": -0.1}, r"weight_decay=-0\.1"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"learning_rate": "fast"}, "learning_rate='fast'"),
        ({"colour": 1}, "'colour' is no hyperparameter"),
    ],
)
def test_hyperparams_that_no_network_takes_are_named(values, words):
    with pytest.raises(ValueError, match=words):
        library.train_networks([describe(8, 1) | values], make_dataset())
    with pytest.raises(ValueError, match="no optimizer"):
        recipe.complete({"width": 8, "depth": 1, "activation": "relu"})


@pytest.mark.parametrize(
    "unlike",
    [
        {"width": 4},
        {"width": 16},
        {"activation": "tanh"},
        {"optimizer": "adam"},
        {"dropout_rate": 0.1},
        {"weight_decay": 0.1},
    ],
)
def test_what_a_session_was_not_started_for_is_not_trained_in_part(unlike):
    plain = {"width": 8, "depth": 1, "activation": "relu", "optimizer": "sgd"}
    plain = recipe.complete(plain | {"dropout_rate": 0.0})
    rng = np.random.default_rng(0)
    dataset = making.make_dataset(rng.random((60, 5)), np.arange(60) % 3)
    resolved = settings.resolve({"max_epochs": 1}, dataset)
    session = sessions.start_session(dataset, sessions.expect([plain]), resolved)
    with pytest.raises(ValueError, match="was not expected of this session"):
        list(batches.train_list(session, [plain | unlike]))
