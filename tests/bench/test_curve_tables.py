"""What the bench keeps of grid runs with curves, and what it refuses."""

import contextlib
import dataclasses
import io
import shlex

import numpy as np
import pytest
from rich.console import Console

import vecevo
from bench.harness import records
from bench.searching import curve_tables
from vecevo.operators import grid_population
from vecevo.results import NetworkResult
from vecevo.runs import parsing, resolving
from vecevo.runs.files import journal
from vecevo.training.recipe import complete

COMMAND = "python -m vecevo.run --strategy grid --dataset digits --limit-train 500 "
COMMAND += "--patience 9 --max-epochs 2 --width 8 16 --depth 1 --activation relu "
COMMAND += "--optimizer sgd adam"


def make_run(folder, seed=0, has_curves=True, **changed):
    """Leaves what the command would leave, with made-up curves."""
    folder.mkdir()
    config = parsing.parse(shlex.split(COMMAND)[3:])
    config = dataclasses.replace(config, task="classification", **changed)
    space, fixed = resolving.make_space(config)
    num_genomes = space.num_genomes
    population = grid_population(
        space.num_choices, start=0, population_size=num_genomes
    )
    accuracy = np.random.default_rng(seed).random((num_genomes, 2))
    results = [
        NetworkResult(
            hyperparams=complete({**fixed, **vecevo.decode(space, genome)}),
            num_params=100,
            validation_accuracy=float(curve[1]),
            validation_loss=0.5,
            num_epochs=2,
            failed_epoch=None,
            curves={
                "validation_accuracy": curve,
                "validation_loss": np.array([1.0, 0.5]),
            }
            if has_curves
            else {},
            params={},
        )
        for genome, curve in zip(population.tolist(), accuracy, strict=True)
    ]
    meta = {"space": space.genes, "fixed": fixed, "config": vars(config)}
    with contextlib.closing(journal.create(folder / "run.sqlite", meta)) as connection:
        journal.record(connection, 0, population.tolist(), results)
    return accuracy


@pytest.fixture
def written(monkeypatch, tmp_path):
    """What is recorded, in place of the files of the package."""
    found = []
    monkeypatch.setattr(
        records, "write", lambda name, rows, command: found.append((rows, command))
    )
    monkeypatch.setattr(records, "read", lambda name: {"rows": [{"dataset": "kept"}]})
    monkeypatch.setattr(curve_tables, "COMMANDS", {"digits": COMMAND})
    monkeypatch.setattr(curve_tables, "PATHS", {"digits": tmp_path / "table.npz"})
    return found


def record(runs, smoke=False):
    console = Console(file=io.StringIO())
    curve_tables.record(console, runs=list(map(str, runs)), smoke=smoke)


def test_runs_of_the_command_become_a_table_of_it(tmp_path, written):
    folders = [tmp_path / "first run", tmp_path / "second"]
    accuracy = [make_run(folder, seed) for seed, folder in enumerate(folders)]
    record(folders, smoke=True)
    assert not written and not (tmp_path / "table.npz").exists()
    record(folders)
    (([kept, row], command),) = written
    assert kept == {"dataset": "kept"}
    assert command == "python -m bench curve_tables --runs FOLDER ..."
    assert (row["dataset"], row["run"], row["num_epochs"]) == ("digits", COMMAND, 2)
    table = vecevo.load_table(tmp_path / "table.npz")
    assert table.source == COMMAND and table.settings["limit_train"] == 500
    np.testing.assert_array_equal(
        table.curves["validation_accuracy"], np.float32(np.stack(accuracy, axis=1))
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"dataset": "iris.csv"}, "is of iris.csv: give some of digits"),
        ({"limit_train": None}, "has limit_train=None, not 500: give one of python"),
        ({"patience": 5}, "has patience=5, not 9"),
        ({"max_epochs": 3}, "has max_epochs=3, not 2"),
        ({"width": (8, 32)}, "has genes=.*32.*, not .*16"),
        ({"dropout_rate": (0.5,)}, "has fixed=.*0.5.*, not .*0.2"),
        ({"has_curves": False}, "has no curves: give one that recorded them"),
    ],
)
def test_runs_of_another_command_are_refused(tmp_path, written, changed, words):
    make_run(tmp_path / "run", **changed)
    with pytest.raises(vecevo.InputError, match=words) as caught:
        record([tmp_path / "run"])
    assert "\n" not in str(caught.value) and not written


def test_no_run_is_refused_with_the_command(written):
    with pytest.raises(vecevo.InputError, match="--limit-train 500"):
        record([])
