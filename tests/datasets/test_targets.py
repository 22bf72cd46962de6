"""Numbers to be predicted are told from classes, and standardised."""

import numpy as np
import pandas
import pytest
from sklearn.metrics import r2_score

import vecevo
from vecevo.datasets import tables, targets

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = 1000 + 50 * RNG.normal(size=60)
WHOLE = np.arange(60)


@pytest.mark.parametrize(
    ("y", "names"),
    [
        (Y, ("target",)),
        (Y.tolist(), ("target",)),
        (Y[:, None], ("target",)),
        (pandas.Series(Y, name="price"), ("price",)),
        (pandas.Series(Y, name="price", dtype="Float64"), ("price",)),
        ([*WHOLE[:59], 0.5], ("target",)),
        (np.stack([Y, WHOLE], axis=1), ("target_0", "target_1")),
        (pandas.DataFrame({"a": Y, "b": WHOLE}), ("a", "b")),
        (np.array(Y, object), ("target",)),
    ],
)
def test_numbers_with_fractions_are_predicted(y, names):
    dataset = vecevo.make_dataset(X, y)
    assert dataset.targets.names == names
    assert dataset.task == "regression"
    assert (dataset.classes, dataset.num_outputs) == ((), len(names))


@pytest.mark.parametrize(
    "y",
    [
        WHOLE % 3,
        (WHOLE % 3).astype(float),
        (WHOLE % 2).astype(bool),
        np.array(["0.5", "1.5"] * 30),
        ["a", "b"] * 30,
        pandas.Series([0.5, 1.5] * 30).astype("category").astype(str),
        [True, False] * 30,
    ],
)
def test_all_else_are_classes(y):
    dataset = vecevo.make_dataset(X, y)
    assert dataset.targets is None and dataset.num_outputs == len(dataset.classes)
    assert dataset.task == "classification"


def test_whole_numbers_are_predicted_where_that_is_asked():
    dataset = vecevo.make_dataset(X, WHOLE % 3, task="regression")
    assert set(np.round(dataset.raw_y_test)) <= {0.0, 1.0, 2.0}
    several = np.stack([WHOLE % 3, WHOLE], axis=1)
    assert vecevo.make_dataset(X, several, task="regression").num_outputs == 2


def test_targets_are_standardised_by_the_part_trained_on():
    y = np.stack([Y, -Y / 7], axis=1)
    dataset = vecevo.make_dataset(X, y, seed=4)
    assert dataset.y_train.dtype == np.float32 and dataset.y_train.shape == (38, 2)
    np.testing.assert_allclose(dataset.y_train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(dataset.y_train.std(axis=0), 1, rtol=1e-6)
    assert len(dataset.y_validation) == 10 and len(dataset.y_test) == 12
    rows = [np.flatnonzero((x == X).all(axis=1))[0] for x in dataset.raw_x_test]
    np.testing.assert_allclose(dataset.raw_y_test, y[rows], rtol=1e-6)
    restored = targets.restore(dataset.targets, dataset.y_train)
    np.testing.assert_allclose(restored.mean(axis=0), dataset.targets.mean, rtol=1e-6)
    limited = vecevo.make_dataset(X, y, seed=4, limit_train=20)
    np.testing.assert_allclose(limited.y_train.std(axis=0), 1, rtol=1e-6)


def test_a_test_part_of_its_own_is_taken():
    dataset = vecevo.make_dataset(X[:40], Y[:40], X[40:], Y[40:])
    np.testing.assert_allclose(dataset.raw_y_test, Y[40:], rtol=1e-6)
    assert "at random" not in str(dataset)
    assert "at random" in str(vecevo.make_dataset(X, Y))


def test_a_data_set_says_what_is_predicted():
    frame = pandas.DataFrame({f"t{i}": Y * (i + 1) for i in range(7)})
    lines = str(vecevo.make_dataset(X, frame)).splitlines()
    assert lines[2].startswith("regression: 7 targets: t0 (99")
    assert lines[2].endswith(" and 2 more")
    assert lines[-1].endswith("chosen by these alone")


def replaced(value):
    y = Y.copy()
    y[7] = value
    return y


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"y_train": replaced(np.nan)}, "'target' of nan in example 7: leave"),
        ({"y_train": replaced(np.inf)}, "'target' of inf in example 7: leave"),
        ({"y_train": Y[:50]}, "x_train has shape .* and y_train"),
        ({"y_train": np.full(60, 2.5)}, "'target' of 2.5 in all 38 examples"),
        (
            {"y_train": Y * 1e300, "task": "regression"},
            "'target' of a deviation that float64 cannot hold",
        ),
        ({"x_train": X[:3], "y_train": Y[:3]}, "has 3 examples: give 4 or more"),
        ({"y_train": ["a", "b"] * 30, "task": "regression"}, "has 'a' in example 0"),
        (
            {"y_train": pandas.Series([*map(str, Y[1:]), "?"]), "task": "regression"},
            r"has '\?' in example 59, which is no number",
        ),
        ({"y_train": [*map(str, Y[1:]), "?"]}, "Is it a number to predict"),
        ({"y_train": [True, False] * 30, "task": "regression"}, "give numbers to be"),
        ({"y_train": [None, *Y[1:]]}, "'target' of nan in example 0"),
        ({"y_train": [10**400, *Y[1:]]}, "'target' of inf in example 0"),
        ({"y_train": [*WHOLE[:59], 10**400], "task": "regression"}, "of inf in exam"),
        ({"y_train": np.ma.masked_equal(Y, Y[3])}, "'target' of nan in example 3"),
        (
            {"y_train": pandas.DataFrame([[0.5, 1.5]] * 60, columns=["a", "a"])},
            "two targets 'a': rename one",
        ),
        ({"task": "ranking"}, "task='ranking' must be one of auto, classification"),
        ({"task": "classification"}, "predicted with task='regression'"),
        ({"y_train": WHOLE}, "Is it a number to predict. Give task='regression'"),
        ({"y_train": np.stack([WHOLE] * 2, 1)}, "several numbers with task='regre"),
        ({"y_train": np.zeros((60, 2, 2)) + 0.5}, "one or several for each"),
        ({"x_test": X, "y_test": np.stack([Y, Y], 1)}, "2 targets and y_train 1"),
        ({"x_test": X, "y_test": Y[:5]}, "x_test has shape"),
    ],
)
def test_what_cannot_be_predicted_is_named(settings, words):
    with pytest.raises(vecevo.InputError, match=words) as caught:
        vecevo.make_dataset(**{"x_train": X, "y_train": Y, **settings})
    assert "\n" not in str(caught.value)


