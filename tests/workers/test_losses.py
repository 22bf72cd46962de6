"""Workers, nodes, heads and drivers are lost: no network is, the table is equal."""

import contextlib
import os
import random
import signal
import subprocess
import time

import pytest

from tests.runs.test_killing import COMMAND, SETTINGS, check_same, count_rows
from tests.workers import nodes
from vecevo.runs.files import reading

pytestmark = [
    pytest.mark.ray,
    pytest.mark.skipif(
        not nodes.HAS_RAY, reason="Ray is not installed: pip install 'vecevo[ray]'"
    ),
]
LONG = (*SETTINGS, "--num-generations", "10")
SECONDS = 600  # that any of these runs may take


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run by threads that was left alone."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    subprocess.run([*COMMAND, *LONG, "--output-dir", str(folder)], check=True)
    return folder


def begin(folder, *args):
    """Starts a run in a folder, or goes on with the one that is there."""
    is_there = (folder / "run.sqlite").exists()
    args += ("--resume", folder) if is_there else (*LONG, "--output-dir", folder)
    return subprocess.Popen(
        [*COMMAND, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=nodes.environment(),
        start_new_session=True,
    )


def end(process, code=0):
    """Waits for the end of a run; returns what it said as errors."""
    said, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == code, said + errors
    assert "Traceback" not in errors, errors
    return errors


def until(condition_fn, process):
    """Waits until something is so; False: the process came to its end before."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if condition_fn():
            return True
        time.sleep(0.02)
    return False


def kill_all(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("num", [1, 2, 4])
def test_the_table_does_not_depend_on_how_many_workers_there_are(whole, tmp_path, num):
    end(begin(tmp_path / "run", "--workers", num))
    check_same(whole, tmp_path / "run")
    shifts = reading.load_run(tmp_path / "run").shifts
    assert {shift.worker for shift in shifts} == set(range(1, num + 1))
    assert sum(shift.num_networks for shift in shifts) >= 80


@pytest.mark.parametrize("seed", range(9))
def test_workers_killed_at_random_moments(whole, tmp_path, seed):
    folder, rng = tmp_path / "run", random.Random(seed)
    with begin(folder, "--workers", "2") as process:
        for _ in range(2):
            number = count_rows(folder) + rng.randrange(1, 30)
            if not until(lambda n=number: count_rows(folder) >= n, process):
                break
            workers = nodes.children(process.pid, "ray::Worker")
            kill_all([rng.choice(workers)] if workers else [])
        errors = end(process)
    assert set(errors.splitlines()) <= {
        f"vecevo: worker {number} was lost: what it trained is trained again"
        for number in range(1, 5)
    }
    check_same(whole, folder)


def test_a_node_that_is_killed_and_one_that_joins_later(whole, tmp_path):
    folder = tmp_path / "run"
    with nodes.cluster(2) as cluster:
        process = begin(folder, "--ray", cluster.address)
        assert until(lambda: count_rows(folder) > 8, process)
        nodes.kill(cluster.others.pop())
        assert until(lambda: count_rows(folder) > 24, process)
        cluster.add()
        end(process)
    check_same(whole, folder)


def test_a_head_that_is_lost_is_told_and_the_run_goes_on(whole, tmp_path):
    folder = tmp_path / "run"
    with nodes.cluster(1) as cluster:
        process = begin(folder, "--ray", cluster.address)
        assert until(lambda: count_rows(folder) > 8, process)
        kill_all(nodes.children(cluster.head.pid, "gcs_server"))
        errors = end(process, code=2)
    assert errors.count("\n") == 1 and "does not answer any more" in errors
    end(begin(folder, "--ray", "None", "--workers", "2"))
    check_same(whole, folder)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_driver_that_is_stopped_goes_on(whole, tmp_path, number):
    folder = tmp_path / "run"
    process = begin(folder, "--workers", "2")
    assert until(lambda: count_rows(folder) > 16, process)
    workers = nodes.children(process.pid, "ray::Worker")
    if number == signal.SIGINT:  # of Ctrl-C, which all of a terminal's group get
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    end(process, {signal.SIGINT: 130, signal.SIGTERM: 143}.get(number, -number))
    for _ in range(300):
        if not {*workers} & {*nodes.processes()}:
            break
        time.sleep(0.1)
    assert workers and not {*workers} & {*nodes.processes()}
    end(begin(folder))
    check_same(whole, folder)
