"""What a run will take, by its plan: said before anything runs."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from vecevo.training import planning


class ClassForecast(NamedTuple):
    """What the networks of one cohort class are expected to take."""

    cohort_class: planning.CohortClass
    num_networks: float
    num_cohorts: float
    num_programs: int  # at most
    cohort_bytes: int
    seconds: float  # of training, with all workers


def forecast(
    shapes: Sequence[tuple[int, int]],
    classes: Sequence[planning.CohortClass],
    job: planning.Job,
    *,
    list_size: int,
    num_lists: float,
) -> list[ClassForecast]:
    """Expects each shape equally often, as `planning.choose_classes` does.

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
        num_cohorts = planning.expected_cohorts(num_networks, lane_counts[-1])
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
