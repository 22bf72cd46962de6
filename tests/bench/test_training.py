"""The benchmarks run, and the reports hold what their records say."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

import bench.training.packing
from bench.harness import gains, machine, records, report, tables
from bench.searching import operators, runs
from bench.training import costs, estimators, ladder, lanes, sides
from vecevo.training import planning, recipe
from vecevo.training.lanes import weights


def test_the_tables_are_those_of_the_records():
    text = report.MEASUREMENTS.read_text()
    for name, make_table in tables.TABLES.items():
        assert report.has_block(text, name)
        record = records.read(name)
        if record is not None:
            assert make_table(record) in text
    readme = report.README.read_text()
    if report.has_block(readme, "gains"):
        assert gains.gains_table() in readme


def test_links_to_records_and_pictures_lead_somewhere():
    folder = report.MEASUREMENTS.parent
    links = re.findall(r"\]\((records/[^)]*)\)", report.MEASUREMENTS.read_text())
    assert len(links) > sum(records.read(name) is not None for name in tables.TABLES)
    for link in links:
        assert (folder / link).exists(), link
    for link in re.findall(r"\]\((bench/[^)]*)\)", gains.gains_table()):
        assert (report.ROOT / link).exists(), link


def test_the_gains_are_those_of_the_records():
    head, _, *rows = gains.gains_table().splitlines()
    rows = [row for row in rows if row.startswith("|")]
    assert head.count("|") == 5 and 5 <= len(rows) <= 8
    listed = next(row for row in records.read("jobs")["rows"] if row["job"] == "list")
    cold = [listed[side]["cold"]["seconds"] for side in ("reference", "vecevo")]
    assert f"| {cold[0] / cold[1]:.2f}" in rows[1]
    ours, sklearn, *_ = records.read("small")["rows"]
    gain = sklearn["seconds"] / ours["cold_seconds"]["median"]
    assert f"| {gain:.2f}; " in rows[0]


def test_gains_are_of_the_records_that_exist(monkeypatch):
    read = records.read
    monkeypatch.setattr(
        records, "read", lambda name: read(name) if name == "operators" else None
    )
    text = gains.gains_table()
    assert "DEAP" in text and "networks" not in text and "scan" not in text
    monkeypatch.setattr(records, "read", lambda name: None)
    assert gains.gains_table() is None


def test_networks_are_counted_until_a_level_is_reached():
    assert gains.count_until([0.3, 0.1, 0.2], 0.2) == 128
    assert gains.count_until([0.3, 0.2], 0.1) == float("inf")


def test_a_block_is_replaced_between_its_marks():
    text = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
    expected = "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n"
    assert report.replace_block(text, "x", "new") == expected
    assert report.replace_block(expected, "x", "new") == expected
    with pytest.raises(ValueError, match="no <!-- y --> block"):
        report.replace_block(text, "y", "new")


def test_a_report_says_which_files_and_blocks_are_not_there(tmp_path):
    output, path = io.StringIO(), tmp_path / "some.md"
    makers = {"x": lambda: "new", "y": lambda: "never", "z": lambda: None}
    console = Console(file=output, width=200)
    report.render_file(console, path, makers)
    assert "some.md is not there" in output.getvalue() and not path.exists()
    path.write_text("<!-- x -->\n<!-- end of x -->\n<!-- z -->\nold\n<!-- end of z -->")
    report.render_file(console, path, makers)
    assert "no <!-- y --> block" in output.getvalue()
    assert "no record of z" in output.getvalue()
    assert "new" in path.read_text() and "old" in path.read_text()


@pytest.mark.slow
def test_a_smoke_run_measures_all_sides_and_writes_nothing(monkeypatch):
    written = []
    monkeypatch.setattr(records, "write", lambda *args, **kwargs: written.append(args))
    output = io.StringIO()
    monkeypatch.setattr(lanes, "SIZES", ((8, 16),))
    monkeypatch.setattr(sides, "OPTIMIZERS", ("adam",))
    monkeypatch.setattr(operators, "LEAST_SECONDS", 0.001)
    monkeypatch.setattr(sides, "import_keras", lambda: None)
    monkeypatch.setattr(machine, "matrix_rate", lambda: 1e11)
    monkeypatch.setattr(machine, "copy_rate", lambda: 1e10)
    settings = {"smoke": True, "full": False, "data_dir": None}
    lanes.measure(Console(file=output, width=200), **settings)
    assert "times reference" in output.getvalue() and "times loop" in output.getvalue()
    operators.measure(Console(file=output, width=200), **settings)
    runs.measure(Console(file=output, width=200), **settings)
    assert "runs/s" in output.getvalue()
    assert "gen/s" in output.getvalue() and not written


def test_operations_and_bytes_are_those_of_the_formulas():
    sizes = {"num_features": 3072, "num_classes": 10}
    # 4 B P for one hidden layer, towards 6 B P: 0.051 GFLOP a step of 64, width 64.
    assert 64 * machine.sample_operations(64, 1, **sizes) == pytest.approx(
        51e6, rel=0.02
    )
    num_params = weights.count_params([64], **sizes)
    expected = 36 * num_params + 4 * (num_params - 3072 * 64)
    assert machine.step_bytes(64, 1, **sizes) == expected


def test_training_takes_at_least_its_products_and_bytes():
    dataset = lanes.random_dataset(3072, 100)
    found = machine.least_seconds(
        [(64, 1, 3), (64, 1, 2)], dataset, 64, {"matrix": 1e6, "copy": 1e3}
    )
    # Five epochs of 100 examples in 2 steps; 4 F W + 6 W C operations an example.
    assert found["products"] == 5 * 100 * (4 * 3072 * 64 + 6 * 64 * 10) / 1e6
    num_params = 3072 * 64 + 64 + 65 * 10
    moved = 5 * 2 * (36 * num_params + 4 * (num_params - 3072 * 64))
    assert found["bytes"] == moved / 1e3


def test_constants_are_recovered_from_times_that_they_explain():
    costs_known = planning.Costs(
        *(0, 1e-4, 2e-5, 3e-9, 4e-11, 5e-10, 1 << 40, 256),
        *planning.CPU[8:],
    )
    rows = []
    for num_features, width, depth, lanes_, batch in (
        *((64, 64, 2, 1, 64), (64, 64, 4, 8, 64), (784, 128, 1, 4, 128)),
        *((3072, 64, 2, 2, 64), (3072, 256, 3, 1, 64), (64, 1024, 4, 1, 32)),
        *((784, 256, 2, 2, 16), (64, 256, 1, 16, 128)),
    ):
        job = planning.Job(
            costs_known, num_features, 10, batch, batch, 1, 1, 1 << 40, 1
        )
        rows.append(
            {
                "num_features": num_features,
                "width": width,
                "depth": depth,
                "num_lanes": lanes_,
                "batch_size": batch,
                "step_seconds": planning.step_seconds(width, depth, lanes_, job),
            }
        )
    for name, value in costs.fit(rows).items():
        assert value == pytest.approx(getattr(costs_known, name), rel=1e-4), name


def test_lane_epochs_follow_the_ladder():
    # Four lanes that stop after 1, 2, 3 and 5 epochs; two and one may be cut down to.
    used = bench.training.packing.lane_epochs([1, 2, 3, 5], (1, 2, 4))
    assert used == {4: 2 * 4, 2: 1 * 2, 1: 2 * 1}
    assert bench.training.packing.lane_epochs([1, 2, 3, 5], (4,)) == {4: 5 * 4}


def test_a_spread_is_of_the_numbers_measured():
    assert records.spread([3.0, 1.0, 2.0]) == {
        "n": 3,
        "median": 2.0,
        "min": 1.0,
        "max": 3.0,
    }


def test_ranks_are_means_over_splits_and_equals_share_theirs():
    first = {"vecevo": 0.9, "MLP": 0.8, "HistGradientBoosting": 0.8}
    second = {"vecevo": 0.7, "MLP": 0.8, "HistGradientBoosting": 0.9}
    rows = [
        {"splits": [first | {"RandomForest": 0.7}, second | {"RandomForest": 0.6}]},
        {"splits": [dict.fromkeys(estimators.SIDES, 1.0)]},
    ]
    ranks = estimators.mean_ranks(rows)
    # of the first table: (1 + 3) / 2, (2.5 + 2) / 2, (2.5 + 1) / 2, 4
    expected = {"vecevo": 2.25, "MLP": 2.375, "HistGradientBoosting": 2.125}
    assert ranks == pytest.approx(expected | {"RandomForest": 3.25})
    facts = {"table": "wine", "task": "classification"}
    splits = [s | {"best network": 0.5, "seconds": 3} for s in rows[0]["splits"]]
    record = records.read("pieces") | {"name": "estimators"}
    table = estimators.estimators_table(record | {"rows": [facts | {"splits": splits}]})
    assert "| wine, accuracy, % | 50.00 ± 0.00 | 80.00 ± 10.00 |" in table
    assert "| of numbers |" not in table and "| mean rank |  | 2.00 |" in table
    scaled = [s | {estimators.SCALED: 0.25} for s in splits]
    row = {"table": "friedman1", "task": "regression", "splits": scaled}
    table = estimators.estimators_table(record | {"rows": [row]})
    assert "65.00 ± 5.00 | 25.00 ± 0.00 |" in table  # after the forest
    assert "| mean rank |  | 2.00 |" in table  # as without it


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_an_mlp_of_scaled_targets_learns_numbers_that_are_large():
    x = np.random.default_rng(0).normal(size=(200, 2))
    y = 1e4 * x[:, 0] + 1e6
    r2 = {
        side: estimators.make_estimator(side, "regression", 0).fit(x, y).score(x, y)
        for side in ("MLP", estimators.SCALED)
    }
    assert r2["MLP"] < 0 < 0.9 < r2[estimators.SCALED]


def test_networks_that_all_failed_get_nothing_right():
    assert ladder.test_accuracy((None, None), None) == 0.0


def test_the_ladder_is_of_networks_that_differ_by_a_piece():
    plain = {"depth": 1, "width": 8, "activation": "relu", "optimizer": "adam"}
    plain, found = (recipe.complete({**plain, **more}) for more in ({}, {"depth": 2}))
    steps = ladder.steps({"article": [plain], "recipe": [found] * 9})
    names = ["article's best", *(name for name, _ in ladder.STEPS)]
    assert list(steps) == [*names, "search", "ensemble"]
    assert len(steps["ensemble"]) == ladder.NUM_MEMBERS
    rows = [
        {"step": name, "networks": networks, "num_train": 10, "max_epochs": 3}
        | {"augment": ["flip"] if name in ladder.WITH_CHANGES else []}
        | {"test_accuracies": [0.899, 0.9, 0.901]}
        for name, networks in steps.items()
    ]
    record = records.read("pieces") | {"name": "ladder", "rows": rows}
    table = ladder.ladder_table(record)
    assert "| flip, shift | 90.00 ± 0.10 | augment flip |" in table
    assert "| smoothing | 90.00 ± 0.10 | label_smoothing 0.1 |" in table
    assert "| ensemble | 90.00 ± 0.10 | 5 networks, a mean |" in table
