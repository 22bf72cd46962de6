"""What reports count: networks, not trainings."""

import pytest

from tests.runs.report import made_up
from vecevo.runs.report import facts, page


def test_of_rungs_the_last_counts_and_no_confirmation():
    run = made_up.make_run(num_networks=3)
    first = run.networks[0]
    more = first._replace(rung=1, validation_accuracy=0.99)
    checked = first._replace(purpose="confirmation", replicate=1)
    run = run._replace(networks=[*run.networks, more, checked])
    assert facts.searched_networks(run) == [*run.networks[1:3], more]


def test_what_was_stopped_counts_neither_as_a_network_nor_to_a_mean():
    run = made_up.make_run(num_networks=4, failed_share=0)
    rows = [
        network._replace(replicate=replicate, validation_accuracy=accuracy)
        for network, accuracies in zip(
            run.networks, ([0.9, 0.9, 0.1], [0.5, 0.6, 0.7], [0.8, 0.8]), strict=False
        )
        for replicate, accuracy in enumerate(accuracies)
    ]
    rows[2] = rows[2]._replace(status="partial")
    stopped = run.networks[3]._replace(status="partial", validation_accuracy=0.95)
    config = {**run.config, "replicates": 3}
    run = run._replace(networks=[*rows, stopped], config=config)
    (found,) = facts.searched_networks(run)
    assert found.genome == rows[3].genome
    assert found.validation_accuracy == pytest.approx(0.6)
    assert page.key_numbers(run)["networks trained"] == "1"
    # Of a run whose winner was stopped it heads the best, as in result.json.
    top = [{"genome": list(stopped.genome), "status": "partial"}]
    run = run._replace(summary={**run.summary, "top": top})
    assert facts.top_networks(run) == [stopped, found]
    assert page.key_numbers(run)["networks trained"] == "1"
    assert "0.9500" in page.report_page([run])


def test_a_run_is_printed_in_one_line():
    run = made_up.make_run(num_networks=30)
    best = max(n.validation_accuracy for n in run.networks)
    expected = f"30 networks, best validation accuracy {best:.4f})"
    assert repr(run) == f"Run('runs/made-up', genetic, {expected}"
    twice = [n._replace(replicate=1, validation_accuracy=0.1) for n in run.networks]
    run = run._replace(networks=[*run.networks, *twice], config={})
    expected = f"30 networks, best validation accuracy {(best + 0.1) / 2:.4f})"
    assert str(run) == f"Run('runs/made-up', {expected}"
    assert repr(run._replace(networks=[])) == "Run('runs/made-up', 0 networks)"
