"""Inputs are scaled by what they are, and the same everywhere."""

import jax.numpy as jnp
import numpy as np
import pandas
import pytest
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

import vecevo
from vecevo.datasets.fitting import fit_inputs
from vecevo.datasets.inputs import apply_inputs

RNG = np.random.default_rng(0)
TABLE = RNG.normal([0, 1000, -5], [1, 300, 0.01], (200, 3))


def fit(x, scaling="auto"):
    return fit_inputs(x, scaling, argument="x_train")


def test_tables_are_standardised_column_by_column():
    fitted = fit(TABLE[:100])
    assert fitted.words == "each column to mean 0 and deviation 1"
    expected = StandardScaler().fit(TABLE[:100]).transform(TABLE)
    np.testing.assert_allclose(apply_inputs(fitted, TABLE), expected, rtol=1e-5)
    assert apply_inputs(fitted, TABLE).dtype == np.float32


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (RNG.random((50, 3)), "as given"),
        (StandardScaler().fit_transform(TABLE)[:100], "as given"),
        (np.arange(50) % 2, "as given"),
        (TABLE, "each column to mean 0"),
        (RNG.integers(0, 256, (50, 4, 4), np.uint8), "bytes / 255"),
        (RNG.integers(0, 256, (50, 16), np.uint8), "bytes / 255"),
        (RNG.integers(0, 2, (50, 4, 4), np.uint8), "as given, in"),
        (RNG.integers(0, 17, (50, 4, 4)), "(x - 0) / 16, the range"),
        (RNG.random((50, 4, 4, 3)), "as given, from"),
        (RNG.normal(size=(50, 4, 4)), "as given, from"),
        (RNG.normal(100, 5, (50, 4, 4)), "the range"),
    ],
)
def test_the_transformation_is_chosen_by_what_the_inputs_are(x, words):
    fitted = fit(x)
    assert words in fitted.words
    applied = apply_inputs(fitted, x).reshape(len(x), -1)
    assert fitted.num_features == applied.shape[1]
    if "as given" in words:
        np.testing.assert_array_equal(applied, x.reshape(len(x), -1).astype(np.float32))
    elif "range" in words:
        assert (applied.min(), applied.max()) == (0, 1)


