"""A run that is killed and goes on ends as one that was left alone."""

import contextlib
import json
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

import vecevo

SETTINGS = (
    *("--width", "8", "16", "--depth", "1", "2", "--limit-train", "200"),
    *("--max-epochs", "12", "--population-size", "8", "--num-generations", "5"),
    *("--strategy", "recommended", "--no-report"),
)
LONG = (*SETTINGS, "--num-generations", "15")
COMMAND = (sys.executable, "-m", "vecevo.run")
ENDED = {0, 130, 143, -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}
OF_A_MOMENT = (
    *("time_seconds", "networks_per_hour", "num_programs"),
    "useful_work_ratio",  # what was trained twice counts twice
)


def run(*args):
    return subprocess.run([*COMMAND, *args], capture_output=True, text=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = run(*SETTINGS, "--output-dir", str(folder))
    assert done.returncode == 0, done.stderr
    return folder


def table(folder):
    """All that a run found, in an order that does not depend on when."""
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM networks")]
        ended = connection.execute(
            "SELECT generation, population, best_accuracy, num_trained "
            "FROM generations ORDER BY generation"
        )
        generations = [tuple(row) for row in ended]
    for row in rows:
        del row["id"], row["cohort"]
    return sorted(json.dumps(row, sort_keys=True) for row in rows), generations


def result(folder):
    content = json.loads((folder / "result.json").read_text())
    return {name: x for name, x in content.items() if name not in OF_A_MOMENT}


def count_rows(folder):
    """Trainings in the journal, which may be in use, or not there yet."""
    path = (folder / "run.sqlite").absolute().as_uri()
    try:
        with contextlib.closing(sqlite3.connect(f"{path}?mode=ro", uri=True)) as file:
            return file.execute("SELECT count(*) FROM networks").fetchone()[0]
    except sqlite3.Error:
        return 0


def until_it_has_trained(process, folder):
    """Waits until a process has written a cohort, or is at its end."""
    before, log = count_rows(folder), folder / "run.sqlite-wal"
    # Only while there is a log does reading hinder nobody.
    while not (log.exists() and count_rows(folder) > before):
        if process.poll() is not None:
            break
        time.sleep(0.01)


def until(seconds):
    """Returns a function that waits so long, or until a process is at its end."""

    def wait(process, folder):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)

    return wait


