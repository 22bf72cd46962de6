"""Genomes get the accuracies of their networks, which train once."""

import time

import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import evaluation, space
from vecevo.datasets import making
from vecevo.training import batches, cohorts, sessions, settings

SPACE = space.SearchSpace((("width", (4, 8)), ("activation", ("relu", "tanh"))))
FIXED = {"depth": 1, "optimizer": "adam"}


def start(max_epochs=4):
    rng = np.random.default_rng(0)
    dataset = making.make_dataset(
        x_train=rng.random((90, 5)),
        y_train=np.arange(90) % 3,
        x_test=rng.random((20, 5)),
        y_test=np.arange(20) % 3,
    )
    resolved = settings.resolve({"batch_size": 16, "max_epochs": max_epochs}, dataset)
    expected = sessions.Expected([(4, 1), (8, 1)], list_size=2)
    return sessions.start_session(dataset, expected, resolved)


def test_only_what_is_not_known_is_trained():
    session = start()
    known, trained = {(0, 0): 0.25}, []

    def take_in(genomes, results, work):
        assert 0 < work.needed <= work.executed
        trained.extend(genomes)
        for genome, result in zip(genomes, results, strict=True):
            known[genome] = result.validation_accuracy

    evaluate = evaluation.make_evaluate_fn(
        session, SPACE, FIXED, lookup_fn=known.get, take_in_fn=take_in
    )
    accuracy = evaluate(jnp.array([[0, 0], [1, 1], [1, 1], [0, 0]]))
    session.setup.programs.close()
    assert trained == [(1, 1)]
    assert accuracy.dtype == np.float32 and accuracy[0] == accuracy[3] == 0.25
    assert accuracy[1] == accuracy[2] == np.float32(known[(1, 1)])


def test_genomes_of_one_network_are_one():
    genes = {"optimizer": ("adam", "sgd", "nesterov"), "momentum": (0.9, 0.0, 0.5)}
    one_space = space.SearchSpace({**genes, "skip": ("identity", "none")})
    fixed = {"depth": 1, "width": 4, "activation": "relu"}
    canonical = evaluation.make_canonical_fn(one_space, fixed)
    population = np.array([[0, 2, 1], [1, 1, 1], [1, 2, 0], [2, 1, 1], [2, 2, 1]])
    # adam has no momentum, Nesterov without it is sgd, and depth 1 skips nothing.
    expected = [[0, 0, 0], [1, 1, 0], [1, 2, 0], [1, 1, 0], [2, 2, 0]]
    assert canonical(population).tolist() == expected
    deep = evaluation.make_canonical_fn(one_space, {**fixed, "depth": 2})
    assert deep(np.array([[0, 2, 1]])).tolist() == [[0, 0, 1]]


def test_training_stops_before_an_error_of_taking_in_arrives(monkeypatch):
    session = start(max_epochs=50)
    session = session._replace(
        classes=[c._replace(lane_counts=(1,)) for c in session.classes],
        job=session.job._replace(num_workers=1),
    )
    train_cohort, stopped = cohorts.train_cohort, []

    def train(*args, is_stopped_fn, **settings):
        if not stopped:  # the first trains; the second goes on until it is stopped
            stopped.append(False)
            return train_cohort(*args, is_stopped_fn=is_stopped_fn, **settings)
        for _ in range(1000):
            time.sleep(0.01)
            if is_stopped_fn():
                stopped.append(True)
                return None
        return None

    monkeypatch.setattr(cohorts, "train_cohort", train)

    def take_in(genomes, results, work):
        raise OSError("no space left on device")

    evaluate = evaluation.make_evaluate_fn(
        session, SPACE, FIXED, lookup_fn={}.get, take_in_fn=take_in
    )
    with pytest.raises(OSError, match="no space left") as caught:
        evaluate(jnp.array([[0, 0], [0, 1], [1, 0], [1, 1]]))
    # The error, and with it the frames that it went through, is still at hand.
    assert caught.value.__traceback__ is not None
    assert stopped == [False, True]
    session.setup.programs.close()


def test_weights_that_are_not_wanted_do_not_leave_the_device():
    session, kept = start(), {}

    def take_in(genomes, results, work):
        kept.update(zip(genomes, results, strict=True))

    evaluate = evaluation.make_evaluate_fn(
        session,
        SPACE,
        FIXED,
        lookup_fn=lambda g: kept[g].validation_accuracy if g in kept else None,
        take_in_fn=take_in,
        wants_params_fn=lambda accuracy, replicate: accuracy < 0,
    )
    evaluate(jnp.array([[0, 0], [1, 1]]))
    assert [result.params for result in kept.values()] == [{}, {}]
    results = list(batches.train_list(session, [r.hyperparams for r in kept.values()]))
    session.setup.programs.close()
    assert all(result.params for _, trained, _ in results for result in trained)
