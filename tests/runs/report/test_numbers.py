"""A run whose networks predict numbers: what it says, leaves and goes on with."""

import contextlib
import io
import json
import sqlite3
import sys

import numpy as np
import pandas
import pytest
from sklearn.metrics import r2_score

import vecevo
from tests.runs.test_keeping import call
from vecevo import export, predict, report, run
from vecevo.datasets import fingerprints
from vecevo.runs.report import verdict

SETTINGS = (
    *("--width", "8", "--depth", "1", "--optimizer", "adam", "--learning-rate", "0.01"),
    *("--activation", "tanh", "relu", "gelu", "--dropout-rate", "0", "--confirm", "2"),
    *("--strategy", "random", "--population-size", "2", "--num-generations", "2"),
    *("--max-epochs", "20", "--ensemble", "3", "--device", "cpu"),
)


@pytest.fixture(scope="module", name="table")
def get_table(tmp_path_factory):
    rng = np.random.default_rng(0)
    frame = pandas.DataFrame(rng.normal(size=(150, 3)), columns=["a", "b", "c"])
    frame["price"] = 1e4 + 300 * (frame.a - 2 * frame.b)
    frame["rent"] = 0.01 * frame.c + 0.1
    path = tmp_path_factory.mktemp("tables") / "homes.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module", name="said_and_folder")
def get_said_and_folder(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "homes"
    more = ("--output-dir", folder, "--dataset", table, "--target", "price,rent")
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setattr(sys, "argv", ["vecevo", *SETTINGS, *map(str, more)])
        patch.setenv("COLUMNS", "300")
        run.main()
    return said.getvalue(), folder


def test_it_speaks_of_r2_and_of_errors_in_units(said_and_folder):
    said, folder = said_and_folder
    assert "regression: 2 targets: price (" in said
    assert "generation 2/2: best R2 0." in said and "mean R2 0." in said
    assert "validation R2" in said and "test R2" in said
    summary = json.loads((folder / "result.json").read_text())
    errors = summary["best"]["test_rmse"]
    assert f"price {errors['price']:.4g}, rent {errors['rent']:.4g}" in said
    assert summary["dataset"]["metric"] == "R2"
    assert summary["dataset"]["targets"] == ["price", "rent"]
    assert "ensemble of" in said and "test R2 " in said.split("ensemble of")[1]
    assert "accurac" not in said


def test_what_it_leaves_says_the_same(said_and_folder, table):
    _, folder = said_and_folder
    summary = json.loads((folder / "result.json").read_text())
    dataset = vecevo.load_dataset(table, target="price,rent")
    right = dataset.raw_y_test
    for name, row in (("best", summary["best"]), ("ensemble", summary["ensemble"])):
        network = vecevo.load_network(folder / name)
        said = network.predict(dataset.raw_x_test)
        assert row["test_accuracy"] == pytest.approx(r2_score(right, said), abs=1e-5)
        errors = np.sqrt(np.mean((said - right) ** 2, axis=0))
        assert list(row["test_rmse"].values()) == pytest.approx(errors, rel=1e-4)
    with np.load(folder / "best" / "tested.npz") as tested:
        np.testing.assert_allclose(tested["right"], right)
        assert tested["targets"].tolist() == ["price", "rent"]
    found = vecevo.load_run(folder)
    assert found.metric == "R2" and "best validation R2" in repr(found)
    assert found.config["task"] == "regression"


def test_its_page_speaks_of_r2(said_and_folder):
    text = (said_and_folder[1] / "report.html").read_text()
    assert "best validation R2" in text and "What the best network predicts" in text
    assert "its test R2" in text and "squared error of the mean" in text
    assert "confuses" not in text
    # But for the settings, as they are given.
    settings = text[text.index("<h2>Settings") :]
    assert text.count("ccurac") == settings.count("ccurac") == 1


def test_commands_use_it(said_and_folder, table, tmp_path, monkeypatch, capsys):
    _, folder = said_and_folder
    files, output = (folder, table), tmp_path / "said.csv"
    asked = ("--target", "price,rent", "--output", output)
    code, said, _ = call(monkeypatch, capsys, predict.main, *files, *asked)
    assert code == 0 and "R2: 0." in said and "RMSE: price " in said
    assert len(pandas.read_csv(output)) == 150
    output = tmp_path / "exported"
    asked = ("--rank", "2", "--output", output)
    code, said, error = call(monkeypatch, capsys, export.main, folder, *asked)
    assert code == 0 and "validation R2: " in said and not error
    assert vecevo.load_network(output).targets.names == ("price", "rent")
    code, _, _ = call(monkeypatch, capsys, report.main, folder, "--figures")
    assert code == 0 and (folder / "figures" / "errors.png").exists()


def test_it_goes_on(said_and_folder, monkeypatch, capsys):
    _, folder = said_and_folder
    more = ("--resume", folder, "--num-generations", "3", "--no-report")
    code, said, error = call(monkeypatch, capsys, run.main, *more)
    assert code == 0, error
    assert "read back: 2 generations" in said and "generation 3/3: best R2" in said


def test_a_run_of_before_has_accuracies(said_and_folder, tmp_path):
    _, folder = said_and_folder
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "run.sqlite"
    path.write_bytes((folder / "run.sqlite").read_bytes())
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM meta WHERE name = 'metric'")
    connection.close()
    assert vecevo.load_run(tmp_path / "run").metric == "accuracy"
    summary = {"dataset": {"name": "digits"}}
    assert verdict.metric_of(summary) == "accuracy"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("--task", "classification"), "task='regression'"),
        (("--label-smoothing", "0.1"), "give label_smoothing=0 alone"),
        (("--target", "price,rest"), "target='price,rest' is no column"),
        (("--target", "a,b,c,price,rent"), "are all columns"),
    ],
)
def test_mistakes_are_one_line(settings, words, table, tmp_path, monkeypatch, capsys):
    asked = (*SETTINGS, "--dataset", table, "--output-dir", tmp_path / "x", *settings)
    code, _, error = call(monkeypatch, capsys, run.main, *asked)
    assert code == 2 and words in error and "Traceback" not in error
    assert not (tmp_path / "x").exists()


def test_a_run_in_other_units_is_another(table):
    asked = {"target": "price,rent"}
    dataset = vecevo.load_dataset(table, **asked)
    targets = dataset.targets._replace(deviation=100 * dataset.targets.deviation)
    found = fingerprints.fingerprint(dataset)
    assert found == fingerprints.fingerprint(vecevo.load_dataset(table, **asked))
    assert found != fingerprints.fingerprint(dataset._replace(targets=targets))
