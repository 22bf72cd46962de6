"""A run that is stopped: what it had stays, and is what it is said to be."""

import contextlib
import json
import shutil
import signal
import sqlite3
import threading
import time
import types

import jax.numpy as jnp
import numpy as np
import pytest

import vecevo
from tests.runs.test_damage import search
from tests.runs.test_full_disk import call
from tests.runs.test_killing import table
from vecevo.networks import network
from vecevo.results import NetworkResult, Work
from vecevo.runs import course, ledger, stopping
from vecevo.runs.files import opening, queries, store
from vecevo.training import cohorts, sessions

GIVEN = (
    *("--width", "8", "16", "--depth", "1", "--activation", "relu"),
    *("--optimizer", "adam", "--strategy", "grid", "--limit-train", "200"),
    *("--max-epochs", "2", "--confirm", "0", "--ensemble", "0", "--no-report"),
)


@pytest.fixture(name="interrupt")
def get_interrupt(monkeypatch):
    """Lets one worker train; a function to send SIGINT when so many cohorts are."""
    monkeypatch.setattr(sessions, "most_workers", lambda: 1)
    train_cohort, calls = cohorts.train_cohort, []

    def interrupt(number):
        def train(*args, is_stopped_fn, **settings):
            calls.append(args)
            if len(calls) == number + 1:
                # The main thread waits for cohorts: no signal to this one wakes it.
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                while not is_stopped_fn():
                    time.sleep(0.01)
            return train_cohort(*args, is_stopped_fn=is_stopped_fn, **settings)

        monkeypatch.setattr(cohorts, "train_cohort", train)

    return interrupt


def test_replicates_of_a_run_that_was_stopped_stay(tmp_path, interrupt, capfd):
    folder, args = tmp_path / "run", (*GIVEN, "--replicates", "3")
    interrupt(1)
    assert call(*args, "--output-dir", folder) == 130
    assert "before anything was trained" not in capfd.readouterr().out
    rows, _ = table(folder)
    assert 0 < len(rows) < 6
    assert {json.loads(row)["status"] for row in rows} == {"trained"}
    result = json.loads((folder / "result.json").read_text())
    assert result["num_trained"] == 0 and result["stopped_by"] == "SIGINT"
    assert not call("--resume", folder)
    after, _ = table(folder)
    assert set(rows) < set(after) and len(after) == 6


@pytest.fixture(scope="module", name="whole")
def get_whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    search(folder)
    return folder


def check_winners(result):
    """The accuracies that are claimed are those of the weights that are there."""
    dataset = vecevo.load_dataset("digits")
    for _, one in result.top:
        said = network.outputs_of(one.network, dataset.x_validation)
        accuracy = np.mean(said.argmax(axis=1) == dataset.y_validation)
        assert accuracy == pytest.approx(one.validation_accuracy)


@pytest.mark.parametrize("num_epochs", [0, 1])
@pytest.mark.parametrize("num_lost", [1, 6])
def test_weights_that_are_lost_and_in_part_trained_again_win_nothing(
    whole, tmp_path, monkeypatch, num_epochs, num_lost
):
    folder, train_cohort = (
        shutil.copytree(whole, tmp_path / "run"),
        cohorts.train_cohort,
    )
    best, *others = [genome for genome, _ in search(folder, resume=True).top]
    lost = {store.weights_path(folder, best)}
    for path in lost if num_lost == 1 else (folder / "pool").iterdir():
        path.unlink()

    def train_in_part(setup, module, lanes, is_occupied, *args, **settings):
        if not num_epochs:
            return cohorts.Trained([None] * len(is_occupied), 0, 0.0)
        rule = setup.rule._replace(max_epochs=jnp.array(1))
        setup = setup._replace(rule=rule)
        trained = train_cohort(setup, module, lanes, is_occupied, *args, **settings)
        lanes = trained.lane_results
        lanes = [lane and lane._replace(is_partial=True) for lane in lanes]
        return trained._replace(lane_results=lanes)

    monkeypatch.setattr(cohorts, "train_cohort", train_in_part)
    with pytest.warns(UserWarning, match="are not in the pool"):
        result = search(folder, resume=True)
    left = others if num_lost == 1 else []
    assert [genome for genome, _ in result.top][: len(others)] == left
    assert (result.ensemble is None) == (not left)
    check_winners(result)


