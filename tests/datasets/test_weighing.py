"""Weights of examples and classes, as they are given."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.class_weight import compute_class_weight

import vecevo
from vecevo.datasets import fingerprints, weighing
from vecevo.training import settings

X = np.random.default_rng(0).random((100, 3))
Y = np.array(["a", "b", "c"])[np.arange(100) % 10 // 4]


@pytest.mark.parametrize("changes", [{}, {"limit_train": 20}, {"is_article": True}])
@pytest.mark.parametrize("y", [Y, X[:, 1]])
def test_weights_stay_with_their_examples(y, changes):
    how = {"inputs": "as-given", **changes}
    dataset = vecevo.make_dataset(X, y, sample_weight=5 * X[:, 0], **how)
    weights = dataset.sample_weight
    assert weights.dtype == np.float32
    assert weights.mean() == pytest.approx(1, abs=1e-6)
    expected = dataset.x_train[:, 0] / dataset.x_train[:, 0].mean()
    np.testing.assert_allclose(weights, expected, rtol=1e-5)
    assert "weights of examples: " in str(dataset)
    plain = vecevo.make_dataset(X, y, **how)
    assert plain.sample_weight is None and "weights" not in str(plain)
    np.testing.assert_array_equal(plain.x_train, dataset.x_train)
    assert fingerprints.fingerprint(plain) != fingerprints.fingerprint(dataset)


def test_balanced_weights_are_those_of_scikit_learn():
    dataset = vecevo.make_dataset(X, Y)
    y, classes = dataset.y_train, dataset.classes
    found = weighing.class_weights("balanced", y, classes)
    expected = compute_class_weight("balanced", classes=np.unique(y), y=y)
    np.testing.assert_allclose(found, expected)
    own = np.linspace(1, 2, len(y)).astype(np.float32)
    weighed = weighing.weigh(own, "balanced", y, classes)
    np.testing.assert_allclose(weighed, (e := expected[y] * own) / e.mean(), rtol=1e-5)
    by_label = weighing.weigh(None, {"b": 3}, y, classes)
    np.testing.assert_allclose(by_label, (e := np.where(y == 1, 3, 1)) / e.mean())
    assert weighing.weigh(own, "none", y, classes) is own
    most = weighing.weigh(10 * own, {"b": 1e308}, y, classes)
    assert np.isfinite(most).all() and most.mean() == pytest.approx(1)
    huge = weighing.normalize(np.array([1e308, 1e308, 0]))
    np.testing.assert_allclose(huge, [1.5, 1.5, 0])


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(99), r"sample_weight=ndarray float64\[99\] must be a number for each"),
        (np.ones((100, 1)), "must be a number for each of the 100 examples"),
        (["x"] * 100, "must be a number for each of the 100 examples"),
        ([1] * 99 + [-1], "sample_weight has -1.0 for example 99: give finite"),
        ([np.nan] + [1] * 99, "sample_weight has nan for example 0"),
        (np.zeros(100), "sample_weight is zero for all examples to train"),
        (np.ma.masked_less(np.ones(100), 2), "sample_weight has nan for example 0"),
        (pd.date_range("2020", periods=100), "must be a number for each of the 100"),
    ],
)
def test_weights_that_are_none_are_refused(weights, words):
    with pytest.raises(vecevo.InputError, match=words) as caught:
        vecevo.make_dataset(X, Y, sample_weight=weights)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("y", "weight", "words"),
    [
        (Y, "even", "class_weight='even' must be none, balanced, or a dict by label"),
        (Y, [1, 2, 3], r"class_weight=\[1, 2, 3\] must be none, balanced, or a dict"),
        (Y, {"d": 1}, "has the label 'd', which no example has: leave it out"),
        (Y, {"a": 0}, "has 0 for 'a': give a finite number above 0"),
        (X[:, 0], "balanced", "class_weight='balanced' has no say in regression"),
    ],
)
def test_weights_of_classes_that_are_none_are_refused(y, weight, words):
    with pytest.raises(vecevo.InputError, match=words) as caught:
        settings.resolve({"class_weight": weight}, vecevo.make_dataset(X, y))
    assert "\n" not in str(caught.value)


def test_a_column_of_a_table_says_what_examples_weigh(tmp_path):
    frame = pd.DataFrame(X, columns=["one", "two", "three"])
    path = tmp_path / "my.csv"
    frame.assign(label=Y).to_csv(path, index=False)
    dataset = vecevo.load_dataset(path, weight="one", inputs="as-given")
    assert dataset.inputs.columns == ("two", "three")
    rows = [np.flatnonzero(frame["two"] == two)[0] for two in dataset.raw_x_test["two"]]
    stay = np.setdiff1d(np.arange(100), rows)
    assert len(dataset.sample_weight) < len(stay)
    by_two = dict(zip(X[:, 1].astype(np.float32), X[:, 0], strict=True))
    expected = np.array([by_two[two] for two in dataset.x_train[:, 0]])
    np.testing.assert_allclose(
        dataset.sample_weight, expected / expected.mean(), rtol=1e-5
    )
    with pytest.raises(vecevo.InputError, match="weight='four' is no column of data"):
        vecevo.load_dataset(path, weight="four")
    with pytest.raises(vecevo.InputError, match="weight='w' has no say with dataset="):
        vecevo.load_dataset("digits", weight="w")
    with pytest.raises(vecevo.InputError, match="the column 'label' of weights="):
        vecevo.load_dataset(path, weight="label", target="two")
    with pytest.raises(vecevo.InputError, match="weight='two' is what target='two'"):
        vecevo.load_dataset(path, weight="two", target="two")
