"""The bench of pruning: its own rules, its accounts, and a run in smoke."""

import io

import numpy as np
import pytest
from rich.console import Console

import vecevo
from bench.harness import records
from bench.searching import rendering, rules, rungs
from vecevo.errors import InputError
from vecevo.space import SearchSpace
from vecevo.strategies import pruning

SPACE = SearchSpace([("width", (8, 16, 32, 64)), ("depth", (1, 2, 3, 4, 5, 6))])


@pytest.fixture
def table(tmp_path):
    """Rising curves of 24 networks, three replicates, thirteen epochs."""
    rng = np.random.default_rng(0)
    ends = rng.random((24, 1)) / 2 + 0.4 + rng.normal(size=(24, 3)) / 50
    rise = 1 - np.exp(-np.arange(1, 14) / rng.uniform(1, 6, (24, 1, 1)))
    accuracy = np.clip(ends[..., None] * rise, 0, 1).astype(np.float32)
    made = vecevo.Table(
        space=SPACE,
        fixed={"activation": "relu", "optimizer": "adam"},
        validation_accuracy=accuracy[..., -1],
        num_epochs=np.full((24, 3), 13, np.int32),
        num_params=np.ones(24, np.int32),
        source="made up",
        curves={"validation_accuracy": accuracy, "validation_loss": 1 - accuracy},
    )
    vecevo.save_table(tmp_path / "made.npz", made)
    return tmp_path / "made.npz"


def median_slowly(accuracy):
    """Epochs that each trains for, over lists."""
    there, ends = list(range(len(accuracy))), [len(accuracy[0])] * len(accuracy)
    for epoch in range(len(accuracy[0]) - 1):
        means = [np.mean(accuracy[i][: epoch + 1]) for i in there]
        stops = [i for i in there if accuracy[i][epoch] < np.median(means)]
        for i in stops:
            ends[i] = epoch + 1
        there = [i for i in there if i not in stops]
    return ends


def test_the_median_rule_is_that_of_lists():
    accuracy = np.maximum.accumulate(np.random.default_rng(0).random((9, 6)), axis=1)
    curves = pruning.Curves(accuracy, 1 - accuracy, np.full(9, 6))
    pruned = rules.median_rule()(curves, np.arange(9))
    ends = median_slowly(accuracy.tolist())
    assert len(set(ends)) > 2
    np.testing.assert_array_equal(pruned.num_epochs, ends)
    whole = np.array(ends) == 6
    assert min(pruned.fitness[whole]) > max(pruned.fitness[~whole])


def test_epochs_beyond_the_curves_are_refused():
    curves = pruning.Curves(np.ones((2, 6)), np.ones((2, 6)), np.full(2, 6))
    with pytest.raises(InputError, match=r"num_epochs=7 must be .* from 1 to 6"):
        rules.first_epochs(7)(curves, np.arange(2))


def test_a_table_without_curves_is_refused(table):
    plain = vecevo.load_table(table)._replace(curves={})
    with pytest.raises(InputError, match=r"curves={} has no validation_accuracy"):
        rungs.measure_rules(plain, "random", [0, 1], True, table_name="plain")


def test_what_is_chosen_and_trained_further_is_counted_by_hand():
    numbers = np.array([[4, 2], [7, 4]])
    told = np.array([[0.5, 0.4], [0.6, 0.5]])
    trained = np.array([[1, 1], [1, 0]])
    observed, whole = np.zeros(8), np.full(8, 10)
    observed[[2, 4, 7]], whole[7] = (0.9, 0.8, 0.7), 6
    known = {"observed": observed, "whole": whole}
    chosen, more = rungs.choose(numbers, told, trained, **known, num_full=0)
    assert chosen.tolist() == [4, 7] and more.tolist() == [0, 0]
    chosen, more = rungs.choose(numbers, told, trained, **known, num_full=2)
    # First 4 and 2, with 9 epochs more each; then 7 and 4, with 5 and 9.
    assert chosen.tolist() == [2, 4] and more.tolist() == [18, 14]


