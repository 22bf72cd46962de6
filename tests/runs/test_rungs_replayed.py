"""Rungs of searches on recorded curves, and what the command makes of rungs."""

import dataclasses
import json

import jax
import numpy as np
import pytest

import vecevo
from tests.runs import test_budget
from tests.runs.test_full_disk import call
from tests.runs.test_rungs import DIGITS, climb
from vecevo.errors import InputError
from vecevo.keys import split_run_key
from vecevo.results import Work
from vecevo.runs import configuration, ledger, parsing, rungs
from vecevo.runs.files import toml
from vecevo.runs.report import live
from vecevo.training import settings

RUNGS = (2, 5, 25)
SETTINGS = (
    *("--width", "8", "16", "--depth", "1", "--activation", "relu"),
    *("--optimizer", "adam", "sgd", "--learning-rate", "0.001", "0.01"),
    *("--strategy", "random", "--population-size", "6", "--num-generations", "2"),
    *("--confirm", "0", "--ensemble", "0"),
)


@pytest.fixture(scope="module", name="table")
def get_table():
    return vecevo.load_table("fashion_mnist")


def expected_of(table, genomes, replicates):
    """By genome rung, epochs and accuracy of a generation: plain and slow."""
    curves = [table.curves[f"validation_{name}"] for name in ("accuracy", "loss")]
    found = {}
    for genome in genomes:
        place = np.ravel_multi_index(genome, table.space.num_choices)
        column = replicates[place]
        num_epochs = table.num_epochs[place, column]
        found[genome] = climb([c[place, column, :num_epochs] for c in curves], 5)
    left, expected = sorted(found), {}
    for number, rung in enumerate(RUNGS):
        at = {g: found[g][min(rung, len(found[g])) - 1] for g in left}
        for genome in left:
            num_epochs = min(rung, len(found[genome]))
            expected[genome] = (number, num_epochs, float(at[genome][0]))
        left.sort(key=lambda g: (-at[g][0], at[g][1], g))
        left = left[: -(-len(left) // 3)]
    return expected


def test_a_search_on_recorded_curves_has_rungs(table, monkeypatch):
    lists, plain = [], ledger.Ledger.take_in

    def take_in(self, genomes, results, work):
        lists.append(dict(zip(genomes, results, strict=True)))
        plain(self, genomes, results, work)

    monkeypatch.setattr(ledger.Ledger, "take_in", take_in)
    result = vecevo.replay(
        table, strategy="genetic", rungs=RUNGS, num_generations=4, seed=5
    )
    shape = table.num_epochs.shape
    draws = jax.random.randint(split_run_key(5).network, shape[:1], 0, shape[1])
    found = {}
    for results in lists:
        expected = expected_of(table, results, np.asarray(draws))
        for genome, one in results.items():
            said = (one.rung, one.num_epochs, one.validation_accuracy)
            assert said == expected[genome]
        found |= results
    last = [one for one in found.values() if one.rung == 2]
    assert len(last) < len(found) == result.num_trained
    best = max(one.validation_accuracy for one in last)
    assert result.progress[-1].best_accuracy == best
    assert result.top[0][1].validation_accuracy == best
    assert result.saved.num_epochs == sum(one.num_epochs for one in found.values())
    assert result.saved.num_stopped == tuple(
        sum(one.is_stopped and one.rung == rung for one in found.values())
        for rung in (0, 1)
    )


def test_rungs_that_a_table_cannot_have_are_refused(table):
    with pytest.raises(InputError, match="need learning curves, which the table"):
        vecevo.replay(vecevo.load_table("digits"), rungs=RUNGS)
    for given in ((2, 30), 25, "auto"):
        with pytest.raises(InputError, match="of which the last is max_epochs=25"):
            vecevo.replay(table, rungs=given)
    with pytest.raises(InputError, match="by accuracy alone"):
        vecevo.replay(table, rungs=RUNGS, objectives=("accuracy", "num_params"))


def test_the_view_of_a_run_shows_the_best_of_the_last_rung():
    (one,) = vecevo.train_networks(
        [{"depth": 1, "width": 4, "activation": "relu", "optimizer": "sgd"}],
        "digits",
        max_epochs=1,
    )
    space = vecevo.SearchSpace({"width": (4, 8)})
    standing = live.start_standing(
        space, {}, num_generations=1, population_size=2, num_rungs=2
    )
    view = live.View(standing, print, is_drawn=True)
    early = one._replace(validation_accuracy=0.9, is_stopped=True)
    view.take_cohort(0, [(0,)], [early])
    assert "no network trained to its end" in live.best_text(view.standing)
    view.take_cohort(0, [(1,)], [one._replace(validation_accuracy=0.8, rung=1)])
    assert live.best_text(view.standing).startswith("0.8000")
    assert live.networks_text(view.standing) == "2 trained"


def test_the_command_says_what_rungs_do_and_did(tmp_path, capsys):
    folder = tmp_path / "run"
    args = (*SETTINGS, "--rungs", "2", "6", "--max-epochs", "6")
    assert not call(*args, "--output-dir", folder)
    said = " ".join(capsys.readouterr().out.split())
    assert "rungs: after epoch 2 of 6 the best third trains on" in said
    summary = json.loads((folder / "result.json").read_text())
    (num_stopped,) = summary["saved"]["num_stopped"]
    assert f"rungs stopped {num_stopped} networks at epoch 2" in said
    run = vecevo.load_run(folder)
    assert num_stopped == sum(n.status == "stopped" for n in run.networks)
    assert run.config["rungs"] == [2, 6]
    assert toml.read_toml(folder / "config.toml").rungs == (2, 6)
    page = (folder / "report.html").read_text()
    assert f"Rungs stopped {num_stopped} networks" in page
    assert parsing.recorded_settings(str(folder)).rungs == (2, 6)
    assert call("--resume", folder, "--rungs", "none") == 2
    assert "rungs was (2, 6) and is 'none'" in capsys.readouterr().err
    with pytest.raises(InputError, match="a grid without rungs"):
        vecevo.load_table(folder)


def test_runs_from_before_there_were_rungs_go_on_without():
    before = dataclasses.asdict(configuration.RunConfig(rungs=(3, 9)))
    assert parsing.from_recorded(before).rungs == (3, 9)
    del before["rungs"]
    assert parsing.from_recorded(before).rungs == "none"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--rungs", "3", "9"), "rungs=(3, 9) must be ascending"),
        (("--rungs", "9", "3", "25"), "rungs=(9, 3, 25) must be ascending"),
        (("--rungs", "often"), "--rungs"),
        (("--rungs", "3", "25", "--objectives", "accuracy", "num_params"), "alone"),
        (("--landscape", "digits", "--rungs", "3", "25"), "need learning curves"),
    ],
)
def test_rungs_that_cannot_be_are_refused_in_a_line(tmp_path, capsys, args, message):
    assert call(*args, "--output-dir", tmp_path / "run") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "run").exists()


