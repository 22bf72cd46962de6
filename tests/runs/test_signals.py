"""Signals at the first moments of a run, and at its last."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.runs.test_full_disk import call
from tests.runs.test_stopping import GIVEN, SEVERAL
from vecevo.runs import stopping
from vecevo.runs.files import keeping
from vecevo.runs.report import leaving

# Ctrl-C while a package is imported.
IMPORTING = """
import signal, sys
class Finder:
    def find_spec(self, name, *rest):
        if name == package:
            signal.raise_signal(signal.SIGINT)
package = sys.argv.pop(1)
sys.meta_path.insert(0, Finder())
from vecevo import run
run.main()
"""


@pytest.mark.parametrize("package", ["rich", "numpy", "tyro"])
def test_a_signal_among_the_first_imports_ends_with_a_line(package):
    command = [sys.executable, "-c", IMPORTING, package, "--help"]
    done = subprocess.run(command, capture_output=True)
    assert (done.returncode, done.stderr) in [
        (130, b"vecevo: stopped\n"),
        (130, b"vecevo: stopped before anything was trained\n"),
    ]


@pytest.mark.parametrize("is_unbuffered", ["", "1"])
@pytest.mark.parametrize("args", [["--help"], ["--version"], ["report", "--help"]])
def test_what_nobody_reads_ends_in_silence(args, is_unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "vecevo", *args],
        env={**os.environ, "PYTHONUNBUFFERED": is_unbuffered},
        stdout=writer,
        stderr=subprocess.PIPE,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_end_leaves_a_run_ended(
    tmp_path, monkeypatch, capfd, number
):
    folder, leave_report = tmp_path / "run", leaving.leave_report
    given = [word for word in GIVEN if word != "--no-report"]

    def leave_and_raise(*args):
        signal.raise_signal(number)
        leave_report(*args)

    monkeypatch.setattr(leaving, "leave_report", leave_and_raise)
    assert call(*given, "--output-dir", folder) == 0
    assert "stopping; once more ends it at once" in capfd.readouterr().err
    assert (folder / "report.html").exists()
    assert json.loads((folder / "result.json").read_text())["stopped_by"] is None
    for one in stopping.SIGNALS:  # there is nothing left to end
        signal.raise_signal(signal.Signals[one])
    assert not capfd.readouterr().err


def test_a_signal_after_one_of_several_runs_ends_them_all(tmp_path, monkeypatch):
    leave_networks = keeping.leave_networks

    def raise_and_leave(*args):
        signal.raise_signal(signal.SIGINT)
        leave_networks(*args)

    monkeypatch.setattr(keeping, "leave_networks", raise_and_leave)
    folder = tmp_path / "runs"
    given = (*SEVERAL, "--num-generations", "1", "--output-dir", folder)
    assert call(*given) == 130
    assert (folder / "seed-0/result.json").exists()
    assert not (folder / "seed-1").exists()
