"""Metrics of networks and data sets, as users ask for them."""

import numpy as np
import pytest
import sklearn.metrics

import vecevo
from tests.training.lanes.test_metrics import BY_LABELS
from vecevo import predict
from vecevo.networks.ensembles import Ensemble
from vecevo.training import settings

NETWORK = {"depth": 1, "width": 8, "activation": "tanh", "optimizer": "adam"}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 4))
LABELS = np.array(["no", "yes"])[(X[:, 0] + RNG.normal(size=240) > 1).astype(int)]
NUMBERS = np.stack([1e4 * X[:, 0] + X[:, 1], X[:, 2] ** 2], axis=1)


@pytest.fixture(scope="module")
def of_classes():
    return vecevo.make_dataset(X, LABELS)


@pytest.mark.parametrize("metric", ["balanced_accuracy", "log_loss", "auc", "f1"])
def test_a_network_is_scored_as_it_was_judged(of_classes, metric):
    how = {"max_epochs": 3, "metric": metric}
    (result,) = vecevo.train_networks([NETWORK], of_classes, **how)
    network, x, y = result.network, of_classes.raw_x_test, of_classes.raw_y_test
    said = network.predict_proba(x)
    expected = {
        "log_loss": lambda: -sklearn.metrics.log_loss(y, said),
        "auc": lambda: sklearn.metrics.roc_auc_score(y, said[:, 1]),
        **{n: lambda fn=fn: fn(y, network.predict(x)) for n, fn in BY_LABELS.items()},
    }[metric]()
    assert network.score(x, y, metric=metric) == pytest.approx(expected, abs=1e-5)
    voting = Ensemble((network,), (1,))
    assert voting.score(x, y, metric=metric) == pytest.approx(expected, abs=1e-5)
    assert network.score(x, y) == np.mean(network.predict(x) == y)
    assert result.validation_accuracy == max(result.curves["validation_accuracy"])
    assert "metric" in network.facts
    validated = settings.resolve(how, of_classes)
    assert validated.metric == metric


def test_numbers_are_scored_by_rmse_in_their_units():
    dataset = vecevo.make_dataset(X, NUMBERS)
    how = {"max_epochs": 3, "metric": "rmse"}
    (result,) = vecevo.train_networks([NETWORK], dataset, **how)
    x, y = dataset.raw_x_test, dataset.raw_y_test
    expected = sklearn.metrics.root_mean_squared_error(y, result.network.predict(x))
    found = result.network.score(x, y, metric="rmse")
    assert found == pytest.approx(-expected, rel=1e-5)
    assert -1e4 < result.validation_accuracy < -1e3


@pytest.mark.parametrize(
    ("x", "y", "metric", "words"),
    [
        (X, LABELS, "roc", "metric='roc' must be one of accuracy, balanced_accuracy"),
        (X, LABELS, 3, "metric=3 must be one of accuracy"),
        (X, LABELS, "r2", "metric='r2' has no say in classification: give one of acc"),
        (X, NUMBERS, "auc", "metric='auc' has no say in regression: give one of r2, r"),
        (X, X[:, 0].round().astype(str), "auc", "is of two classes, and there are"),
        (X, NUMBERS * 1e-9, "rmse", "deviations from 0.01 to 1e.06, and one is .*e-"),
    ],
)
def test_a_metric_that_is_none_here_is_refused(x, y, metric, words):
    keep = np.isin(y, ["-1.0", "0.0", "1.0"]) if y.ndim == 1 and y[0] != "no" else ...
    dataset = vecevo.make_dataset(x[keep], y[keep])
    with pytest.raises(vecevo.InputError, match=words) as caught:
        vecevo.train_networks([NETWORK], dataset, metric=metric)
    assert "\n" not in str(caught.value)


def test_an_auc_needs_both_classes(of_classes):
    one = of_classes._replace(y_test=np.zeros_like(of_classes.y_test))
    with pytest.raises(vecevo.InputError, match="the test part has no 'yes'"):
        vecevo.train_networks([NETWORK], one, metric="auc")
    (result,) = vecevo.train_networks([NETWORK], of_classes, max_epochs=1)
    with pytest.raises(vecevo.InputError, match="no value where y holds one class"):
        result.network.score(X[:2], ["no", "no"], metric="auc")
    with pytest.raises(vecevo.InputError, match="metric='rmse' has no say in class"):
        result.network.score(X[:2], ["no", "no"], metric="rmse")


def test_predictions_are_told_by_the_metric_of_the_run(of_classes):
    how = {"max_epochs": 3, "metric": "auc"}
    (result,) = vecevo.train_networks([NETWORK], of_classes, **how)
    network, x, y = result.network, of_classes.raw_x_test, of_classes.raw_y_test
    said = network.predict_proba(x)
    found = network.score(x, y, metric="auc"), network.score(x, y)
    lines = predict.score_lines(said, y, network)
    assert lines == [f"AUC: {found[0]:.4f}", f"accuracy: {found[1]:.4f}"]
    one = y == "no"
    (line, _) = predict.score_lines(said[one], y[one], network)
    assert line == "AUC: none, as all answers are of one class"


def test_predicted_numbers_are_told_by_the_metric_of_the_run():
    numbers = vecevo.make_dataset(X, NUMBERS)
    how = {"max_epochs": 3, "metric": "rmse"}
    (result,) = vecevo.train_networks([NETWORK], numbers, **how)
    said = result.network.predict(X)
    lines = predict.score_lines(said, NUMBERS, result.network)
    found = result.network.score(X, NUMBERS, metric="rmse")
    assert float(lines[0].removeprefix("negative RMSE: ")) == pytest.approx(found)
    assert [line[:4] for line in lines[1:]] == ["R2: ", "RMSE"]
