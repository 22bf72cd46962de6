"""Metrics against scikit-learn's, and lanes that are judged by them."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sklearn.metrics

import vecevo
from tests.training import test_epochs
from tests.training.test_epochs import (
    assert_lane_equals_reference,
    make_data,
    make_lanes,
    random_networks,
    train_lanes,
)
from tests.training.test_numbers import make_numbers
from vecevo.training import sessions, settings
from vecevo.training.lanes import losses, metrics, stopping, variants
from vecevo.training.reference import metrics as plain

BY_LABELS = {
    "balanced_accuracy": sklearn.metrics.balanced_accuracy_score,
    "f1": functools.partial(sklearn.metrics.f1_score, average="macro"),
}
NETWORK = {"depth": 1, "width": 8, "activation": "tanh", "optimizer": "adam"}


def measure(name, logits, y, units=None):
    units = np.ones(logits.shape[1]) if units is None else units
    return float(metrics.measure(name, jnp.asarray(logits.T), jnp.asarray(y), units))


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("num_classes", [2, 5])
def test_metrics_of_classes_are_those_of_scikit_learn(seed, num_classes):
    rng = np.random.default_rng(seed)
    logits = rng.integers(-2, 3, (60, num_classes)) / 2  # with many ties
    y = rng.integers(0, num_classes, 60)
    if num_classes > 2:
        y[y == 3] = 0  # one class is not there, and one is never said
        logits[:, 4] = -9
    said = logits.argmax(axis=1)
    for name, expected_fn in BY_LABELS.items():
        assert measure(name, logits, y) == pytest.approx(expected_fn(y, said), abs=1e-6)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss = sklearn.metrics.log_loss(y, shares, labels=range(num_classes))
    assert measure("log_loss", logits, y) == pytest.approx(-loss, abs=1e-6)
    if num_classes == 2:
        expected = sklearn.metrics.roc_auc_score(y, logits[:, 1] - logits[:, 0])
        assert measure("auc", logits, y) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("y", [[0, 1], [1, 0, 1], [0, 0, 0, 1]])
@pytest.mark.parametrize("scores", [[0, 0, 0, 0], [3, 1, 2, 0], [0, 0, 1, 1]])
def test_the_auc_of_a_few_examples(y, scores):
    scores = np.array(scores[: len(y)], float)
    found = measure("auc", np.stack([-scores / 2, scores / 2], axis=1), np.array(y))
    assert found == pytest.approx(sklearn.metrics.roc_auc_score(y, scores))


def test_a_metric_of_classes_that_no_example_has():
    logits, y = np.eye(3)[[0, 1, 1]], np.array([0, 0, 0])
    with pytest.warns(UserWarning, match="not in y_true"):
        expected = sklearn.metrics.balanced_accuracy_score(y, logits.argmax(axis=1))
    assert measure("balanced_accuracy", logits, y) == pytest.approx(expected)
    expected = sklearn.metrics.f1_score(y, logits.argmax(axis=1), average="macro")
    assert measure("f1", logits, y) == pytest.approx(expected)
    assert math.isnan(measure("auc", logits[:, :2], y))


def test_the_rmse_is_in_units():
    said, right = np.random.default_rng(0).normal(size=(2, 40, 3))
    units = np.array([1e-3, 2.0, 5e6])
    expected = sklearn.metrics.root_mean_squared_error(right * units, said * units)
    assert measure("rmse", said, right, units) == pytest.approx(-expected, rel=1e-6)


def reference_fn(name, units=None):
    """The metric in plain form; of numbers in units."""
    if name == "rmse":
        return lambda said, right: plain.rmse(said * units, right * units)
    return getattr(plain, name)


@pytest.mark.slow
@pytest.mark.optimized
@pytest.mark.parametrize("name", ["balanced_accuracy", "f1", "log_loss", "auc", "rmse"])
def test_lanes_that_are_judged_equal_the_reference(monkeypatch, name):
    """A mixed cohort, evaluated in four batches, of which the last is padded."""
    monkeypatch.setattr(losses, "EVALUATION_BATCH", 8)
    num_outputs = 2 if name == "auc" else test_epochs.NUM_CLASSES
    monkeypatch.setattr(test_epochs, "NUM_CLASSES", num_outputs)
    descriptions = random_networks(9, 3, 4, seed=2)
    with jax.enable_x64(True):
        make_fn = make_numbers if name == "rmse" else make_data
        data, units = make_fn(dtype=np.float64), jnp.arange(1.0, 1 + num_outputs)
        state, reports = train_lanes(
            make_lanes(descriptions),
            data._replace(units=units),
            **{"width": 9, "depth": 3, "num_epochs": 3},
            variant=variants.Variant(metric=name),
        )
        for lane, description in enumerate(descriptions):
            assert_lane_equals_reference(
                *(state, reports, lane, description, data),
                metric_fn=reference_fn(name, units),
                **{"atol": 1e-8, "rtol": 0},
            )


@pytest.mark.optimized
@pytest.mark.parametrize("name", ["auc", "f1"])
def test_a_lane_of_nan_fails_alone(monkeypatch, name):
    monkeypatch.setattr(test_epochs, "NUM_CLASSES", 2)
    data = make_data()._replace(units=jnp.ones(2))
    found = []
    for rate in (0.01, float("nan")):
        lanes = [(8, 1, "tanh", "adam", rate, 0.0, 0.0) for rate in (0.01, rate)]
        state, reports = train_lanes(
            make_lanes(lanes),
            data,
            **{"width": 8, "depth": 1, "num_epochs": 2},
            variant=variants.Variant(metric=name),
        )
        leaves = jax.tree.leaves((state, reports))
        found.append([np.asarray(leaf[0]) for leaf in leaves])
    jax.tree.map(np.testing.assert_array_equal, *found)
    assert reports[0].is_active.tolist() == [True, False]
    assert not reports[1].is_best[1] and state.best_metric[1] == -np.inf


def test_lanes_stop_by_their_metric_and_of_equals_by_the_loss():
    rule = stopping.StoppingRule(jnp.array(2), jnp.array(50), jnp.array(False))
    state = test_epochs.lane_of_one_weight()._replace(best_metric=jnp.array([-jnp.inf]))
    curve = [(0.5, 3.0), (0.7, 4.0), (0.7, 2.0), (0.6, 1.0), (0.7, 2.0), (0.9, 1.0)]
    active, kept = [], []
    for epoch, (metric, loss) in enumerate(curve):
        state = state._replace(params={"w": jnp.array([[float(epoch)]])})
        measures = losses.Measures(jnp.array([loss]), jnp.array([metric]))
        state, report = stopping.apply_stopping_rule(
            state, rule, jnp.array(epoch), measures, measures
        )
        active.append(bool(report.is_active[0]))
        kept.append(float(state.kept_params["w"][0, 0]))
    assert active == [True, True, True, True, False, False]
    assert kept == [0, 1, 2, 2, 2, 2]


def test_what_is_judged_by_the_default_computes_no_metric():
    x, y = np.random.default_rng(0).normal(size=(60, 3)), np.arange(60) % 2
    dataset = vecevo.make_dataset(x, y)
    for name, metric in ((None, None), ("accuracy", None), ("f1", "f1")):
        resolved = settings.resolve({"metric": name}, dataset)
        expected = sessions.Expected([(8, 1)], sessions.variant_of(ONE))
        session = sessions.start_session(dataset, expected, resolved)
        session.setup.programs.close()
        assert session.variant.metric == metric
        assert (session.setup.data.units is None) == (metric is None)
        assert bool(session.job.kept_bytes) == (metric is not None)


ONE = {"activation": ["relu"], "optimizer": ["adam"]}
