"""A lane against reference.py, isolation, stopping, and compile counts."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo.training import (
    batches,
    epochs,
    minibatches,
    outcomes,
    planning,
    recipe,
    reference,
)
from vecevo.training.lanes import (
    activations,
    losses,
    networks,
    optimizers,
    stopping,
    variants,
    weights,
)
from vecevo.training.lanes.widths import widths_of

pytestmark = pytest.mark.optimized

NUM_FEATURES, NUM_CLASSES, BATCH_SIZE = 12, 4, 16


def make_data(seed=0, num_train=70, num_validation=30, dtype=np.uint8):
    """A learnable toy problem: the class shifts the mean of every feature."""
    rng = np.random.default_rng(seed)
    n = num_train + num_validation
    y = rng.integers(0, NUM_CLASSES, n)
    shift = rng.normal(0, 30, (NUM_CLASSES, NUM_FEATURES))
    x = np.clip(128 + shift[y] + rng.normal(0, 25, (n, NUM_FEATURES)), 0, 255)
    x = x.astype(np.uint8) if dtype == np.uint8 else (x / 255).astype(dtype)
    x, y = jnp.asarray(x), jnp.asarray(y, jnp.int32)
    return minibatches.TrainingData(
        x[:num_train], y[:num_train], x[num_train:], y[num_train:]
    )


NAMES = ("width", "depth", "activation", "optimizer")
NAMES += ("learning_rate", "dropout_rate", "weight_decay")


def make_lanes(networks_, seed=7):
    """Lanes of dicts, or tuples of the values of NAMES."""
    rows = [as_hyperparams(network) for network in networks_]
    cohort = planning.Cohort(planning.CohortClass(1, 1, (1,)), tuple(range(len(rows))))
    lanes = batches.make_lanes(jax.random.key(0), cohort, rows)
    keys = [network_key(index, seed) for index in range(len(rows))]
    return lanes._replace(key=jnp.stack(keys))


def as_hyperparams(network):
    values = (
        dict(zip(NAMES, network, strict=True)) if type(network) is tuple else network
    )
    rate = values["learning_rate"]  # may be one that no network is given
    return recipe.complete({**values, "learning_rate": 1.0}) | {"learning_rate": rate}


def network_key(index, seed=7):
    return jax.random.fold_in(jax.random.key(seed), index)


def random_networks(width, depth, num_networks, seed=0):
    """Every activation and optimizer in turn, other widths and depths at random."""
    rng = np.random.default_rng(seed)
    return [
        (
            int(rng.integers(1, width + 1)) if index % 2 else width,
            int(rng.integers(1, depth + 1)) if index % 3 else depth,
            activations.NAMES[index % len(activations.NAMES)],
            optimizers.NAMES[index % len(optimizers.NAMES)],
            float(rng.choice([0.001, 0.01])),
            float(rng.choice([0.0, 0.2, 0.5])),
            float(rng.choice([0.0, 0.1])),
        )
        for index in range(num_networks)
    ]


WHOLE = variants.Variant()
ORDER_KEY = jax.random.key(99)
NO_STOP = stopping.StoppingRule(
    patience=jnp.array(1000), max_epochs=jnp.array(1000), keeps_last=jnp.array(False)
)


def train_lanes(lanes, data, *, width, depth, num_epochs, rule=NO_STOP, variant=WHOLE):
    module = networks.PaddedMLP(width, depth, NUM_CLASSES, variant)
    state = epochs.init_lanes(lanes, module=module, num_features=NUM_FEATURES)
    reports = []
    for epoch in range(num_epochs):
        state, report = epochs.train_epoch(
            state,
            lanes,
            data,
            rule,
            jnp.array(epoch),
            ORDER_KEY,
            module=module,
            batch_size=BATCH_SIZE,
        )
        reports.append(report)
    return state, reports


def compile_quickly(function, *args):
    """Compiles without XLA's optimizations: dozens of references run only once."""
    options = {"xla_backend_optimization_level": 0}
    options["xla_llvm_disable_expensive_passes"] = True
    return function.lower(*args).compile(options)


