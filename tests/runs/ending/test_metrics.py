"""Runs that are judged by a metric: what they record, show, and go on with."""

import json

import numpy as np
import pytest
from rich.console import Console

import vecevo
from vecevo import run
from vecevo.results import R2
from vecevo.runs import command
from vecevo.runs.configuration import RunConfig
from vecevo.runs.files import retraining

SPACE = vecevo.SearchSpace({"width": (4, 8), "optimizer": ("adam", "nadam")})
SETTINGS = {
    "fixed": {"depth": 1, "activation": "tanh"},
    "population_size": 3,
    "strategy": "random",
    "max_epochs": 4,
    "confirm": 0,
}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
SLOPE = X[:, 0] + RNG.normal(size=300)


@pytest.fixture(scope="module")
def dataset():
    return vecevo.make_dataset(X, SLOPE > 1)


def test_a_search_by_a_metric_records_it_and_goes_on(tmp_path, dataset):
    folder = tmp_path / "run"
    fixed = {**SETTINGS["fixed"], "learning_rate": 0.1, "dropout_rate": 0.5}
    settings = {**SETTINGS, "metric": "auc", "fixed": fixed, "max_epochs": 9}
    how = {**settings, "output_dir": folder}
    first = vecevo.search(SPACE, dataset, num_generations=1, **how)
    recorded = vecevo.load_run(folder)
    assert (recorded.metric, recorded.task) == ("AUC", "classification")
    assert "best validation AUC 0." in str(recorded)
    result = vecevo.search(SPACE, dataset, num_generations=2, resume=True, **how)
    assert result.num_trained > first.num_trained
    whole = vecevo.search(SPACE, dataset, num_generations=2, **settings)
    for (genome, found), (other, expected) in zip(result.top, whole.top, strict=True):
        assert genome == other and found.network.facts == expected.network.facts
        assert found.validation_accuracy == max(found.curves["validation_accuracy"])
        score = found.network.score(
            dataset.raw_x_test, dataset.raw_y_test, metric="auc"
        )
        assert found.test_accuracy == score
    kept = [np.argmin(found.curves["validation_loss"]) for _, found in result.top]
    assert [found.network.facts["epoch"] for _, found in result.top] != kept
    assert result.ensemble.facts == whole.ensemble.facts
    assert result.ensemble.facts["metric"] == "AUC"
    with pytest.raises(vecevo.InputError, match="metric was 'auc' and is None"):
        vecevo.search(SPACE, dataset, resume=True, **{**how, "metric": "accuracy"})


def test_what_is_told_of_an_error_is_its_negative(tmp_path):
    dataset = vecevo.make_dataset(X, 1e5 * SLOPE)
    how = {**SETTINGS, "rungs": (1, 4), "output_dir": tmp_path / "run"}
    result = vecevo.search(SPACE, dataset, metric="rmse", num_generations=2, **how)
    best = result.top[0][1]
    assert result.progress[-1].best_accuracy == best.validation_accuracy < -1e4
    ranked = [found.validation_accuracy for _, found in result.top]
    assert ranked == sorted(ranked, reverse=True)
    (error,) = best.network.facts["test_rmse"].values()
    assert best.test_accuracy == pytest.approx(-error, rel=1e-5)
    recorded = vecevo.load_run(tmp_path / "run")
    assert (recorded.metric, recorded.task) == ("negative RMSE", "regression")


def test_the_command_names_the_metric_wherever_it_shows_it(tmp_path):
    folder, console = tmp_path / "run", Console(record=True, width=200)
    config = RunConfig(
        **{"dataset": "sklearn:breast_cancer", "metric": "balanced_accuracy"},
        **{"width": (4, 8), "depth": (1,), "activation": ("tanh",), "confirm": 2},
        **{"optimizer": ("adam",), "max_epochs": 3, "num_generations": 1},
        **{"output_dir": str(folder), "cache_dir": "none"},
    )
    assert command.run(config, console) == 0
    text = console.export_text()
    assert "best balanced accuracy 0." in text and "R2" not in text
    assert "validation balanced accuracy" in text and "test balanced accuracy" in text
    assert "balanced balanced" not in text
    page = (folder / "report.html").read_text()
    assert (
        "Balanced accuracy by choice" in page or "balanced accuracy by choice" in page
    )
    assert "balanced balanced" not in page
    assert "Train balanced accuracy" not in page and "rain accuracy" not in page
    summary = json.loads((folder / "result.json").read_text())
    assert summary["dataset"]["metric"] == "balanced accuracy"
    assert 'metric = "balanced_accuracy"' in (folder / "config.toml").read_text()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--metric", "auc"], "metric='auc' is of two classes, and there are 10"),
        (["--metric", "rmse"], "metric='rmse' has no say in classification: give"),
        (["--metric", "mae"], "metric='mae' must be one of accuracy, balanced"),
    ],
)
def test_a_metric_that_is_none_here_is_one_line(monkeypatch, capsys, args, words):
    monkeypatch.setattr("sys.argv", ["vecevo", *args, "--cache-dir", "none"])
    with pytest.raises(SystemExit) as stop:
        run.main()
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.count("\n") == 1 and words in error


