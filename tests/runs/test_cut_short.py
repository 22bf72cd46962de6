"""A cohort that is stopped when some of its networks are at their end."""

import collections
import contextlib
import itertools
import sqlite3

import jax
import numpy as np

import vecevo
from tests.runs.test_killing import table
from vecevo.training import cohorts, sessions

FAILS, STAYS = 1e30, 1e-30  # learning rates: at once without a number, and no change
SPACE = vecevo.SearchSpace({"learning_rate": (0.1, FAILS, STAYS, 0.05)})
FIXED = {"width": 8, "depth": 1, "activation": "relu", "optimizer": "sgd"}


def search(folder, **settings):
    return vecevo.search(
        *(SPACE, "digits"),
        **{"fixed": FIXED, "strategy": "grid", "max_epochs": 6, "patience": 2},
        **{"confirm": 0, "output_dir": folder, **settings},
    )


def count_by_status(folder):
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        rows = connection.execute("SELECT status FROM networks")
        return collections.Counter(status for (status,) in rows)


def test_networks_that_had_ended_stay_and_the_rest_is_as_if_not_stopped(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # no fork of a session for a test
    monkeypatch.setattr(sessions, "most_workers", lambda: 1)
    monkeypatch.setattr(cohorts, "CALL_SECONDS", 0.0)  # an epoch in each call
    whole, train_cohort = search(tmp_path / "whole"), cohorts.train_cohort

    def train_three_epochs(setup, module, lanes, is_occupied, *args, **settings):
        setup.programs.get(module, len(is_occupied))  # nobody is asked meanwhile
        answers = itertools.chain([False] * 3, itertools.repeat(True))
        settings["is_stopped_fn"] = lambda: next(answers)
        return train_cohort(setup, module, lanes, is_occupied, *args, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(cohorts, "train_cohort", train_three_epochs)
        search(tmp_path / "run")
    found = count_by_status(tmp_path / "run")
    assert found == {"failed": 1, "trained": 1, "partial": 2}
    again = search(tmp_path / "run", resume=True)
    assert table(tmp_path / "run") == table(tmp_path / "whole")
    assert [genome for genome, _ in again.top] == [genome for genome, _ in whole.top]
    for (_, got), (_, expected) in zip(again.top, whole.top, strict=True):
        got, expected = got.network.params, expected.network.params
        jax.tree.map(np.testing.assert_array_equal, got, expected)