def train_reference(
    description,
    key,
    data,
    num_epochs,
    rule=NO_STOP,
    change_fn=lambda x, epoch: x,
    metric_fn=None,
):
    """Params at the end, their average as it is judged, and curves."""
    decay = as_hyperparams(description)["averaging"]
    trainer = reference.make_trainer(
        as_hyperparams(description),
        num_features=NUM_FEATURES,
        num_classes=NUM_CLASSES,
        batch_size=BATCH_SIZE,
        num_steps=int(rule.max_epochs) * -(-len(data.x_train) // BATCH_SIZE),
        metric_fn=metric_fn,
    )
    init_key, dropout_key = reference.split_network_key(key)
    state = compile_quickly(jax.jit(trainer.init), init_key)(init_key)
    weights = 1.0 if data.sample_weight is None else data.sample_weight
    first = (state, dropout_key, 0, ORDER_KEY, data.x_train, data.y_train, weights)
    train_epoch = compile_quickly(trainer.train_epoch, *first)
    history, ends = [], []
    for epoch in range(num_epochs):
        x = change_fn(data.x_train, epoch)
        state, trained = train_epoch(
            state, dropout_key, epoch, ORDER_KEY, x, data.y_train, weights
        )
        ends.append(jax.tree.map(np.array, state.params))
        judged = reference.average(ends, decay)
        measured = trainer.evaluate(judged, data.x_validation, data.y_validation)
        history.append((*trained, *measured))
    return state.params, judged, np.array(history)


def assert_lane_equals_reference(
    state,
    reports,
    lane,
    description,
    data,
    rule=NO_STOP,
    metric_fn=None,
    **tolerance,
):
    params, judged, history = train_reference(
        *(description, network_key(lane), data, len(reports), rule),
        metric_fn=metric_fn,
    )
    values = as_hyperparams(description)
    for of_lanes, expected in ((state.params, params), (state.averaged, judged)):
        cropped = weights.crop(
            jax.tree.map(lambda p: p[lane], of_lanes),
            widths=widths_of(values),
            is_normed=values["norm"] == "layer",
        )
        chex.assert_trees_all_close(
            cropped, jax.tree.map(np.transpose, expected), **tolerance
        )
    lane_history = [
        [getattr(report, name)[lane] for name in outcomes.CURVES] for report in reports
    ]
    np.testing.assert_allclose(lane_history, history, **tolerance)


def assert_lanes_equal_reference(descriptions, data, rule=NO_STOP, **how):
    """All in one cohort, in float64 to 1e-8."""
    state, reports = train_lanes(make_lanes(descriptions), data, rule=rule, **how)
    for lane, description in enumerate(descriptions):
        assert_lane_equals_reference(
            state, reports, lane, description, data, rule, atol=1e-8, rtol=0
        )


@pytest.mark.slow
def test_every_optimizer_activation_and_depth_equals_the_reference():
    """In float64, over epochs, all in one cohort: padded but for one of them."""
    rates = (0.005, 0.2, 0.01)
    names, num = activations.NAMES, max(len(activations.NAMES), len(optimizers.NAMES))
    descriptions = [
        (
            *(5 + i, 1 + i % 3, names[i % len(names)]),
            *(optimizers.NAMES[i % len(optimizers.NAMES)], *rates),
        )
        for i in range(num)
    ]
    assert {d[2] for d in descriptions} == set(activations.NAMES)
    assert {d[3] for d in descriptions} == set(optimizers.NAMES)
    descriptions.append((16, 4, "tanh", "adadelta", 1.0, 0.5, 0.1))
    descriptions.append((1, 1, "sigmoid", "nadam", 0.01, 0.0, 0.0))
    with jax.enable_x64(True):
        data = make_data(num_train=4 * BATCH_SIZE, dtype=np.float64)
        state, reports = train_lanes(
            make_lanes(descriptions), data, width=16, depth=4, num_epochs=5
        )
        assert state.params["output"]["kernel"].dtype == jnp.float64
        for lane, description in enumerate(descriptions):
            assert_lane_equals_reference(
                state, reports, lane, description, data, atol=1e-8, rtol=0
            )


def test_first_epoch_equals_the_reference_in_float32():
    data = make_data(num_train=BATCH_SIZE - 5)  # fewer examples than a batch
    descriptions = random_networks(16, 2, 2, seed=3)
    descriptions = [(*d[:4], 0.001, *d[5:]) for d in descriptions]
    state, reports = train_lanes(
        make_lanes(descriptions), data, width=16, depth=2, num_epochs=1
    )
    for lane, description in enumerate(descriptions):
        assert_lane_equals_reference(
            state, reports, lane, description, data, atol=2e-5, rtol=1e-4
        )


def test_a_lane_does_not_feel_its_neighbours_not_even_nan_or_adadelta():
    data = make_data()
    for optimizer in ("sgd", "rmsprop", "adamax"):
        first = (16, 2, "tanh", optimizer, 0.01, 0.2, 0.1)
        calm = [first, (9, 1, "relu", optimizer, 0.01, 0.0, 0.0)]
        wild = [first, (16, 2, "elu", "adadelta", float("nan"), 0.5, 0.0)]
        results = []
        for descriptions in (calm, wild):
            state, reports = train_lanes(
                make_lanes(descriptions), data, width=16, depth=2, num_epochs=2
            )
            leaves = jax.tree.leaves((state, reports))
            results.append([np.asarray(leaf[0]) for leaf in leaves])
        jax.tree.map(np.testing.assert_array_equal, *results)
        assert not reports[0].is_active[1] and reports[0].is_active[0]


def lane_of_one_weight():
    """A lane before its first epoch, which has kept no weight of its own yet."""
    return stopping.LaneState(
        params={"w": jnp.array([[0.0]])},
        slots=optimizers.Slots({}, {}),
        averaged={},
        kept_params={"w": jnp.array([[-1.0]])},
        best_loss=jnp.array([jnp.inf]),
        epochs_since_best=jnp.array([0]),
        is_active=jnp.array([True]),
    )


def test_patience_counts_epochs_without_a_strictly_lower_loss():
    rule = stopping.StoppingRule(jnp.array(2), jnp.array(50), jnp.array(False))
    state = lane_of_one_weight()
    active, kept = [], []
    for epoch, loss in enumerate([3.0, 2.0, 2.0, 1.0, 1.5, 1.0, 0.5]):
        state = state._replace(params={"w": jnp.array([[float(epoch)]])})
        measures = losses.Measures(jnp.array([loss]), jnp.array([0.5]))
        state, report = stopping.apply_stopping_rule(
            state, rule, jnp.array(epoch), measures, measures
        )
        active.append(bool(report.is_active[0]))
        kept.append(float(state.kept_params["w"][0, 0]))
    assert active == [True, True, True, True, True, False, False]
    assert kept == [0, 1, 1, 3, 3, 3, 3]
