"""Budgets of time: what they allow, what is proposed, in what order is trained."""

import contextlib
import itertools
import json
import re
import sqlite3

import numpy as np
import pytest

from vecevo import run
from vecevo.datasets import making
from vecevo.runs import budget, evolve, loop
from vecevo.training import batches, forecast, planning, recipe, sessions, settings

IMAGES = (40_000, 3072, 10, 10_000)
SETTINGS = settings.TrainingSettings(
    batch_size=64, max_epochs=50, memory_bytes=4 << 30, precision=None
)
SHAPES = list(itertools.product((64, 128), (1, 2, 3, 4)))
EXPECTED = sessions.Expected(SHAPES, list_size=20, num_lists=10)


@pytest.fixture(autouse=True)
def two_workers(monkeypatch):
    monkeypatch.setattr(sessions, "most_workers", lambda: 2)


def plan(max_seconds, expected=EXPECTED, data_shape=IMAGES, **changes):
    changed = SETTINGS._replace(**changes)
    return budget.plan_in_time(data_shape, expected, changed, max_seconds)


def allowed(*args, **changes):
    return plan(*args, **changes).in_time.num_networks


def propose(max_seconds, expected=EXPECTED, num_networks=224, is_auto=True):
    how = {"num_networks": num_networks, "has_auto_rungs": is_auto}
    return budget.propose(IMAGES, expected, SETTINGS, max_seconds, **how)


WIDE = list(itertools.product((64, 128, 256, 512, 768, 1024), (1, 2, 3, 4)))
RUNS = {
    "small": EXPECTED,
    "article": sessions.Expected(WIDE, list_size=20, num_lists=10),
    "grid": sessions.Expected(WIDE, list_size=672, num_lists=1),
    "one shape": sessions.Expected([(64, 1)], list_size=5, num_lists=2.3),
    "few genomes": sessions.Expected([(64, 1), (64, 2)], list_size=20, num_lists=0.3),
}


@pytest.fixture(autouse=True)
def costs_of_a_day(monkeypatch):
    """Constants that the numbers here are of, whatever is fitted anew."""
    fitted = (2.2, 3e-5, 1.5e-5, 4.1e-9, 2e-11, 8.4e-10)
    monkeypatch.setattr(planning, "CPU", planning.Costs(*fitted, *planning.CPU[6:]))


@pytest.mark.parametrize("expected", RUNS.values(), ids=RUNS.keys())
def test_more_seconds_never_allow_fewer_networks(expected):
    counts = [allowed(1.7**power, expected) for power in range(-4, 24)]
    assert counts == sorted(counts)
    assert counts[0] == 0
    whole = expected.list_size * expected.num_lists
    assert counts[-1] == allowed(None, expected) == pytest.approx(whole)


def test_half_of_the_epochs_allow_about_twice_as_many():
    for seconds in (300, 600):
        double = allowed(seconds, max_epochs=10) / allowed(seconds, max_epochs=20)
        assert 1.8 < double < 2.2
    # No more are expected of a network than 25.
    assert allowed(600, max_epochs=50) == allowed(600, max_epochs=25)


def test_a_budget_is_divided_by_what_a_network_takes():
    expected = sessions.Expected([(64, 1)], list_size=20, num_lists=10)
    memory = {"memory_bytes": 2 * 10_000_000}  # room for one lane a worker
    planned = plan(1000, expected, **memory)
    assert planned.classes == [planning.CohortClass(64, 1, (1,))]
    job = planned.job
    network = 625 * 25 * planning.step_seconds(64, 1, 1, job)  # of both workers' time
    generation = 20 * network
    first = planning.CPU.compile_seconds + generation
    in_time = planned.in_time
    assert in_time.first_seconds == pytest.approx(first)
    assert in_time.num_networks == pytest.approx(20 + (1000 - first) / network)
    # Of less than a generation, pairs that are at their end.
    for seconds in (5.0, 2.2 + 2 * network - 0.1, 2.2 + 2 * network + 0.1, 60.0):
        num_pairs = (seconds - 2.2) // (2 * network)
        assert allowed(seconds, expected, **memory) == 2 * num_pairs


