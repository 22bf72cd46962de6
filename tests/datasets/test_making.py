"""Data sets: splits, scaling, files, and what is refused."""

import numpy as np
import pytest

import vecevo
from vecevo.datasets import loading, making


def make_arrays(num_train=100, num_test=20, num_classes=4, dtype=np.uint8):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (num_train + num_test, 3, 2)).astype(dtype)
    y = np.arange(num_train + num_test) % num_classes
    return {
        "x_train": x[:num_train],
        "y_train": y[:num_train],
        "x_test": x[num_train:],
        "y_test": y[num_train:],
    }


def test_digits_are_split_by_class_and_scaled():
    dataset = loading.load_dataset("digits")
    assert dataset.x_train.shape == (1150, 64) and dataset.num_classes == 10
    assert dataset.x_train.min() == 0 and dataset.x_train.max() == 1
    whole = np.bincount(np.concatenate([dataset.y_train, dataset.y_validation]))
    held_out = np.bincount(dataset.y_validation)
    assert (abs(held_out - whole / 5) <= 1).all()


def test_the_split_depends_on_the_seed_and_holds_every_example_once():
    arrays = make_arrays()
    arrays["x_train"] = np.arange(100, dtype=np.uint8)
    arrays["x_test"] = np.arange(20, dtype=np.uint8)
    first = making.make_dataset(**arrays, seed=0)
    together = np.concatenate([first.x_train, first.x_validation]).ravel()
    assert sorted(together) == list(range(100)) and len(first.x_validation) == 20
    second = making.make_dataset(**arrays, seed=1)
    assert (first.x_validation != second.x_validation).any()


def test_a_limit_takes_a_stratified_part():
    limited = making.make_dataset(**make_arrays(), limit_train=40)
    assert np.bincount(limited.y_train).tolist() == [10] * 4
    assert len(limited.y_validation) == 20
    with pytest.raises(ValueError, match="limit_train=81 must be from 1 to 80"):
        making.make_dataset(**make_arrays(), limit_train=81)


def test_the_articles_protocol_validates_on_the_test_part():
    dataset = making.make_dataset(**make_arrays(), is_article=True)
    assert len(dataset.x_train) == 100
    np.testing.assert_array_equal(dataset.x_validation, dataset.x_test)


def test_inputs_are_scaled_by_bytes_or_by_the_range_of_the_training_part():
    stays = making.make_dataset(**make_arrays())
    assert stays.x_train.dtype == np.uint8 and "255" in stays.scaling
    arrays = make_arrays(dtype=np.float64)
    arrays["x_train"] = arrays["x_train"] / 10 - 5
    scaled = making.make_dataset(**arrays)
    low, high = arrays["x_train"].min(), arrays["x_train"].max()
    expected = (arrays["x_test"].reshape(20, 6) - low) / (high - low)
    np.testing.assert_allclose(scaled.x_test, expected, rtol=1e-6)
    assert f"{low:g}" in scaled.scaling


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_train": np.zeros(100, int)}, "y_train holds one class"),
        (
            {"y_train": np.arange(100) / 2, "task": "classification"},
            "y_train has the label 0.5",
        ),
        ({"y_train": np.arange(100)}, "y_train has 1 example of the class 0"),
        ({"y_train": [[0, 2]] * 100}, "y_train is ndarray"),
        ({"y_train": [[0, 1]] * 100}, "y has a 1 and zeros in every example"),
        ({"y_train": [None, *"ab" * 49, "a"]}, "y_train has a missing label"),
        ({"y_train": [1, *"ab" * 49, "a"]}, "y_train has labels of several types"),
        ({"x_test": None}, "x_test and y_test come together"),
        ({"y_test": np.arange(19)}, "x_test has shape"),
        ({"x_train": np.full((100, 3, 2), np.nan)}, "x_train has NaN"),
        ({"y_test": np.full(20, 2**33)}, "y_test has the label 8589934592, which no"),
        ({"x_test": np.zeros((20, 7), np.uint8)}, "x_test has examples of shape"),
        ({"x_test": np.full((20, 3, 2), "a")}, "x_test is <U1"),
        ({"x_test": np.full((20, 3, 2), 0.5)}, "x_test is float64.*give bytes"),
        ({"x_train": np.full((100, 3, 2), "a")}, "x_train is of type"),
        ({"x_train": np.full((100, 3, 2), 1j)}, "x_train is of type"),
        ({"x_train": [[1], [2, 3]]}, "x_train=.* is no array"),
        ({"x_train": 3}, "x_train is"),
        ({"inputs": "log"}, "inputs='log' must be one of auto"),
        ({"seed": -1}, "seed=-1"),
        ({"x_train": np.zeros((0, 3, 2)), "y_train": np.zeros(0, int)}, "x_train"),
    ],
)
def test_arrays_that_cannot_be_learned_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        making.make_dataset(**(make_arrays() | changes))


def test_a_missing_test_part_is_split_off_by_class_and_seed():
    x, y = np.arange(100.0), np.array(["a", "b"])[np.arange(100) % 2]
    parts = [vecevo.make_dataset(x, y, seed=seed) for seed in (0, 0, 1)]
    first, again, other = parts
    assert len(first.x_test) == 20 and "20 examples" in first.notes[0]
    np.testing.assert_array_equal(first.raw_x_test, again.raw_x_test)
    assert (first.raw_x_test != other.raw_x_test).any()
    assert sorted(first.raw_y_test) == ["a"] * 10 + ["b"] * 10
    raw = first.inputs.shift + first.inputs.scale * np.concatenate(
        [first.x_train, first.x_validation, first.x_test]
    )
    np.testing.assert_allclose(np.sort(raw.ravel()), x, atol=1e-4)


def test_a_data_set_says_what_it_holds():
    text = str(making.make_dataset(**make_arrays()))
    assert "80 examples to train on, 20 to validate, 20 to test; 6 features" in text
    assert "bytes / 255" in text and "4 classes: 0 (20), 1 (20), 2 (20)" in text
    assert "only 20 examples to validate with" in text
