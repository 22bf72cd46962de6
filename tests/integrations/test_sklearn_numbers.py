"""A search is a regressor of scikit-learn's."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.integrations.checks import list_checks
from tests.integrations.test_sklearn import ONE, look
from vecevo.integrations.sklearn import VecevoRegressor

X = np.random.default_rng(0).normal(size=(60, 3))
Y = 1e4 + 300 * (X @ [1.0, -2, 0.5])


def make_regressor(space=ONE, **settings):
    settings = {"max_epochs": 20, "ensemble": 2, "random_state": 0, **settings}
    return VecevoRegressor(space, **settings)


@pytest.fixture(scope="module", name="fitted")
def get_fitted():
    return make_regressor(max_epochs=40).fit(X, Y)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # checks give what estimators may warn about
@pytest.mark.parametrize(("estimator", "check"), list_checks(make_regressor()))
def test_all_checks_of_scikit_learn_pass(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_it_learns_diabetes_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), make_regressor())
    folds = KFold(3, shuffle=True, random_state=0)
    scores = cross_val_score(pipeline, *load_diabetes(return_X_y=True), cv=folds)
    assert scores.mean() > 0.4


def test_numbers_are_predicted_in_their_unit(fitted):
    said = fitted.predict(X)
    assert said.shape == (60,) and said.dtype == np.float64
    assert fitted.score(X, Y) > 0.9
    assert fitted.network_.targets.names == ("target",)
    assert fitted.result_.top[0][1].test_accuracy > 0.5
    assert not hasattr(fitted, "predict_proba")


def test_clones_and_copies_say_the_same(fitted):
    again = clone(fitted).fit(X, Y)
    copy = pickle.loads(pickle.dumps(fitted))
    for one in (again, copy):
        np.testing.assert_array_equal(one.predict(X), fitted.predict(X))


def test_several_numbers_and_tables_are_learned():
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame.loc[::7, "b"] = np.nan
    several = np.stack([Y, -Y / 9], axis=1)
    regressor = make_regressor(max_epochs=40).fit(frame, several)
    assert regressor.predict(frame).shape == (60, 2)
    assert regressor.score(frame, several) > 0.6


def test_a_grid_of_settings_is_searched():
    grid = GridSearchCV(make_regressor(), {"max_epochs": [1, 20]}, cv=2).fit(X, Y)
    assert grid.best_params_ == {"max_epochs": 20}


def test_all_examples_are_trained_on_or_validate(monkeypatch):
    regressor = make_regressor(validation_fraction=0.1)
    _, dataset, settings = look(monkeypatch, regressor, X, Y)
    assert len(dataset.y_train) == 54 and len(dataset.y_validation) == 6
    assert dataset.task == "regression" and not dataset.is_article
    np.testing.assert_allclose(
        dataset.raw_y_test, 1e4 + 300 * (dataset.raw_x_test @ [1.0, -2, 0.5])
    )
    assert settings["confirm"] == 0


def test_whole_numbers_are_numbers(monkeypatch):
    whole = np.arange(60) % 3
    _, dataset, _ = look(monkeypatch, make_regressor(), X, whole)
    assert dataset.task == "regression"


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (X, Y[:50], "X has 60 examples and y 50 labels"),
        (X, None, "VecevoRegressor requires y to be passed"),
        (X, np.where(Y > 1e4, np.nan, Y), "y contains NaN"),
        (X, np.full(60, 2.5), "y has a target of one value"),
        (X, ["a"] * 60, "dtype='numeric' is not compatible"),
        (X[:2], Y[:2], "y has 2 samples: give 3 or more"),
    ],
)
def test_mistakes_are_refused(x, y, words):
    with pytest.raises(ValueError, match=words):
        make_regressor().fit(x, y)
