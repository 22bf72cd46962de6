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
from vecevo.runs import ledger
from vecevo.runs.report import verdict
from vecevo.training import planning, sessions

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
DIGITS = vecevo.load_dataset("digits")
NUM_KILLED = 6  # two rungs and a cohort of the last one, in two generations


def search(folder=None, **changes):
    return vecevo.search(
        SPACE, "digits", output_dir=folder, **{**SETTINGS, "rungs": RUNGS, **changes}
    )


@pytest.fixture(scope="module", autouse=True)
def plan_small_cohorts():
    """Plans cohorts so small that all networks of some end at a rung."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "LADDER", (1, 2))
        yield


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


def check_weights(result):
    """The accuracies that are claimed are those of the weights that are there."""
    assert result.top
    for _, one in result.top:
        predicted = one.network.module.apply(
            {"params": one.network.params}, DIGITS.x_validation
        )
        accuracy = np.mean(predicted.argmax(axis=1) == DIGITS.y_validation)
        assert accuracy == pytest.approx(one.validation_accuracy)


def curves_of(network):
    names = ("validation_accuracy", "validation_loss")
    return [network.curves[name] for name in names], PATIENCE


def climb(curves, patience):
    """Epochs that a network would train, by what it had at each: plain and slow."""
    found, best, since = [], math.inf, 0
    for accuracy, loss in zip(*curves, strict=True):
        since += 1
        if not loss < math.inf:
            found.append((-math.inf, math.inf))
            break
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
        found = {n.genome: climb(*curves_of(n)) for n in networks}
        left = sorted(found)
        for number, rung in enumerate(RUNGS):
            at = {g: found[g][min(rung, len(found[g])) - 1] for g in left}
            for genome in left:
                num_epochs = min(rung, len(found[genome]))
                has_ended = num_epochs == len(found[genome])
                status = "trained" if has_ended else "stopped"
                status = "failed" if at[genome][0] == -math.inf else status
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
    assert {n.status for n in run.networks} == {"trained", "stopped", "failed"}
    # Patience ended one that came to the last rung, before it.
    assert any(n.num_epochs < RUNGS[n.rung] and n.rung == 2 for n in run.networks)


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


def test_all_rungs_of_a_run_were_killed_at(folders):
    assert len(list(folders.glob("killed-*"))) == NUM_KILLED


@pytest.mark.parametrize("number", range(1, NUM_KILLED + 1))
def test_a_run_killed_at_a_rung_ends_as_one_left_alone(folders, tmp_path, number):
    folder = shutil.copytree(folders / f"killed-{number}", tmp_path / "run")
    before, _ = table(folder)
    result = search(folder, resume=True)
    check_weights(result)
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
        at = np.array(climb(*curves_of(network))[: RUNGS[0]][-1])
        first[network.genome] = first.get(network.genome, 0) + at / 2
    ranked = sorted(first, key=lambda g: (-first[g][0], first[g][1], g))
    went_on = {genome for genome, networks in found.items() if networks[0].rung > 0}
    assert went_on == set(ranked[: -(-len(ranked) // 3)])


def stop_after(monkeypatch, num_asked):
    """Lets one worker train, and the time be up when it was asked for so often."""
    start, ends = sessions.start_session, []
    monkeypatch.setattr(sessions, "most_workers", lambda: 1)

    def start_stopping(*args, is_time_up_fn, **given):
        def is_time_up():
            ends.append(len(ends) > num_asked)
            return ends[-1]

        return start(*args, is_time_up_fn=is_time_up, **given)

    monkeypatch.setattr(sessions, "start_session", start_stopping)


@pytest.mark.parametrize("num_asked", [0, 6, 14, 17, 20])
@pytest.mark.parametrize("number", [1, 2])
def test_a_run_that_goes_on_and_is_stopped_goes_on(
    folders, tmp_path, number, num_asked
):
    folder = shutil.copytree(folders / f"killed-{number}", tmp_path / "run")
    before, _ = table(folder)
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, num_asked)
        search(folder, resume=True)
    assert set(before) <= set(table(folder)[0])
    search(folder, resume=True)
    assert table(folder)[0] == table(folders / "rungs")[0]


@pytest.mark.parametrize(("num_asked", "rung"), [(5, 0), (22, 1)])
def test_a_run_that_is_stopped_at_a_rung_has_networks_and_goes_on(
    folders, tmp_path, num_asked, rung
):
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, num_asked)
        result = search(tmp_path / "run")
    rows = [json.loads(row) for row in table(tmp_path / "run")[0]]
    partial = [r["rung"] for r in rows if r["status"] == "partial"]
    assert max(partial) == rung
    assert all(r["num_epochs"] <= RUNGS[r["rung"]] for r in rows)
    check_weights(result)
    best = max(rows, key=lambda r: (r["rung"], r["validation_accuracy"] or 0))
    assert result.top[0][1].validation_accuracy == best["validation_accuracy"]
    search(tmp_path / "run", resume=True)
    assert table(tmp_path / "run")[0] == table(folders / "rungs")[0]


def test_another_run_of_rungs_does_not_go_on(folders, tmp_path):
    folder = shutil.copytree(folders / "rungs", tmp_path / "run")
    with pytest.raises(InputError, match=r"rungs was \[2, 5, 10\] and is \[3, 10\]"):
        search(folder, rungs=(3, 10), resume=True)


def test_a_run_starts_from_those_that_came_furthest(folders, tmp_path):
    networks = vecevo.load_run(folders / "rungs").networks
    found = [n for n in networks if n.status != "failed"]
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


def test_what_rungs_saved_is_said(folders):
    result = search()
    saved = result.saved
    whole = vecevo.load_run(folders / "none").networks
    without = sum(n.num_epochs for n in whole)
    assert saved.num_epochs < 0.7 * without
    (line,) = verdict.saved_lines({"saved": json.loads(json.dumps(saved._asdict()))})
    assert f"{saved.num_stopped[0]} networks at epoch 2" in line
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
