"""Which shapes programs are compiled for: padding takes time, and compiling does."""

import bisect
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from vecevo.training import planning
from vecevo.training.planning import CohortClass

MOST_WIDTHS, MOST_DEPTHS = 24, 8  # of classes; others in between are padded to them


def choose_classes(
    shapes: Sequence[tuple[int, int]],
    job: planning.Job,
    *,
    list_size: int,
    num_lists: float,
) -> list[CohortClass]:
    """Chooses the shapes to compile for, where padding costs less than compiling.

    Exact, by dynamic programming over the sorted widths and, within a range of
    widths, over the sorted depths.

    Args:
      shapes: (width, depth) of every network that may come, each equally likely;
        a shape may repeat.
      job: of the run.
      list_size: networks that are expected to be packed at once.
      num_lists: how often that will be done.

    Returns:
      A list of CohortClasses; each shape fits one of them.

    Raises:
      InputError: for a shape of which not one network fits the memory.
    """
    counts = count_padded(shapes)
    for width, depth in sorted({*shapes, *counts}):
        planning.check_fits(width, depth, job)
    share = list_size / len(shapes)
    most_shared = -(-list_size // job.num_workers)  # so that every worker has a cohort
    widths = sorted({width for width, _ in counts})

    def split_depths(start: int, stop: int) -> tuple[float, list[CohortClass]]:
        """Classes for the widths of a range, and their cost."""
        by_depth = Counter()
        for (width, depth), count in counts.items():
            if widths[start] <= width <= widths[stop - 1]:
                by_depth[depth] += count
        depths = sorted(by_depth)

        def one_class(first: int, last: int) -> tuple[float, list[CohortClass]]:
            num = share * sum(by_depth[depth] for depth in depths[first:last])
            return _cheapest_class(widths[stop - 1], depths[last - 1], num, num_lists)

        return _cheapest_split(len(depths), one_class)

    def _cheapest_class(
        width: int, depth: int, num_networks: float, num_lists: float
    ) -> tuple[float, list[CohortClass]]:
        options = [
            _cost_of_class(width, depth, lanes, num_networks, num_lists, job)
            for lanes in planning.LADDER
            if lanes <= min(most_shared, planning.most_lanes(width, depth, job))
        ]
        # No class may be too large for the memory, though its members are not.
        return min(options, key=lambda option: option[0], default=(math.inf, []))

    return _cheapest_split(len(widths), split_depths)[1]


def count_padded(shapes: Sequence[tuple[int, int]]) -> Counter[tuple[int, int]]:
    """Counts shapes as they are, or padded where there are many of them."""
    widths = _thin((width for width, _ in shapes), MOST_WIDTHS)
    depths = _thin((depth for _, depth in shapes), MOST_DEPTHS)
    return Counter((widths[width], depths[depth]) for width, depth in shapes)


def _thin(values: Iterable[int], most: int) -> dict[int, int]:
    """Returns what each value is padded to: itself, or the next of the most spaced."""
    ordered = sorted(set(values))
    kept = ordered
    if len(ordered) > most:
        kept = [
            ordered[bisect.bisect_left(ordered, bound)]
            for bound in np.geomspace(ordered[0], ordered[-1], most).round(9)
        ]
    return {value: kept[bisect.bisect_left(kept, value)] for value in ordered}


def _cheapest_split(
    num_items: int, cost_of_range: Callable[[int, int], tuple[float, list]]
) -> tuple[float, list]:
    """Cuts a sequence into ranges of the least total cost.

    `cost_of_range(start, stop)` gives the cost and the list of classes of a range.
    """
    best = [(0.0, [])]
    for stop in range(1, num_items + 1):
        options = []
        for start in range(stop):
            cost, classes = cost_of_range(start, stop)
            options.append((best[start][0] + cost, [*best[start][1], *classes]))
        best.append(min(options, key=lambda option: option[0]))
    return best[-1]


def _cost_of_class(
    width: int,
    depth: int,
    lanes: int,
    num_networks: float,
    num_lists: float,
    job: planning.Job,
) -> tuple[float, list[CohortClass]]:
    """Seconds, and the class, of packing some networks into cohorts of some lanes.

    Smaller lane counts, for the last cohort of a list and for compaction when half
    of the lanes have stopped, are compiled where that is expected to save more.
    """
    num_cohorts = expected_cohorts(num_networks, lanes) * num_lists
    num_steps = job.steps_per_epoch * job.expected_epochs
    cost = job.costs.compile_seconds
    cost += num_cohorts * num_steps * planning.step_seconds(width, depth, lanes, job)
    lane_counts = [lanes]
    while lane_counts[0] > 1 and job.stops_early:
        half = lane_counts[0] // 2
        # The second half of the lanes' epochs, on average, run in half of the lanes.
        saved = planning.step_seconds(width, depth, lane_counts[0], job)
        saved -= planning.step_seconds(width, depth, half, job)
        saving = num_cohorts * num_steps * saved / 2 - job.costs.compile_seconds
        if saving <= 0:
            break
        lane_counts.insert(0, half)
        cost -= saving
    return cost, [CohortClass(width, depth, tuple(lane_counts))]


def expected_cohorts(num_networks: float, lanes: int) -> float:
    """Cohorts for a random number of networks: the last is half full on average."""
    return min(num_networks, num_networks / lanes + (1 - 1 / lanes) / 2)
