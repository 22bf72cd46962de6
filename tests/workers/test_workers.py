"""Runs by workers, processes of Ray's, end as those by threads; and what is refused."""

import subprocess
import sys
import types

import numpy as np
import pytest

from tests.runs.test_killing import COMMAND, SETTINGS, check_same
from tests.workers import nodes
from vecevo import errors
from vecevo.runs import configuration, hiring
from vecevo.runs.files import reading
from vecevo.runs.report import timeline
from vecevo.training import cohorts, devices, outcomes, planning
from vecevo.training.workers import answers, cluster, members, opening, plans

needs_ray = pytest.mark.skipif(
    not nodes.HAS_RAY, reason="Ray is not installed: pip install 'vecevo[ray]'"
)


def run(*args):
    done = subprocess.run(
        [*COMMAND, *map(str, args)],
        capture_output=True,
        text=True,
        env=nodes.environment(),
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@needs_ray
@pytest.mark.slow
def test_two_workers_find_what_threads_find(tmp_path):
    quick = (*SETTINGS, *("--width", "8", "--depth", "1", "--num-generations", "2"))
    quick += ("--max-epochs", "4", "--rungs", "2", "4", "--confirm", "2")
    for name, *workers in (("threads",), ("workers", "--workers", "2")):
        done = run(*quick, *workers, "--output-dir", tmp_path / name)
        assert (done.returncode, done.stderr) == (0, "")
    assert "2 workers on cpu" in done.stdout
    check_same(tmp_path / "threads", tmp_path / "workers")


@needs_ray
def test_a_cluster_that_does_not_answer_is_told_in_one_line(tmp_path):
    address = f"127.0.0.1:{nodes.free_port()}"
    done = run("--ray", address, "--output-dir", tmp_path / "run")
    assert done.returncode == 2 and not (tmp_path / "run").exists()
    assert done.stderr.count("\n") == 1 and "does not answer: start the" in done.stderr


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"workers": 0}, "workers=0 must be"),
        ({"workers": 1001}, "must be at most 1000"),
        ({"device": "tpu"}, "device='tpu' has no workers"),
    ],
)
def test_numbers_and_devices_that_none_can_be_are_refused(settings, words):
    with (
        pytest.raises(errors.InputError, match=words),
        opening.open_workers(**settings),
    ):
        pass


@pytest.mark.parametrize("address", ["ray://here:10001", "here", "127.0.0.1:x", ""])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(errors.InputError, match="give host:port of its head"):
        cluster.check_address(address)


@pytest.mark.parametrize(
    ("said", "is_there"), [([True], True), ([False, True], True), ([False] * 3, False)]
)
def test_a_head_that_is_slow_once_is_not_lost(monkeypatch, said, is_there):
    said = list(said)
    monkeypatch.setattr(cluster, "answers", lambda address: said.pop(0))
    monkeypatch.setattr(cluster, "TRY_SECONDS", 0)
    assert cluster.Cluster(None, "here:1").is_there() is is_there
    assert not said


