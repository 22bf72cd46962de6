"""What is measured on the test part, and when."""

import json

import pytest

import vecevo
from tests.runs.test_full_disk import call
from tests.runs.test_stopping import GIVEN, get_interrupt  # noqa: F401, a fixture

SAID = "test accuracies come with the end of the run"


def test_a_run_that_was_stopped_is_measured_when_it_has_gone_on(
    tmp_path, interrupt, capsys
):
    folder, best = tmp_path / "run", tmp_path / "run" / "best"
    interrupt(1)
    one_by_one = ("--population-size", "1")
    assert call(*GIVEN, *one_by_one, "--output-dir", folder) == 130
    printed = capsys.readouterr().out
    (header,) = [line for line in printed.splitlines() if "parameters" in line]
    assert header.split()[-1] == "validation" and SAID in printed
    result = json.loads((folder / "result.json").read_text())
    assert result["best"] and all(row["test_accuracy"] is None for row in result["top"])
    assert "test_accuracy" not in vecevo.load_network(best).facts
    assert not (best / "tested.npz").exists()

    assert not call("--resume", folder)
    printed = capsys.readouterr().out
    (header,) = [line for line in printed.splitlines() if "parameters" in line]
    assert header.split()[-1] == "test" and SAID not in printed
    result = json.loads((folder / "result.json").read_text())
    dataset = vecevo.load_dataset("digits", limit_train=200)
    score = vecevo.load_network(best).score(dataset.raw_x_test, dataset.raw_y_test)
    assert result["best"]["test_accuracy"] == pytest.approx(score)
    assert (best / "tested.npz").exists()

    # Where more is to come, what was measured before is not left.
    interrupt(3)  # three were trained
    assert call("--resume", folder, "--confirm", "2") == 130
    assert not (best / "tested.npz").exists()
