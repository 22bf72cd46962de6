"""The bench of what rungs save in seconds: its accounts, and a run in smoke."""

import io

import pytest
from rich.console import Console

from bench.harness import records
from bench.training import rung_seconds

BEST = {"depth": 2, "width": 64, "activation": "relu", "optimizer": "adam"}


def side(seconds, accuracies):
    return {
        **{"seconds": seconds, "best_accuracies": accuracies, "num_networks": 40},
        **{"best": BEST, "test_accuracy": 0.4321, "num_epochs": None},
    }


def test_all_are_timed_to_the_lowest_of_what_they_end_with():
    found = {
        "no rungs": side([10.0, 20.0, 30.0], [0.40, 0.45, 0.46]),
        "rungs": side([4.0, 8.0, 12.0], [0.39, 0.41, 0.44]),
    }
    row = {"seed": 0, **rung_seconds.compare(found)}
    assert row["level"] == 0.44
    assert row["no rungs"]["seconds_to_level"] == 20.0
    assert row["rungs"]["seconds_to_level"] == 12.0
    assert rung_seconds.shares([row], "rungs") == (12 / 20, 12 / 30, 1)
    record = records.read("pieces") | {"name": "rung_seconds", "rows": [row]}
    text = rung_seconds.rung_seconds_table(record)
    assert "rungs 0.60 and 0.40 (1)" in text and "3 9 25" not in text
    assert "| 0 | rungs | 40 | 12 | 12 | 44.00 | 43.21 | 2 x 64 relu adam |" in text


@pytest.mark.slow
def test_it_runs_in_smoke_and_writes_nothing(monkeypatch):
    written, output = [], io.StringIO()
    monkeypatch.setattr(records, "write", lambda *args, **kwargs: written.append(args))
    console = Console(file=output, width=200)
    rung_seconds.measure(console, smoke=True, full=False, data_dir=None)
    assert "no rungs" in output.getvalue() and not written