def test_programs_compile_one_after_the_other_while_cohorts_train():
    job = plan(None).job
    classes = [planning.CohortClass(width, 1, (1,)) for width in (64, 128)]
    cohorts = [planning.Cohort(classes[i], (0,)) for i in (0, 1, 1, 1)]
    short, long = (2 * forecast.cohort_seconds(cohorts[i], job) for i in (0, 1))
    ends = forecast.end_seconds(cohorts, job, is_compiled=False)
    first, second = 2.2 + short, 4.4 + long
    assert ends == pytest.approx([first, second, first + long, second + long])
    ends = forecast.end_seconds(cohorts, job, is_compiled=True)
    assert ends == pytest.approx([short, long, short + long, 2 * long])


def test_a_short_run_compiles_less():
    numbers = [
        sum(len(c.lane_counts) for c in plan(seconds).classes)
        for seconds in (30, 300, None)
    ]
    assert numbers == sorted(numbers) and numbers[0] < numbers[1] < numbers[2]


def test_a_run_without_a_limit_has_the_plan_of_all_its_lists():
    job, classes = sessions.make_plan(IMAGES, EXPECTED, SETTINGS)
    for max_seconds in (None, 1e9):
        planned = plan(max_seconds)
        assert (planned.job, planned.classes) == (job, classes)
        assert planned.expected == EXPECTED
        assert propose(max_seconds) == []


def test_the_plan_is_that_of_the_networks_expected_and_repeatable():
    for seconds in (10, 60, 300, 2000):
        planned = plan(seconds)
        assert planned == plan(seconds)
        again = sessions.make_plan(IMAGES, planned.expected, SETTINGS)
        assert again == (planned.job, planned.classes)
        assert planned.expected.cheapest_first == (seconds < 250)


def apply(setting, expected, num_genomes):
    """Data shape, expected networks and changes that a proposal stands for."""
    number = int(re.search(r"\d+$", setting)[0])
    if setting.startswith("--max-epochs"):
        return IMAGES, expected, {"max_epochs": number}
    if setting.startswith("--limit-train"):
        return (number, *IMAGES[1:]), expected, {}
    shapes = [shape for shape in expected.shapes if shape[0] <= number]
    num_left = num_genomes // len(expected.shapes) * len(shapes)
    num_lists = min(expected.num_lists, num_left / expected.list_size)
    return IMAGES, expected._replace(shapes=shapes, num_lists=num_lists), {}


@pytest.mark.parametrize("seconds", [10, 60, 200])
@pytest.mark.parametrize("name", ["small", "article"])
def test_proposals_allow_what_they_say_when_planned_anew(name, seconds):
    expected, num_genomes = RUNS[name], 28 * len(RUNS[name].shapes)
    proposals = propose(seconds, expected, num_genomes)
    assert proposals
    for setting, in_time in proposals:
        shape, changed, changes = apply(setting, expected, num_genomes)
        num = allowed(seconds, changed, shape, **changes)
        assert num == in_time.num_networks > allowed(seconds, expected)


def test_proposals_are_the_largest_that_allow_a_generation():
    found = {p.setting.rpartition(" ")[::2]: p.in_time for p in propose(150)}
    settings_found = {name: int(number) for name, number in found}
    assert settings_found == {
        "--max-epochs": 10,
        "--limit-train": 20_000,
        "widths to": 64,
    }
    assert allowed(150, max_epochs=15) < 20 <= found["--max-epochs", "10"].num_networks
    fewer, more = ((num, *IMAGES[1:]) for num in (20_000, 30_000))
    assert allowed(150, data_shape=more) < 20 <= allowed(150, data_shape=fewer)
    assert allowed(150) < found["widths to", "64"].num_networks < 20  # no width less


def test_nothing_is_proposed_that_helps_nothing():
    one_width = EXPECTED._replace(shapes=[(64, depth) for depth in (1, 2, 3, 4)])
    few = budget.propose(
        (1100, 64, 10, 275),
        one_width,
        SETTINGS._replace(max_epochs=3),
        0.5,
        num_networks=112,
        has_auto_rungs=True,
    )
    assert few == []  # no fewer epochs, examples or widths than these
    names = {p.setting.split()[0] for p in propose(60, one_width, 112)}
    assert names == {"--max-epochs", "--limit-train"}


SMALL = [(8, 4), (80, 1), (8, 1), (8, 3)]


