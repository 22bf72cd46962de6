"""Searches whose networks stop at rungs: who goes on, what is told, and what stays."""

import json
import math
import shutil

import jax
import numpy as np
import pytest

import vecevo
from tests.runs.test_killing import table
from vecevo import strategies
from vecevo.errors import InputError
from vecevo.runs import ledger, rungs
from vecevo.runs.report import verdict
from vecevo.training import sessions, settings

SPACE = vecevo.SearchSpace(
    {
        "width": (8, 16, 64),
        "optimizer": ("adam", "sgd", "nadam"),
        "learning_rate": (0.01, 0.1, 1e38),  # the last one fails
    }
)
RUNGS, PATIENCE, SIZE = (2, 5, 10), 1, 19
SETTINGS = {
    "fixed": {"depth": 1, "activation": "relu"},
    "strategy": "random",
    "population_size": SIZE,
    "num_generations": 2,
    "max_epochs": RUNGS[-1],
    "patience": PATIENCE,
    "confirm": 0,
    "ensemble": 2,
    "seed": 0,
}


def search(folder=None, **changes):
    return vecevo.search(
        SPACE, "digits", output_dir=folder, **{**SETTINGS, "rungs": RUNGS, **changes}
    )


@pytest.fixture(scope="module", name="folders")
def get_folders(tmp_path_factory):
    """A run with rungs, and the same without; copies of the first as it went on."""
    folder, copies = tmp_path_factory.mktemp("runs"), []

    def take_copy(generation, genomes, results):
        copies.append(len(genomes))
        shutil.copytree(folder / "rungs", folder / f"killed-{len(copies)}")

    search(folder / "rungs", record_fn=take_copy)
    search(folder / "none", rungs=None)
    return folder


def climb(curves, patience):
    """Epochs that a network would train, by what it had at each: plain and slow."""
    found, best, since = [], math.inf, 0
    for accuracy, loss in zip(*curves, strict=True):
        since += 1
        if loss < best:
            best, since, kept = loss, 0, accuracy
        found.append((kept, best))
        if since == patience:
            break
    return found