def test_a_network_that_is_asked_for_again_counts_with_its_best():
    numbers = np.array([[4, 2], [4, 7], [4, 2]])
    told = np.array([[0.5, 0.6], [2.4, 0.7], [0.2, 2.5]])
    trained = np.array([[1, 1], [9, 1], [1, 9]])
    observed, whole = np.arange(8) / 10, np.full(8, 10)
    known = {"observed": observed, "whole": whole}
    chosen, _ = rungs.choose(numbers, told, trained, **known, num_full=0)
    assert chosen.tolist() == [2, 4, 2]
    # First 2 and 4, 9 epochs short each; then 4, 1 short, and 7, 9; then 2 and 4.
    chosen, more = rungs.choose(numbers, told, trained, **known, num_full=2)
    assert chosen.tolist() == [4, 7, 4] and more.tolist() == [18, 10, 2]


def test_rules_are_compared_and_rendered(table, monkeypatch):
    rows = rungs.measure_rules(
        *(vecevo.load_table(table), "random", [0, 1, 2], False), table_name="made"
    )
    by_rule = {row["rule"]: row for row in rows}
    assert by_rule["none"]["share_of_epochs"] == 1
    assert by_rule["none"]["less_none"]["difference"] == 0
    less = by_rule["1-epoch"]["less_none"]
    assert less["low"] <= less["difference"] <= less["high"]
    # 20 networks to 3, 7 of them to 9, and 3 to 13 epochs, in the first generation.
    assert by_rule["halving 3, 9 by 3"]["epochs_trained"][0] == 20 * 3 + 7 * 6 + 3 * 4
    assert by_rule["5-epoch"]["epochs_trained"][0] == 20 * 5 + 5 * 8
    record = {"rows": rows, "device": "", "versions": {}, "command": "", "commit": ""}
    monkeypatch.setattr(rendering.markdown, "finish", lambda lines, *_: lines)
    assert (
        sum("halving 3, 9 by 2" in line for line in rendering.rungs_table(record)) == 1
    )


def test_ranks_by_epoch_are_those_of_pairs(table, monkeypatch):
    curves = rungs.follow(vecevo.load_table(table))
    found = rungs.rank_by_epoch(curves)
    assert found["epochs"] == [1, 2, 3, 5, 7, 9]
    accuracy = np.asarray(curves.accuracy)
    means = accuracy[..., -1].mean(axis=1)
    order = np.argsort(-means)
    above = [(i, j) for n, i in enumerate(order) for j in order[n + 1 :]]
    for place, epoch in ((0, 1), (3, 5)):
        taus, recalls = [], []
        for at in accuracy[..., epoch - 1].T:
            taus.append(np.mean([np.sign(at[i] - at[j]) for i, j in above]))
            recalls.append(len({*np.argsort(-at)[:5]} & {*order[:5]}) / 5)
        assert found["kendall_tau"][place] == pytest.approx(np.mean(taus), abs=1e-3)
        assert found["recall_of_best"][place] == pytest.approx(np.mean(recalls))
    rows = [{"table": "made", **found}]
    monkeypatch.setattr(rendering.markdown, "finish", lambda lines, *_: lines)
    lines = rendering.rung_ranks_table({"rows": rows})
    assert len(lines) == 4 and lines[2].count("|") == 3 + 6


def test_it_runs_in_smoke_and_writes_nothing(table, monkeypatch):
    monkeypatch.setattr(rungs, "TABLES", (str(table),))
    random = {"random": rungs.STRATEGIES["random"]}  # as another takes long to compile
    monkeypatch.setattr(rungs, "STRATEGIES", random)
    monkeypatch.setattr(records, "write", lambda *_, **__: pytest.fail("written"))
    console = Console(file=io.StringIO(), width=200)
    rungs.measure(console, smoke=True, full=False, data_dir=None)
    assert "1-epoch" in console.file.getvalue()
