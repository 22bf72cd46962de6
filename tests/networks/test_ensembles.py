"""Ensembles: greedy selection with replacement, and what they say together."""

import itertools

import numpy as np
import pytest

import vecevo
from vecevo.networks import ensembles
from vecevo.runs.ending import voting
from vecevo.runs.report import verdict

RNG = np.random.default_rng(0)


def make_probabilities(num_networks=6, num_examples=40, num_classes=3):
    labels = RNG.integers(0, num_classes, num_examples).astype(np.int32)
    logits = RNG.normal(size=(num_networks, num_examples, num_classes))
    logits += 1.5 * np.eye(num_classes)[labels]
    exp = np.exp(logits)
    return (exp / exp.sum(-1, keepdims=True)).astype(np.float16), labels


def log_loss(members, labels):
    mean = np.mean([m.astype(float) for m in members], axis=0)
    return -np.mean(np.log(mean[np.arange(len(labels)), labels]))


def test_each_pick_lowers_the_log_loss_most():
    probabilities, labels = make_probabilities()
    chosen = []  # the slow way
    for _ in range(7):
        losses = [log_loss([*chosen, p], labels) for p in probabilities]
        chosen.append(probabilities[int(np.argmin(losses))])
    picks = ensembles.pick_greedily(probabilities, labels, num_picks=7)
    expected = [
        sum(c is p or np.array_equal(c, p) for c in chosen) for p in probabilities
    ]
    assert picks.tolist() == expected and picks.sum() == 7


def test_a_few_picks_are_nearly_the_best_there_are():
    probabilities, labels = make_probabilities()
    picks = ensembles.pick_greedily(probabilities, labels, num_picks=3)
    greedy = log_loss(np.repeat(probabilities, picks, axis=0), labels)
    best = min(
        log_loss(members, labels)
        for members in itertools.combinations_with_replacement(probabilities, 3)
    )
    assert best <= greedy <= 1.05 * best
    assert greedy < min(log_loss([p], labels) for p in probabilities)


def test_selection_is_checked_on_the_other_half():
    probabilities, labels = make_probabilities()
    found = ensembles.select(probabilities, labels, num_picks=5)
    mean = np.average(probabilities.astype(float), axis=0, weights=found.picks)
    assert found.validation_accuracy == np.mean(mean.argmax(1) == labels)
    halves = []
    for first, second in ((0, 1), (1, 0)):
        seen, other = probabilities[:, first::2], probabilities[:, second::2]
        picks = ensembles.pick_greedily(seen, labels[first::2], num_picks=5)
        mean = np.average(other.astype(float), axis=0, weights=picks)
        right = (seen.argmax(-1) == labels[first::2]).mean(1)
        alone = other[right.argmax()].argmax(-1)
        halves.append(
            [
                np.mean(mean.argmax(1) == labels[second::2]),
                np.mean(alone == labels[second::2]),
            ]
        )
    expected = np.mean(halves, axis=0)
    np.testing.assert_allclose(
        [found.held_out_accuracy, found.held_out_best], expected, rtol=1e-12
    )


def test_what_selection_is_worth_is_told_by_the_metric():
    probabilities, labels = make_probabilities()

    def measure(outputs, answers):
        return -log_loss([outputs.astype(float)], answers)

    told = ensembles.select(probabilities, labels, num_picks=5, measure_fn=measure)
    usual = ensembles.select(probabilities, labels, num_picks=5)
    assert told.picks.tolist() == usual.picks.tolist()
    mean = ensembles.weighted_mean(probabilities, told.picks)
    assert told.validation_accuracy == measure(mean, labels) < 0
    assert max(told.held_out_accuracy, told.held_out_best) < 0


@pytest.mark.parametrize(("alone", "word"), [(-0.4, "better"), (-0.2, "no better")])
def test_the_verdict_on_an_ensemble_is_by_the_metric(alone, word):
    facts = {"num_networks": 2, "num_picks": 3, "test_accuracy": -0.3}
    facts |= {"validation_accuracy": -0.3, "held_out_accuracy": -0.3}
    said = verdict.ensemble_line(facts | {"held_out_best": alone}, "negative log loss ")
    end = f"best network, negative log loss -0.3000 against {alone:.4f}"
    assert f"it is {word} on the other" in said and said.endswith(end)


