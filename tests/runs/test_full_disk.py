"""A disk that fills up, a folder in the way, no memory: a run says so, and goes on."""

import pathlib
import shutil
import subprocess
import sys
import warnings

import jax
import numpy as np
import pytest

import vecevo
from tests.runs.test_damage import search
from tests.runs.test_killing import table
from vecevo import run
from vecevo.runs import environment
from vecevo.training import cohorts, sessions

# A process whose files may not grow once it records a cohort, as on a full disk.
FILLED = """
import resource, sys
from vecevo import run
from vecevo.runs.files import journal
number, calls, record = int(sys.argv.pop(1)), [], journal.record
def record_on_full_disk(*args, **settings):
    calls.append(args)
    if len(calls) == number:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, -1))
    return record(*args, **settings)
journal.record = record_on_full_disk
run.main()
"""
GIVEN = (
    *("--width", "8", "16", "--depth", "1", "--activation", "relu"),
    *("--optimizer", "adam", "sgd", "nadam", "--strategy", "random", "--confirm", "0"),
    *("--population-size", "2", "--num-generations", "3", "--max-epochs", "2"),
    *("--no-report", "--quiet"),
)


def call(*args):
    """Runs the command in this process; returns its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["run", *map(str, args)])
        patch.setattr(warnings, "formatwarning", warnings.formatwarning)
        try:
            run.main()
        except SystemExit as error:
            return error.code
    return 0


def call_outside(*args):
    """Runs the command in a process of its own, compiled as the one that fills up."""
    command = [sys.executable, "-m", "vecevo.run", *args]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module", name="whole")
def get_whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    call_outside(*GIVEN, "--output-dir", folder)
    return folder


def check_filled(whole, folder, cohort):
    done = subprocess.run(
        [sys.executable, "-c", FILLED, str(cohort), *GIVEN, "--output-dir", folder],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert f"{folder}' cannot be written" in line and "make room" in line
    assert len(table(folder)[0]) == cohort - 1
    call_outside("--resume", folder)
    assert table(folder) == table(whole)


def test_a_run_that_finds_no_room_goes_on_when_there_is(whole, tmp_path):
    check_filled(whole, tmp_path / "run", 3)


@pytest.mark.kill
@pytest.mark.parametrize("cohort", [1, 2, 4])
def test_wherever_there_is_no_room(whole, tmp_path, cohort):
    check_filled(whole, tmp_path / "run", cohort)


def test_without_room_for_the_journal_nothing_is_left(tmp_path):
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (99, -1));"
    done = subprocess.run(
        [
            *(sys.executable, "-c", f"{limited} from vecevo import run; run.main()"),
            *GIVEN,
            *("--cache-dir", tmp_path / "cache", "--output-dir", tmp_path / "run"),
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "cannot be written (File too large): make room" in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_file_in_place_of_a_folder_is_said_before_anything_is_trained(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(cohorts, "train_cohort", None)
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        assert call(*GIVEN, "--output-dir", folder) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and str(tmp_path / "file") in error
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_folder_that_may_not_be_made_is_said(tmp_path, capsys, monkeypatch):
    def refuse(*args, **settings):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    assert call(*GIVEN, "--cache-dir", tmp_path, "--output-dir", tmp_path / "r") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "Permission denied" in error


def test_a_resumed_run_without_memory_shrinks_and_ends_alike(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    search(folder, num_generations=1, population_size=4)
    train_cohort, refused = cohorts.train_cohort, []

    def train(setup, module, lanes, *args, **settings):
        if len(lanes.optimizer) > 1:
            refused.append(len(lanes.optimizer))
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return train_cohort(setup, module, lanes, *args, **settings)

    monkeypatch.setattr(sessions, "most_workers", lambda: 1)
    whole = tmp_path / "whole"
    search(whole, num_generations=1, population_size=4)
    shutil.copytree(whole, tmp_path / "again")
    search(tmp_path / "again", num_generations=3, population_size=4, resume=True)
    monkeypatch.setattr(cohorts, "train_cohort", train)
    with pytest.warns(UserWarning, match="no memory for"):
        search(whole, num_generations=3, population_size=4, resume=True)
    assert refused
    found, expected = (
        sorted(vecevo.load_run(f).networks, key=lambda n: n.genome)
        for f in (whole, tmp_path / "again")
    )
    assert [n.genome for n in found] == [n.genome for n in expected]
    # Fewer lanes round products otherwise.
    losses = [[n.validation_loss for n in networks] for networks in (found, expected)]
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_two_processes_may_look_at_a_folder_at_once(tmp_path, monkeypatch):
    touch = pathlib.Path.touch

    def touch_and_lose(path):
        touch(path)
        path.unlink()  # the other's look ends between ours

    monkeypatch.setattr(pathlib.Path, "touch", touch_and_lose)
    environment.make_folder(tmp_path / "cache", exist_ok=True)
    assert list((tmp_path / "cache").iterdir()) == []