def expected_of(run):
    """By genome rung, epochs, accuracy and status, from a run without rungs."""
    expected = {}
    generations = sorted({network.generation for network in run.networks})
    for generation in generations:
        networks = [n for n in run.networks if n.generation == generation]
        found = {
            n.genome: climb(
                (n.curves["validation_accuracy"], n.curves["validation_loss"]), 2
            )
            for n in networks
        }
        left = sorted(found)
        for number, rung in enumerate(RUNGS):
            at = {g: found[g][min(rung, len(found[g])) - 1] for g in left}
            for genome in left:
                num_epochs = min(rung, len(found[genome]))
                has_ended = num_epochs == len(found[genome])
                status = "trained" if has_ended else "stopped"
                expected[genome] = (number, num_epochs, at[genome][0], status)
            left.sort(key=lambda g: (-at[g][0], at[g][1], g))
            left = left[: -(-len(left) // 3)]
    return expected


def test_networks_stop_where_their_whole_curves_say(folders):
    whole, run = (vecevo.load_run(folders / name) for name in ("none", "rungs"))
    expected = expected_of(whole)
    assert {n.genome for n in run.networks} == set(expected)
    for network in run.networks:
        rung, num_epochs, accuracy, status = expected[network.genome]
        assert (network.rung, network.num_epochs) == (rung, num_epochs)
        assert network.validation_accuracy == pytest.approx(accuracy, abs=1e-6)
        assert network.status == status
    assert {n.status for n in run.networks} == {"trained", "stopped"}
    # Patience ended some before the rung that they are of.
    assert any(n.status == "trained" and n.rung < 2 for n in run.networks)


def test_a_search_is_told_the_rung_and_then_the_accuracy():
    plain, heard = strategies.random(SPACE.num_choices, population_size=9), []

    def tell(state, offspring, fitness):
        jax.debug.callback(lambda *said: heard.append(said), offspring, fitness)
        return plain.tell(state, offspring, fitness)

    found = {}

    def record(generation, genomes, results):
        found.update(zip(genomes, results, strict=True))

    result = search(
        strategy=plain._replace(tell=tell),
        population_size=None,
        num_generations=2,
        record_fn=record,
    )
    jax.effects_barrier()
    assert len(heard) == 2
    for offspring, fitness in heard:
        results = [found[tuple(genome)] for genome in offspring.tolist()]
        keys = [r.rung + r.validation_accuracy / 2 for r in results]
        np.testing.assert_allclose(fitness, keys, rtol=1e-6)
    last = [r for r in found.values() if r.rung == 2]
    best = max(r.validation_accuracy for r in last)
    assert result.progress[-1].best_accuracy == best
    assert {r.validation_accuracy for _, r in result.top} <= {
        r.validation_accuracy for r in last
    }
    assert all(r.network is not None for _, r in result.top)
    assert result.saved.rungs == RUNGS
    assert sum(result.saved.num_stopped) == sum(r.is_stopped for r in found.values())
    assert result.saved.num_epochs == sum(r.num_epochs for r in found.values())


@pytest.mark.parametrize("number", range(1, 8))
def test_a_run_killed_at_a_rung_ends_as_one_left_alone(folders, tmp_path, number):
    if not (folders / f"killed-{number}").exists():
        pytest.skip("the run had fewer rungs")
    folder = shutil.copytree(folders / f"killed-{number}", tmp_path / "run")
    before, _ = table(folder)
    search(folder, resume=True)
    after, generations = table(folder)
    expected, expected_generations = table(folders / "rungs")
    assert after == expected and generations == expected_generations
    assert set(before) <= set(after)


def test_replicates_go_on_together_by_their_mean(tmp_path):
    search(tmp_path / "run", replicates=2, num_generations=1)
    search(tmp_path / "none", replicates=2, num_generations=1, rungs="none")
    run, whole = (vecevo.load_run(tmp_path / name) for name in ("run", "none"))
    found = {}
    for network in run.networks:
        found.setdefault(network.genome, []).append(network)
    assert {len(networks) for networks in found.values()} == {2}
    assert all(len({n.rung for n in networks}) == 1 for networks in found.values())
    first = {}  # accuracy and loss at the first rung, the mean of two
    for network in whole.networks:
        names = ("validation_accuracy", "validation_loss")
        at = [network.curves[name][0] for name in names]
        first[network.genome] = first.get(network.genome, 0) + np.array(at) / 2
    ranked = sorted(first, key=lambda g: (-first[g][0], first[g][1], g))
    went_on = {genome for genome, networks in found.items() if networks[0].rung > 0}
    assert went_on == set(ranked[: -(-len(ranked) // 3)])


def test_a_run_that_is_stopped_at_a_rung_has_networks_and_goes_on(
    folders, tmp_path, monkeypatch
):
    start, ends = sessions.start_session, []

    def start_stopping(*args, is_time_up_fn, **given):
        def is_time_up():
            ends.append(len(ends) > 1)  # before all are at the first rung
            return ends[-1]

        return start(*args, is_time_up_fn=is_time_up, **given)

    monkeypatch.setattr(sessions, "start_session", start_stopping)
    result = search(tmp_path / "run")
    rows, _ = table(tmp_path / "run")
    assert {json.loads(row)["status"] for row in rows} == {"partial"}
    assert result.num_trained == 0 and result.top
    dataset = vecevo.load_dataset("digits")
    for _, one in result.top:
        predicted = one.network.module.apply(
            {"params": one.network.params}, dataset.x_validation
        )
        accuracy = np.mean(predicted.argmax(axis=1) == dataset.y_validation)
        assert accuracy == pytest.approx(one.validation_accuracy)
    monkeypatch.setattr(sessions, "start_session", start)
    search(tmp_path / "run", resume=True)
    assert table(tmp_path / "run")[0] == table(folders / "rungs")[0]


def test_another_run_of_rungs_does_not_go_on(folders, tmp_path):
    folder = shutil.copytree(folders / "rungs", tmp_path / "run")
    with pytest.raises(InputError, match=r"rungs was \[1, 3, 6\] and is \[2, 6\]"):
        search(folder, rungs=(2, 6), resume=True)


def test_a_run_starts_from_those_that_came_furthest(folders, tmp_path):
    found = vecevo.load_run(folders / "rungs").networks
    ranked = sorted(found, key=lambda n: (-n.rung, -n.validation_accuracy))
    from vecevo.runs.files import queries

    best = queries.read_best(folders / "rungs" / "run.sqlite")
    assert len(best) == len(found)
    names = ("validation_accuracy", "rung")
    by_values = {json.dumps(n.hyperparams, sort_keys=True): n for n in found}
    said = [by_values[json.dumps(b, sort_keys=True)] for b in best]
    assert [[getattr(n, x) for x in names] for n in said] == [
        [getattr(n, x) for x in names] for n in ranked
    ]


DIGITS = vecevo.load_dataset("digits")
RESOLVED = settings.resolve({}, DIGITS)


def choose(given, dataset=DIGITS, resolved=RESOLVED, **changes):
    said = {"strategy": "recommended", "objectives": ("accuracy",), **changes}
    return rungs.choose_rungs(given, dataset, resolved, **said)


def test_rungs_by_default():
    assert choose("auto") == (3, 9, 25)
    assert choose("none") is None and choose(None) is None
    assert choose([5, np.int64(25)]) == (5, 25)
    assert choose("auto", strategy="grid") is None
    assert choose((5, 25), strategy="grid") == (5, 25)
    assert choose("auto", objectives=("accuracy", "num_params")) is None
    article = DIGITS._replace(is_article=True)
    assert choose("auto", article) is None
    assert choose("auto", resolved=RESOLVED._replace(max_epochs=4)) is None


@pytest.mark.parametrize(
    "given", ["sometimes", (3, 9), (9, 3, 25), (0, 25), (3.5, 25), (), {3: 25}, 25]
)
def test_rungs_that_are_none_are_refused(given):
    with pytest.raises(InputError, match="rungs="):
        choose(given)


def test_rungs_know_accuracy_alone():
    with pytest.raises(InputError, match="by accuracy alone"):
        choose((3, 25), objectives=("accuracy", "num_params"))


def test_what_rungs_saved_is_said(folders):
    result = search()
    saved = result.saved
    whole = vecevo.load_run(folders / "none").networks
    without = sum(n.num_epochs for n in whole)
    assert saved.num_epochs < 0.7 * without
    (line,) = verdict.saved_lines({"saved": json.loads(json.dumps(saved._asdict()))})
    assert f"{saved.num_stopped[0]} networks at epoch 1" in line
    assert verdict.saved_lines({"saved": None}) == verdict.saved_lines({}) == []
    assert search(rungs=None, num_generations=1).saved is None


def test_epochs_of_all_as_whole_trainings():
    held = ledger.Ledger(num_rungs=2)
    assert held.num_whole == 0
    result = vecevo.train_networks(
        [{"depth": 1, "width": 4, "activation": "relu", "optimizer": "sgd"}],
        "digits",
        max_epochs=1,
    )[0]
    for genome, (num_epochs, rung) in enumerate([(2, 0), (4, 0), (8, 1), (10, 1)]):
        changed = result._replace(num_epochs=num_epochs, rung=rung)
        held.results[genome,] = changed
    assert held.num_whole == pytest.approx(24 / 9)
