"""Plans: complete, within memory, and repeatable."""

import itertools

import jax
import jax.numpy as jnp
import pytest

from vecevo.errors import InputError
from vecevo.training import forecast, planning, sessions
from vecevo.training.classes import (
    MOST_DEPTHS,
    MOST_WIDTHS,
    _cost_of_class,
    choose_classes,
)
from vecevo.training.lanes import dropout, variants
from vecevo.training.settings import TrainingSettings

SHAPES = list(itertools.product((64, 128, 256, 512, 768, 1024), (1, 2, 3, 4)))


def make_job(num_features=3072, steps=625, memory_bytes=4 << 30, costs=planning.CPU):
    return planning.Job(costs, num_features, 10, 64, 1024, steps, 25, memory_bytes, 1)


def brute_force_cost(shapes, job, num_lists, list_size):
    """The least cost over every way to cut one width's depths into ranges."""
    depths = sorted({depth for _, depth in shapes})
    width = shapes[0][0]
    costs = []
    for cuts in itertools.product((False, True), repeat=len(depths) - 1):
        cost, first = 0, 0
        for last in range(len(depths)):
            if last == len(depths) - 1 or cuts[last]:
                num = list_size * (last + 1 - first) / len(depths)
                cost += min(
                    _cost_of_class(width, depths[last], lanes, num, num_lists, job)[0]
                    for lanes in planning.LADDER
                    if lanes <= planning.most_lanes(width, depths[last], job)
                )
                first = last + 1
        costs.append(cost)
    return min(costs)


@pytest.mark.parametrize("steps", [1, 10, 100, 1000])
def test_depths_are_split_at_the_least_cost(steps):
    job, shapes = make_job(steps=steps), [(256, depth) for depth in range(1, 6)]
    classes = choose_classes(shapes, job, list_size=20, num_lists=3)
    total, first = 0, 0
    for cohort_class in classes:
        num = 20 * (cohort_class.depth - first) / 5
        lanes = cohort_class.lane_counts[-1]
        total += _cost_of_class(256, cohort_class.depth, lanes, num, 3, job)[0]
        first = cohort_class.depth
    assert total == pytest.approx(brute_force_cost(shapes, job, 3, 20))


def test_more_work_is_worth_more_programs():
    def num_classes(steps):
        job = make_job(steps=steps)
        return len(choose_classes(SHAPES, job, list_size=20, num_lists=5))

    assert 1 <= num_classes(1) < num_classes(20) < num_classes(1000) <= len(SHAPES)


@pytest.mark.parametrize("costs", [planning.CPU, planning.ACCELERATOR])
def test_a_plan_holds_every_network_once_and_fits(costs):
    job = make_job(costs=costs, memory_bytes=1 << 30)
    classes = choose_classes(SHAPES, job, list_size=20, num_lists=5)
    networks = [
        planning.Trainee(*shape, update_level=number % 3, num_epochs=number % 2)
        for number, shape in enumerate(SHAPES * 3)
    ]
    cohorts = planning.plan(networks, classes)
    held = [i for cohort in cohorts for i in cohort.individuals if i >= 0]
    assert sorted(held) == list(range(len(networks)))
    for cohort in cohorts:
        cohort_class, lanes = cohort.cohort_class, len(cohort.individuals)
        assert lanes in cohort_class.lane_counts
        one = planning.lane_bytes(cohort_class.width, cohort_class.depth, job)
        assert lanes * one <= job.memory_bytes
        members = [networks[i] for i in cohort.individuals if i >= 0]
        assert max(member.width for member in members) <= cohort_class.width
        assert max(member.depth for member in members) <= cohort_class.depth
        order = [(member.update_level, member.num_epochs) for member in members]
        assert order == sorted(order)


def test_classes_are_not_merged_beyond_the_memory():
    job = make_job(num_features=64, memory_bytes=200_000_000)
    shapes = [(4096, 1), (64, 8)]
    classes = choose_classes(shapes, job, list_size=2, num_lists=1)
    assert sorted((c.width, c.depth) for c in classes) == sorted(shapes)


def test_a_network_beyond_the_memory_is_refused():
    with pytest.raises(ValueError, match=r"width=100000, .*memory_gib"):
        choose_classes([(100_000, 2)], make_job(), list_size=1, num_lists=1)


