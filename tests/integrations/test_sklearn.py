"""A search is a classifier of scikit-learn's."""

import importlib
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import vecevo
from tests.integrations.checks import list_checks
from vecevo.integrations import sklearn as integration
from vecevo.integrations.sklearn import VecevoClassifier

ONE = vecevo.SearchSpace(
    {
        "depth": (1,),
        "width": (16,),
        "activation": ("relu",),
        "optimizer": ("adam",),
        "learning_rate": (0.01,),
    }
)
TWO = vecevo.SearchSpace({**dict(ONE.genes), "learning_rate": (0.01, 0.03)})


def make_classifier(space=ONE, **settings):
    settings = {"max_epochs": 10, "ensemble": 2, "random_state": 0, **settings}
    return VecevoClassifier(space, **settings)


def make_examples(num=60):
    x = np.random.default_rng(0).normal(size=(num, 3))
    y = np.array(["no", "yes"])[(x[:, 0] > 0).astype(int)]
    return x, y


@pytest.fixture(scope="module", name="fitted")
def get_fitted():
    return make_classifier(TWO).fit(*make_examples())


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # checks give what estimators may warn about
@pytest.mark.parametrize(("estimator", "check"), list_checks(make_classifier()))
def test_all_checks_of_scikit_learn_pass(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_it_learns_wine_in_a_pipeline():
    space = vecevo.SearchSpace({**dict(TWO.genes), "activation": ("relu", "tanh")})
    pipeline = make_pipeline(StandardScaler(), make_classifier(space, max_epochs=30))
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    x, y = load_wine(return_X_y=True)
    assert cross_val_score(pipeline, x, y, cv=folds).mean() > 0.93


def test_a_grid_of_settings_is_searched():
    grid = GridSearchCV(make_classifier(), {"max_epochs": [1, 10]}, cv=2)
    x, y = make_examples()
    grid.fit(x, y)
    assert grid.best_params_ == {"max_epochs": 10}
    assert grid.score(x, y) > 0.8


def test_what_was_found_is_there(fitted):
    x, y = make_examples()
    assert fitted.classes_.tolist() == ["no", "yes"]
    assert fitted.n_features_in_ == 3
    assert fitted.best_hyperparams_["width"] == 16
    assert fitted.result_.num_trained == 2
    assert fitted.network_.classes == ("no", "yes")
    assert fitted.score(x, y) > 0.8
    assert fitted.score(x, y) == np.mean(fitted.predict(x) == y)
    said = fitted.predict_proba(x)
    assert said.shape == (60, 2)
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)
    assert (said[:, 1] > 0.5).tolist() == (fitted.predict(x) == "yes").tolist()


def test_clones_and_copies_say_the_same(fitted):
    x, y = make_examples()
    said = fitted.predict_proba(x)
    again = clone(fitted).fit(x, y)
    np.testing.assert_array_equal(again.predict_proba(x), said)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(x), said)


@pytest.mark.parametrize(
    ("of_ensemble", "of_best", "is_taken"),
    [(0.9, 0.8, True), (0.8, 0.8, True), (0.7, 0.8, False), (np.nan, np.nan, False)],
)
def test_an_ensemble_predicts_where_it_was_no_worse(
    fitted, monkeypatch, of_ensemble, of_best, is_taken
):
    facts = {"held_out_accuracy": of_ensemble, "held_out_best": of_best}
    ensemble = fitted.result_.ensemble._replace(facts=facts)
    result = fitted.result_._replace(ensemble=ensemble)
    monkeypatch.setattr(integration, "search", lambda *args, **settings: result)
    x, y = make_examples()
    again = make_classifier(TWO).fit(x, y)
    assert again.ensemble_ is (ensemble if is_taken else None)
    chosen = ensemble if is_taken else result.best
    np.testing.assert_array_equal(again.predict_proba(x), chosen.predict_proba(x))


def test_without_an_ensemble_the_best_network_predicts():
    x, y = make_examples()
    classifier = make_classifier(ensemble=0).fit(x, y)
    assert classifier.ensemble_ is None
    assert classifier.predict(x).tolist() == classifier.network_.predict(x).tolist()


class Seen(Exception):
    """Ends a fit where its search begins."""


def look(monkeypatch, classifier, x, y):
    """Returns what a fit gives to its search: a data set, and settings."""
    seen = []

    def note(space, dataset, **settings):
        seen.append((space, dataset, settings))
        raise Seen

    monkeypatch.setattr(integration, "search", note)
    with pytest.raises(Seen):
        classifier.fit(x, y)
    return seen[0]


@pytest.mark.parametrize(("fraction", "num"), [(None, 12), (0.1, 6), (0.99, 58)])
def test_all_examples_are_trained_on_or_validate(monkeypatch, fraction, num):
    classifier = make_classifier(validation_fraction=fraction)
    x, y = make_examples()
    _, dataset, _ = look(monkeypatch, classifier, x, y)
    assert len(dataset.y_validation) == num
    assert len(dataset.y_train) == 60 - num
    assert dataset.x_test is dataset.x_validation and not dataset.is_article
    seen = np.concatenate([dataset.x_train, dataset.x_validation])
    assert len(np.unique(seen, axis=0)) == 60
    of_validation = np.concatenate([dataset.raw_x_test[:, 0] > 0])
    assert dataset.y_validation.tolist() == of_validation.astype(int).tolist()


def test_a_class_of_one_example_is_trained_on(monkeypatch):
    x, y = make_examples()
    y[7] = "odd"
    _, dataset, _ = look(monkeypatch, make_classifier(), x, y)
    assert dataset.classes == ("no", "odd", "yes")
    assert (dataset.y_train == 1).sum() == 1


