"""Weights and metrics, as scikit-learn's users give them."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

import vecevo
from tests.integrations.test_sklearn import ONE, make_classifier
from vecevo.integrations.sklearn import VecevoRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
Y = np.where(X[:, 0] + RNG.normal(size=400) > 2, "rare", "common")


def fit_and_score(sample_weight=None, **settings):
    classifier = make_classifier(
        num_generations=1, ensemble=0, metric="balanced_accuracy", **settings
    )
    classifier.fit(X, Y, sample_weight)
    return balanced_accuracy_score(Y, classifier.predict(X))


def test_classes_and_examples_may_weigh_more():
    plain = fit_and_score()
    assert fit_and_score(class_weight="balanced") > plain + 0.1
    assert fit_and_score(class_weight={"rare": 20}) > plain + 0.1
    assert fit_and_score(np.where(Y == "rare", 20, 1)) > plain + 0.1
    assert fit_and_score(np.ones(400)) == pytest.approx(plain, abs=0.02)


def test_a_regressor_takes_weights_and_a_metric():
    weights = (X[:, 0] > 0).astype(float)
    y = np.where(X[:, 0] > 0, X[:, 1], 10.0)
    settings = {"max_epochs": 20, "random_state": 0, "num_generations": 1}
    regressor = VecevoRegressor(ONE, metric="rmse", **settings, ensemble=0)
    said = regressor.fit(X, y, sample_weight=weights).predict(X)
    assert np.abs(said - y)[weights > 0].mean() < 1
    assert np.abs(said - y)[weights == 0].mean() > 5
    assert regressor.result_.top[0][1].validation_accuracy < -1
    score = regressor.network_.score(X, y)
    assert regressor.score(X, y) == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "weights", "words"),
    [
        ({"metric": "r2"}, None, "metric='r2' has no say in classification"),
        ({"class_weight": "even"}, None, "class_weight='even' must be none, balanced"),
        ({}, np.ones(3), r"sample_weight=ndarray float64\[3\] must be a number for"),
        ({}, -np.ones(400), "sample_weight has -1.0 for example 0"),
    ],
)
def test_what_is_none_is_refused(settings, weights, words):
    with pytest.raises(vecevo.InputError, match=words):
        make_classifier(**settings).fit(X, Y, sample_weight=weights)
