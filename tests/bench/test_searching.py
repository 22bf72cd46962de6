"""The arithmetic of the comparison of searches, and that it runs without peers."""

import io

import numpy as np
import pytest
from rich.console import Console

from bench.harness import records
from bench.searching import (
    choice,
    compare,
    curve_file,
    evolution,
    evolution_picture,
    peers,
    picture,
    rendering,
    sources,
    summary,
    trainings,
)
from vecevo import strategies

SETTINGS = {"smoke": True, "full": False, "data_dir": None}


def plain_curve(recorded, numbers, observed, batch_size, num_batches):
    """The regret at every batch of distinct genomes, one genome after the other."""
    means, seen, curve = recorded.values.mean(axis=1), [], []
    for number in numbers:
        if number in seen or len(curve) == num_batches:
            continue
        seen.append(number)
        if len(seen) % batch_size == 0:
            incumbent = max(seen, key=lambda one: observed[one])  # the first of equals
            curve.append(means.max() - means[incumbent])
    return curve


def test_regret_follows_the_first_of_the_best_observed():
    rng = np.random.default_rng(0)
    recorded = sources.small_table()
    recorded = recorded._replace(values=recorded.values.round(1))  # has equals
    numbers = rng.integers(0, len(recorded.values), 300)
    numbers[100:150] = numbers[:50]  # repeats, free of charge
    observed = sources.observed_values(recorded, 3)
    found = sources.regret_curve(
        recorded, numbers, observed, batch_size=16, num_batches=8
    )
    expected = plain_curve(recorded, numbers.tolist(), observed, 16, 8)
    np.testing.assert_allclose(found.regret, expected, atol=1e-12)
    assert found.num_distinct == 128
    assert len(set(numbers[: found.num_asked].tolist())) == 128
    assert len(set(numbers[: found.num_asked - 1].tolist())) == 127
    short = sources.regret_curve(
        recorded, numbers[:40], observed, batch_size=16, num_batches=8
    )
    assert short.num_distinct < 41 and short.num_asked == 40
    assert (short.regret[3:] == short.regret[2]).all()


def test_all_methods_with_a_seed_observe_the_same_and_replicates_are_even():
    recorded = sources.small_table()
    np.testing.assert_array_equal(
        sources.draw_replicates(recorded, 1),
        sources.draw_replicates(recorded, 1),
    )
    drawn = [sources.draw_replicates(recorded, seed) for seed in range(10)]
    counts = np.bincount(np.concatenate(drawn), minlength=3)
    five_sigma = 5 * np.sqrt(9000 * 2 / 9)
    assert (np.abs(counts - 3000) < five_sigma).all()
    assert (drawn[0] != drawn[1]).any()


def test_ranks_share_ties_and_are_averaged_over_cells():
    assert summary.rank([0.3, 0.1, 0.1, 0.5]).tolist() == [3, 1.5, 1.5, 4]
    ranks = summary.mean_ranks({"a": [1, 5, 2], "b": [2, 5, 1], "c": [3, 1, 1]})
    assert ranks == pytest.approx({"a": (1 + 2.5 + 3) / 3, "b": 2, "c": 5.5 / 3})


def test_the_bootstrap_tells_differences_from_chance():
    rng = np.random.default_rng(0)
    theirs = rng.exponential(size=30)
    settings = {"num_resamples": 2000, "seed": 1}
    worse = summary.bootstrap_difference(theirs + 0.5, theirs, **settings)
    # Paired: a shift of all has no spread, however wide the regrets are.
    assert worse["is_worse"] and not worse["is_better"]
    assert worse["low"] == pytest.approx(0.5) == worse["high"]
    better = summary.bootstrap_difference(theirs / 3, theirs, **settings)
    assert better["is_better"] and better["high"] < 0
    other = summary.bootstrap_difference(rng.exponential(size=30), theirs, **settings)
    assert not other["is_worse"] and not other["is_better"]
    # The law of the median of resampled 1, 2, 3: 1 and 3 have 7 of 27 each.
    three = summary.bootstrap_difference(
        [1, 2, 3], [0, 0, 0], num_resamples=100, seed=0
    )
    assert (three["low"], three["difference"], three["high"]) == (1, 2, 3)