def test_a_single_example_has_no_other_half():
    probabilities, labels = make_probabilities(num_examples=1)
    found = ensembles.select(probabilities, labels, num_picks=3)
    assert np.isnan(found.held_out_accuracy) and np.isnan(found.held_out_best)
    facts = {"num_networks": 1, "num_picks": 3, "test_accuracy": 0.5}
    facts |= {"validation_accuracy": 1.0}
    facts |= {"held_out_accuracy": None, "held_out_best": None}
    assert verdict.ensemble_line(facts).endswith("test 0.5000")
    one = facts | {"num_networks": 1, "held_out_accuracy": 0.6, "held_out_best": 0.5}
    assert verdict.ensemble_line(one).endswith("test 0.5000")


def test_an_impossible_probability_is_not_the_end():
    probabilities = np.array([[[1, 0]], [[0, 1]]], np.float16)
    picks = ensembles.pick_greedily(probabilities, np.array([1]), num_picks=2)
    assert picks.tolist() == [0, 2]


def test_fewer_networks_are_kept_where_they_are_large():
    x = RNG.random((40, 2))
    dataset = vecevo.make_dataset(x, np.arange(40) % 2)
    assert voting.count_pool(1000, dataset, least=5) == 50
    assert voting.count_pool(2**30 // 40, dataset, least=5) == 9
    assert voting.count_pool(2**33, dataset, least=5) == 5


@pytest.fixture(scope="module")
def searched():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 5))
    y = np.where(x[:, 0] * x[:, 1] > 0, "same", "other")
    dataset = vecevo.make_dataset(x, y)
    space = vecevo.SearchSpace({"width": (4, 8), "activation": ("relu", "tanh", "elu")})
    result = vecevo.search(
        space,
        dataset,
        fixed={"depth": 1, "optimizer": "adam", "learning_rate": 0.03},
        max_epochs=6,
        ensemble=4,
    )
    return result, dataset


def test_an_ensemble_of_a_search_says_the_mean(searched, tmp_path):
    result, dataset = searched
    ensemble = result.ensemble
    assert sum(ensemble.picks) == 4 == ensemble.facts["num_picks"]
    x, y = dataset.raw_x_test, dataset.raw_y_test
    parts = [n.predict_proba(x) for n in ensemble.networks]
    mean = sum(p * k for p, k in zip(parts, ensemble.picks, strict=True)) / 4
    np.testing.assert_allclose(ensemble.predict_proba(x), mean, rtol=1e-5)
    assert ensemble.score(x, y) == ensemble.facts["test_accuracy"]
    vecevo.save_network(ensemble, tmp_path / "ensemble")
    again = vecevo.load_network(tmp_path / "ensemble")
    assert isinstance(again, vecevo.Ensemble) and again.picks == ensemble.picks
    np.testing.assert_array_equal(again.predict_proba(x), ensemble.predict_proba(x))
    assert again.predict(x).tolist() == ensemble.predict(x).tolist()
    assert again.facts == ensemble.facts


def test_what_is_kept_says_what_its_networks_say(searched):
    result, dataset = searched
    x = np.array(dataset.x_validation)
    for _, trained in result.top:
        said = vecevo.networks.network.outputs_of(trained.network, x)
        np.testing.assert_allclose(trained.validation_probabilities, said, atol=1e-3)
        assert trained.validation_probabilities.dtype == np.float16


def test_what_a_search_gives_prints_in_some_lines(searched):
    result, dataset = searched
    best = result.top[0][1]
    for value in (result, best, best.network, result.ensemble, dataset):
        assert len(repr(value)) < 1500 and "array(" not in repr(value)
    accuracy = f"validation_accuracy={best.validation_accuracy!r}"
    assert accuracy in repr(best) and "'width': " in repr(best.network)
    said = f"best {best!r} of SearchResult(num_evaluated=6, num_trained=6, "
    assert repr(result).startswith(said)


def test_there_is_no_ensemble_where_the_test_part_chooses(searched):
    result, dataset = searched
    article = dataset._replace(is_article=True)
    pool = [(genome, found) for genome, found in result.top]
    assert voting.make_ensemble(pool, dataset, num_picks=2) is not None
    assert voting.make_ensemble(pool, article, num_picks=2) is None


@pytest.mark.parametrize("ensemble", [-1, 2.5, True, None])
def test_picks_are_counted(searched, ensemble):
    space = vecevo.SearchSpace({"width": (4,)})
    with pytest.raises(vecevo.InputError, match=r"ensemble=.* from 0 up"):
        vecevo.search(space, searched[1], ensemble=ensemble)