def test_without_workers_ray_is_not_imported():
    program = (
        "import sys, numpy as np, vecevo\n"
        "dataset = vecevo.make_dataset(np.eye(40), np.arange(40) % 2)\n"
        "network = dict(depth=1, width=8, activation='relu', optimizer='adam')\n"
        "vecevo.train_networks([network], dataset, max_epochs=1)\n"
        "from vecevo.runs import command\n"
        "assert 'ray' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def identity(kind="cpu", **versions):
    return types.SimpleNamespace(
        device=devices.Device(kind, is_cpu=True),
        versions={**answers.versions(), **versions},
    )


@pytest.mark.parametrize(
    ("worker", "is_mixed", "words"),
    [
        (identity(), False, None),
        (identity("H200"), True, None),
        (identity("H200"), False, "it is a H200, and the others are cpu"),
        (identity(jax="0.1"), True, "jax is 0.1 there"),
    ],
)
def test_workers_must_be_alike(worker, is_mixed, words):
    own = devices.Device("cpu", is_cpu=True)
    said = answers.difference_of(worker, own, is_mixed=is_mixed)
    assert (said is None) if words is None else (words in said)


def test_idle_time_is_that_after_the_last_cohort():
    assert answers.idle_share([4.0, 4.0], 2.0) == 0
    assert answers.idle_share([4.0, 2.0], 2.0) == pytest.approx(1 / 2)
    assert answers.idle_share([], 1.0) == answers.idle_share([1.0], 1.0) == 0


def plan_of(num_lanes):
    cohort = planning.Cohort(
        planning.CohortClass(8, 1, (1, 2, num_lanes)), tuple(range(num_lanes))
    )
    session = types.SimpleNamespace(classes=[cohort.cohort_class])
    described = [{"number": number} for number in range(num_lanes)]
    return plans.PlanUnderWay(
        *(session, plans.collections.deque([cohort]), described),
        *(lambda accuracy, replicate: accuracy > 0.5, None, None),
    )


def test_a_cohort_is_tried_three_times_and_then_in_halves():
    plan = plan_of(4)
    for number in range(2):
        task = plan.next_task(number)
        plan.put_back(task.cohort)
    task = plan.next_task(2)
    assert task.wants_params and task.hyperparams[3] == {"number": 3}
    with pytest.warns(UserWarning, match=r"3 workers were lost, .*: 2 from now on"):
        plan.put_back(task.cohort)
    assert [cohort.individuals for cohort in plan.left] == [(0, 1), (2, 3)]


def test_a_network_whose_workers_are_all_lost_is_named():
    plan = plan_of(1)
    for number in range(3):
        task = plan.next_task(number)
        if number < 2:
            plan.put_back(task.cohort)
    with pytest.raises(errors.InputError, match=r"3 workers were lost.* depth=1"):
        plan.put_back(task.cohort)


def test_a_cohort_that_goes_on_takes_its_own_parked_lanes_with_it():
    plan = plan_of(2)
    plan.parked = {row: f"lane {row}" for row in range(5)}
    assert plan.next_task(0).parked == {0: "lane 0", 1: "lane 1"}


def test_weights_that_are_not_wanted_are_dropped():
    curve = np.array([0.5], np.float32)

    def result(accuracy):
        measured = np.array([accuracy], np.float32)
        return outcomes.LaneResult(
            *(curve, curve, curve, measured, 0, False, {"kernel": np.ones(3)})
        )

    trained = cohorts.Trained([result(0.25), None, result(0.75)], 2, 0.0)
    kept = answers.wanted(trained, lambda accuracy, _: accuracy > 0.5, 0)
    assert kept.lane_results[0].params is None and kept.lane_results[1] is None
    assert kept.lane_results[2].params["kernel"].sum() == 3


def test_workers_find_files_wherever_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("my.csv", "digits"):
        (tmp_path / name).touch()
    asked = configuration.RunConfig(dataset="my.csv", data_dir="sets")
    found = hiring.from_anywhere(asked)
    assert (found.dataset, found.data_dir) == tuple(
        str(tmp_path / name) for name in ("my.csv", "sets")
    )
    by_name = configuration.RunConfig(dataset="digits")
    assert hiring.from_anywhere(by_name) == by_name


def test_a_plan_for_fewer_workers_than_there_are_is_said():
    crew = types.SimpleNamespace(workers=[1, 2], device=devices.Device("cpu", True))
    assert len(hiring.lines(crew, 2, 1.0)) == 1
    assert "--planned-workers 2" in hiring.lines(crew, 1, 1.0)[1]


def test_the_view_says_what_each_worker_does():
    task = types.SimpleNamespace(
        cohort=planning.Cohort(planning.CohortClass(8, 2, (1,)), (3,)),
        hyperparams={3: {}},
    )
    who = types.SimpleNamespace(node="here")
    crew = types.SimpleNamespace(
        idle_share=0.125,
        workers=[
            members.Member(1, None, who, is_ready=True, task=task, since=0.0),
            members.Member(2, None, who, is_ready=True),
            *(members.Member(number, None, who) for number in range(3, 11)),
        ],
    )
    lines = hiring.make_lines_fn(crew)()
    assert lines[0].startswith("1 on here: 1 network, width 8, depth 2, for ")
    assert lines[1:3] == ["2 on here: idle", "3 on here: begins"]
    assert lines[-2:] == ["and 2 others", "12% idle at the end of the last generation"]
    assert list(hiring.make_lines_fn(None)()) == []


def test_the_report_says_what_workers_did_when():
    shift = reading.RecordedShift(0, 1, "here", "cpu", 8, 1, 4, 0.0, 4.0)
    shifts = [shift, shift._replace(worker=2, ended_seconds=2.0)]
    shifts.append(shift._replace(generation=1, began_seconds=4.0, ended_seconds=5.0))
    run = types.SimpleNamespace(shifts=tuple(shifts))
    said = timeline.describe_workers(run)
    assert "2 workers on 1 machine (cpu) trained 3 cohorts" in said
    assert timeline.idle_of(shifts) == pytest.approx((2 / 8 * 4 + 0) / 5)
    assert len(timeline.draw_workers(run).axes[0].get_yticks()) == 2
    assert timeline.draw_workers(types.SimpleNamespace(shifts=())) is None