def test_trainings_are_counted_until_a_good_one_is_the_incumbent():
    is_good = np.array([False, True, False, True])
    # 3 is good but observed as worse than 0; 0 and 2 are no news the second time.
    numbers, fitness = [0, 0, 3, 2, 2, 1], [0.5, 0.5, 0.4, 0.6, 0.6, 0.7]
    assert trainings.count_until(np.array(numbers), fitness, is_good) == 4
    assert trainings.count_until(np.array(numbers[:5]), fitness[:5], is_good) == np.inf
    described = trainings.describe(np.array([20, 30, 40, 120, np.inf]))
    assert described["quantiles"] == [20, 30, 40, 120, None]
    assert described["share_reached"] == 0.8
    assert described["share_within_100"] == 0.6


def test_searches_run_in_smoke_and_write_nothing(monkeypatch):
    written, output = [], io.StringIO()
    monkeypatch.setattr(records, "write", lambda *args, **kwargs: written.append(args))
    monkeypatch.setattr(curve_file, "PATH", records.FOLDER / "no_such_file")

    def peer(evaluate, num_choices, is_ordered, seed):
        rng = np.random.default_rng(seed)
        assert len(num_choices) == len(is_ordered)
        while True:
            genomes = rng.integers(0, num_choices, (64, len(num_choices)))
            assert evaluate(genomes).shape == (64,)

    peers = {
        "here": (("numpy",), peer),
        "gone": (("numpy", "no-such-package"), peer),
    }
    ours = {"recommended": (compare.plain(strategies.evolution_plus), 20)}
    monkeypatch.setattr(compare, "PEERS", peers)
    monkeypatch.setattr(compare, "OURS", ours)
    rows = []
    monkeypatch.setattr(compare, "make_table", lambda found: rows.extend(found) or "")
    console = Console(file=output, width=200)
    compare.measure(console, **SETTINGS)
    assert "gone is absent" in output.getvalue() and not written
    assert {row["method"] for row in rows} == {"recommended", "here", "gone"}
    (compared, *_) = rows[0]["against_best_peer"]
    assert compared["peer"] == "here" and compared["num_distinct"] == 128
    record = {
        **{"rows": rows, "name": "search", "command": "", "commit": "", "device": ""},
        "versions": dict.fromkeys(("python", "jax", "flax", "optax"), "1"),
    }
    assert "| gone | absent | - |" in rendering.search_table(record)
    choice.measure(console, **SETTINGS)
    trainings.measure(console, **SETTINGS)
    assert "evolution_plus" in output.getvalue()
    assert "the article's setting" in output.getvalue() and not written


@pytest.mark.parametrize(
    "name",
    [*peers.PEERS, *(pytest.param(n, marks=pytest.mark.long) for n in peers.MODELS)],
)
def test_another_package_asks_in_batches_for_genomes_of_the_space(name):
    packages, peer = (peers.PEERS | peers.MODELS)[name]
    for package in packages:
        pytest.importorskip(package)
    num_choices, is_ordered, batches = (9, 9, 9), (False, True, False), []

    def evaluate(genomes):
        if len(batches) == 3:
            raise compare.BudgetSpent
        batches.append(np.asarray(genomes))
        return np.asarray(genomes).sum(axis=1).astype(float)

    with pytest.raises(compare.BudgetSpent):
        peer(evaluate, num_choices, is_ordered, 0)
    first, _, last = batches
    # PyGAD and pymoo ask for no more than what is new to them.
    assert len(first) <= 64 and first.shape[1] == 3
    for genomes in batches:
        assert (genomes >= 0).all() and (genomes < num_choices).all()
    assert last.sum(axis=1).mean() > first.sum(axis=1).mean()  # it maximises