@pytest.mark.parametrize("shape", [(200, 3), (50, 4, 3)])
def test_what_is_asked_for_is_done(shape):
    x = np.resize(TABLE, shape)
    flat = x.reshape(len(x), -1)
    for scaling, scaler in (("standardize", StandardScaler), ("unit", MinMaxScaler)):
        expected = scaler().fit_transform(flat)
        if scaling == "unit" and x.ndim > 2:  # one range
            expected = (flat - flat.min()) / (flat.max() - flat.min())
        applied = apply_inputs(fit(x, scaling), x)
        np.testing.assert_allclose(applied, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(
        apply_inputs(fit(x, "as-given"), x), flat.astype(np.float32)
    )
    image = RNG.integers(0, 256, (50, 2, 2), np.uint8)
    given = apply_inputs(fit(image, "as-given"), image)
    np.testing.assert_array_equal(given, image.reshape(50, 4).astype(np.float32))


def test_constant_columns_are_named_and_dropped():
    frame = pandas.DataFrame(TABLE, columns=["a", "b", "c"])
    frame.insert(1, "always", 1e9)
    frame["id"] = [f"row {i}" for i in range(200)]
    fitted = fit(frame)
    assert "dropped, as they say nothing: columns 'always', 'id'" in fitted.words
    np.testing.assert_allclose(
        apply_inputs(fitted, frame), StandardScaler().fit_transform(TABLE), rtol=1e-5
    )
    rounded = np.column_stack([TABLE[:, 1], np.full(200, 0.1) + 1e-17])
    assert "column 1" in fit(rounded).words


def test_a_constant_column_is_dropped_beside_standardised_ones():
    standard = StandardScaler().fit_transform(TABLE)
    x = np.column_stack([standard, np.full(200, 1e9)])
    fitted = fit(x)
    assert fitted.words == "as given; dropped, as they say nothing: column 3"
    np.testing.assert_array_equal(apply_inputs(fitted, x), standard.astype(np.float32))
    asked = apply_inputs(fit(x, "as-given"), x)
    assert asked.shape == (200, 4) and asked[0, 3] == 1e9


def test_a_column_of_one_value_says_where_it_is_missing():
    x = np.column_stack([TABLE[:, 1], np.where(np.arange(200) % 2, 1.0, np.nan)])
    applied = apply_inputs(fit(x), x)
    np.testing.assert_array_equal(applied[:, 2], np.arange(200) % 2 == 0)
    assert (applied[:, 1] == 0).all()


def test_what_never_varies_says_nothing():
    constant = pandas.DataFrame({"a": [1.0] * 60, "b": ["x"] * 60})
    for x in (np.ones((60, 3)), constant):
        with pytest.raises(vecevo.InputError, match="no column that varies"):
            fit(x)
    fitted = fit(constant.assign(c=TABLE[:60, 1]))
    assert "dropped, as they say nothing: columns 'a', 'b'" in fitted.words


def test_masked_values_are_missing():
    masked = np.ma.masked_array(TABLE, mask=TABLE > 1000)
    dataset = vecevo.make_dataset(masked, np.arange(200) % 2)
    filled = vecevo.make_dataset(
        np.where(TABLE > 1000, np.nan, TABLE), np.arange(200) % 2
    )
    np.testing.assert_array_equal(dataset.x_train, filled.x_train)
    assert "missing values" in dataset.scaling


def test_images_may_miss_nothing_anywhere():
    images = RNG.normal(100, 5, (50, 4, 4))
    fitted, broken = fit(images), images.copy()
    broken[7, 0, 0] = np.nan
    with pytest.raises(vecevo.InputError, match="x has NaN"):
        apply_inputs(fitted, broken)


def test_a_text_is_the_same_in_a_column_of_numbers():
    fitted = fit(pandas.DataFrame({"code": ["1", "2", "x"] * 5}))
    ones = [[1, 0, 0, 0], [0, 1, 0, 0]]
    for values in (["1", "2"], [1, 2], [1.0, 2.0]):
        applied = apply_inputs(fitted, pandas.DataFrame({"code": values}))
        np.testing.assert_array_equal(applied, ones)


def test_arrays_of_other_kinds_are_refused():
    fitted = fit(TABLE)
    for bad, words in (
        (TABLE.astype(complex), "x is of type complex128"),
        (np.full((2, 3), "2026-01-01", "datetime64[D]"), "x is of type datetime64"),
        (np.full((2, 3), "much"), "holds texts"),
    ):
        with pytest.raises(vecevo.InputError, match=words):
            apply_inputs(fitted, bad)


def test_missing_values_are_the_median_and_an_indicator():
    x = TABLE.copy()
    x[::4, 1] = np.nan
    fitted = fit(x)
    assert "of column 1" in fitted.words
    applied = apply_inputs(fitted, x)
    assert applied.shape == (200, 4)
    np.testing.assert_array_equal(applied[:, 3], np.isnan(x[:, 1]))
    there = x[~np.isnan(x[:, 1]), 1]
    expected = (np.median(there) - there.mean()) / there.std()
    np.testing.assert_allclose(applied[::4, 1], expected, rtol=1e-5)
    # What is missing in another part alone is filled too.
    other = TABLE.copy()
    other[0, 0] = np.nan
    assert np.isfinite(apply_inputs(fitted, other)).all()


def test_texts_are_one_hot_with_a_choice_for_others():
    colours = np.array(["red", "blue", "red", "green", "blue", None] * 20, object)
    frame = pandas.DataFrame({"x": TABLE[:120, 0], "colour": colours})
    frame.loc[3, "colour"] = "seen once"
    fitted = fit(frame)
    assert "one-hot with an 'other' choice: column 'colour'" in fitted.words
    choices = ["blue", "green", "red"]
    assert fitted.categories == ((1, tuple(choices)),)
    encoder = OneHotEncoder(categories=[choices], handle_unknown="ignore")
    expected = encoder.fit(np.array(choices)[:, None]).transform(
        frame[["colour"]].fillna("").to_numpy()
    )
    applied = apply_inputs(fitted, frame)
    np.testing.assert_array_equal(applied[:, 1:4], expected.toarray())
    np.testing.assert_array_equal(applied[:, 4], 1 - expected.toarray().sum(1))
    never_seen = pandas.DataFrame({"colour": ["mauve"], "more": [1], "x": [0.0]})
    assert apply_inputs(fitted, never_seen)[0, 1:].tolist() == [0, 0, 0, 1]


def test_columns_of_every_kind_of_pandas_are_read():
    frame = pandas.DataFrame(
        {
            "whole": pandas.array([1, 2, None, 4] * 5, "Int64"),
            "truth": [True, False] * 10,
            "kind": pandas.Categorical(["a", "b"] * 10),
            "text": pandas.array(["1", "2", None, "3"] * 5, "string"),
        }
    )
    applied = apply_inputs(fit(frame), frame)
    assert applied.shape == (20, 3 + 2 + 3)  # two indicators; a, b and other
    np.testing.assert_array_equal(applied[:, 3], np.arange(20) % 4 == 2)
    dates = pandas.DataFrame({"when": pandas.date_range("2026-01-01", periods=9)})
    with pytest.raises(vecevo.InputError, match="column 'when' of datetime"):
        vecevo.make_dataset(dates, [0, 1, 0] * 3)
    many = [str(i) for i in range(99)] + ["12a"]
    with pytest.raises(vecevo.InputError, match="'age' holds numbers, but also '12a'"):
        fit(pandas.DataFrame({"age": many}))


def test_what_is_applied_must_have_the_shape_and_kind_of_what_was_trained_on():
    frame = pandas.DataFrame(TABLE, columns=["a", "b", "c"])
    fitted = fit(frame)
    shuffled = frame[["c", "b", "a"]].assign(more=1)
    np.testing.assert_array_equal(
        apply_inputs(fitted, shuffled), apply_inputs(fitted, frame)
    )
    np.testing.assert_array_equal(
        apply_inputs(fitted, TABLE), apply_inputs(fitted, frame)
    )
    for bad, words in (
        (frame[["a", "c"]], "no column 'b'"),
        (TABLE[:, :2], "examples of shape"),
        (frame.assign(b="much"), "column 1 holds texts|column 'b' holds texts"),
        (np.full((2, 3), np.inf), "infinite value, in column 'a'"),
        (np.zeros((0, 3)), "give some examples"),
    ):
        with pytest.raises(vecevo.InputError, match=words):
            apply_inputs(fitted, bad)


def test_large_parts_are_transformed_in_pieces():
    x = np.resize(TABLE, (10_000, 3))
    fitted = fit(x)
    one_by_one = (x - fitted.shift) / fitted.scale
    np.testing.assert_array_equal(
        apply_inputs(fitted, x), one_by_one.astype(np.float32)
    )


def make(x_test, x_train=TABLE):
    y = np.arange(len(x_train)) % 2
    return vecevo.make_dataset(x_train, y, x_test, np.arange(len(x_test)) % 2)


def test_a_test_part_on_another_scale_is_refused():
    make(TABLE[:50] * 1.5)
    image = RNG.integers(0, 256, (100, 4, 4), np.uint8)
    cases = [
        (TABLE[:50] * 1000, TABLE, "deviations away|times as much"),
        (
            TABLE[:50] + np.array([0, 10**6, 0]),
            TABLE,
            "in column 1: give both in the same",
        ),
        (image[:50] / 255, image, "x_test is float64, and .* were bytes"),
        (image[:50], image / 255, "x_test is uint8, and .* were float"),
        (image[:50] / 255, image.astype(float), "0.00... times as much"),
        (image[:50] / 1.0, image / 255, "2.. times as much"),
    ]
    for x_test, x_train, words in cases:
        with pytest.raises(vecevo.InputError, match=words):
            make(x_test, x_train)


def test_columns_of_a_test_table_may_be_in_any_order():
    frame = pandas.DataFrame(TABLE, columns=["a", "b", "c"])
    y = np.arange(200) % 2
    dataset = vecevo.make_dataset(frame, y, frame[["c", "b", "a"]], y)
    same = vecevo.make_dataset(frame, y, frame, y)
    np.testing.assert_array_equal(dataset.x_test, same.x_test)


def test_a_part_that_was_split_off_is_on_no_other_scale():
    x = RNG.normal(size=(1000, 3))
    x[:, 1] = 0
    x[[1, 2, 3], 1] = 0.001, 0.002, 1e5
    for seed in range(12):
        dataset = vecevo.make_dataset(x, np.arange(1000) % 2, seed=seed)
        assert len(dataset.x_test) == 200


def test_a_few_extreme_or_constant_examples_are_no_other_scale():
    tails = RNG.standard_cauchy((2000, 4))
    make(tails[:400] * 1.1, tails)
    make(np.full((20, 3), TABLE.mean(0)))
    assert len(make(TABLE[:1]).x_test) == 1
    extreme = TABLE[:50].copy()
    extreme[0, 2] = 1e9
    assert make(extreme).x_test[0, 2] > 1e9
    make(TABLE[:3] * [1, 1e6, 1])
    sparse = np.where(RNG.random((200, 3)) < 0.02, 5.0, 0.0)
    make(sparse[:20], sparse)


def test_arrays_of_jax_are_taken():
    dataset = vecevo.make_dataset(jnp.asarray(TABLE), jnp.arange(200) % 2)
    assert isinstance(dataset.x_train, np.ndarray) and dataset.num_classes == 2
