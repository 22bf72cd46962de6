"""Labels of any kind become places among classes, and come back."""

import numpy as np
import pandas
import pytest

import vecevo
from vecevo.datasets import labels

X = np.random.default_rng(0).random((40, 2))


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["b", "a"] * 20, ("a", "b")),
        (np.array(["b", "a"] * 20), ("a", "b")),
        (np.array([b"b", b"a"] * 20), ("a", "b")),
        ([7, -3, 7, 100] * 10, (-3, 7, 100)),
        (np.array([1.0, 2.0] * 20), (1, 2)),
        ([True, False] * 20, (False, True)),
        (pandas.Series(["x", "y"] * 20, index=range(40, 80)), ("x", "y")),
        (
            pandas.Series(["low", "high"] * 20).astype(
                pandas.CategoricalDtype(["low", "middle", "high"])
            ),
            ("low", "high"),
        ),
        (np.array([[5], [6]] * 20), (5, 6)),
        (pandas.Categorical(["y", "x"] * 20, categories=["y", "x"]), ("y", "x")),
        (pandas.DataFrame({"cat": ["x", "y"] * 20}), ("x", "y")),
    ],
)
def test_labels_are_anything(y, classes):
    dataset = vecevo.make_dataset(X, y, seed=3)
    assert dataset.classes == classes
    assert [type(label) for label in dataset.classes] == [type(c) for c in classes]
    given = [v.decode() if isinstance(v, bytes) else v for v in np.ravel(y).tolist()]
    rows = [np.flatnonzero((x == X).all(1))[0] for x in dataset.raw_x_test]
    assert dataset.raw_y_test.tolist() == [given[row] for row in rows]
    assert [classes[place] for place in dataset.y_test] == dataset.raw_y_test.tolist()


def test_a_test_label_that_was_never_trained_on_is_named():
    with pytest.raises(vecevo.InputError, match="y_test has the label 'c', which no"):
        vecevo.make_dataset(X, ["a", "b"] * 20, X[:3], ["a", "c", "b"])


def test_dates_are_no_labels():
    dates = pandas.to_datetime(["2026-01-01", "2026-01-02"] * 20)
    with pytest.raises(vecevo.InputError, match="y_train is ndarray datetime64"):
        vecevo.make_dataset(X, pandas.Series(dates))


@pytest.mark.parametrize(("num", "has_test"), [(1, True), (2, False)])
def test_a_class_needs_an_example_for_each_part(num, has_test):
    y = ["rare"] * num + ["a", "b"] * 19 + ["a", "b"][: 2 - num]
    rest = (X[:3], ["a", "b", "a"]) if has_test else ()
    with pytest.raises(
        vecevo.InputError, match=f"has {num} example.*'rare'.*{num + 1}"
    ):
        vecevo.make_dataset(X[: len(y)], y, *rest)
    y[num] = "rare"
    vecevo.make_dataset(X[: len(y)], y, *rest)


def test_a_limit_that_loses_a_class_is_named():
    y = ["rare"] * 4 + ["a", "b"] * 18
    with pytest.raises(vecevo.InputError, match=r"limit_train=5 leaves no.*'rare'"):
        vecevo.make_dataset(X, y, limit_train=5)


def test_examples_of_each_class_are_told():
    classes = tuple(range(12))
    line = labels.count_line(np.repeat(np.arange(12), np.arange(12) + 1), classes)
    assert line == "12 classes, 1 to 12 examples each"
    assert labels.count_line(np.array([0, 1, 1]), ("a", "b")) == (
        "2 classes: a (1), b (2)"
    )


@pytest.mark.parametrize(
    ("y", "is_asked"),
    [
        ([*range(20), *range(20)], True),
        ([f"n{i}" for i in [*range(20), *range(20)]], False),
        ([0, *[1, 2, 3] * 13], False),  # few classes
    ],
)
def test_many_rare_numbers_may_be_no_classes(y, is_asked):
    with pytest.raises(vecevo.InputError, match="give 3 or more of each") as caught:
        vecevo.make_dataset(X, y)
    assert ("Is it a number to predict?" in str(caught.value)) == is_asked
