"""A lane that learns numbers, against reference.py and the formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import r2_score

import vecevo
from tests.training.test_epochs import (
    NUM_CLASSES,
    assert_lanes_equal_reference,
    make_data,
    random_networks,
)
from vecevo.training.lanes import losses

pytestmark = pytest.mark.optimized

NETWORK = {"depth": 1, "width": 8, "activation": "tanh", "optimizer": "adam"}


def make_numbers(dtype):
    """The examples of `make_data`, with four numbers each; a last batch is short."""
    data = make_data(dtype=dtype)
    weights = np.random.default_rng(5).normal(size=(12, NUM_CLASSES))
    y = np.tanh(np.concatenate([data.x_train, data.x_validation]) @ weights)
    y = jnp.asarray((y - y[:70].mean(axis=0)) / y[:70].std(axis=0))
    return data._replace(y_train=y[:70], y_validation=y[70:])


@pytest.mark.slow
def test_lanes_that_learn_numbers_equal_the_reference():
    descriptions = random_networks(9, 3, 8, seed=2)
    with jax.enable_x64(True):
        data = make_numbers(np.float64)
        shape = {"width": 9, "depth": 3, "num_epochs": 3}
        assert_lanes_equal_reference(descriptions, data, **shape)


def test_measures_are_the_squared_error_and_r2():
    rng = np.random.default_rng(1)
    said, right = rng.normal(size=(2, 3, 40))
    variances = losses.variances_of(jnp.asarray(right.T))
    measured = losses.measure(jnp.asarray(said), jnp.asarray(right), variances)
    assert measured.loss.mean() == pytest.approx(np.square(said - right).mean(), 1e-5)
    assert measured.accuracy.mean() == pytest.approx(r2_score(right.T, said.T), 1e-5)
    assert losses.variances_of(jnp.full((5, 1), 0.1)) == 1
    assert losses.variances_of(jnp.arange(3)) is None


def test_numbers_are_learned_and_scored_as_they_are_told():
    x = np.random.default_rng(0).normal(size=(300, 3))
    y = np.stack([x @ [1, 2, -1] * 100 + 1e4, np.sin(x[:, 0])], axis=1)
    dataset = vecevo.make_dataset(x, y)
    settings = {"learning_rate": 0.01, "dropout_rate": 0.0}
    (result,) = vecevo.train_networks([NETWORK | settings], dataset, max_epochs=40)
    assert result.validation_accuracy > 0.95
    said = result.network.predict(dataset.raw_x_test)
    assert said.dtype == np.float64 and said.shape == (60, 2)
    score = result.network.score(dataset.raw_x_test, dataset.raw_y_test)
    assert score == pytest.approx(r2_score(dataset.raw_y_test, said), abs=1e-6)
    assert result.params["output"]["kernel"].shape == (2, 8)
    assert result.num_params == 3 * 8 + 8 + 8 * 2 + 2


def test_labels_of_numbers_are_not_smoothed():
    dataset = vecevo.make_dataset(np.eye(20), np.linspace(0, 1, 20))
    smoothed = NETWORK | {"label_smoothing": 0.1}
    with pytest.raises(vecevo.InputError, match="give label_smoothing=0 alone"):
        vecevo.train_networks([smoothed], dataset)
