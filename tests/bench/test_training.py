"""The benchmarks run, and the README holds what their records say."""

import io

import pytest
from rich.console import Console

import bench.training.packing
from bench.harness import machine, records, report, tables
from bench.searching import operators, runs
from bench.training import costs, gpu, lanes, sides
from vecevo.training import networks, planning


def test_the_readme_has_the_tables_of_the_records():
    text = report.README.read_text()
    for name, make_table in tables.TABLES.items():
        record = records.read(name)
        if record is not None:
            assert make_table(record) in text


def test_a_block_is_replaced_between_its_marks():
    text = "a\n<!-- x -->\nold\n<!-- end of x -->\nb\n"
    expected = "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb\n"
    assert report.replace_block(text, "x", "new") == expected
    assert report.replace_block(expected, "x", "new") == expected
    with pytest.raises(ValueError, match="no <!-- y --> block"):
        report.replace_block(text, "y", "new")


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
    num_params = networks.count_params(64, 1, **sizes)
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
    costs_known = planning.Costs(0, 1e-4, 2e-5, 3e-9, 4e-11, 5e-10, 1 << 40, 256)
    rows = []
    for num_features, width, depth, lanes_, batch in (
        *((64, 64, 2, 1, 64), (64, 64, 4, 8, 64), (784, 128, 1, 4, 128)),
        *((3072, 64, 2, 2, 64), (3072, 256, 3, 1, 64), (64, 1024, 4, 1, 32)),
        *((784, 256, 2, 2, 16), (64, 256, 1, 16, 128)),
    ):
        job = planning.Job(costs_known, num_features, batch, batch, 1, 1, 1 << 40, 1)
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


def test_large_operations_are_counted_outside_fusions():
    text = """%fused_computation (p: f32[8,8]) -> f32[8,8] {
  %add = f32[8,8]{1,0} add(f32[8,8]{1,0} %p, f32[8,8]{1,0} %p)
  %t = f32[8,8]{1,0} transpose(f32[8,8]{1,0} %p), dimensions={1,0}
}
%body (p: f32[8,8]) -> f32[8,8] {
  %f = f32[8,8]{1,0} fusion(f32[8,8]{1,0} %p), kind=kLoop, calls=%fused_computation
  %small = f32[4]{0} fusion(f32[4]{0} %q), kind=kLoop, calls=%fused_computation.2
  %d = f32[8,4]{1,0} dot(f32[8,8]{1,0} %f, f32[8,4]{1,0} %x)
}
"""
    assert gpu.large_operations(text, 64) == {"fusion": 1, "dot": 1}


def test_a_spread_is_of_the_numbers_measured():
    assert records.spread([3.0, 1.0, 2.0]) == {
        "n": 3,
        "median": 2.0,
        "min": 1.0,
        "max": 3.0,
    }