def test_tables_of_targets_have_the_same_columns():
    y, other = (pandas.DataFrame(dict.fromkeys(names, Y)) for names in ("ab", "ba"))
    with pytest.raises(vecevo.InputError, match="targets b, a and y_train a, b"):
        vecevo.make_dataset(X, y, X, other)


def test_r2_is_that_of_scikit_learn():
    right, said = RNG.normal(size=(2, 30, 3))
    said = right + 0.3 * said
    expected = r2_score(right, said)
    assert targets.r_squared(said, right) == pytest.approx(expected, abs=1e-12)
    # Where nothing varies the variance is 1, that of the part trained on.
    assert targets.r_squared(np.full((4, 1), 0.5), np.full((4, 1), 0.1)) == (
        pytest.approx(1 - 0.4**2)
    )


def test_errors_are_in_the_units_of_the_user():
    fitted = targets.Targets(("a", "b"), np.zeros(2), np.array([10.0, 3.0]))
    said, right = np.zeros((4, 2)), np.array([[1, 2], [-1, 2], [1, -2], [-1, -2]])
    assert targets.rmse(fitted, said, right) == [10, 6]


def test_several_columns_of_a_table_are_predicted(tmp_path):
    frame = pandas.DataFrame({"a": X[:, 0], "b,c": X[:, 1], "y": Y, "z": -Y})
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    dataset = vecevo.load_dataset(path, target="z,y")
    assert dataset.targets.names == ("z", "y") and dataset.x_train.shape[1] == 2
    assert "targets: the columns 'z', 'y', as asked" in dataset.notes
    assert vecevo.load_dataset(path, target="b,c").targets.names == ("b,c",)
    many = pandas.DataFrame({f"t{place}": Y for place in range(30)})
    split = tables.split_target(
        many.assign(a=0), ",".join(many), argument="dataset='many.csv'"
    )
    assert split[2].endswith("'t6', 't7' and 22 more, as asked")
    with pytest.raises(vecevo.InputError, match=r"\.\.\. \(str\) are all columns"):
        tables.split_target(many, ",".join(many), argument="dataset='many.csv'")
    with pytest.raises(vecevo.InputError, match="target='z,q' is no column"):
        vecevo.load_dataset(path, target="z,q")
    with pytest.raises(vecevo.InputError, match="are all columns"):
        frame[["y", "z"]].to_csv(path, index=False)
        vecevo.load_dataset(path, target="y,z")


def test_a_column_is_a_target_once(tmp_path):
    frame = pandas.DataFrame({"a": [0.5, 1.5] * 9, "b": range(18), "c": range(18)})
    frame.to_csv(tmp_path / "some.csv", index=False)
    with pytest.raises(vecevo.InputError, match="target='a,a' names a column twice"):
        vecevo.load_dataset(tmp_path / "some.csv", target="a,a")


def test_sets_of_scikit_learn_are_for_what_they_are():
    diabetes = vecevo.load_dataset("sklearn:diabetes")
    assert diabetes.task == "regression" and diabetes.num_outputs == 1
    assert vecevo.load_dataset("sklearn:linnerud").num_outputs == 3
    with pytest.raises(vecevo.InputError, match="task='regression'"):
        vecevo.load_dataset("sklearn:diabetes", task="classification")
