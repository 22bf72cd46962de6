"""Networks to take home: raw examples in, labels out, the same after a round trip."""

import json
import os
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pandas
import pytest
import safetensors.numpy

import vecevo
from vecevo.datasets.inputs import apply_inputs
from vecevo.networks import saving

NETWORK = {"depth": 2, "width": 8, "activation": "gelu", "optimizer": "adam"}


def make_table():
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "size": rng.normal(100, 30, 90),
            "hole": np.where(rng.random(90) < 0.3, np.nan, rng.normal(0, 1, 90)),
            "colour": np.array(["red", "blue", "green"])[np.arange(90) % 3],
        }
    )
    return frame, np.array(["yes", "no", "perhaps"])[np.arange(90) % 3]


def train(dataset):
    (result,) = vecevo.train_networks([NETWORK], dataset, max_epochs=2)
    return result


@pytest.fixture(scope="module")
def trained():
    dataset = vecevo.make_dataset(*make_table())
    return train(dataset), dataset


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks") / "one"
    vecevo.save_network(trained[0].network, folder)
    return folder


def test_a_network_answers_in_labels(trained):
    result, dataset = trained
    network = result.network
    probabilities = network.predict_proba(dataset.raw_x_test)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    predicted = network.predict(dataset.raw_x_test)
    assert [dataset.classes[i] for i in probabilities.argmax(1)] == predicted.tolist()
    share = np.mean(predicted == dataset.raw_y_test)
    assert network.score(dataset.raw_x_test, dataset.raw_y_test) == share


def test_the_flax_module_computes_the_same(trained):
    result, dataset = trained
    network = result.network
    logits = network.module.apply({"params": network.params}, jnp.array(dataset.x_test))
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(
        network.predict_proba(dataset.raw_x_test), expected, atol=1e-5
    )
    shapes = {k: v["kernel"].shape for k, v in network.params.items()}
    assert shapes == {"hidden_0": (7, 8), "hidden_1": (8, 8), "output": (8, 3)}
    for name, layer in network.params.items():
        np.testing.assert_array_equal(layer["kernel"].T, result.params[name]["kernel"])


def test_bytes_are_read_as_they_were_trained_on():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60, 3, 4), np.uint8)
    dataset = vecevo.make_dataset(x, np.arange(60) % 2)
    network = train(dataset).network
    logits = network.module.apply(
        {"params": network.params}, dataset.x_test.astype(np.float32) / 255
    )
    assert network.predict(dataset.raw_x_test).tolist() == logits.argmax(1).tolist()
    with pytest.raises(vecevo.InputError, match="give uint8"):
        network.predict(x / 255)


@pytest.mark.parametrize("batch_size", [1, 7, 1024])
def test_batches_change_nothing_but_rounding(trained, batch_size):
    result, dataset = trained
    x = dataset.raw_x_test
    whole = result.network.predict_proba(x)
    parts = result.network.predict_proba(x, batch_size=batch_size)
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    with pytest.raises(vecevo.InputError, match="batch_size=0"):
        result.network.predict(x, batch_size=0)


def test_a_round_trip_in_another_process_gives_the_same_bits(trained, folder, tmp_path):
    result, dataset = trained
    dataset.raw_x_test.to_parquet(tmp_path / "x.parquet")
    code = (
        "import sys, numpy, pandas, vecevo; n = vecevo.load_network(sys.argv[1]);"
        "x = pandas.read_parquet(sys.argv[2]);"
        "numpy.savez(sys.argv[3], p=n.predict_proba(x), y=n.predict(x))"
    )
    paths = [str(folder), str(tmp_path / "x.parquet"), str(tmp_path / "said.npz")]
    quick = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}  # as the tests compile
    environment = {**os.environ, **quick}
    subprocess.run([sys.executable, "-c", code, *paths], check=True, env=environment)
    with np.load(tmp_path / "said.npz") as said:
        network = result.network
        np.testing.assert_array_equal(
            said["p"], network.predict_proba(dataset.raw_x_test)
        )
        assert said["y"].tolist() == network.predict(dataset.raw_x_test).tolist()