def test_a_forecast_is_of_what_the_plan_packs():
    job = make_job(steps=20)
    classes = choose_classes(SHAPES, job, list_size=24, num_lists=3)
    rows = forecast.forecast(SHAPES, classes, job, list_size=24, num_lists=3)
    assert [row.cohort_class for row in rows] == sorted(classes)
    assert sum(row.num_networks for row in rows) == pytest.approx(3 * 24)
    cohorts = planning.plan(
        [planning.Trainee(*s, update_level=0) for s in SHAPES], classes
    )
    for row in rows:
        mine = [c for c in cohorts if c.cohort_class == row.cohort_class]
        held = sum(i >= 0 for cohort in mine for i in cohort.individuals)
        assert row.num_networks == pytest.approx(3 * held)
        # Of a random number of networks, where the plan has exactly one of each.
        assert abs(row.num_cohorts / 3 - len(mine)) <= 0.5
        assert row.num_programs == len(row.cohort_class.lane_counts)
        assert row.cohort_bytes <= job.memory_bytes


def test_workers_share_the_memory_unless_one_network_needs_it_all():
    job = make_job(memory_bytes=1 << 30)
    largest = planning.lane_bytes(1024, 4, job)
    shared = planning.share_memory(job, SHAPES, num_workers=2)
    assert (shared.num_workers, shared.memory_bytes) == (2, 1 << 29)
    scarce = job._replace(memory_bytes=largest + 1)
    assert planning.share_memory(scarce, SHAPES, num_workers=2) == scarce


def test_workers_share_the_memory_unless_one_network_needs_it_all_once_padded(
    monkeypatch,
):
    monkeypatch.setattr(sessions, "most_workers", lambda: 2)
    # Of so many widths 999 is padded to 1000.
    shapes = [*((width, 1) for width in range(900, 1001)), (999, 8)]

    def plan(memory_bytes):
        given = TrainingSettings(16, 25, memory_bytes=memory_bytes)
        return sessions.make_plan((1000, 64, 10, 250), sessions.Expected(shapes), given)

    job, _ = plan(1 << 40)
    assert job.num_workers == 2
    own, padded = (planning.lane_bytes(width, 8, job) for width in (999, 1000))
    for memory_bytes, num_workers in ((2 * own, 1), (2 * padded, 2)):
        job, classes = plan(memory_bytes)
        assert job.num_workers == num_workers
        assert job.memory_bytes == memory_bytes // num_workers
        assert planning.smallest_class(classes, 999, 8)[:2] == (1000, 8)


def test_a_short_list_leaves_no_worker_idle():
    job = make_job(num_features=64, costs=planning.ACCELERATOR)
    for num_workers, num_lanes in ((1, 8), (2, 4), (8, 1)):
        shared = job._replace(num_workers=num_workers)
        (one,) = choose_classes([(64, 1)], shared, list_size=8, num_lists=1)
        assert one.lane_counts[-1] == num_lanes


def test_of_many_widths_some_are_padded_to_the_next_class():
    shapes = [(width, depth) for width in range(8, 1025) for depth in range(1, 21)]
    classes = choose_classes(shapes, make_job(), list_size=20, num_lists=100)
    assert len({c.width for c in classes}) <= MOST_WIDTHS
    assert len({c.depth for c in classes}) <= MOST_DEPTHS
    assert max(c.width for c in classes) == 1024
    for shape in shapes:
        planning.smallest_class(classes, *shape)


def test_lanes_that_never_stop_early_need_no_smaller_programs():
    job = make_job(num_features=64, steps=1000)
    for stops_early in (True, False):
        mine = job._replace(stops_early=stops_early)
        (one,) = choose_classes([(64, 1)], mine, list_size=64, num_lists=10)
        assert (len(one.lane_counts) > 1) == stops_early


def test_more_steps_than_dropout_has_keys_for_are_refused():
    def plan(max_epochs, **changes):
        expected = sessions.Expected([(8, 1)], variants.Variant(**changes))
        given = TrainingSettings(16, max_epochs, memory_bytes=1 << 30)
        return sessions.make_plan((1024 * 16, 64, 10, 4096), expected, given)

    plan(4096)  # of 1024 steps, that have 1024 layers: 2^32 keys
    with pytest.raises(InputError, match=r"max_epochs=4097 of 1024 .* at most 4096"):
        plan(4097)
    plan(4097, pieces=())
    key, step = jax.random.key(0), dropout.MOST_STEPS
    first, last, again = (
        jax.random.key_data(dropout.layer_keys(key, jnp.array(number), 1024)).tolist()
        for number in (0, step - 1, step)
    )
    assert first == again
    assert last[-1] == jax.random.key_data(jax.random.fold_in(key, 2**32 - 1)).tolist()