def test_a_run_that_had_no_ensemble_gets_the_one_it_would_have_had(tmp_path):
    folder = tmp_path / "run"
    search(folder, ensemble=0, confirm=1)
    expected = search(tmp_path / "again", confirm=1)
    result = search(folder, confirm=1, resume=True)
    assert result.ensemble.facts == expected.ensemble.facts
    assert result.ensemble.picks == expected.ensemble.picks


class Clock:
    """A budget of 60 seconds, and a run that trains, on a clock that a test sets."""

    def __init__(self, monkeypatch):
        self.seconds = 0.0
        monkeypatch.setattr(
            stopping, "time", types.SimpleNamespace(perf_counter=lambda: self.seconds)
        )
        self.stop = stopping.Stop()
        self.stop.limit(60.0)
        self.start({}, Work())

    def start(self, rows, work):
        """Starts the run, or goes on with one that had trained."""
        session = types.SimpleNamespace(
            classes=[], crew=None, job=types.SimpleNamespace(num_workers=1)
        )
        self.course = course.Course(
            *(session, ledger.Ledger(), self.stop),
            files=None,
            confirm=5,
            recorded=opening.NOTHING._replace(rows=rows, work=work),
            progress_fn=None,
        )

    def train(self, genomes, *, until, seconds, is_partial=False):
        """Takes in a cohort that took some seconds."""
        self.seconds = until
        result = NetworkResult(
            *({"optimizer": "adam"}, 1, 0.5, 1.0, 1, None, {}, {}),
            is_partial=is_partial,
        )
        work = Work(1, 1, train_seconds=seconds)
        self.course.take_in(genomes, [result] * len(genomes), work)


def test_once_the_time_is_up_it_stays_so_until_the_end_has_it(monkeypatch):
    clock = Clock(monkeypatch)
    genomes = [(number,) for number in range(20)]
    clock.train(genomes, until=39.0, seconds=34.0)
    # 5 networks twice, at 34 / 20 seconds each, and 3 seconds: 20, a third.
    assert clock.stop.reason is None
    clock.seconds = 40.5
    assert clock.stop.reason == "max_seconds"
    clock.train([(20,)], until=41.0, seconds=9.0, is_partial=True)
    # By 43 / 20 seconds each there would be no confirmation, and 57 for the search.
    assert clock.stop.reason == "max_seconds"
    clock.train([(21,)], until=41.5, seconds=0.0)  # done as the time was up
    assert clock.stop.reason == "max_seconds"
    clock.stop.seconds_aside = 3.0  # by a cohort that was taken in at that moment
    assert clock.stop.reason == "max_seconds"
    assert clock.course.can_confirm(10)
    clock.stop.go_on(3.0)
    assert clock.stop.reason is None
    clock.seconds = 57.5
    assert clock.stop.reason == "max_seconds"


def work_of(folder):
    """Sums over the cohorts of a run: work needed, executed, seconds of training."""
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        sums = ", ".join(f"sum({n})" for n in ("needed", "executed", "train_seconds"))
        return connection.execute(f"SELECT {sums} FROM cohorts").fetchone()


def test_what_is_confirmed_already_takes_no_time(tmp_path):
    folder = tmp_path / "run"
    result = search(folder, confirm=3)
    needed, executed, seconds = work_of(folder)
    again = search(folder, confirm=3, resume=True, max_seconds=1e-3)
    assert work_of(folder) == (needed, executed, seconds)
    assert len(again.confirmation) == 3
    assert again.stopped_by is None
    for one, same in zip(result.confirmation, again.confirmation, strict=True):
        assert one.genome == same.genome
        assert one.test_accuracy.tolist() == same.test_accuracy.tolist()
    num_workers = queries.read_meta(folder / "run.sqlite")["num_workers"]
    for found in (result, again):
        assert found.useful_work_ratio == needed / executed
        trained = found.time_seconds["train"]
        assert trained == pytest.approx(seconds / num_workers)


