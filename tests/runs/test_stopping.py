"""A run that is stopped: what it had stays, and is what it is said to be."""

import json
import signal

import pytest

from tests.runs.test_full_disk import call
from tests.runs.test_killing import table
from vecevo.runs.files import store
from vecevo.training import sessions

GIVEN = (
    *("--width", "8", "16", "--depth", "1", "--activation", "relu"),
    *("--optimizer", "adam", "--strategy", "grid", "--limit-train", "200"),
    *("--max-epochs", "2", "--confirm", "0", "--ensemble", "0", "--no-report"),
)


@pytest.fixture(name="interrupt")
def get_interrupt(monkeypatch):
    """Lets one worker train; a function to send SIGINT after so many cohorts."""
    monkeypatch.setattr(sessions, "most_workers", lambda: 1)
    record = store.Store.record

    def interrupt(number):
        calls = []

        def record_and_interrupt(*args, **settings):
            record(*args, **settings)
            calls.append(args)
            if len(calls) == number:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(store.Store, "record", record_and_interrupt)

    return interrupt


def test_replicates_of_a_run_that_was_stopped_stay(tmp_path, interrupt, capfd):
    folder, args = tmp_path / "run", (*GIVEN, "--replicates", "3")
    interrupt(1)
    assert call(*args, "--output-dir", folder) == 130
    assert "before anything was trained" not in capfd.readouterr().out
    rows, _ = table(folder)
    assert 0 < len(rows) < 6
    result = json.loads((folder / "result.json").read_text())
    assert result["num_trained"] == 0 and result["stopped_by"] == "SIGINT"
    assert not call("--resume", folder)
    after, _ = table(folder)
    whole = {row for row in rows if json.loads(row)["status"] == "trained"}
    assert whole and whole < set(after) and len(after) == 6