def test_runs_of_before_have_their_task_by_their_metric(tmp_path):
    dataset = vecevo.make_dataset(X, SLOPE)
    folder = tmp_path / "run"
    vecevo.search(SPACE, dataset, num_generations=1, output_dir=folder, **SETTINGS)
    recorded = vecevo.load_run(folder)
    assert (recorded.metric, recorded.task) == (R2, "regression")


def test_tables_of_runs_by_a_metric_have_no_rungs(tmp_path, dataset):
    how = {**SETTINGS, "strategy": "grid", "population_size": 4, "metric": "f1"}
    vecevo.search(SPACE, dataset, num_generations=1, output_dir=tmp_path / "run", **how)
    table = vecevo.load_table(tmp_path / "run")
    table = table._replace(settings={"metric": "f1"})
    assert vecevo.replay(table, num_generations=1, population_size=2).num_trained
    with pytest.raises(vecevo.InputError, match=r"those of .* were by metric='f1'"):
        vecevo.replay(table, rungs=(1, 4))


def test_a_run_with_other_weights_is_another_run(tmp_path, dataset):
    how = {**SETTINGS, "output_dir": tmp_path / "run", "num_generations": 1}
    vecevo.search(SPACE, dataset, class_weight="balanced", **how)
    vecevo.search(SPACE, dataset, class_weight="balanced", resume=True, **how)
    with pytest.raises(vecevo.InputError, match=r"class_weight was .* and is None"):
        vecevo.search(SPACE, dataset, class_weight="none", resume=True, **how)
    weights = np.ones_like(dataset.y_train, np.float32)
    weighed = dataset._replace(sample_weight=weights)
    with pytest.raises(vecevo.InputError, match="the data set has changed"):
        vecevo.search(SPACE, weighed, class_weight="balanced", resume=True, **how)


def test_the_command_takes_weights_and_trains_the_same_again(tmp_path):
    rows = np.column_stack([X, np.abs(X[:, 0]), SLOPE > 1])
    np.savetxt(tmp_path / "my.csv", rows, "%.6f", ",", header=HEADER, comments="")
    config = RunConfig(
        **{"dataset": str(tmp_path / "my.csv"), "weight": "w", "metric": "f1"},
        **{"width": (4, 8), "depth": (1,), "activation": ("tanh",), "confirm": 0},
        **{"optimizer": ("adam",), "max_epochs": 3, "num_generations": 1},
        **{"output_dir": str(tmp_path / "run"), "cache_dir": "none"},
        **{"report": False, "class_weight": "balanced"},
    )
    console = Console(record=True, width=200)
    assert command.run(config, console) == 0
    text = console.export_text()
    assert "4 features" in text and "weights of examples: " in text
    recorded = vecevo.load_run(tmp_path / "run")
    best = retraining.find_network(recorded, rank=1, genome=None)
    again = retraining.train_again(recorded, best)
    assert again.validation_accuracy == best.validation_accuracy


HEADER = "a,b,c,d,w,label"


def test_tables_of_a_library_know_the_metric(tmp_path):
    rng = np.random.default_rng(0)
    x, space = rng.normal(size=(80, 3)), vecevo.SearchSpace({"width": (2, 3)})
    dataset = vecevo.make_dataset(x, (x[:, 0] > 0).astype(int))
    tables = []
    for metric in ("auc", "log_loss"):
        vecevo.search(
            space,
            dataset,
            strategy="grid",
            fixed={"depth": 1, "activation": "relu", "optimizer": "adam"},
            metric=metric,
            max_epochs=2,
            confirm=0,
            ensemble=0,
            output_dir=tmp_path / metric,
        )
        tables.append(vecevo.load_table(tmp_path / metric))
    assert [table.settings["metric"] for table in tables] == ["auc", "log_loss"]
    with pytest.raises(vecevo.InputError, match="metric='log_loss', and another"):
        vecevo.merge_tables(tables, source="both")
    with pytest.raises(vecevo.InputError, match="their loss stopped"):
        vecevo.replay(tables[1], strategy="random", rungs=(1, 2))
