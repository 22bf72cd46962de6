"""Examples that weigh more while they are learned, against reference.py."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vecevo
from tests.training.test_epochs import (
    BATCH_SIZE,
    NUM_CLASSES,
    NUM_FEATURES,
    assert_lanes_equal_reference,
    make_data,
    make_lanes,
    random_networks,
)
from tests.training.test_numbers import make_numbers
from vecevo.training import epochs, minibatches, reference, sessions, settings
from vecevo.training.lanes import losses, networks, variants
from vecevo.training.lanes.augmentation import Augmentation

NETWORK = {"depth": 1, "width": 8, "activation": "tanh", "optimizer": "adam"}


def draw_weights(num):
    weights = np.random.default_rng(3).exponential(size=num)
    weights[::7] = 0
    return weights / weights.mean()


@pytest.mark.slow
@pytest.mark.optimized
@pytest.mark.parametrize("make_fn", [make_data, make_numbers])
def test_lanes_of_weighed_examples_equal_the_reference(make_fn):
    descriptions = random_networks(9, 3, 4, seed=2)
    if make_fn is make_data:
        smoothed = dict(NETWORK, learning_rate=0.01, label_smoothing=0.1)
        descriptions.append({**smoothed, "dropout_rate": 0.2})
    with jax.enable_x64(True):
        data = make_fn(dtype=np.float64)
        data = data._replace(sample_weight=jnp.asarray(draw_weights(70)))
        shape = {"width": 9, "depth": 3, "num_epochs": 3}
        assert_lanes_equal_reference(descriptions, data, **shape)


def test_mixed_labels_weigh_what_their_examples_do():
    """Each label's loss times its share, and what the example of the label weighs."""
    with jax.enable_x64(True):
        check_mixed_labels()


def check_mixed_labels():
    data = make_data(num_train=BATCH_SIZE, dtype=np.float64)
    own = draw_weights(BATCH_SIZE)
    own[:2] = 0  # a mixture of two that weigh nothing
    data = data._replace(sample_weight=jnp.asarray(own))
    done = Augmentation((1, NUM_FEATURES, 1), mixup=0.4)
    variant = variants.Variant(augmentation=done)
    module = networks.PaddedMLP(8, 1, NUM_CLASSES, variant)
    lanes = make_lanes([NETWORK | {"learning_rate": 0.1}])
    begun = minibatches.begin_epoch(
        *(lanes, jax.random.key(1), jnp.array(0), jnp.array(3)),
        **{"num_examples": BATCH_SIZE, "batch_size": BATCH_SIZE, "module": module},
    )
    (step,) = range(len(begun.minibatches.indices))
    minibatch = jax.tree.map(lambda leaf: leaf[step], begun.minibatches)
    taken = minibatches.take_examples(data, minibatch, begun.drawn, variant)
    state = epochs.init_lanes(lanes, module=module, num_features=NUM_FEATURES)
    params, architecture = jax.tree.map(
        lambda leaf: leaf[0], (state.params, lanes.architecture)
    )
    found, _ = losses.mean_loss(
        *(module, architecture, None, taken.inputs, taken.labels),
        *(taken.weights, jnp.array(0.2), taken.mixture, params),
    )
    indices, share = np.asarray(minibatch.indices), float(minibatch.mixture_share)
    others = np.roll(indices, -1)
    x, y = np.asarray(data.x_train), np.asarray(data.y_train)
    mixed = share * x[indices] + (1 - share) * x[others]
    logits = losses.apply(module, params, jnp.asarray(mixed.T), architecture, None).T
    one, other = (
        own[rows] * reference.smoothed_losses(logits, y[rows], 0.2)
        for rows in (indices, others)
    )
    expected = (share * one + (1 - share) * other).mean()
    assert 0.05 < share < 0.95
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_weight_is_as_good_as_a_repetition():
    """In whole batches, without dropout: plain steps of gradients."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), np.arange(60) % 2
    dataset = vecevo.make_dataset(x, y, inputs="as-given")
    num = len(dataset.y_train)
    rows = np.concatenate([np.arange(num), np.arange(0, num, 2)])
    repeated = dataset._replace(
        x_train=dataset.x_train[rows], y_train=dataset.y_train[rows]
    )
    counts = np.bincount(rows)
    weighed = dataset._replace(
        sample_weight=(counts / counts.mean()).astype(np.float32)
    )
    network = {**NETWORK, "optimizer": "sgd", "learning_rate": 0.5, "dropout_rate": 0.0}
    how = {"max_epochs": 5, "batch_size": 1000}
    (one,), (other,) = (
        vecevo.train_networks([network], data, **how) for data in (repeated, weighed)
    )
    np.testing.assert_allclose(
        one.curves["validation_loss"], other.curves["validation_loss"], rtol=1e-4
    )


def test_a_rare_class_is_found_if_classes_weigh_alike():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 2))
    y = (x[:, 0] + rng.normal(size=800) > 2).astype(int)
    dataset = vecevo.make_dataset(x, y)
    network = {**NETWORK, "learning_rate": 0.02, "dropout_rate": 0.0}
    how = {"max_epochs": 15, "metric": "balanced_accuracy"}
    found = [
        vecevo.train_networks([network], dataset, class_weight=weight, **how)[0]
        for weight in (None, "none", "balanced", {1: 8})
    ]
    accuracies = [result.validation_accuracy for result in found]
    assert accuracies[0] == accuracies[1] < min(accuracies[2:]) - 0.1


def test_what_weighs_alike_computes_no_weights():
    x, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    dataset = vecevo.make_dataset(x, y)
    for weight, is_weighed in ((None, False), ("none", False), ("balanced", True)):
        resolved = settings.resolve({"class_weight": weight}, dataset)
        data = sessions.put_on_device(dataset, resolved)
        assert (data.sample_weight is not None) == is_weighed
