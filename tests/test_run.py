"""The command line, from the outside."""

import json
import sqlite3

import numpy as np
import pytest

from vecevo import run

SMALL = ["--width", "8", "--depth", "1", "--activation", "tanh", "--max-epochs", "1"]


def call(monkeypatch, *args):
    monkeypatch.setattr("sys.argv", ["run", "--cache-dir", "none", *args])
    run.main()


def test_a_run_leaves_its_results_and_is_not_overwritten(monkeypatch, tmp_path, capsys):
    folder = str(tmp_path / "out")
    args = [*SMALL, "--strategy", "grid", "--population-size", "5"]
    call(monkeypatch, *args, "--output-dir", folder)
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["num_trained"] == 7 and len(result["top"]) == 5
    with sqlite3.connect(tmp_path / "out/run.sqlite") as connection:
        rows = connection.execute(
            "SELECT validation_accuracy FROM networks ORDER BY 1 DESC"
        ).fetchall()
    connection.close()
    assert rows[0][0] == result["best"]["validation_accuracy"] and len(rows) == 7
    capsys.readouterr()
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, *args, "--output-dir", folder)
    assert "--output-dir" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--population-size", "0"], "population_size=0"),
        (["--dataset", "nonesuch"], "dataset='nonesuch'"),
        (["--optimizer", "lion"], "optimizer='lion'"),
        (["--width", "8", "8"], "width=(8, 8)"),
    ],
)
def test_bad_input_ends_with_one_line(monkeypatch, capsys, args, words):
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, *args)
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


def test_an_npz_file_without_x_train_is_named(monkeypatch, tmp_path, capsys):
    np.savez(tmp_path / "my.npz", y_train=np.zeros(3, int))
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, "--dataset", str(tmp_path / "my.npz"))
    assert "x_train" in capsys.readouterr().err
