"""The command line, from the outside."""

import dataclasses
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import warnings

import jax
import pytest
from rich.console import Console

from vecevo import run
from vecevo.runs import configuration, earlier, environment, resolving
from vecevo.space import SearchSpace
from vecevo.training import cohorts, sessions

SMALL = [
    *("--width", "8", "--depth", "1", "--activation", "tanh", "relu"),
    *("--max-epochs", "2", "--limit-train", "200", "--population-size", "5"),
    "--no-report",
]
TINY = [*SMALL, "--optimizer", "adam", "--num-generations", "2"]


def call(monkeypatch, *args):
    monkeypatch.setattr("sys.argv", ["run", "--cache-dir", "none", *args])
    run.main()


def read_table(path, columns="genome, validation_accuracy, curves"):
    connection = sqlite3.connect(path)
    # Cohorts are recorded as they finish, in any order.
    order = "purpose, generation, genome, replicate"
    query = f"SELECT {columns} FROM networks ORDER BY {order}"
    rows = connection.execute(query).fetchall()
    connection.close()
    return rows


def run_in_a_fresh_process(folder, cache_dir):
    environment = {**os.environ, "COLUMNS": "200"}
    command = [sys.executable, "-m", "vecevo.run", *SMALL, "--num-generations", "2"]
    command += ["--output-dir", str(folder), "--cache-dir", str(cache_dir)]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.slow
def test_a_seed_gives_the_same_run_in_a_fresh_process(tmp_path):
    outputs, compiled = [], []
    for name in ("first", "second"):
        outputs.append(run_in_a_fresh_process(tmp_path / name, tmp_path / "cache"))
        programs = (tmp_path / "cache/xla").glob("*-cache")
        compiled.append({program.name for program in programs})
    assert "distinct networks trained" in outputs[0]
    assert compiled[0] and compiled[0] == compiled[1]  # a warm start compiles nothing
    first, second = (tmp_path / name / "run.sqlite" for name in ("first", "second"))
    columns = "generation, genome, hyperparams, num_epochs, validation_loss, curves"
    assert read_table(first, columns) == read_table(second, columns) != []
    results = [
        json.loads((tmp_path / name / "result.json").read_text())
        for name in ("first", "second")
    ]
    assert results[0]["top"] == results[1]["top"]


def test_a_quiet_run_prints_its_result_alone(monkeypatch, tmp_path, capsys):
    out = tmp_path / "out"
    args = [*TINY, "--quiet", "--batch-size", "500", "--output-dir", str(out)]
    call(monkeypatch, *args)
    printed = capsys.readouterr().out
    assert printed.splitlines()[0].startswith("depth ") and "results in" in printed
    for word in ("plan:", "generation 1", "to train on", "search over"):
        assert word not in printed
    assert not (out / "report.html").exists() and (out / "best").exists()


def test_a_grid_leaves_its_results_and_is_not_overwritten(
    monkeypatch, tmp_path, capsys
):
    args = [*SMALL, "--strategy", "grid", "--output-dir", str(tmp_path / "out")]
    call(monkeypatch, *args)
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["num_trained"] == 14 and result["num_generations"] == 3
    assert len(result["top"]) == 5 and result["best"] == result["top"][0]
    assert 0 < result["useful_work_ratio"] <= 1
    most_programs = sum(len(shape["lane_counts"]) for shape in result["plan"])
    assert 1 <= result["num_programs"] <= most_programs
    assert set(result["time_seconds"]) == {"total", "compile", "train"}
    assert result["dataset"]["num_train"] == 200
    rows = read_table(tmp_path / "out/run.sqlite")
    assert result["best"]["validation_accuracy"] in {row[1] for row in rows}
    assert result["best"]["genome"] == result["confirmation"][0]["genome"]
    assert len({genome for genome, _, _ in rows}) == 14
    assert len(json.loads(rows[0][2])["validation_loss"]) == 2
    before = (tmp_path / "out/result.json").read_bytes()
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, *args)
    assert "--output-dir" in capsys.readouterr().err
    assert (tmp_path / "out/result.json").read_bytes() == before


