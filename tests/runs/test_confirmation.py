"""The best networks trained again: the statistics, and replicates in a run's files."""

import itertools
import json
import math

import hypothesis
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from hypothesis import strategies as st

import vecevo
from vecevo import run
from vecevo.results import NetworkResult
from vecevo.runs.ending import confirming


def result(replicate, accuracy, *, loss=1.0, width=8):
    return NetworkResult(
        hyperparams={"width": width},
        num_params=1,
        validation_accuracy=accuracy,
        validation_loss=loss,
        num_epochs=1,
        failed_epoch=None if math.isfinite(accuracy) else 0,
        curves={},
        params={},
        replicate=replicate,
        test_accuracy=accuracy - 0.1,
    )


def trainings_of(rows):
    return {
        (place,): [result(r, accuracy) for r, accuracy in enumerate(row)]
        for place, row in enumerate(rows)
    }


# Few values, so that there are ties.
P_VALUES = st.lists(
    st.sampled_from([0.0, 0.004, 0.01, 0.0125, 0.02, 0.025, 0.05, 0.3]), max_size=6
)


@hypothesis.given(P_VALUES)
def test_holm_adjusts_as_closed_testing_by_bonferroni_does(p_values):
    expected = []
    for one in range(len(p_values)):
        others = [n for n in range(len(p_values)) if n != one]
        subsets = itertools.chain.from_iterable(
            itertools.combinations(others, size) for size in range(len(p_values))
        )
        families = [[one, *subset] for subset in subsets]
        of_families = [len(f) * min(p_values[n] for n in f) for f in families]
        expected.append(min(max(of_families), 1))
    np.testing.assert_allclose(confirming.holm(np.array(p_values)), expected)


def test_holm_steps_down_as_by_hand():
    for p_values, expected in [
        ([0.02, 0.035, 0.001, 0.9], [3 * 0.02, 2 * 0.035, 4 * 0.001, 0.9]),
        ([0.03, 0.02], [2 * 0.02, 2 * 0.02]),  # none is below the one before it
        ([0.7, 0.6], [1, 1]),
    ]:
        np.testing.assert_allclose(confirming.holm(np.array(p_values)), expected)


def test_a_p_value_does_not_contradict_its_verdict():
    rng = np.random.default_rng(0)
    confirmed = confirming.compare(trainings_of(rng.normal(0.8, 0.02, (5, 4))))
    raw = [
        scipy.stats.ttest_rel(
            confirmed[0].validation_accuracy, one.validation_accuracy
        ).pvalue
        for one in confirmed[1:]
    ]
    assert min(raw) < 0.05  # alone it would be told apart
    assert all(one.is_tied and one.p_value > 0.05 for one in confirmed[1:])


def test_networks_are_compared_with_the_first_by_paired_t_tests():
    rng = np.random.default_rng(0)
    day = rng.normal(0, 0.05, 6)  # what replicates have in common counts for nothing
    noise = rng.normal(0, 0.002, (4, 6))
    noise -= noise.mean(axis=1, keepdims=True)
    rows = 0.8 + day + noise - np.array([[0.02], [0], [0.0005], [0.1]])
    confirmed = confirming.compare(trainings_of(rows))
    assert [one.genome for one in confirmed] == [(1,), (2,), (0,), (3,)]
    assert confirmed[0].p_value is None and confirmed[0].is_tied is None
    p_values = []
    for one in confirmed[1:]:
        differences = rows[1] - rows[one.genome[0]]
        error = differences.std(ddof=1) / np.sqrt(6)
        p_values.append(2 * scipy.stats.t.sf(abs(differences.mean() / error), df=5))
    assert p_values == sorted(p_values, reverse=True)
    expected = [p * step for p, step in zip(p_values, (1, 2, 3), strict=True)]
    assert [one.p_value for one in confirmed[1:]] == pytest.approx(expected)
    assert [one.is_tied for one in confirmed[1:]] == [True, False, False]
    np.testing.assert_allclose(confirmed[0].test_accuracy, rows[1] - 0.1)


def test_of_two_replicates_there_are_means_alone():
    confirmed = confirming.compare(trainings_of([[0.7, 0.9], [0.8, 0.9]]))
    assert [one.genome for one in confirmed] == [(1,), (0,)]
    assert confirmed[1].p_value is None and confirmed[1].is_tied is None


def test_equal_means_go_by_loss():
    trainings = {
        (0,): [result(r, 0.8, loss=0.5) for r in range(3)],
        (1,): [result(r, 0.8, loss=0.4) for r in range(3)],
    }
    first, second = confirming.compare(trainings)
    assert first.genome == (1,)
    assert second.is_tied and second.p_value == 1  # the same in every replicate