def test_what_is_saved_is_all_that_there_is(trained, folder):
    network = vecevo.load_network(folder)
    assert isinstance(network, vecevo.Network)
    original = trained[0].network
    assert network.hyperparams == original.hyperparams
    assert (network.classes, network.facts) == (original.classes, original.facts)
    for name, value in original.inputs._asdict().items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(getattr(network.inputs, name), value)
        else:
            assert getattr(network.inputs, name) == value
    tensors = safetensors.numpy.load_file(folder / "network.safetensors")
    assert {*tensors} == {
        f"{layer}/{part}"
        for layer in ("hidden_0", "hidden_1", "output")
        for part in ("kernel", "bias")
    }
    facts = json.loads((folder / "network.json").read_text())
    assert facts["layer_sizes"] == [7, 8, 8, 3] and facts["format_version"] == 1
    table, _ = make_table()
    applied = apply_inputs(network.inputs, table)
    np.testing.assert_array_equal(applied, apply_inputs(original.inputs, table))


def test_a_damaged_network_is_one_clear_line(folder, tmp_path):
    contents = {p.name: p.read_bytes() for p in folder.iterdir()}
    for name, content in contents.items():
        for damaged in (b"", content[:-9], b"[]", b"{}", content[: len(content) // 2]):
            broken = tmp_path / "broken"
            broken.mkdir(exist_ok=True)
            for other, whole in contents.items():
                (broken / other).write_bytes(damaged if other == name else whole)
            with pytest.raises(vecevo.InputError, match="cannot be read") as caught:
                vecevo.load_network(broken)
            assert "\n" not in str(caught.value)
    with pytest.raises(vecevo.InputError, match="holds no network"):
        vecevo.load_network(tmp_path)
    with pytest.raises(vecevo.InputError, match="path=3 is no path"):
        vecevo.load_network(3)


def test_weights_of_another_network_are_refused(folder, tmp_path):
    facts = json.loads((folder / "network.json").read_text())
    weights = (folder / "network.safetensors").read_bytes()
    for changes in (
        {"layer_sizes": [7, 8, 3], "hyperparams": {**facts["hyperparams"], "depth": 1}},
        {"hyperparams": {**facts["hyperparams"], "depth": 3}},
        {"classes": ["yes", "no"]},
        {"layer_sizes": [7, 9, 9, 3]},
    ):
        (tmp_path / "network.safetensors").write_bytes(weights)
        (tmp_path / "network.json").write_text(json.dumps({**facts, **changes}))
        with pytest.raises(vecevo.InputError, match="the weights have the shapes"):
            vecevo.load_network(tmp_path)


def test_a_network_that_failed_is_none_to_take_home():
    dataset = vecevo.make_dataset(np.random.default_rng(0).random((40, 2)), [0, 1] * 20)
    wild = {**NETWORK, "activation": "relu", "optimizer": "sgd", "learning_rate": 1e30}
    (result,) = vecevo.train_networks([wild], dataset, max_epochs=3)
    assert result.failed_epoch is not None and result.network is None


def test_examples_on_another_scale_are_refused(folder):
    x = np.random.default_rng(0).integers(0, 256, (60, 3, 4), np.uint8)
    network = train(vecevo.make_dataset(x / 255, np.arange(60) % 2)).network
    network.predict(x[:1] / 255)
    for wrong, words in (
        (x, "x is uint8, and .* were float"),
        (x.astype(float), "x varies 2.. times as much"),
        (x[:20] / 1e5, "x varies 0.00... times as much"),
    ):
        with pytest.raises(vecevo.InputError, match=words):
            network.predict(wrong)
    table, _ = make_table()
    saved = vecevo.load_network(folder)
    with pytest.raises(vecevo.InputError, match=r"deviations away .*column 'size'"):
        saved.predict(table.assign(size=1e6 * table["size"]))


def test_what_is_no_network_is_not_saved(tmp_path):
    with pytest.raises(vecevo.InputError, match="network='n' is no Network"):
        vecevo.save_network("n", tmp_path)


def test_wrong_examples_are_refused(trained):
    network, dataset = trained[0].network, trained[1]
    x, y = dataset.raw_x_test, dataset.raw_y_test
    with pytest.raises(vecevo.InputError, match="no column 'colour'"):
        network.predict(x[["size", "hole"]])
    with pytest.raises(vecevo.InputError, match="y has 3 labels and x 18 examples"):
        network.score(x, y[:3])
    with pytest.raises(vecevo.InputError, match="y has the label 1, which no example"):
        network.score(x, [1] * 18)


def test_a_folder_that_cannot_be_written_is_named(trained, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(vecevo.InputError, match="cannot be made"):
        vecevo.save_network(trained[0].network, tmp_path / "file" / "network")
    with pytest.raises(vecevo.InputError, match="cannot be written"):
        saving.write_whole(tmp_path / "none" / "x", b"")
