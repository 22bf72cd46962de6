"""Recorded tables, and searches replayed on them."""

import contextlib
import io
import json
import sqlite3

import jax
import numpy as np
import pytest
from rich.console import Console

import vecevo
from bench.harness import records
from bench.searching import digits_table
from vecevo import landscapes, run, strategies
from vecevo.operators import grid_population
from vecevo.results import NetworkResult
from vecevo.runs import configuration, resolving
from vecevo.runs.files import journal, tables
from vecevo.training.recipe import complete

CONFIG = configuration.RunConfig(
    depth=(1, 2), width=(8, 16, 32), activation=("relu",), optimizer=("sgd", "adam")
)
SPACE, FIXED = resolving.make_space(CONFIG)


def make_run(folder, seed, num_networks=12):
    """Leaves what a grid run leaves, with made-up accuracies; the first one failed."""
    folder.mkdir()
    accuracy = np.random.default_rng(seed).random(12).astype(np.float32)
    genomes = grid_population(SPACE.num_choices, start=0, population_size=12).tolist()
    results = [
        NetworkResult(
            hyperparams=complete({**FIXED, **vecevo.decode(SPACE, genome)}),
            num_params=100 * sum(genome) + row,
            validation_accuracy=-np.inf if row == 0 else float(accuracy[row]),
            validation_loss=np.inf if row == 0 else 0.5,
            num_epochs=row + seed,
            failed_epoch=0 if row == 0 else None,
            curves={},
            params={},
        )
        for row, genome in enumerate(genomes)
    ]
    # Cohorts come in any order.
    order = np.random.default_rng(0).permutation(12)[:num_networks]
    meta = {"space": SPACE.genes, "fixed": FIXED}
    with contextlib.closing(journal.create(folder / "run.sqlite", meta)) as connection:
        journal.record(
            connection, 0, [genomes[i] for i in order], [results[i] for i in order]
        )
    accuracy[0] = -np.inf
    return accuracy


@pytest.fixture
def table(tmp_path):
    for seed in range(3):
        make_run(tmp_path / f"seed{seed}", seed)
    return vecevo.merge_tables(
        [vecevo.load_table(str(tmp_path / f"seed{seed}")) for seed in range(3)],
        source="test",
    )


def call(monkeypatch, *args):
    monkeypatch.setattr("sys.argv", ["run", *args])
    run.main()


def test_runs_become_tables_that_are_merged_saved_and_loaded(tmp_path):
    accuracy = np.stack([make_run(tmp_path / f"{n}", n) for n in range(2)], axis=1)
    merged = vecevo.merge_tables(
        [vecevo.load_table(str(tmp_path / f"{n}")) for n in range(2)], source="two"
    )
    vecevo.save_table(tmp_path / "table.npz", merged)
    loaded = vecevo.load_table(tmp_path / "table.npz")
    for one in (merged, loaded):
        assert (one.space, one.fixed, one.source) == (SPACE, FIXED, "two")
        np.testing.assert_array_equal(one.validation_accuracy, accuracy)
        expected = np.arange(12)[:, None] + [0, 1]
        np.testing.assert_array_equal(one.num_epochs, expected)
        assert one.num_params[-1] == 100 * (1 + 2 + 1) + 11
    with np.load(tmp_path / "table.npz", allow_pickle=False) as file:
        assert json.loads(str(file["genes"]))[1] == ["width", [8, 16, 32]]


def test_what_is_no_table_is_refused_in_one_line(tmp_path, table):
    make_run(tmp_path / "part", 0, num_networks=11)
    (tmp_path / "bad.npz").write_text("nothing")
    with contextlib.closing(sqlite3.connect(tmp_path / "seed0/run.sqlite")) as old:
        old.execute("PRAGMA user_version = 9")
    for run_, words in {
        "part": "11 of the 12 networks",
        "seed0": "schema version 9",
        "bad.npz": "a file of save_table",
        "none.npz": "cannot be read",
        "none": "no run.sqlite",
    }.items():
        with pytest.raises(ValueError, match=words) as caught:
            vecevo.load_table(tmp_path / run_)
        message = str(caught.value)
        assert message.startswith(f"run='{tmp_path / run_}") and "\n" not in message
    other = table._replace(num_params=table.num_params + 1, source="other")
    with pytest.raises(ValueError, match="other and test are tables of different"):
        vecevo.merge_tables([table, other], source="")


def test_the_bench_records_runs_as_a_table(tmp_path, monkeypatch, table):
    written = []
    monkeypatch.setattr(records, "write", lambda *args, **_: written.append(args))
    monkeypatch.setattr(digits_table, "FOLDER", tmp_path)
    runs = [str(tmp_path / f"seed{seed}") for seed in range(3)]
    console = Console(file=io.StringIO())
    digits_table.record(console, runs=runs, smoke=True)
    assert not written and not (tmp_path / "digits_table.npz").exists()
    digits_table.record(console, runs=runs, smoke=False)
    ((name, [row]),) = written
    assert name == "digits_table" and row["num_failed"] == 3
    assert row["best_mean_accuracy"] == table.validation_accuracy.mean(1).max()
    loaded = vecevo.load_table(tmp_path / "digits_table.npz")
    np.testing.assert_array_equal(loaded.validation_accuracy, table.validation_accuracy)
    assert runs[2] in loaded.source


def test_the_embedded_table_is_of_the_articles_space():
    digits = vecevo.load_table("digits")
    assert digits.space == vecevo.article_space()
    assert digits.validation_accuracy.shape[0] == 672
    assert np.isfinite(digits.validation_accuracy).all()
    assert digits.validation_accuracy.max() <= 1 and digits.num_epochs.max() <= 25


