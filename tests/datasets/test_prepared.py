"""Sets of tensorflow-datasets, from prepared files and from the cache."""

import io

import numpy as np
import pytest

from vecevo.datasets import loading, prepared


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
