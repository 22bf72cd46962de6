"""How several runs spread, those among them that failed or trained nothing."""

import io
import itertools

import numpy as np
import pytest
from rich.console import Console

from tests.runs.report import made_up
from vecevo.runs.report import several

INF = float("inf")


def run_of(accuracies):
    """Returns a run whose networks had these accuracies, one after the other."""
    genomes = itertools.product(*map(range, made_up.SPACE.num_choices))
    networks = [
        made_up.make_network(made_up.SPACE, next(genomes), accuracy, 0)
        for accuracy in accuracies
    ]
    return made_up.make_run()._replace(networks=networks)


def rows_of(runs):
    """The cells of the table, by row, its header left out."""
    console = Console(file=io.StringIO(), width=200)
    console.print(several.spread_table(runs))
    return [line.split() for line in console.file.getvalue().splitlines()[1:]]


def test_quartiles_are_of_the_best_so_far():
    runs = [run_of(row) for row in ([0.1, 0.5, 0.4], [0.2, 0.3, 0.9], [0.6, 0.1, 0.1])]
    assert rows_of(runs) == [
        ["1", "0.1500", "0.2000", "0.4000"],
        ["2", "0.4000", "0.5000", "0.5500"],
        ["3", "0.5500", "0.6000", "0.7500"],
    ]


def test_the_order_in_which_cohorts_finished_counts_for_nothing():
    run = made_up.make_run(per_generation=7)
    # The rows of another time: cohorts of a generation in another order.
    again = run._replace(networks=sorted(run.networks, key=lambda n: -n.num_params))
    assert [n.genome for n in run.networks] != [n.genome for n in again.networks]
    np.testing.assert_array_equal(several.bests(run), several.bests(again))
    for generation in run.generations:
        best = several.bests(again)[generation.num_trained - 1]
        assert best == generation.best_accuracy


def test_runs_that_failed_are_the_worst():
    runs = [run_of(row) for row in ([-INF, 0.8], [-INF, -INF], [0.4, 0.4])]
    assert rows_of(runs) == [
        ["1", "failed", "failed", "failed"],
        ["2", "failed", "0.4000", "0.6000"],
    ]


@pytest.mark.parametrize("size", range(1, 8))
def test_failures_rank_as_very_low_numbers_would(size):
    for num_failed in range(size + 1):
        whole = np.linspace(0.1, 0.9, size - num_failed).tolist()
        expected = np.quantile([-1e9] * num_failed + whole, (0.25, 0.5, 0.75))
        expected = np.where(expected < 0, -np.inf, expected)
        found = several.quartiles([-INF] * num_failed + whole)
        np.testing.assert_allclose(found, expected)


def test_where_a_run_trained_nothing_there_is_no_table():
    assert several.spread_table([run_of([0.5, 0.6]), run_of([])]) is None
