"""Networks that stop at rungs and go on, in cohorts with others than before."""

import itertools

import jax
import numpy as np
import pytest

from tests.training import test_batches
from vecevo.training import batches, cohorts, planning, recipe, rungs, sessions
from vecevo.training import settings as training_settings

MAX_EPOCHS = test_batches.SETTINGS["max_epochs"]
FAILS, STOPS = 1, 4  # rows of LISTED that do so, by NaN and by patience
OPTIMIZERS = ("adam", "sgd", "sgd", "adam", "sgd", "nadam", "sgd")
OTHERS = {
    FAILS: {"activation": "relu", "learning_rate": 1e38, "weight_decay": 1e38},
    STOPS: {"learning_rate": 1e-300},
}
LISTED = [
    recipe.complete(
        {
            **{"width": 3 + row, "depth": 1 + row % 2, "activation": "tanh"},
            **{"optimizer": optimizer, "dropout_rate": 0.1 * row},
            **OTHERS.get(row, {}),
        }
    )
    for row, optimizer in enumerate(OPTIMIZERS)
]


def start(lane_counts=(2, 4), num_workers=2, is_time_up_fn=lambda: False, **changed):
    dataset = test_batches.make_dataset()
    resolved = training_settings.resolve(test_batches.SETTINGS | changed, dataset)
    session = sessions.start_session(
        *(dataset, sessions.expect(LISTED), resolved),
        seed=test_batches.SEED,
        is_time_up_fn=is_time_up_fn,
    )
    return session._replace(
        classes=[planning.CohortClass(9, 2, lane_counts)],
        job=session.job._replace(num_workers=num_workers),
    )


def train_whole(listed=LISTED, replicates=None, session=None, **changed):
    """The results of train_list, by row."""
    session, found = session or start(**changed), {}
    for rows, results, _ in batches.train_list(session, listed, replicates):
        found |= dict(zip(rows, results, strict=True))
    session.setup.programs.close()
    return found


def climb(session, steps, choose_fn, listed=LISTED, replicates=None, **settings):
    """Trains by rungs; what each yields by row, what each was asked, and all Work."""
    asked, yielded, works = [], [{} for _ in steps], []

    def choose(number, results):
        asked.append((number, results))
        return choose_fn(number, results)

    for number, rows, results, work in rungs.train_rungs(
        *(session, listed, replicates), rungs=steps, choose_fn=choose, **settings
    ):
        assert all(result.rung == number for result in results)
        for row in set(rows) & set(yielded[number]):  # parked when the time was up
            assert yielded[number][row].is_stopped
        yielded[number] |= dict(zip(rows, results, strict=True))
        works.append(work)
    session.setup.programs.close()
    return yielded, asked, works


def choose_all(number, results):
    del number
    return results


