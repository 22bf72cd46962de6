"""The command on a recorded table: what it leaves and prints, and what it refuses."""

import json

import numpy as np
import pytest

import vecevo
from vecevo import run
from vecevo.runs.files import tables
from vecevo.runs.files.tables import Table
from vecevo.space import SearchSpace

SPACE = SearchSpace(
    {
        "depth": (1, 2),
        "width": (8, 16, 32),
        "activation": ("relu",),
        "optimizer": ("sgd", "adam"),
    }
)


@pytest.fixture(name="args")
def get_args(tmp_path):
    """Settings of a search over networks one of whose three replicates failed."""
    is_failed = np.resize(np.eye(3, dtype=bool), (12, 3))
    accuracy = np.where(is_failed, -np.inf, 0.9).astype(np.float32)
    epochs = np.ones((12, 3), np.int32)
    table = Table(SPACE, {}, accuracy, epochs, np.arange(12, dtype=np.int32), "made up")
    vecevo.save_table(tmp_path / "table.npz", table)
    return ["--landscape", str(tmp_path / "table.npz"), "--strategy", "grid"]


def call(monkeypatch, *args):
    monkeypatch.setattr("sys.argv", ["run", *map(str, args)])
    run.main()


def test_it_speaks_of_the_metric_of_the_table_and_of_nothing_trained(
    monkeypatch, tmp_path, capsys
):
    genes = {"width_1": (8, 16), "width_2": (4, 8), "depth": (2,)}
    space = SearchSpace({**genes, "activation": ("relu",), "optimizer": ("sgd",)})
    table = Table(
        space,
        {"dropout_rate": 0.0},
        np.linspace(0.5, 0.8, 4, dtype=np.float32)[:, None],
        np.ones((4, 1), np.int32),
        np.arange(4, dtype=np.int32),
        "made up",
        settings={"metric": "auc", "task": "classification"},
    )
    vecevo.save_table(tmp_path / "table.npz", table)
    args = ["--landscape", tmp_path / "table.npz", "--strategy", "grid"]
    call(monkeypatch, *args, "--output-dir", tmp_path / "out")
    said = capsys.readouterr().out
    assert (
        "best AUC 0.8000, mean AUC 0.6500, 4 distinct networks looked up, 0:0" in said
    )
    assert "validation AUC" in said and "4 distinct networks looked up for 4" in said
    (common,) = [line for line in said.splitlines() if line.startswith("all:")]
    assert "width" not in common and "dropout_rate 0" in common
    assert not any(word in said for word in ("ccurac", "networks/h", " trained"))
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["landscape"]["metric"] == "AUC"


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({}, "accuracy"),
        ({"task": "regression"}, "R2"),
        ({"metric": "log_loss"}, "negative log loss"),
    ],
)
def test_a_table_knows_its_metric(settings, word):
    empty = np.ones((1, 1))
    table = Table(SPACE, {}, empty, empty, empty, "made up", settings=settings)
    assert tables.metric_of(table) == word


def refuse_constant(text):
    raise ValueError(f"{text} is no JSON")


def test_a_winner_whose_other_replicate_failed_has_no_mean(
    monkeypatch, tmp_path, capsys, args
):
    call(monkeypatch, *args, "--output-dir", tmp_path / "out")
    text = (tmp_path / "out/result.json").read_text()
    result = json.loads(text, parse_constant=refuse_constant)
    assert result["best"]["validation_accuracy"] == pytest.approx(0.9)
    assert result["best"]["mean_accuracy"] is None
    assert result["landscape"]["best_mean_accuracy"] is None
    lines = capsys.readouterr().out.splitlines()
    (header,) = [place for place, line in enumerate(lines) if "of replicates" in line]
    assert lines[header + 1].split()[-2:] == ["0.9000", "-"]


def test_a_quiet_one_has_the_result_alone(monkeypatch, tmp_path, capsys, args):
    call(monkeypatch, *args, "--quiet", "--output-dir", tmp_path / "out")
    printed = capsys.readouterr().out
    assert "results in" in printed
    assert "generation" not in printed and "recorded networks" not in printed
    # Its settings are those of a run that can be had again.
    again = ("--config", tmp_path / "out/config.toml", "--output-dir", tmp_path / "2")
    call(monkeypatch, *again)
    assert "generation" not in capsys.readouterr().out


def test_one_that_cannot_be_written_is_one_line(monkeypatch, tmp_path, capsys, args):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", refuse)
    monkeypatch.setattr("pathlib.Path.write_text", refuse)
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, *args, "--output-dir", tmp_path / "out")
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "No space left" in error
    assert not (tmp_path / "out").exists()