def test_a_run_starts_from_an_earlier_one_or_from_genomes(
    monkeypatch, tmp_path, capsys
):
    call(monkeypatch, *TINY, "--output-dir", str(tmp_path / "first"))
    capsys.readouterr()
    start = ["--start-from", str(tmp_path / "first"), "--seed", "5"]
    call(monkeypatch, *TINY, *start, "--output-dir", str(tmp_path / "second"))
    said = "the best 2 networks of {} in this space, and 3 random"
    assert said.format(tmp_path / "first") in capsys.readouterr().out
    others = ["--width", "7", "--output-dir", str(tmp_path / "none")]
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, *TINY, *start, *others)
    assert "none of its 2 networks is in this space" in capsys.readouterr().err
    space = SearchSpace({"depth": (1, 2), "width": (7,), "activation": ("relu",)})
    how = {"population_size": 5, "seed": 5, "goes_on": True}  # begun when it was none
    first = (str(tmp_path / "first"), space, {"optimizer": "adam"}, Console())
    assert earlier.start_population(*first, **how).shape == (5, 3)
    genomes = tmp_path / "genomes.json"
    genomes.write_text("[[0,0,1,0],[0,0,1,0],[0,0,1,0],[0,0,1,0],[0,0,1,0]]")
    start = ["--start-from", str(genomes), "--num-generations", "1"]
    start += ["--strategy", "genetic"]  # the default one would replace the repeats
    call(monkeypatch, *TINY, *start, "--output-dir", str(tmp_path / "third"))
    rows = read_table(tmp_path / "third/run.sqlite", "genome")
    assert set(rows) == {("[0, 0, 1, 0]",)}


def test_several_objectives_and_no_repeats_end_with_the_space_and_its_front(
    monkeypatch, tmp_path, capsys
):
    args = [*TINY, "--strategy", "nsga2", "--objectives", "accuracy", "num_params"]
    args += ["--without-repeats", "--num-generations", "9"]
    call(monkeypatch, *args, "--output-dir", str(tmp_path / "out"))
    assert "these are all networks of the space" in capsys.readouterr().out
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert (result["num_generations"], result["num_trained"]) == (1, 2)
    # Both networks have as many parameters, so that the best one is the front.
    assert result["front"][0]["genome"] == result["best"]["genome"]
    accuracies = {row["validation_accuracy"] for row in result["front"]}
    assert accuracies == {result["best"]["validation_accuracy"]}


def test_the_articles_protocol_is_said_and_scores_the_test_part(
    monkeypatch, tmp_path, capsys
):
    args = [*TINY, "--protocol", "article"]
    args += ["--strategy", "genetic", "--genetic-setting", "code"]
    call(monkeypatch, *args, "--output-dir", str(tmp_path / "out"))
    assert "protocol article" in capsys.readouterr().out
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["protocol"] == "article"
    best = result["best"]
    assert best["validation_accuracy"] == pytest.approx(best["test_accuracy"])


def test_a_budget_of_time_ends_a_run_in_good_order(monkeypatch, tmp_path, capsys):
    args = [*TINY, "--max-seconds", "1e-6", "--output-dir", str(tmp_path / "out")]
    call(monkeypatch, *args)
    assert "give the run more time" in capsys.readouterr().out
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["best"] is None and result["num_trained"] == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--population-size", "0"], "population_size=0"),
        (["--dataset", "none.npz"], "dataset='none.npz'"),
        (["--optimizer", "lion"], "optimizer='lion'"),
        (["--width", "8", "8"], "width=(8, 8)"),
        (["--population-size", "many"], "--population-size"),
        (["--output-dir", "pyproject.toml/out"], "output_dir='pyproject.toml/out'"),
        (["--start-from", "pyproject.toml"], "start_from='pyproject.toml'"),
        (["--start-from", "tests"], "start_from='tests' has no run.sqlite: give"),
        (["--limit-train", "100000"], "limit_train=100000"),
        (["--width", "100000", "--memory-gib", "0.5"], "memory_gib=0.5"),
    ],
)
def test_bad_input_ends_with_one_line_and_leaves_nothing(
    monkeypatch, tmp_path, capsys, args, words
):
    if "--output-dir" not in args:
        args = [*args, "--output-dir", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, *args)
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_an_idle_card_is_said_loudly(monkeypatch, capsys):
    monkeypatch.setattr(environment, "has_nvidia_card", lambda: True)
    environment.select_device("auto")
    error = capsys.readouterr().err
    assert ("vecevo[cuda]" in error) == (jax.default_backend() == "cpu")


