"""Networks that predict numbers: in their units, alone, together and from a file."""

import json

import numpy as np
import pandas
import pytest
from sklearn.metrics import r2_score

import vecevo
from vecevo import predict
from vecevo.networks import ensembles
from vecevo.runs.ending import voting

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3))
Y = 1e4 + 300 * (X @ [1.0, -2, 0.5]) + RNG.normal(size=200)
NETWORK = {"depth": 1, "width": 8, "activation": "tanh", "optimizer": "adam"}
NETWORK |= {"learning_rate": 0.01, "dropout_rate": 0.0}


def train(dataset, **more):
    (result,) = vecevo.train_networks([NETWORK | more], dataset, max_epochs=30)
    return result.network


@pytest.fixture(scope="module", name="dataset")
def get_dataset():
    return vecevo.make_dataset(X, Y)


@pytest.fixture(scope="module", name="network")
def get_network(dataset):
    return train(dataset)


def test_a_network_predicts_in_the_units_of_the_user(network, dataset):
    said, right = network.predict(dataset.raw_x_test), dataset.raw_y_test
    assert said.shape == (40,) and said.dtype == np.float64
    score = network.score(dataset.raw_x_test, right)
    assert score == pytest.approx(r2_score(right, said), abs=1e-6) and score > 0.9
    outputs = network.module.apply({"params": network.params}, dataset.x_test)
    expected = dataset.targets.mean + dataset.targets.deviation * outputs[:, 0]
    np.testing.assert_allclose(said, expected, rtol=1e-6)


def test_it_is_the_same_from_a_file(network, dataset, tmp_path):
    vecevo.save_network(network, tmp_path / "one")
    loaded = vecevo.load_network(tmp_path / "one")
    np.testing.assert_array_equal(loaded.predict(X), network.predict(X))
    path = tmp_path / "one" / "network.json"
    content = json.loads(path.read_text())
    assert content["targets"]["names"] == ["target"] and content["classes"] == []
    content["targets"]["names"] *= 2
    path.write_text(json.dumps(content))
    with pytest.raises(vecevo.InputError, match="cannot be read as a network"):
        vecevo.load_network(tmp_path / "one")


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (Y[:5], "y has 5 labels and x 200 examples"),
        (np.stack([Y, Y], 1), "y holds 2 for each .* predicts 1 \\(target\\)"),
        (["a"] * 200, "y has 'a' in example 0, which is no number"),
        (np.where(Y[3] < Y, np.nan, Y), "'target' of nan in example"),
    ],
)
def test_what_is_no_right_answer_is_named(network, y, words):
    with pytest.raises(vecevo.InputError, match=words):
        network.score(X, y)


def test_there_are_no_probabilities(network):
    ensemble = vecevo.Ensemble((network,), (1,))
    for one in (network, ensemble):
        with pytest.raises(vecevo.InputError, match="predict_proba has no say"):
            one.predict_proba(X)


def test_an_ensemble_is_the_weighted_mean(network, dataset, tmp_path):
    other = train(dataset, activation="relu")
    ensemble = vecevo.Ensemble((network, other), (3, 1))
    vecevo.save_network(ensemble, tmp_path / "all")
    expected = (3 * network.predict(X) + other.predict(X)) / 4
    for one in (ensemble, vecevo.load_network(tmp_path / "all")):
        np.testing.assert_allclose(one.predict(X), expected, rtol=1e-6)
    assert ensemble.score(X, Y) == pytest.approx(r2_score(Y, expected), abs=1e-5)


def test_each_pick_lowers_the_squared_error_most():
    right = RNG.normal(size=(30, 2)).astype(np.float32)
    outputs = (right + RNG.normal(size=(6, 30, 2))).astype(np.float32)
    chosen = []  # the slow way
    for _ in range(5):
        errors = [
            np.square(np.mean([*(outputs[i] for i in chosen), p], 0) - right).mean()
            for p in outputs
        ]
        chosen.append(int(np.argmin(errors)))
    picks = ensembles.pick_greedily(outputs, right, num_picks=5)
    assert picks.tolist() == np.bincount(chosen, minlength=6).tolist()
    found = ensembles.select(outputs, right, num_picks=5)
    mean = np.average(outputs, axis=0, weights=picks)
    assert found.validation_accuracy == pytest.approx(r2_score(right, mean), abs=1e-6)
    assert found.held_out_accuracy > found.held_out_best


def test_errors_of_the_test_part_are_in_units(network, dataset):
    measured = voting.measure_test(
        ensembles.ensemble_outputs(vecevo.Ensemble((network,), (1,)), dataset.x_test),
        dataset,
    )
    error = network.predict(dataset.raw_x_test) - dataset.raw_y_test
    expected = {"target": pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)}
    assert measured["test_rmse"] == expected


def test_the_command_predicts_numbers(network, tmp_path, capsys):
    names = ["a", "b", "c"]
    frame = pandas.DataFrame(X, columns=names).assign(price=Y)
    frame.to_csv(tmp_path / "new.csv", index=False)
    dataset = vecevo.make_dataset(frame[names], frame[["price"]].assign(half=Y / 2))
    one, output = train(dataset), tmp_path / "both.csv"
    vecevo.save_network(one, tmp_path / "both")
    files = str(tmp_path / "both"), str(tmp_path / "new.csv")
    predict.predict(predict.PredictConfig(*files, output=str(output)))
    said = pandas.read_csv(output)
    assert said.columns.tolist() == ["prediction_price", "prediction_half"]
    np.testing.assert_allclose(said, one.predict(frame[names]), rtol=1e-6)
    with pytest.raises(vecevo.InputError, match="predicts price, half: give them in"):
        one.score(frame[names], frame[["price"]].assign(half=0)[["half", "price"]])
    one = train(vecevo.make_dataset(frame[names], frame["price"]))
    vecevo.save_network(one, tmp_path / "price")
    files = str(tmp_path / "price"), str(tmp_path / "new.csv")
    output = str(tmp_path / "price.csv")
    predict.predict(predict.PredictConfig(*files, output=output, target="price"))
    assert pandas.read_csv(output).columns.tolist() == ["prediction"]
    said = one.predict(frame[names])
    rmse = np.sqrt(np.mean((said - Y) ** 2))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == f"R2: {r2_score(Y, said):.4f}"
    assert lines[-1] == f"RMSE: price {rmse:.4g}"