def test_the_picture_has_a_panel_for_each_table(tmp_path):
    pytest.importorskip("matplotlib")
    entry = {"regret": [[0.3, 0.2, 0.1], [0.4, 0.2, 0.2]]}
    methods = {"recommended": entry, "random": entry, "other": entry}
    path = tmp_path / "picture.svg"
    picture.draw({"one_table": methods, "another": methods}, path)
    text = path.read_text()
    for said in ("one table", "another", "recommended", "other", "median regret"):
        assert said in text
    picture.draw({"one_table": methods, "another": methods}, tmp_path / "2.svg")
    assert (tmp_path / "2.svg").read_text() == text


def test_curves_on_file_are_read_as_written(tmp_path, monkeypatch):
    monkeypatch.setattr(curve_file, "PATH", tmp_path / "curves.json")
    assert curve_file.read() == {}
    one = sources.Curves(regret=np.array([0.25, 0.125]), num_distinct=2, num_asked=3)
    cached = {"a_table": {"a method": curve_file.to_entry([one])}}
    curve_file.save(cached)
    assert curve_file.read() == cached


def test_an_evolution_is_recorded_and_drawn(tmp_path):
    space, sizes = evolution.SMALL, {"population_size": 4, "max_epochs": 1}
    rows = evolution.evolve(space, num_generations=2, **sizes)
    assert [row["generation"] for row in rows] == [0, 1]
    for row in rows:
        assert len(row["accuracies"]) == 4
        # One failed network would make these differ.
        mean = np.mean(row["accuracies"])
        assert row["mean_accuracy"] == pytest.approx(mean, abs=1e-5)
        for name, choices in space.genes:
            assert list(row["choices"][name]) == [str(choice) for choice in choices]
            assert sum(row["choices"][name].values()) == 4
    best = [max(row["accuracies"]) for row in rows]
    assert rows[1]["best_accuracy"] == pytest.approx(max(best), abs=1e-5)
    assert 0 <= rows[-1]["test_accuracy"] <= 1
    pytest.importorskip("matplotlib")
    evolution_picture.draw(rows, tmp_path / "picture.svg")
    assert "accuracy" in (tmp_path / "picture.svg").read_text()


def test_choices_are_counted_by_gene():
    genomes = [[0, 0, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1]]
    assert evolution.count_choices(evolution.SMALL, genomes) == {
        "depth": {"1": 1, "2": 2},
        "width": {"16": 3},
        "activation": {"relu": 3},
        "optimizer": {"adam": 0, "sgd": 3},
    }


def test_the_picture_of_the_evolution_names_all_choices(tmp_path):
    pytest.importorskip("matplotlib")
    rows = [
        {
            "generation": generation,
            "best_accuracy": 0.9,
            "mean_accuracy": 0.8,
            "num_trained": 4 + generation,
            "accuracies": [0.1, 0.8, 0.85, 0.9],
            "choices": {
                "depth": {"1": 4 - generation, "2": generation},
                "optimizer": {"adam": 4, "sgd": 0},
                "activation": {"relu": 1, "elu": 3},
            },
        }
        for generation in range(4)
    ]
    for name in ("1.svg", "2.svg"):
        evolution_picture.draw(rows, tmp_path / name)
    text = (tmp_path / "1.svg").read_text()
    for said in ("depth", "optimizer", "activation", "adam", "sgd", "relu", "elu"):
        assert f"{said}</text>" in text
    assert "best so far" in text and "a network below 75 %" in text
    assert (tmp_path / "2.svg").read_text() == text


def test_a_label_stands_where_a_band_is_widest():
    x, y, clearance = evolution_picture.widest_place(
        [0, 1, 2, 3], np.array([0.5, 0.5, 0.1, 0.5]), np.array([0.6, 0.6, 0.9, 0.6]), 1
    )
    assert 1.8 < x < 2.2 and y == pytest.approx(0.5, abs=0.05)
    assert 0.6 < clearance < 0.8