def test_a_replay_asks_for_what_a_compiled_run_asks_for(table):
    table = table._replace(validation_accuracy=table.validation_accuracy[:, :1])
    strategy = strategies.evolution_plus(SPACE.num_choices, population_size=3)
    result = vecevo.replay(table, strategy=strategy, num_generations=4, seed=5)
    fitness_fn = landscapes.table(table.validation_accuracy, SPACE.num_choices)
    state, trace = strategies.run_strategy(jax.random.key(5), strategy, fitness_fn, 4)
    distinct = np.unique(trace.offspring.reshape(-1, 4), axis=0)
    assert result.num_trained == len(distinct)
    genome, network = result.top[0]
    assert list(genome) == state.best_genome.tolist()
    assert network.validation_accuracy == state.best_fitness
    assert [p.best_accuracy for p in result.progress] == pytest.approx(
        np.maximum.accumulate(trace.info.best_fitness)
    )


def test_one_replicate_of_each_network_is_observed(table):
    grid = strategies.grid(SPACE.num_choices, population_size=12)
    seen = []
    for seed in range(40):
        result = vecevo.replay(table, strategy=grid, num_generations=1, seed=seed)
        genome, network = result.top[0]
        place = np.ravel_multi_index(genome, SPACE.num_choices)
        row = table.validation_accuracy[place].tolist()
        seen.append(row.index(np.float32(network.validation_accuracy)))
        assert network.num_epochs == place + seen[-1]
        assert result.num_failed == 1 and result.num_trained == 12
    assert set(seen) == {0, 1, 2}


@pytest.mark.parametrize("name", ["genetic", "local_search", "grid"])
def test_the_command_line_replays_a_strategy(
    monkeypatch, tmp_path, capsys, table, name
):
    vecevo.save_table(tmp_path / "table.npz", table)
    args = ["--landscape", str(tmp_path / "table.npz"), "--strategy", name]
    out = tmp_path / "out"
    call(monkeypatch, *args, "--population-size", "4", "--output-dir", str(out))
    printed = capsys.readouterr().out
    assert "search over 12 recorded networks" in printed
    result = json.loads((out / "result.json").read_text())
    assert f"generation {result['num_generations']}/" in printed
    best = result["best"]
    place = np.ravel_multi_index(best["genome"], SPACE.num_choices)
    row = table.validation_accuracy[place]
    assert best["mean_accuracy"] == pytest.approx(row.mean())
    assert best["validation_accuracy"] in row.tolist()
    assert result["landscape"]["num_replicates"] == 3
    assert result["front"] == []
    if name == "grid":
        assert result["num_generations"] == 3 and result["num_trained"] == 12
    # The configuration, run again, gives the same.
    again = ["--config", str(out / "config.toml"), "--output-dir", str(tmp_path / "2")]
    call(monkeypatch, *again)
    second = json.loads((tmp_path / "2/result.json").read_text())
    assert second["top"] == result["top"]


def test_a_search_without_repeats_ends_with_the_space(
    monkeypatch, tmp_path, capsys, table
):
    vecevo.save_table(tmp_path / "table.npz", table)
    args = ["--landscape", str(tmp_path / "table.npz"), "--strategy", "random"]
    args += ["--without-repeats", "--population-size", "5"]
    call(monkeypatch, *args, "--output-dir", str(tmp_path / "out"))
    assert "all networks of the space" in capsys.readouterr().out
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert (result["num_generations"], result["num_trained"]) == (3, 12)


def test_several_objectives_leave_the_pareto_front(
    monkeypatch, tmp_path, capsys, table
):
    accuracy = table.validation_accuracy[:, :1]
    vecevo.save_table(
        tmp_path / "table.npz", table._replace(validation_accuracy=accuracy)
    )
    args = ["--landscape", str(tmp_path / "table.npz"), "--strategy", "nsga2"]
    args += ["--objectives", "accuracy", "num_params", "--num-generations", "30"]
    call(monkeypatch, *args, "--output-dir", str(tmp_path / "out"))
    assert "Pareto front" in capsys.readouterr().out
    front = json.loads((tmp_path / "out/result.json").read_text())["front"]
    pairs = list(zip(accuracy[:, 0].tolist(), table.num_params.tolist(), strict=True))
    expected = [
        (a, n)
        for a, n in pairs
        if np.isfinite(a)
        and not any((b >= a and m <= n) and (b, m) != (a, n) for b, m in pairs)
    ]
    found = [(row["validation_accuracy"], row["num_params"]) for row in front]
    assert found == sorted(expected, reverse=True) and len(found) > 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (
            ["--strategy", "genetic", "--objectives", "accuracy", "num_params"],
            "strategy='genetic'",
        ),
        (["--genetic-setting", "code"], "genetic_setting='code'"),
        (["--strategy", "nsga2"], "objectives=('accuracy',)"),
        (["--objectives", "num_params"], "objectives=('num_params',)"),
        (["--landscape", "none.npz"], "landscape='none.npz'"),
        (["--landscape", "digits", "--width", "8"], "width=(8,)"),
        (["--landscape", "digits", "--max-epochs", "8"], "max_epochs=8"),
    ],
)
def test_bad_combinations_end_with_one_line(monkeypatch, tmp_path, capsys, args, words):
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, *args, "--output-dir", str(tmp_path / "out"))
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_strategy_of_other_objectives_is_refused(table):
    strategy = strategies.random(SPACE.num_choices, population_size=3)
    with pytest.raises(ValueError, match="not as many as the strategy takes"):
        vecevo.replay(table, strategy=strategy, objectives=("accuracy", "num_params"))
    with pytest.raises(ValueError, match="population_size=4 is not the 3"):
        vecevo.replay(table, strategy=strategy, population_size=4)
    assert tables.EMBEDDED == ("digits", "digits_curves", "fashion_mnist")