def test_a_device_that_is_not_there_is_one_line_without_a_traceback(tmp_path):
    command = [sys.executable, "-m", "vecevo.run", "--cache-dir", "none"]
    command += ["--device", "cuda", "--output-dir", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        pytest.skip("there is a CUDA device")
    assert done.returncode == 2
    assert "vecevo[cuda]" in done.stderr and done.stderr.count("\n") == 1


def test_a_plan_is_shown_and_nothing_else_happens(monkeypatch, tmp_path, capsys):
    args = [*SMALL, "--strategy", "grid", "--plan"]
    call(monkeypatch, *args, "--output-dir", str(tmp_path / "out"))
    output = capsys.readouterr().out
    assert "to 8" in output and "plan: 14 new networks in" in output
    assert not (tmp_path / "out").exists()


def test_a_precision_that_a_cpu_has_not_is_refused(monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, *TINY, "--precision", "tf32", "--device", "cpu")
    assert "precision='tf32' is not there" in capsys.readouterr().err


def test_what_was_trained_stays_when_the_device_has_no_memory_for_more(
    monkeypatch, tmp_path, capsys
):
    train_cohort, calls = cohorts.train_cohort, []

    def train(*args, **settings):
        calls.append(args)
        if len(calls) > 1:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return train_cohort(*args, **settings)

    monkeypatch.setattr(cohorts, "train_cohort", train)
    monkeypatch.setattr(sessions, "most_workers", lambda: 1)
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    with (
        pytest.raises(SystemExit, match="2"),
        pytest.warns(UserWarning, match="memory"),
    ):
        call(monkeypatch, *SMALL, "--output-dir", str(tmp_path / "out"))
    error = capsys.readouterr().err
    assert "no memory for one network of depth=1" in error
    assert f"What was trained is in {tmp_path / 'out'}." in error
    assert read_table(tmp_path / "out/run.sqlite")


@pytest.mark.parametrize(
    ("changes", "strategy"),
    [
        ({}, "recommended"),  # 200 of 672 networks
        ({"num_generations": 34}, "grid"),
        ({"num_generations": 33}, "recommended"),
        ({"population_size": 68}, "grid"),
        ({"num_generations": 34, "start_from": "runs/x"}, "recommended"),
        ({"objectives": ("accuracy", "num_params")}, "nsga2"),
        ({"num_generations": 34, "strategy": "random"}, "random"),
    ],
)
def test_a_strategy_is_chosen_by_the_budget_where_none_is_named(changes, strategy):
    settings = dataclasses.replace(configuration.RunConfig(), **changes)
    resolving.check(settings)
    space, _ = resolving.make_space(settings)
    assert resolving.resolve_search(settings, space).strategy == strategy


def test_several_runs_lie_in_one_folder_and_go_on(monkeypatch, tmp_path, capsys):
    out = tmp_path / "out"
    args = [*TINY, "--num-runs", "2", "--seed", "3", "--confirm", "0"]
    call(monkeypatch, *args, "--rungs", "1", "2", "--output-dir", str(out))
    printed = capsys.readouterr().out
    best = []
    for seed in (3, 4):
        rows = read_table(out / f"seed-{seed}/run.sqlite", "validation_accuracy")
        best.append(max(accuracy for (accuracy,) in rows))
    last = printed.splitlines()[-1].split()
    assert last[2] == f"{sum(best) / 2:.4f}"
    shutil.rmtree(out / "seed-4")
    (out / "report.html").write_text("of what was there before")
    settings = (out / "config.toml").read_text()  # what is by default may change
    settings = settings.replace("rungs = [\n    1,\n    2,\n]", 'rungs = "auto"')
    (out / "config.toml").write_text(settings)
    assert 'rungs = "auto"' in settings
    call(monkeypatch, "--resume", str(out), "--no-report")
    assert not (out / "report.html").exists()
    assert capsys.readouterr().out.splitlines()[-1].split() == last
