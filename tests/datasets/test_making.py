"""Data sets: splits, scaling, files, and what is refused."""

import io

import numpy as np
import pytest

from vecevo.datasets import loading, making, prepared


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
        ({"y_train": np.arange(100) / 2}, "y_train is float64"),
        ({"y_train": np.arange(100) - 1}, "y_train"),
        ({"y_test": np.arange(19)}, "x_test has shape"),
        ({"x_train": np.full((100, 3, 2), np.nan)}, "x_train has NaN"),
        ({"y_test": np.full(20, 2**33)}, "has the label 8589934592"),
        ({"x_test": np.zeros((20, 7), np.uint8)}, "x_test has examples of shape"),
        ({"x_test": np.full((20, 3, 2), "a")}, "x_test is of type"),
        ({"x_train": np.zeros((0, 3, 2)), "y_train": np.zeros(0, int)}, "x_train"),
    ],
)
def test_arrays_that_cannot_be_learned_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        making.make_dataset(**(make_arrays() | changes))


def test_npz_files_are_read_or_refused_by_name(tmp_path):
    path = tmp_path / "my.npz"
    np.savez(path, **make_arrays())
    assert loading.load_dataset(str(path)).name == "my"
    np.savez(path, y_train=np.zeros(3, int))
    with pytest.raises(ValueError, match=r"my\.npz.*x_train"):
        loading.load_dataset(str(path))
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    for content in (b"no archive", b"", array.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"my\.npz.*cannot be read"):
            loading.load_dataset(str(path))
    with pytest.raises(ValueError, match="does not exist"):
        loading.load_dataset(str(tmp_path / "none.npz"))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """A folder with a tiny set, prepared by tensorflow-datasets' own writer."""
    import tensorflow_datasets as tfds
    from PIL import Image

    def encode_png(value):
        file = io.BytesIO()
        Image.fromarray(np.full((4, 4), value, np.uint8)).save(file, "PNG")
        file.seek(0)
        return file

    class TinyImages(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.2.0")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(4, 4, 1)),
                "label": tfds.features.ClassLabel(num_classes=3),
            }
            return tfds.core.DatasetInfo(
                builder=self, features=tfds.features.FeaturesDict(features)
            )

        def _split_generators(self, dl_manager):
            del dl_manager  # nothing to download
            return {"train": self._examples(60), "test": self._examples(9)}

        def _generate_examples(self):
            return self._examples(0)

        def _examples(self, num):
            for i in range(num):
                yield i, {"image": encode_png(i), "label": i % 3}

    folder = tmp_path_factory.mktemp("prepared")
    builder = TinyImages(data_dir=folder, file_format="array_record")
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(try_download_gcs=False)
    )
    return folder


def test_prepared_sets_are_read_and_cached(data_dir, tmp_path, monkeypatch):
    dataset = loading.load_dataset("tiny_images", data_dir=data_dir, cache_dir=tmp_path)
    assert dataset.x_train.shape == (48, 16) and dataset.x_train.dtype == np.uint8
    # The value of every pixel tells the label.
    np.testing.assert_array_equal(dataset.x_test[:, 3] % 3, dataset.y_test)
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
    monkeypatch.setattr(prepared, "_decode", None)  # the cache alone is read now
    again = loading.load_dataset("tiny_images", data_dir=data_dir, cache_dir=tmp_path)
    np.testing.assert_array_equal(again.x_train, dataset.x_train)


def test_what_is_not_prepared_is_refused_at_once(data_dir, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"mnist.*TensorFlow.*--data-dir"):
        loading.load_dataset("mnist", data_dir=data_dir)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)

    def refuse(*args, **kwargs):
        raise OSError("no route")

    monkeypatch.setattr("socket.create_connection", refuse)
    with pytest.raises(ValueError, match=r"mnist.*no network.*--data-dir"):
        loading.load_dataset("mnist", data_dir=data_dir)
    with pytest.raises(ValueError, match="no name of a data set"):
        loading.load_dataset("my file", data_dir=data_dir)


def test_standardised_inputs_have_mean_zero_and_deviation_one():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (100, 3)).astype(np.uint8)
    x[:, 1] = 7
    dataset = making.make_dataset(
        x_train=x, y_train=np.arange(100) % 2, x_test=x[:10], y_test=np.arange(10) % 2
    )
    standard = making.standardize(dataset)
    np.testing.assert_allclose(standard.x_train.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(standard.x_train.std(0), [1, 0, 1], atol=1e-6)
    # The other parts take the mean and deviation of the part trained on.
    train, test = dataset.x_train[:, 0].tolist(), dataset.x_test[:, 0].tolist()
    mean = sum(train) / len(train)
    deviation = (sum((value - mean) ** 2 for value in train) / len(train)) ** 0.5
    expected = [(value - mean) / deviation for value in test]
    np.testing.assert_allclose(standard.x_test[:, 0], expected, rtol=1e-5)
    assert standard.x_test.dtype == standard.x_validation.dtype == np.float32