def test_what_is_always_as_much_worse_is_told_apart():
    _, second = confirming.compare(
        trainings_of([[0.9, 0.8, 0.7], [0.875, 0.775, 0.675]])
    )
    assert not second.is_tied


def test_a_network_that_failed_once_is_last_and_no_equal():
    confirmed = confirming.compare(
        trainings_of([[0.9, -math.inf, 0.9], [0.5, 0.4, 0.6]])
    )
    assert [one.genome for one in confirmed] == [(1,), (0,)]
    assert not confirmed[1].is_tied


@pytest.mark.parametrize(
    ("num_trained", "expected"), [(1, 2), (60, 2), (75, 3), (199, 7), (672, 8)]
)
def test_replicates_by_the_networks_trained(num_trained, expected):
    assert confirming.count_replicates(num_trained) == expected


@pytest.fixture(scope="module", name="folder")
def get_folder(tmp_path_factory):
    """A grid of two networks, two replicates each, both confirmed."""
    folder = tmp_path_factory.mktemp("replicates") / "run"
    settings = "--depth 1 --width 8 16 --activation relu --optimizer adam"
    trained = "--max-epochs 2 --replicates 2 --confirm 2 --no-report --quiet"
    with pytest.MonkeyPatch.context() as patch:
        given = f"--strategy grid {settings} {trained} --output-dir {folder}".split()
        patch.setattr("sys.argv", ["run", *given])
        run.main()
    return folder


def test_a_run_of_replicates_scores_networks_by_their_mean(folder):
    recorded = vecevo.load_run(folder).networks
    of_search = [n for n in recorded if n.purpose == "search"]
    found = {(n.genome[1], n.replicate): n.validation_accuracy for n in of_search}
    assert sorted(found) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert found[0, 0] != found[0, 1]
    summary = json.loads((folder / "result.json").read_text())
    for row in summary["top"]:
        width = row["genome"][1]
        mean = (found[width, 0] + found[width, 1]) / 2
        assert row["validation_accuracy"] == pytest.approx(mean)
    for row in summary["confirmation"]:
        (top,) = [top for top in summary["top"] if top["genome"] == row["genome"]]
        assert row["search_accuracy"] == top["validation_accuracy"]
    kept = vecevo.load_network(folder / "best").facts  # of the weights that are there
    width = summary["best"]["genome"][1]
    assert kept["validation_accuracy"] == pytest.approx(found[width, 0])
    assert kept["test_accuracy"] == summary["best"]["test_accuracy"]


def test_confirmation_trains_replicates_that_the_search_had_not(folder):
    recorded = vecevo.load_run(folder).networks
    again = [n for n in recorded if n.purpose == "confirmation"]
    assert {n.replicate for n in again} == {2, 3} and len(again) == 4
    summary = json.loads((folder / "result.json").read_text())
    for row in summary["confirmation"]:
        of_network = [n for n in again if list(n.genome) == row["genome"]]
        of_network.sort(key=lambda n: n.replicate)
        for name in ("validation_accuracy", "test_accuracy"):
            assert row[name] == [getattr(n, name) for n in of_network]


def test_a_table_of_the_run_has_a_column_for_each_replicate(folder):
    table = vecevo.load_table(folder)
    assert table.validation_accuracy.shape == (2, 2) == table.num_epochs.shape
    for network in vecevo.load_run(folder).networks:
        if network.purpose == "search":
            place = network.genome[1], network.replicate
            accuracy = table.validation_accuracy[place]
            assert accuracy == np.float32(network.validation_accuracy)
    assert table.num_params[0] < table.num_params[1]


@pytest.mark.parametrize(
    ("judge", "is_by_model"),
    [
        (None, False),
        (lambda state, genomes: genomes @ jnp.array([0.0, 1.0, 0.0, 0.0]), True),
        (lambda state, genomes: jnp.full(len(genomes), jnp.nan), False),
    ],
)
def test_whether_a_model_ranked_is_a_result(judge, is_by_model):
    space = vecevo.SearchSpace(
        {"depth": (1,), "width": (4, 8, 16), "activation": ("relu",)}
        | {"optimizer": ("adam",)}
    )
    strategy = vecevo.strategies.grid(space.num_choices, population_size=3)
    result = vecevo.search(
        *(space, vecevo.load_dataset("digits", limit_train=200)),
        strategy=strategy._replace(judge=judge),
        **{"num_generations": 1, "max_epochs": 1, "confirm": 0, "ensemble": 0},
    )
    assert result.is_by_model == is_by_model
    widths = [genome[1] for genome, _ in result.top]
    accuracies = [network.validation_accuracy for _, network in result.top]
    if is_by_model:
        assert widths == [2, 1, 0]
    else:
        assert accuracies == sorted(accuracies, reverse=True)
