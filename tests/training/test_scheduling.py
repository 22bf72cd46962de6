"""Cohorts that train at the same time, and those that find no memory."""

import threading
import weakref

import jax
import numpy as np
import pytest

from vecevo.datasets import making
from vecevo.training import (
    batches,
    cohorts,
    planning,
    programs,
    recipe,
    sessions,
    settings,
)


def start(num_workers, lane_counts=(4,)):
    rng = np.random.default_rng(0)
    dataset = making.make_dataset(
        x_train=rng.random((60, 5), np.float32),
        y_train=np.arange(60) % 3,
        x_test=rng.random((6, 5), np.float32),
        y_test=np.arange(6) % 3,
    )
    resolved = settings.resolve({"batch_size": 16, "max_epochs": 2}, dataset)
    expected = sessions.Expected([(8, 1), (64, 1)])
    session = sessions.start_session(dataset, expected, resolved)
    return session._replace(
        classes=[planning.CohortClass(64, 1, lane_counts)],
        job=session.job._replace(num_workers=num_workers),
    )


def describe_some(num):
    values = {"width": 8, "depth": 1, "activation": "relu", "optimizer": "sgd"}
    rates = 0.1 * np.arange(1, num + 1)
    return [recipe.complete(values | {"learning_rate": float(r)}) for r in rates]


def train(session, described):
    try:
        return {
            individual: result
            for individuals, results, _ in batches.train_list(session, described)
            for individual, result in zip(individuals, results, strict=True)
        }
    finally:
        session.setup.programs.close()


def test_cohorts_train_at_the_same_time(monkeypatch):
    met, train_cohort = threading.Barrier(2, timeout=60), cohorts.train_cohort

    def meet(*args, **settings):
        met.wait()  # fails unless two cohorts get here at the same time
        return train_cohort(*args, **settings)

    described = describe_some(8)
    alone = train(start(num_workers=1), described)
    monkeypatch.setattr(cohorts, "train_cohort", meet)
    together = train(start(num_workers=2), described)
    assert sorted(together) == list(range(8))
    for individual, result in together.items():
        jax.tree.map(
            np.testing.assert_array_equal, result.params, alone[individual].params
        )


def test_settings_made_by_a_context_hold_in_all_threads():
    with jax.enable_x64(True):
        results = train(start(num_workers=2), describe_some(8))
    for result in results.values():
        assert result.params["output"]["kernel"].dtype == np.float64


class Stack:
    """Stands for the weights of a cohort, which its frames hold."""


def refuse_more_than(num_lanes, monkeypatch):
    """Lets the device report that it has no memory for cohorts of more lanes."""
    train_cohort, refused, held = cohorts.train_cohort, [], []

    def train(setup, module, lanes, *args, **settings):
        assert not any(stack() for stack in held)  # what was refused is gone
        if len(lanes.optimizer) > num_lanes:
            stack = Stack()
            held.append(weakref.ref(stack))
            refused.append(len(lanes.optimizer))
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return train_cohort(setup, module, lanes, *args, **settings)

    monkeypatch.setattr(cohorts, "train_cohort", train)
    return refused


def test_a_cohort_that_finds_no_memory_is_halved(monkeypatch):
    refused = refuse_more_than(2, monkeypatch)
    session = start(num_workers=1, lane_counts=(8,))
    with pytest.warns(UserWarning, match="no memory for") as warned:
        results = train(session, describe_some(7))
    told = [str(w.message).partition("at once: ")[2] for w in warned]
    assert told == ["4 from now on", "2 from now on"]
    assert sorted(results) == list(range(7))
    assert refused == [8, 4, 4]
    # Later lists are planned with what there was memory for.
    assert session.classes == [planning.CohortClass(64, 1, (2,))]


def test_a_network_that_finds_no_memory_is_named(monkeypatch):
    refuse_more_than(0, monkeypatch)
    with pytest.raises(ValueError, match="no memory for one network of depth=1"):
        train(start(num_workers=1, lane_counts=(1,)), describe_some(1))


def test_other_errors_of_the_device_are_not_taken_for_a_lack_of_memory(monkeypatch):
    def fail(*args, **settings):
        raise jax.errors.JaxRuntimeError("INTERNAL: broken")

    monkeypatch.setattr(cohorts, "train_cohort", fail)
    with pytest.raises(jax.errors.JaxRuntimeError, match="broken"):
        train(start(num_workers=1), describe_some(4))


def test_a_program_that_found_no_memory_is_tried_again(monkeypatch):
    session, calls = start(num_workers=1, lane_counts=(2,)), []
    compile_programs = programs.compile_programs

    def fail_once(*args):
        calls.append(args)
        if len(calls) == 1:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return compile_programs(*args)

    monkeypatch.setattr(programs, "compile_programs", fail_once)
    with pytest.warns(UserWarning, match="1 from now on"):
        results = train(session, describe_some(2))
    assert sorted(results) == [0, 1]
    assert session.setup.programs.num_programs == 1