def test_a_value_far_off_that_validates_is_no_mistake(monkeypatch):
    x, y = make_examples()
    x[:, 2] /= 1e9
    for row in range(60):
        far = x.copy()
        far[row, 2] = 1e6
        look(monkeypatch, make_classifier(), far, y)


def test_the_random_state_seeds_as_scikit_learn_has_it(monkeypatch):
    states = [5, np.random.RandomState(5), np.random.RandomState(6), None, None]
    x, y = make_examples()
    looks = [
        look(monkeypatch, make_classifier(random_state=state), x, y) for state in states
    ]
    seeds = [settings["seed"] for _, _, settings in looks]
    assert seeds[0] == seeds[1]
    assert len(set(seeds)) == 4


def test_settings_reach_the_search(monkeypatch):
    settings = {"strategy": "genetic", "population_size": 3, "num_generations": 2}
    settings |= {"max_seconds": 9.0, "max_epochs": 4, "ensemble": 1}
    x, y = make_examples()
    space, _, given = look(monkeypatch, VecevoClassifier(**settings), x, y)
    assert space == integration.SMALL_SPACE
    assert given.items() >= settings.items()


def test_tables_have_texts_and_gaps():
    x, y = make_examples()
    table = pd.DataFrame(x, columns=["a", "b", "c"])
    table["colour"] = np.where(y == "yes", "red", "blue")
    table.loc[::7, "b"] = np.nan
    table.loc[::9, "colour"] = None
    labels = pd.Series(y, dtype="category")
    classifier = make_classifier().fit(table, labels)
    assert classifier.feature_names_in_.tolist() == ["a", "b", "c", "colour"]
    assert classifier.score(table, labels) > 0.9
    assert classifier.score(table, labels) == np.mean(classifier.predict(table) == y)
    with pytest.raises(ValueError, match="names should match"):
        classifier.predict(table.rename(columns={"a": "z"}))


def test_arrays_have_texts_and_gaps():
    x, y = make_examples()
    mixed = np.concatenate([x.astype(object), y[:, None]], axis=1)
    mixed[3, 1] = np.nan
    assert make_classifier().fit(mixed, y).score(mixed, y) > 0.9


def test_images_are_learned():
    x = np.random.default_rng(0).integers(0, 99, (60, 4, 4), np.uint8)
    y = np.arange(60) % 3
    x[y == 1, 1:3] += 100
    x[y == 2, :2] += 150
    classifier = make_classifier(max_epochs=30).fit(x, y)
    assert classifier.network_.inputs.shape == (4, 4)
    assert classifier.score(x, y) > 0.9


def test_labels_come_back_as_they_were_given():
    x, _ = make_examples()
    for y in (x[:, 0] > 0, np.where(x[:, 0] > 0, 7.0, -1.0)):
        said = make_classifier().fit(x, y).predict(x)
        assert said.dtype == y.dtype
        assert np.mean(said == y) > 0.8


def test_nothing_is_predicted_before_a_fit():
    with pytest.raises(NotFittedError):
        make_classifier().predict(make_examples()[0])


def test_a_search_without_time_says_so():
    classifier = make_classifier(max_seconds=1e-9)
    with pytest.raises(ValueError, match="end before max_seconds stopped"):
        classifier.fit(*make_examples())
    with pytest.raises(NotFittedError):
        classifier.predict(make_examples()[0])


def test_other_features_are_refused(fitted):
    message = "X has 2 features, but VecevoClassifier is expecting 3 features as input"
    with pytest.raises(ValueError, match=message):
        fitted.predict(make_examples()[0][:, :2])


X, Y = make_examples()


@pytest.mark.parametrize(
    ("settings", "x", "y", "message"),
    [
        ({}, X, np.full(60, "no"), "y holds one class, 'no'"),
        ({}, X, Y[:50], "X has 60 examples and y 50 labels"),
        ({}, X, None, "requires y to be passed"),
        ({}, X, X[:, 0], "continuous"),
        ({}, X, np.array([1, "a"] * 30, object), "Unknown label type"),
        ({}, X, np.where(X[:, 0] > 0, np.nan, 1), "y contains NaN"),
        ({}, X, np.where(X[:, 0] > 0, None, "a"), "Unknown label type"),
        ({}, X[:2], np.array([0, 1]), "2 samples of 2 classes"),
        ({}, X[:, 0], Y, "Reshape your data"),
        ({}, np.where(X > 2, np.inf, X), Y, "infinity"),
        ({"validation_fraction": 1}, X, Y, "validation_fraction=1 must"),
        ({"validation_fraction": "all"}, X, Y, "validation_fraction='all' must"),
        ({"space": {"depth": (1,)}}, X, Y, "is no search space"),
        ({"inputs": "log"}, X, Y, "inputs='log' must"),
        ({"max_epochs": 0}, X, Y, "max_epochs=0 must"),
        ({"ensemble": -1}, X, Y, "ensemble=-1 must"),
        ({"max_seconds": 0}, X, Y, "max_seconds=0 must"),
    ],
)
def test_mistakes_are_refused(settings, x, y, message):
    with pytest.raises(ValueError, match=message):
        make_classifier(**settings).fit(x, y)


def test_a_lack_of_scikit_learn_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, integration.__name__)
    monkeypatch.setattr(sys.modules["vecevo.integrations"], "sklearn", integration)
    with pytest.raises(vecevo.InputError, match=r"pip install 'vecevo\[sklearn\]'"):
        importlib.import_module(integration.__name__)
