"""What a run prints: texts of users as they are, and lines that are true."""

import itertools

import numpy as np
import pytest

from vecevo import run
from vecevo.evaluation import make_canonical_fn
from vecevo.runs import expecting
from vecevo.space import SearchSpace

QUICK = (
    *("--width", "8", "--depth", "1", "--activation", "relu", "--optimizer", "adam"),
    *("--limit-train", "30", "--max-epochs", "1", "--confirm", "0", "--ensemble", "0"),
)
TEXTS = ("x[/b]", "[b]y", ":smile:")  # markup, and a name of an emoji, of rich


def call(monkeypatch, capsys, *args):
    """Runs the command here; returns what it prints."""
    monkeypatch.setattr("sys.argv", ["vecevo", *map(str, args)])
    run.main()
    return capsys.readouterr().out


@pytest.mark.parametrize("more", [(), ("--quiet",), ("--plan",)])
def test_texts_of_users_are_no_markup(monkeypatch, capsys, tmp_path, more):
    rows = [f"{i % 3},{i},{TEXTS[i % 3]}" for i in range(60)]
    path = tmp_path / "[red]t.csv"
    path.write_text("\n".join(["[/a],b,class", *rows]))
    folder = tmp_path / "[bold]out[/x]:tada:"
    given = ("--dataset", path, "--output-dir", folder, *more)
    printed = call(monkeypatch, capsys, *QUICK, *given)
    if "--quiet" not in more:
        assert all(text in printed for text in TEXTS)
    if "--plan" not in more:
        assert f"results in {folder}" in printed
        assert f"report: {folder / 'report.html'}" in printed


def test_a_run_that_is_read_back_has_no_plan_and_no_number_of_programs(
    monkeypatch, capsys, tmp_path
):
    given = (*QUICK, "--strategy", "random", "--population-size", "1", "--no-report")
    given = (*given, "--learning-rate", "0.1", "0.2", "--num-generations", "1")
    printed = call(monkeypatch, capsys, *given, "--output-dir", tmp_path / "o")
    assert "over 2 networks: 1 generation of 1 on" in printed
    assert "plan: 1 new network in 1 cohort, " in printed
    assert "best " in printed and ", 1 distinct network trained, " in printed
    assert "; 1 network was tried" in printed
    assert "1 of 1 network trained to the cap of 1 epoch, and" in printed
    assert "of it waiting for compiled programs; results in" in printed
    printed = call(monkeypatch, capsys, "--resume", tmp_path / "o")
    assert "plan: what the search trains is read back, all of it" in printed
    assert "new network" not in printed and "0 compiled" not in printed
    more = ("--resume", tmp_path / "o", "--num-generations", "2")
    assert "plan: 2 new networks" in call(monkeypatch, capsys, *more)


SPACES = {
    "skip": {"depth": (1, 2), "skip": ("none", "identity")},
    "momentum": {"optimizer": ("sgd", "adam", "nesterov"), "momentum": (0.0, 0.9)},
    "beta_2": {"optimizer": ("sgd", "adam"), "beta_2": (0.9, 0.99), "depth": (1, 2)},
    "warmup": {"schedule": ("constant", "one_cycle"), "warmup": (0.0, 0.1)},
    "width_1": {"depth": (1, 2), "width": (4, 8), "width_1": (4, 6)},
    "width_2": {"depth": (1, 2), "width_2": (4, 6), "skip": ("none", "identity")},
    "rates": {"learning_rate": (0.1, 0.2), "dropout_rate": (0.0, 0.5)},
}


@pytest.mark.parametrize("name", SPACES)
def test_networks_are_counted_as_they_are_told_apart(name):
    space = SearchSpace(SPACES[name])
    fixed = {"depth": 1, "width": 4, "activation": "relu", "optimizer": "adam"}
    fixed = {key: value for key, value in fixed.items() if key not in SPACES[name]}
    genomes = list(itertools.product(*map(range, space.num_choices)))
    canonical = make_canonical_fn(space, fixed)(np.array(genomes))
    num_networks = len({tuple(genome) for genome in canonical.tolist()})
    assert expecting.count_networks(space, fixed) == num_networks
    assert (num_networks == space.num_genomes) == (name == "rates")


def test_a_plan_counts_networks_and_not_their_genomes(monkeypatch, capsys):
    given = (*QUICK, "--plan", "--skip", "none", "identity", "--strategy", "grid")
    printed = call(monkeypatch, capsys, *given)
    assert "grid search over 1 network (2 genomes): " in printed
    assert "plan: 1 new network in 1 cohort, " in printed
    printed = call(monkeypatch, capsys, "--space", "recipe", "--plan")
    assert "over 4,608,000 genomes, some of them of one network: " in printed


def test_several_runs_without_a_network_have_nothing_to_compare(
    monkeypatch, capsys, tmp_path
):
    given = ("--num-runs", "2", "--max-seconds", "0.01", "--output-dir", tmp_path / "o")
    printed = call(monkeypatch, capsys, *QUICK, *given)
    assert "nothing to compare" in printed and "quartile" not in printed
    assert (tmp_path / "o" / "report.html").exists()
