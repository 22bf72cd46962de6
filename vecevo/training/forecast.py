"""What a run will take, by its plan: said before anything runs, without a clock."""

import heapq
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from vecevo.training import planning
from vecevo.training.classes import expected_cohorts


class ClassForecast(NamedTuple):
    """What the networks of one cohort class are expected to take."""

    cohort_class: planning.CohortClass
    num_networks: float
    num_cohorts: float
    num_programs: int  # at most
    cohort_bytes: int
    seconds: float  # of training, with all workers


class InTime(NamedTuple):
    """What some time allows of a run."""

    num_networks: float
    num_first: int  # networks of the first list
    first_seconds: float  # that the first list takes, compiling included
    is_cut: bool  # the time ends before the first list does


def forecast(
    shapes: Sequence[tuple[int, int]],
    classes: Sequence[planning.CohortClass],
    job: planning.Job,
    *,
    list_size: int,
    num_lists: float,
) -> list[ClassForecast]:
    """Expects each shape equally often, as `classes.choose_classes` does.

    Args:
      shapes: (width, depth) of every network that may come.
      classes: of the plan.
      job: of the run.
      list_size: networks that are expected to be packed at once.
      num_lists: how often that will be done.

    Returns:
      A list of ClassForecasts, the narrowest first.
    """
    share = list_size / len(shapes)
    counts = Counter(
        planning.smallest_class(classes, width, depth) for width, depth in shapes
    )
    num_steps = job.steps_per_epoch * job.expected_epochs
    rows = []
    for cohort_class in sorted(classes):
        width, depth, lane_counts = cohort_class
        num_networks = share * counts[cohort_class]
        num_cohorts = expected_cohorts(num_networks, lane_counts[-1])
        seconds = planning.step_seconds(width, depth, lane_counts[-1], job) * num_steps
        rows.append(
            ClassForecast(
                cohort_class=cohort_class,
                num_networks=num_networks * num_lists,
                num_cohorts=num_cohorts * num_lists,
                num_programs=len(lane_counts),
                cohort_bytes=planning.lane_bytes(width, depth, job) * lane_counts[-1],
                seconds=num_cohorts * num_lists * seconds,
            )
        )
    return rows


def networks_in_time(
    shapes: Sequence[tuple[int, int]],
    classes: Sequence[planning.CohortClass],
    job: planning.Job,
    *,
    list_size: int,
    num_lists: float,
    max_seconds: float,
) -> InTime:
    """Expects how many networks a plan ends in some time.

    A typical list is followed cohort by cohort: first with all its programs still to
    be compiled, then, for all later lists, with none. Where the time ends within the
    first list, its cheapest networks are trained first, and cohorts that are not at
    their end count nothing. What is in the cache of programs is not known here.

    Args:
      shapes, classes, job, list_size, num_lists: as for `forecast`.
      max_seconds: from the start of training.
    """
    size = max(1, round(list_size * min(1.0, num_lists)))
    cohorts = planning.plan(typical_list(shapes, job, list_size=size), classes)
    largest_first = in_order(cohorts, job, cheapest_first=False)
    first = max(end_seconds(largest_first, job, is_compiled=False))
    if max_seconds >= first:
        later = max(end_seconds(largest_first, job, is_compiled=True))
        lists = min(num_lists, 1 + (max_seconds - first) / later)
        return InTime(max(size, list_size * lists), size, first, is_cut=False)
    ordered = in_order(cohorts, job, cheapest_first=True)
    ends = end_seconds(ordered, job, is_compiled=False)
    pairs = zip(ordered, ends, strict=True)
    num = sum(num_members(cohort) for cohort, end in pairs if end <= max_seconds)
    return InTime(num, size, first, is_cut=True)


def typical_list(
    shapes: Sequence[tuple[int, int]], job: planning.Job, *, list_size: int
) -> list[planning.Trainee]:
    """Returns networks of shapes that are evenly spaced among all, by their cost."""
    ordered = sorted(shapes, key=lambda shape: planning.step_seconds(*shape, 1, job))
    places = [int((i + 0.5) * len(shapes) / list_size) for i in range(list_size)]
    return [planning.Trainee(*ordered[place], update_level=0) for place in places]


def in_order(
    cohorts: Sequence[planning.Cohort], job: planning.Job, *, cheapest_first: bool
) -> list[planning.Cohort]:
    """Puts cohorts in the order in which they are trained.

    Args:
      cohorts: from `planning.plan`.
      job: of the run.
      cheapest_first: by the time for each network, so that the most networks end
        where the time will not suffice for all; or the largest first, which leaves no
        worker with a large cohort when the others are done.
    """
    if not cheapest_first:
        return list(reversed(cohorts))
    return sorted(cohorts, key=lambda c: cohort_seconds(c, job) / num_members(c))


def end_seconds(
    cohorts: Sequence[planning.Cohort], job: planning.Job, *, is_compiled: bool
) -> list[float]:
    """Expects when each cohort of a list is at its end.

    Programs compile in the background, one after the other in the order in which the
    cohorts need them. The first free worker takes the next cohort, and waits for its
    program. So the first program is waited for, and of the others as much as training
    does not cover; that compiling slows down training is left out.

    Args:
      cohorts: in the order in which they are trained.
      job: of the run.
      is_compiled: whether all programs are there.
    """
    workers, programs, ends = [0.0] * job.num_workers, {}, []
    for cohort in cohorts:
        for num_lanes in reversed(cohort.cohort_class.lane_counts):
            if num_lanes <= len(cohort.individuals):
                number = len(programs) + 1
                programs.setdefault((cohort.cohort_class, num_lanes), number)
        number = programs[cohort.cohort_class, len(cohort.individuals)]
        ready = 0.0 if is_compiled else number * job.costs.compile_seconds
        start = max(heapq.heappop(workers), ready)
        # Of the time of all workers, a cohort has that of one.
        ends.append(start + cohort_seconds(cohort, job) * job.num_workers)
        heapq.heappush(workers, ends[-1])
    return ends


def cohort_seconds(cohort: planning.Cohort, job: planning.Job) -> float:
    """Expected seconds of a cohort's training, of the time of all workers."""
    width, depth, _ = cohort.cohort_class
    seconds = planning.step_seconds(width, depth, len(cohort.individuals), job)
    return seconds * job.steps_per_epoch * job.expected_epochs


def num_members(cohort: planning.Cohort) -> int:
    """Networks of a cohort: lanes that are not empty."""
    return sum(individual >= 0 for individual in cohort.individuals)