def start_small():
    rng = np.random.default_rng(0)
    dataset = making.make_dataset(
        x_train=rng.random((60, 5), np.float32),
        y_train=np.arange(60) % 3,
        x_test=rng.random((6, 5), np.float32),
        y_test=np.arange(6) % 3,
    )
    resolved = settings.resolve({"batch_size": 16, "max_epochs": 1}, dataset)
    session = sessions.start_session(dataset, sessions.Expected(SMALL), resolved)
    classes = [planning.CohortClass(8, 4, (1, 2)), planning.CohortClass(80, 1, (1,))]
    job = session.job._replace(num_workers=1)
    return session._replace(classes=classes, job=job)


def order_of(session, monkeypatch):
    """Who is trained together, in the order in which cohorts are to be trained."""
    planned = []

    def train_none(session, plan, *args, **settings):
        planned.extend(plan)
        yield from ()

    monkeypatch.setattr(batches, "train_plan", train_none)
    values = {"activation": "relu", "optimizer": "sgd"}
    described = [recipe.complete({"width": w, "depth": d, **values}) for w, d in SMALL]
    assert list(batches.train_list(session, described)) == []
    return [tuple(i for i in cohort.individuals if i >= 0) for cohort in planned]


def test_cheapest_first_trains_the_same_cohorts_in_another_order(monkeypatch):
    # The deep cohort has fixed costs of 9e-5 seconds a step, the wide one of 4.5e-5
    # and more of its width.
    session = start_small()
    session.setup.programs.close()
    assert not session.cheapest_first
    assert order_of(session, monkeypatch) == [(1,), (0,), (2, 3)]
    session = session._replace(cheapest_first=True)
    assert order_of(session, monkeypatch) == [(2, 3), (1,), (0,)]


def test_the_cheapest_networks_come_first_and_none_is_lost():
    planned = plan(None, RUNS["article"])
    trainees = [planning.Trainee(*shape, update_level=0) for shape in WIDE]
    cohorts = planning.plan(trainees, planned.classes)
    orders = [
        forecast.in_order(cohorts, planned.job, cheapest_first=is_first)
        for is_first in (False, True)
    ]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(cohorts)
    assert orders[0] == cohorts[::-1]
    costs = [
        planning.step_seconds(c.width, c.depth, len(individuals), planned.job)
        / sum(i >= 0 for i in individuals)
        for c, individuals, _ in orders[1]
    ]
    assert costs == sorted(costs)


DIGITS = ["--strategy", "random", "--cache-dir", "none", "--no-report"]


def say_plan(monkeypatch, capsys, *args):
    """The lines of a plan that tell of time."""
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setattr("sys.argv", ["run", *DIGITS, "--plan", *args])
    run.main()
    return [line for line in capsys.readouterr().out.splitlines() if "max_sec" in line]


def test_the_command_line_says_what_the_time_allows(monkeypatch, capsys):
    short, proposals = say_plan(monkeypatch, capsys, "--max-seconds", "4")
    num = re.search(r"; max_seconds 4 allows about (\d+) networks$", short)[1]
    assert proposals.startswith(f"max_seconds 4 allows about {num} networks, less than")
    found = re.findall(r"(--[a-z-]+ \d+) (?:would allow )?about (\d+)", proposals)
    assert found
    for setting, num in found:
        args = ["--max-seconds", "4", *setting.split()]
        line, *_ = say_plan(monkeypatch, capsys, *args)
        assert line.endswith(f"; max_seconds 4 allows about {num} networks")
    (line,) = say_plan(monkeypatch, capsys, "--max-seconds", "9000")
    assert line.endswith("; max_seconds 9000 allows all of them")
    assert say_plan(monkeypatch, capsys) == []


def test_the_plan_that_is_shown_is_the_one_that_is_run(monkeypatch, tmp_path):
    started, folder = [], tmp_path / "out"
    start_session = sessions.start_session

    def watch(*args, **settings):
        started.append(start_session(*args, **settings))
        return started[0]

    monkeypatch.setattr(sessions, "start_session", watch)
    args = [*DIGITS, "--max-seconds", "3", "--output-dir", str(folder)]
    monkeypatch.setattr("sys.argv", ["run", *args])
    nothing = loop.Played(None, [], is_stopped=True)
    monkeypatch.setattr(evolve, "play", lambda *args, **settings: nothing)
    run.main()
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as connection:
        query = "SELECT value FROM meta WHERE name = 'plan'"
        shown = json.loads(connection.execute(query).fetchone()[0])
    (session,) = started
    assert session.cheapest_first
    assert [tuple(c.values()) for c in shown] == [
        (width, depth, list(lanes)) for width, depth, lanes in session.classes
    ]
    assert len(shown) < 10  # of 15 without a limit
