"""The benchmarks run, and the README holds what their records say."""

import io

import pytest
from rich.console import Console

from bench import lanes, records, report


def test_the_readme_has_the_tables_of_the_records():
    text = report.README.read_text()
    for name, make_table in report.TABLES.items():
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
def test_a_smoke_run_measures_both_sides_and_writes_nothing(monkeypatch):
    written = []
    monkeypatch.setattr(records, "write", lambda *args, **kwargs: written.append(args))
    output = io.StringIO()
    monkeypatch.setattr(lanes, "NUM_FEATURES", (8,))
    monkeypatch.setattr(lanes, "WIDTHS", (512,))
    monkeypatch.setattr(lanes, "OPTIMIZERS", ("sgd", "adam"))
    lanes.measure(Console(file=output, width=100), smoke=True, data_dir=None)
    assert "times the reference" in output.getvalue() and not written


def test_a_spread_is_of_the_numbers_measured():
    assert records.spread([3.0, 1.0, 2.0]) == {
        "n": 3,
        "median": 2.0,
        "min": 1.0,
        "max": 3.0,
    }