def test_a_file_of_settings_has_rungs(tmp_path):
    path = tmp_path / "settings.toml"
    for text, expected in (('"none"', "none"), ("[3, 9]", (3, 9))):
        path.write_text(f"rungs = {text}\n")
        assert toml.read_toml(path).rungs == expected
    path.write_text("rungs = [0.5]\n")
    with pytest.raises(InputError, match="one of auto, none or a list"):
        toml.read_toml(path)


def test_work_of_a_rung_without_an_end_is_counted():
    held = ledger.Ledger(num_rungs=2)
    held.take_in([], [], Work(needed=2, executed=3))
    assert held.work.executed == 3 and held.best_accuracy == -np.inf


RESOLVED = settings.resolve({}, DIGITS)


def choose(given, dataset=DIGITS, resolved=RESOLVED, **changes):
    said = {"strategy": "recommended", "objectives": ("accuracy",), **changes}
    return rungs.choose_rungs(given, dataset, resolved, **said)


def test_rungs_by_default():
    assert choose("auto") == (5, 25)
    assert choose("none") is None and choose(None) is None
    assert choose([5, np.int64(25)]) == (5, 25)
    assert choose("auto", strategy="random") == (5, 25)
    assert all(choose("auto", strategy=s) is None for s in ("genetic", "grid", None))
    assert choose((5, 25), strategy="grid") == (5, 25)
    assert choose("auto", objectives=("accuracy", "num_params")) is None
    article = DIGITS._replace(is_article=True)
    assert choose("auto", article) is None
    assert choose("auto", resolved=RESOLVED._replace(max_epochs=4)) is None
    assert choose((25,)) is None
    assert choose(np.array([9, 25])) == (9, 25)


@pytest.mark.parametrize(
    "given", ["sometimes", (3, 9), (9, 3, 25), (0, 25), (3.5, 25), (), {3: 25}, 25]
)
def test_rungs_that_are_none_are_refused(given):
    with pytest.raises(InputError, match="rungs="):
        choose(given)


def test_rungs_that_were_given_keep_the_cap_that_they_end_at():
    by_default = test_budget.EXPECTED._replace(rungs=(10, 50))
    for is_auto in (True, False):
        found = test_budget.propose(30, by_default, is_auto=is_auto)
        names = {proposal.setting.split()[0] for proposal in found}
        assert found and ("--max-epochs" in names) is is_auto


def test_rungs_know_accuracy_alone():
    with pytest.raises(InputError, match="by accuracy alone"):
        choose((3, 25), objectives=("accuracy", "num_params"))