def run_with_kills(folder, settings, moments):
    """Stops a run at moments, then lets it end; returns the codes of all processes.

    A moment is a function that waits for it, and the signal.
    """
    codes = []
    for wait_fn, number in (*moments, (until(600), signal.SIGKILL)):
        is_there = (folder / "run.sqlite").exists()
        args = ("--resume", folder) if is_there else (*settings, "--output-dir", folder)
        if not is_there:  # it had not begun, and its name is to be had again
            shutil.rmtree(folder, ignore_errors=True)
        process = subprocess.Popen(
            [*COMMAND, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        wait_fn(process, folder)
        if process.poll() is None:
            process.send_signal(number)
        _, errors = process.communicate()
        codes.append(process.returncode)
        assert process.returncode in ENDED, errors
        assert b"Traceback" not in errors, errors
        if process.returncode == 0:
            break
    return codes


def check_same(whole, folder):
    assert table(folder) == table(whole)
    assert result(folder) == result(whole)
    for name in ("best", "top/2"):
        network, expected = (vecevo.load_network(f / name) for f in (folder, whole))
        assert network.hyperparams == expected.hyperparams


def test_a_killed_run_ends_as_one_that_was_left_alone(whole, tmp_path):
    numbers = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
    moments = [(until_it_has_trained, number) for number in numbers]
    codes = run_with_kills(tmp_path / "run", SETTINGS, moments)
    assert codes == [-signal.SIGKILL, 130, 143, 0]
    check_same(whole, tmp_path / "run")


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A longer run, and the seconds that it takes once its programs are cached."""
    for name in ("cold", "warm"):
        folder, start = tmp_path_factory.mktemp(name) / "run", time.monotonic()
        done = run(*LONG, "--output-dir", str(folder))
        assert done.returncode == 0, done.stderr
    return folder, time.monotonic() - start


@pytest.mark.kill
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("numbers", [[signal.SIGKILL], [signal.SIGTERM, signal.SIGINT]])
def test_killed_at_random_moments(long, tmp_path, seed, numbers):
    (whole, seconds), rng = long, random.Random(seed)
    # The first well before it would end, so that it is killed at least once.
    shares = [rng.uniform(0.05, 0.7) for _ in range(3)]
    moments = [(until(share * seconds), rng.choice(numbers)) for share in shares]
    codes = run_with_kills(tmp_path / "run", LONG, moments)
    assert len(codes) > 1 and codes[-1] == 0
    check_same(whole, tmp_path / "run")


def test_a_finished_run_goes_on_and_another_is_refused(whole, tmp_path):
    whole = shutil.copytree(whole, tmp_path / "moved")
    before, settings = table(whole)[0], tmp_path / "x.toml"
    settings.write_text("width = [8, 16]")
    for args, words in (
        (("--width", "8"), "width was (8, 16) and is (8,)"),
        (("--num-generations", "2"), "num_generations=2 is less than the 5"),
        (("--config", str(settings)), "leave --config out"),
    ):
        done = run("--resume", str(whole), *args)
        assert done.returncode == 2 and done.stderr.count("\n") == 1
        assert words in done.stderr
    absent = run("--resume", str(tmp_path / "none"))
    assert absent.returncode == 2 and "is no folder of a run" in absent.stderr
    done = run("--resume", str(whole), "--num-generations", "6")
    assert done.returncode == 0 and "read back: 5 generations" in done.stdout
    after = table(whole)[0]
    searched = {row for row in before if '"purpose": "search"' in row}
    assert searched < set(after)
    assert len([row for row in after if '"purpose": "search"' in row]) == 48


def test_two_processes_do_not_share_a_run(tmp_path):
    from vecevo.runs.files import store

    files = store.start(tmp_path / "run", {})
    with pytest.raises(vecevo.InputError, match="in use: another process"):
        store.open_again(tmp_path / "run")
    files.close()
    with pytest.raises(vecevo.InputError, match="has a run"):
        store.start(tmp_path / "run", {})
    path = pathlib.Path(tmp_path / "run/run.sqlite")
    content = path.read_bytes()
    for size in (0, 10, 100, 5000, len(content) // 2, len(content) - 5000):
        path.write_bytes(content[:size])
        with pytest.raises(vecevo.InputError):
            store.open_again(tmp_path / "run")
        assert path.read_bytes() == content[:size]
    path.write_bytes(content)
    files, recorded = store.open_again(tmp_path / "run")
    assert recorded.populations == [] and recorded.num_ended == 0
    files.close()


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_within_a_callback_is_not_lost(number, code):
    program = (
        "import gc, signal; from vecevo.runs import stopping\n"
        "stopping.end_by_signals('stopped')\n"
        f"gc.callbacks.append(lambda *_: signal.raise_signal(signal.{number}))\n"
        "gc.collect()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert (done.returncode, done.stderr) == (code, b"vecevo: stopped\n")


# A run whose reader ends as the signal comes, in its second cohort.
PIPED = """
import signal, sys, threading, time
from vecevo import run
from vecevo.runs.report import live
from vecevo.training import cohorts, sessions
sessions.most_workers, live.QUIET_SECONDS = lambda: 1, -1
train_cohort, calls = cohorts.train_cohort, []
def train(*args, is_stopped_fn, **settings):
    calls.append(args)
    if len(calls) == 2:
        sys.stdin.readline()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        while not is_stopped_fn():
            time.sleep(0.01)
    return train_cohort(*args, is_stopped_fn=is_stopped_fn, **settings)
cohorts.train_cohort = train
run.main()
"""


def test_a_run_outlives_those_who_read_it(tmp_path):
    given = "--width 8 --depth 1 --activation relu --optimizer adam --max-epochs 1"
    rest = "--strategy grid --replicates 3 --confirm 0 --no-report --output-dir"
    command = [*given.split(), *rest.split(), str(tmp_path / "run")]
    with subprocess.Popen(
        [sys.executable, "-c", PIPED, *command],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        for line in process.stdout:
            if "generation 1" in line:
                break
        process.stdout.close()
        process.stdin.write("\n")
    assert process.returncode == 130
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert result["stopped_by"] == "SIGINT"


def test_a_signal_whose_line_nobody_reads_ends_the_process(tmp_path):
    program = (
        "import os, signal; from vecevo.runs import stopping\n"
        "stopping.end_by_signals('stopped')\n"
        "os.close(2)\n"
        "signal.raise_signal(signal.SIGTERM)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert done.returncode == 143
