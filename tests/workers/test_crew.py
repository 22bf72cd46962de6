"""What a driver makes of what its workers do, with a stand-in for Ray."""

import contextlib
import functools
import types

import jax
import numpy as np
import pytest

from tests.training import test_scheduling
from tests.workers import fake
from vecevo import errors
from vecevo.training import batches, planning, sessions, settings
from vecevo.training.devices import Device
from vecevo.training.workers import crew, members, messages, worker

EXPECTED = sessions.Expected([(8, 1), (64, 1)])


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setenv("PJRT_NPROC", "1")
    monkeypatch.setattr(members, "LOOK_SECONDS", 0)
    monkeypatch.setattr(members, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(crew, "START_SECONDS", 1.0)
    before = {name: getattr(jax.config, name) for name in ("jax_enable_x64",)}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def hire(ray, *, is_there=lambda: True, **changes):
    cluster = types.SimpleNamespace(ray=ray, address="here:1", is_there=is_there)
    asked = {"most": None, "device": "auto", "is_mixed": False}
    return crew.Crew(cluster, **{**asked, **changes})


def start(workers, lane_counts=(2,), is_time_up_fn=lambda: False):
    before = test_scheduling.start(num_workers=1)
    session = sessions.start_session(
        before.dataset,
        EXPECTED,
        settings.resolve({"batch_size": 16, "max_epochs": 2}, before.dataset),
        is_time_up_fn=is_time_up_fn,
        crew=workers,
    )
    classes = [planning.CohortClass(64, 1, lane_counts)]
    return session._replace(classes=classes)


def train(workers, num=6, **changes):
    described = test_scheduling.describe_some(num)
    return test_scheduling.train(start(workers, **changes), described)


@functools.cache
def by_threads():
    alone = test_scheduling.start(num_workers=1, lane_counts=(2,))
    return test_scheduling.train(alone, test_scheduling.describe_some(10))


def check_as_by_threads(results, num=6):
    expected = by_threads()
    assert sorted(results) == list(range(num))
    for row, result in results.items():
        jax.tree.map(np.testing.assert_array_equal, result.params, expected[row].params)
        assert result.network is not None


def test_workers_train_what_threads_do_and_say_so():
    ray, shifts = fake.Ray(2), []
    workers = hire(ray)
    workers.shift_fn = shifts.append
    check_as_by_threads(train(workers))
    assert {shift.worker for shift in shifts} == {1, 2} and len(shifts) == 3
    assert {(s.width, s.depth, s.num_networks, s.device) for s in shifts} == {
        (64, 1, 2, "cpu")
    }
    assert 0 <= workers.idle_share <= 1 and len(workers.workers) == 2


def lose(lost):
    """A change of calls by which some trainings are lost, counted from 1."""
    trainings = []

    def change(number, name, *args):
        if name == "train":
            trainings.append(number)
            if len(trainings) in lost:
                raise fake.Lost("The actor died.")

    return change


def test_what_a_lost_worker_trained_is_trained_again_elsewhere():
    ray = fake.Ray(2, lose({1, 4}))
    workers = hire(ray)
    with pytest.warns(UserWarning, match=r"was lost: what it trained is trained again"):
        results = train(workers)
    check_as_by_threads(results)
    assert len(ray.killed) == 2 and len(ray.actors) == 4
    assert len(workers.workers) == 2


def test_a_cohort_that_takes_its_workers_with_it_is_halved():
    with pytest.warns(UserWarning, match=r"lost") as warned:
        results = train(hire(fake.Ray(1, lose({1, 2, 3}))))
    assert sorted(results) == list(range(6))
    assert any("1 from now on" in str(warning.message) for warning in warned)


def test_a_cohort_that_finds_no_memory_is_halved():
    def change(number, name, *args):
        if name == "train" and len(args[0].cohort.individuals) > 1:
            return messages.Answer(None, 0.0)
        return None

    with pytest.warns(UserWarning, match=r"no memory for 2 networks"):
        results = train(hire(fake.Ray(2, change)))
    assert sorted(results) == list(range(6))


def test_a_worker_with_other_data_is_refused_and_the_others_train():
    def change(number, name, *args):
        return "another" if name == "begin" and number == 2 else None

    ray = fake.Ray(2, change)
    with pytest.warns(UserWarning, match=r"2 on .* refused: its data set is another"):
        results = train(hire(ray))
    check_as_by_threads(results)
    assert len(ray.actors) == 2  # none in its place


def test_without_a_worker_that_fits_there_is_no_run():
    def change(number, name, *args):
        return "another" if name == "begin" else None

    with pytest.raises(errors.InputError, match=r"data set is another. There is no"):
        train(hire(fake.Ray(1, change)))


def other_kind(numbers):
    def change(number, name, *args):
        if name != "introduce" or number not in numbers:
            return None
        device = Device("H200", is_cpu=False, memory_bytes=1 << 30)
        return messages.Identity(device, worker.versions(), "there", 1, None)

    return change


def test_several_kinds_of_devices_are_refused_unless_they_are_asked_for():
    with pytest.raises(errors.InputError, match=r"kinds \(H200, cpu\).*allow-mixed"):
        hire(fake.Ray(2, other_kind({1})))
    assert len(hire(fake.Ray(2, other_kind({1})), is_mixed=True).workers) == 2


def test_a_device_that_joins_later_takes_work_if_it_is_of_the_kind():
    ray, shifts = fake.Ray(1, other_kind({3})), []
    workers = hire(ray)

    def add(shift):
        shifts.append(shift)
        ray.num_devices = min(3, ray.num_devices + 1)

    workers.shift_fn = add
    with pytest.warns(UserWarning, match=r"3 on there is refused: it is a H200"):
        results = train(workers, num=10)
    check_as_by_threads(results, num=10)
    assert {shift.worker for shift in shifts} == {1, 2}


def test_no_more_than_asked_for_are_hired():
    assert len(hire(fake.Ray(8), most=3).workers) == 3


def test_workers_that_cannot_begin_are_told():
    def change(number, name, *args):
        raise fake.Lost("No module named 'vecevo'")

    with pytest.raises(errors.InputError, match=r"3 workers, .*No module named"):
        hire(fake.Ray(1, change))
    with pytest.raises(errors.InputError, match=r"have not begun within 1 seconds"):
        hire(fake.Ray(0))


def test_an_error_of_training_is_that_of_the_worker():
    def change(number, name, *args):
        if name == "train":
            raise jax.errors.JaxRuntimeError("INTERNAL: broken")

    with pytest.raises(jax.errors.JaxRuntimeError, match=r"broken"):
        train(hire(fake.Ray(1, change)))


def test_a_head_that_does_not_answer_ends_the_run():
    answers = iter([True, True])
    with pytest.raises(errors.InputError, match=r"'here:1', the head .* any more"):
        train(hire(fake.Ray(1), is_there=lambda: next(answers, False)))


def test_when_the_time_is_up_no_more_is_handed_out():
    handed = []

    def change(number, name, *args):
        if name == "train":
            handed.append(number)

    results = train(hire(fake.Ray(1, change)), is_time_up_fn=lambda: len(handed) > 0)
    assert len(handed) == 1 and len(results) == 2


def test_a_network_that_was_not_expected_is_named():
    workers = hire(fake.Ray(1))
    session = start(workers)
    described = test_scheduling.describe_some(1)
    described[0]["activation"] = "nothing known"
    with pytest.raises(ValueError, match=r"was not expected of this session"):
        list(batches.train_list(session, described))


def test_workers_train_by_the_settings_of_the_run():
    asked = {"batch_size": 16, "max_epochs": 3, "metric": "log_loss", "mixup": 0.5}
    asked["class_weight"] = "balanced"
    before = test_scheduling.start(num_workers=1)
    ray, described = fake.Ray(1), test_scheduling.describe_some(2)
    ray.own = worker.Worker()  # of these settings
    results = []
    for crew_or_none in (None, hire(ray)):
        resolved = settings.resolve(asked, before.dataset)
        session = sessions.start_session(
            *(before.dataset, EXPECTED, resolved), crew=crew_or_none
        )
        classes = [planning.CohortClass(64, 1, (2,))]
        session = session._replace(classes=classes)
        results.append(test_scheduling.train(session, described))
    jax.tree.map(np.testing.assert_array_equal, *(r[1].curves for r in results))
    assert results[1][1].validation_accuracy == -results[1][1].validation_loss < 0


def test_workers_that_an_earlier_data_set_refused_may_have_the_next():
    is_other = [True]

    def change(number, name, *args):
        return "another" if name == "begin" and is_other[0] else None

    ray = fake.Ray(1, change)
    workers = hire(ray)
    start(workers)  # and no list is trained
    is_other[0] = False
    check_as_by_threads(train(workers))
    assert len(ray.actors) == 1
    is_other[0] = True
    with pytest.raises(errors.InputError, match=r"There is no other"):
        train(workers)
    is_other[0] = False
    check_as_by_threads(train(workers))
    assert len(ray.actors) == 2


def test_a_run_does_not_wait_for_ever_for_a_worker(monkeypatch):
    monkeypatch.setattr(members, "READY_SECONDS", 0.01)
    ray = fake.Ray(1, lose({1}))
    workers = hire(ray)
    session = start(workers)
    workers._members.dismiss_all()
    ray.num_devices = 0
    described = test_scheduling.describe_some(1)
    with pytest.raises(errors.InputError, match=r"no worker has been ready for 0 sec"):
        list(batches.train_list(session, described))


def test_workers_end_with_their_crew_on_a_cluster_that_stays():
    ray = fake.Ray(3)
    with contextlib.closing(hire(ray)):
        assert not ray.killed
    assert sorted(ray.killed) == [1, 2, 3]

    def refuse(number, name, *args):
        raise fake.Lost("gone")

    ray = fake.Ray(3, refuse)
    with pytest.raises(errors.InputError):
        hire(ray)
    assert len(set(ray.killed)) == len(ray.actors)


def test_a_worker_that_was_to_have_a_gpu_is_none_without(monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cuda,cpu")
    with pytest.raises(errors.InputError, match=r"JAX finds no GPU there"):
        worker.Worker().introduce()
