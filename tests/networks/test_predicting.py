"""The command predict on arrays: which of them it takes, and what it says else."""

import numpy as np
import pytest

import vecevo
from vecevo import predict

NETWORK = {"depth": 1, "width": 4, "activation": "relu", "optimizer": "adam"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Has the file that a network was trained from, the network, and other files."""
    folder = tmp_path_factory.mktemp("predicting")
    rng = np.random.default_rng(0)
    names = ("x_train", "y_train", "x_test", "y_test")
    values = (
        rng.random((60, 5)),
        np.arange(60) % 3,
        rng.random((9, 5)),
        np.arange(9) % 3,
    )
    arrays = dict(zip(names, values, strict=True))
    np.savez(folder / "all.npz", **arrays)
    np.savez(folder / "both.npz", x=arrays["x_train"], **arrays)
    np.savez(folder / "train.npz", **{name: arrays[name] for name in names[:2]})
    np.save(folder / "x.npy", arrays["x_test"])
    dataset = vecevo.load_dataset(folder / "all.npz")
    (result,) = vecevo.train_networks([NETWORK], dataset, max_epochs=1)
    vecevo.save_network(result.network, folder / "net")
    return folder


def call(folder, tmp_path, name, target=None):
    given = {"network": str(folder / "net"), "output": str(tmp_path / "said.csv")}
    data = str(folder / name)
    predict.predict(predict.PredictConfig(data=data, target=target, **given))


@pytest.mark.parametrize("name", ["all.npz", "both.npz"])
def test_the_test_part_of_a_file_that_was_trained_from_is_predicted(
    folder, tmp_path, capsys, name
):
    call(folder, tmp_path, name, "y_test")
    network = vecevo.load_network(folder / "net")
    with np.load(folder / "all.npz") as arrays:
        x, y = arrays["x_test"], arrays["y_test"]
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        f"{tmp_path / 'said.csv'}: 9 predictions",
        f"accuracy: {network.score(x, y):.4f}",
    ]
    rows = (tmp_path / "said.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == network.predict(x).tolist()


@pytest.mark.parametrize(
    ("name", "target", "words"),
    [
        ("train.npz", None, r"holds x_train, y_train, and no x or x_test: save the"),
        ("all.npz", "y_tets", r"is no array of .* \(did you mean y_test\?\): it holds"),
        ("all.npz", "y_train", "y has 60 labels and x 9 examples"),
        ("x.npy", "y", "which is no table and no .npz file: leave it out"),
    ],
)
def test_arrays_that_are_not_there_are_told(folder, tmp_path, name, target, words):
    with pytest.raises(vecevo.InputError, match=words):
        call(folder, tmp_path, name, target)
    assert not (tmp_path / "said.csv").exists()