@pytest.mark.parametrize("most_aside", [course.MOST_ASIDE, 1e9])
def test_without_the_time_to_confirm_a_run_says_what_it_takes(
    tmp_path, monkeypatch, capfd, most_aside
):
    folder = tmp_path / "run"
    assert not call(*GIVEN, "--output-dir", folder)  # two networks
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        query = "SELECT sum(train_seconds) + sum(wait_seconds) FROM cohorts"
        (seconds,) = connection.execute(query).fetchone()
    monkeypatch.setattr(course, "MOST_ASIDE", most_aside)  # or it stops in the middle
    assert not call("--resume", folder, "--confirm", "2", "--max-seconds", "0.001")
    result = json.loads((folder / "result.json").read_text())
    assert result["confirmation"] == [] and result["stopped_by"] is None
    num_workers = queries.read_meta(folder / "run.sqlite")["num_workers"]
    # Each of the two twice, in the time that one took.
    expected = 2 * seconds / num_workers
    assert result["unconfirmed_seconds"] == pytest.approx(expected)
    assert f"confirmed, as that was expected to take {expected:.2g} s," in (
        capfd.readouterr().out
    )
    assert not call("--resume", folder, "--max-seconds", "600")
    result = json.loads((folder / "result.json").read_text())
    assert result["unconfirmed_seconds"] is None
    assert "was confirmed" not in capfd.readouterr().out


def test_trainings_of_confirmation_tell_what_others_take(monkeypatch):
    clock = Clock(monkeypatch)
    rows = {("confirmation", (number,), 1): {} for number in range(5)}
    clock.start(rows, Work(1, 1, train_seconds=30.0))
    clock.train([(number,) for number in range(20)], until=1.0, seconds=20.0)
    # 25 trainings took 50 seconds.
    assert clock.course.can_confirm(10) and not clock.course.can_confirm(11)


SEVERAL = (
    *("--width", "8", "--depth", "1", "--activation", "relu", "--optimizer", "adam"),
    *("--learning-rate", "0.01", "0.02", "0.03", "--limit-train", "200"),
    *("--strategy", "random", "--population-size", "2", "--max-epochs", "1"),
    *("--num-runs", "2", "--confirm", "0", "--ensemble", "0", "--no-report"),
)


def test_several_runs_go_on_with_changed_settings_once_stopped(
    tmp_path, interrupt, capfd
):
    folder = tmp_path / "runs"
    assert not call(*SEVERAL, "--num-generations", "1", "--output-dir", folder)
    assert call("--resume", folder, "--num-generations", "0") == 2
    interrupt(1)  # of one new cohort of each seed, in that of the second
    assert call("--resume", folder, "--num-generations", "3") == 130
    assert "to go on with all runs" in capfd.readouterr().out
    assert not call("--resume", folder)
    for seed in (0, 1):
        _, generations = table(folder / f"seed-{seed}")
        assert len(generations) == 3


@pytest.mark.parametrize("rest", [(), ("run.lock",), ("run.lock", "pool")])
def test_what_was_killed_before_it_had_a_journal_begins_anew(tmp_path, rest):
    folder, once = tmp_path / "runs", ("--num-generations", "1")
    assert not call(*SEVERAL, *once, "--output-dir", folder)
    expected = table(folder / "seed-1")
    for own in (folder / "seed-1", tmp_path / "one"):
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir()
        (own / "config.toml").write_bytes((folder / "config.toml").read_bytes())
        for name in rest:
            (own / name).mkdir() if name == "pool" else (own / name).touch()
    assert not call("--resume", folder)
    assert table(folder / "seed-1") == expected
    text = (tmp_path / "one/config.toml").read_text()
    (tmp_path / "one/config.toml").write_text(
        text.replace("num_runs = 2", "num_runs = 1").replace("seed = 0", "seed = 1")
    )
    assert not call("--resume", tmp_path / "one")
    assert table(tmp_path / "one") == expected


def test_a_folder_of_something_else_is_no_run_that_was_killed(tmp_path, capfd):
    folder, once = tmp_path / "runs", ("--num-generations", "1")
    assert not call(*SEVERAL, *once, "--output-dir", folder)
    (folder / "seed-1/run.sqlite").unlink()
    before = {path: path.stat().st_mtime for path in (folder / "seed-1").rglob("*")}
    capfd.readouterr()
    assert call("--resume", folder) == 2
    error = capfd.readouterr().err
    assert "it has no run.sqlite" in error and error.count("\n") == 1
    after = {path: path.stat().st_mtime for path in (folder / "seed-1").rglob("*")}
    assert after == before