def choose_half(number, results):
    del number
    ranked = sorted(results, key=lambda row: results[row].validation_loss)
    return ranked[: len(ranked) // 2]


def choose(*chosen):
    """Returns a function that chooses some rows at each rung."""
    return lambda number, results: chosen[number]


def assert_same(got, expected, *, has_params=True, **tolerance):
    """Compares two results, bit by bit where there is no tolerance."""

    def compare(x, y):
        if tolerance:
            np.testing.assert_allclose(x, y, **tolerance)
        else:
            np.testing.assert_array_equal(x, y)

    assert bool(got.params) == has_params
    assert (got.network is None) == (not has_params or got.failed_epoch is not None)
    weightless = {"network": None, "validation_probabilities": None}
    if not has_params:
        weightless["params"] = {}
    weightless |= {"rung": 0, "is_stopped": False}
    got, expected = got._replace(**weightless), expected._replace(**weightless)
    assert got.hyperparams == expected.hyperparams
    same = ("num_epochs", "failed_epoch", "replicate", "is_partial")
    assert all(getattr(got, name) == getattr(expected, name) for name in same)
    hyperparams = {"hyperparams": {}, "failed_epoch": None}
    jax.tree.map(compare, got._replace(**hyperparams), expected._replace(**hyperparams))


def last_results(yielded):
    """The last result of each row."""
    return {row: result for rung in yielded for row, result in rung.items()}


@pytest.fixture(name="precise")
def compute_in_float64():
    with jax.enable_x64(True):
        yield {"rtol": 0, "atol": 1e-8}


def test_networks_that_go_on_are_those_that_were_not_stopped(precise):
    whole = train_whole()
    assert whole[FAILS].failed_epoch == 0 and whole[STOPS].num_epochs == 3
    assert all(whole[row].num_epochs == 4 for row in set(whole) - {FAILS, STOPS})
    chosen = [{0, FAILS, 2, STOPS, 5, 6}, {FAILS, 2, STOPS, 6}]
    yielded, asked, works = climb(start(), (1, 3, MAX_EPOCHS), choose(*chosen))
    # The one without a number comes once, and is not trained: nor is, from the rung
    # at which its patience ended, the other.
    assert [sorted(rung) for rung in yielded] == [
        list(range(7)),
        [0, 2, STOPS, 5, 6],
        [2, 6],
    ]
    for row in (2, 6):
        assert_same(yielded[2][row], whole[row], **precise)
    assert_same(yielded[1][STOPS], whole[STOPS], **precise)
    assert yielded[0][FAILS].failed_epoch == 0
    # 2 and 6 were at first in two cohorts, of 4 and 3 lanes, and at last in one of 2.
    num_padded = works[-1].executed // 2
    assert works[-1].executed == (MAX_EPOCHS - 3) * 2 * num_padded
    for epochs, rung, rows in ((1, 0, {0, 2, 3, STOPS, 5, 6}), (3, 1, {0, 5})):
        short = train_whole(max_epochs=epochs)
        for row in rows:
            assert_same(yielded[rung][row], short[row], has_params=False, **precise)
    needed = sum(
        epochs * result.num_params
        for rung, epochs in zip(yielded, (1, 2, 1), strict=True)
        for result in rung.values()
    )
    assert sum(work.needed for work in works) == needed
    assert [(number, list(results)) for number, results in asked] == [
        (0, list(range(7))),
        (1, sorted(chosen[0])),
    ]
    assert asked[1][1][FAILS].failed_epoch == 0
    assert not any(result.params for _, found in asked for result in found.values())


def test_networks_that_go_on_train_as_the_reference(precise):
    session = start()
    yielded, *_ = climb(session, (1, 2, MAX_EPOCHS), choose([0, 2, 4, 6], {0, 6}))
    for row in (0, 6):
        losses, _ = test_batches.train_reference(LISTED[row], session.dataset, session)
        curve = yielded[2][row].curves["validation_loss"]
        np.testing.assert_allclose(curve, losses, **precise)


@pytest.mark.parametrize("lane_counts", [(2,), (4,)])
def test_where_all_go_on_the_bits_are_the_same(lane_counts):
    listed = [LISTED[row] for row in (0, 2, 3, 5, 6)]
    whole = train_whole(listed, lane_counts=lane_counts)
    yielded, *_ = climb(start(lane_counts), (1, 2, MAX_EPOCHS), choose_all, listed)
    for row, result in whole.items():
        assert result.num_epochs == MAX_EPOCHS
        assert_same(yielded[-1][row], result)


def test_one_rung_is_training_without_any():
    whole = train_whole(session=start())
    (yielded,), asked, _ = climb(start(), [MAX_EPOCHS], choose_all)
    assert not asked and set(yielded) == set(whole)
    for row, result in whole.items():
        assert_same(yielded[row], result)


def test_what_is_chosen_does_not_depend_on_the_plan(precise):
    found = [
        climb(start(lane_counts), (1, 2, MAX_EPOCHS), choose_half)
        for lane_counts in ((2,), (2, 4))
    ]
    told = [[(number, list(results)) for number, results in f[1]] for f in found]
    assert told[0] == told[1] and [len(rows) for _, rows in told[0]] == [7, 3]
    assert told[0][0] == (0, list(range(7)))
    for some, others in zip(found[0][0], found[1][0], strict=True):
        assert set(some) == set(others)
        for row, result in some.items():
            has_params = bool(result.params)
            assert_same(others[row], result, has_params=has_params, **precise)


def test_replicates_go_on_in_cohorts_of_their_own(precise):
    listed, replicates = [LISTED[5], *[LISTED[0]] * 3], [1, 1, 0, 2]
    whole = train_whole(listed, replicates)
    yielded, *_ = climb(start(), (2, MAX_EPOCHS), choose({0, 1, 3}), listed, replicates)
    assert set(yielded[1]) == {0, 1, 3}
    for row, result in yielded[1].items():
        assert result.replicate == replicates[row]
        assert_same(result, whole[row], **precise)


def test_a_rung_compiles_nothing():
    compiled = []

    def count(event, seconds, **kwargs):
        del seconds, kwargs
        if event.endswith("backend_compile_duration"):
            compiled.append(event)

    listed = [LISTED[row] for row in (0, 2, 3, 5)]
    train_whole(listed, lane_counts=(2,))  # what is compiled once for a process
    session = start((2,))
    jax.monitoring.register_event_duration_secs_listener(count)
    try:
        steps = rungs.train_rungs(
            *(session, listed),
            rungs=(1, 2, MAX_EPOCHS),
            choose_fn=lambda number, results: sorted(results)[: 3 - number],
        )
        counts = [(number, len(compiled)) for number, *_ in steps]
    finally:
        jax.monitoring.unregister_event_duration_listener(count)
    session.setup.programs.close()
    assert session.setup.programs.num_programs == 1
    assert [number for number, _ in counts] == [0, 0, 1, 1, 2]
    assert len({num for _, num in counts}) == 1


def test_when_the_time_is_up_no_rung_begins(monkeypatch):
    monkeypatch.setattr(cohorts, "CALL_SECONDS", 0.0)  # an epoch in each call
    listed, whole = LISTED[5:], train_whole(LISTED[5:], lane_counts=(2,))
    for num_answers, num_epochs in ((3, 2), (4, 3)):
        # One answer an epoch, and one at the end of each rung.
        answers = itertools.chain([False] * num_answers, itertools.repeat(True))
        session = start((2,), is_time_up_fn=lambda answers=answers: next(answers))
        session.setup.programs.get(
            sessions.padded_module(session, session.classes[0]), 2
        )
        yielded, asked, _ = climb(session, (1, 3, MAX_EPOCHS), choose_all, listed)
        assert [number for number, _ in asked] == [0]
        assert not yielded[2] and len(yielded[1]) == 2
        for row, result in yielded[1].items():
            assert result.num_epochs == num_epochs
            assert result.is_partial and not result.is_stopped
            data = session.dataset
            said = result.network.predict(data.x_validation)
            accuracy = np.mean(said == np.array(data.classes)[data.y_validation])
            assert accuracy == pytest.approx(result.validation_accuracy)
            curve = whole[row].curves["validation_loss"][:num_epochs]
            np.testing.assert_array_equal(result.curves["validation_loss"], curve)


def test_a_lack_of_memory_at_a_later_rung_halves_its_cohorts(monkeypatch, precise):
    train_cohort, refused = cohorts.train_cohort, []

    def refuse(setup, module, lanes, is_occupied, *args, parked, **settings):
        if parked and len(is_occupied) > 2:
            refused.append(len(is_occupied))
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return train_cohort(
            *(setup, module, lanes, is_occupied, *args), parked=parked, **settings
        )

    whole = train_whole()
    monkeypatch.setattr(cohorts, "train_cohort", refuse)
    session = start((4,), num_workers=1)
    with pytest.warns(UserWarning, match="no memory for 4 networks .* 2 from now on"):
        yielded, *_ = climb(session, (1, 2, MAX_EPOCHS), choose_all)
    assert refused == [4, 4]  # the second was planned by then
    assert session.classes == [planning.CohortClass(9, 2, (2,))]
    last = last_results(yielded)
    for row, result in whole.items():
        assert_same(last[row], result, **precise)
