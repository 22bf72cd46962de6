"""The plan: which networks train together in which compiled program.

A run first chooses its cohort classes, the (padded width, deepest depth) for which
it compiles programs, from the networks that it expects; then every list of networks
is packed into cohorts of these classes. Both are decided by constants, never by the
clock, so a plan can be repeated.
"""

import bisect
import collections
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from vecevo.errors import InputError

MOST_WIDTHS, MOST_DEPTHS = 24, 8  # of classes; others in between are padded to them
LADDER = (1, 2, 4, 8, 16, 32, 64)  # lane counts that programs are compiled for
BYTES_PER_WEIGHT = 28  # params, two slots, best params, gradients, two to spare
BYTES_PER_UNIT_EXAMPLE = 24  # an activation, its gradient, its dropout draw, to spare
BYTES_PER_LOGIT_EXAMPLE = 12  # a logit, its exponential, to spare


class Costs(NamedTuple):
    """What a kind of device needs; see `step_seconds`."""

    compile_seconds: float  # of one more program
    seconds_per_step: float
    seconds_per_layer_step: float
    seconds_per_unit_example: float  # activation and dropout, forward and backward
    seconds_per_weight_example: float  # two products forward, four backward
    seconds_per_weight: float  # the update
    most_weights: int  # of a cohort; beyond, more lanes make each one slower
    most_shared_width: int  # wider networks train faster with a cohort each


# Fitted as `python -m bench costs` does, on two AVX-512 cores with a cohort each,
# that should keep within the cache.
CPU = Costs(2.2, 3e-5, 1.5e-5, 4.1e-9, 2e-11, 8.4e-10, 400_000, 256)
# Estimated for an NVIDIA H200 from its data sheet and launch times, not measured.
ACCELERATOR = Costs(5.0, 6e-5, 2e-5, 5e-13, 2e-14, 1.5e-11, 1 << 40, 1 << 40)


class Job(NamedTuple):
    """What the cost of training depends on, for all networks of a run."""

    costs: Costs
    num_features: int
    num_classes: int
    batch_size: int
    examples_at_once: int  # in training or evaluation, whichever takes more
    steps_per_epoch: int
    expected_epochs: int
    memory_bytes: int  # what a cohort may take
    num_workers: int  # cohorts that train at the same time


class CohortClass(NamedTuple):
    """A shape that programs are compiled for, one for each lane count."""

    width: int
    depth: int
    lane_counts: tuple[int, ...]  # ascending; a cohort starts with at most the last


class Trainee(NamedTuple):
    """What a plan needs to know of a network that is to be trained."""

    width: int
    depth: int
    update_level: int  # `level` of its optimizer's row in `optimizers.TABLE`
    num_epochs: float = 0.0  # that it is expected to train for
    replicate: int = 0


class Cohort(NamedTuple):
    """Lanes that start together."""

    cohort_class: CohortClass
    individuals: tuple[int, ...]  # rows of the hyperparams; -1 is an empty lane
    replicate: int = 0  # of all its lanes, which share the order of examples


def choose_classes(
    shapes: Sequence[tuple[int, int]],
    job: Job,
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
      job: Job.
      list_size: networks that are expected to be packed at once.
      num_lists: how often that will be done.

    Returns:
      A list of CohortClasses; each shape fits one of them.

    Raises:
      InputError: for a shape of which not one network fits the memory.
    """
    for width, depth in set(shapes):
        _check_fits(width, depth, job)
    counts = _count_padded(shapes)
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
            for lanes in LADDER
            if lanes <= min(most_shared, most_lanes(width, depth, job))
        ]
        # No class may be too large for the memory, though its members are not.
        return min(options, key=lambda option: option[0], default=(math.inf, []))

    return _cheapest_split(len(widths), split_depths)[1]


def _count_padded(shapes: Iterable[tuple[int, int]]) -> Counter[tuple[int, int]]:
    """Counts shapes as they are, or padded where there are many of them."""
    widths, depths = (
        _thin(*pair)
        for pair in zip(
            zip(*set(shapes), strict=True), (MOST_WIDTHS, MOST_DEPTHS), strict=True
        )
    )
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
    job: Job,
) -> tuple[float, list[CohortClass]]:
    """Seconds, and the class, of packing some networks into cohorts of some lanes.

    Smaller lane counts, for the last cohort of a list and for compaction when half
    of the lanes have stopped, are compiled where that is expected to save more.
    """
    num_cohorts = expected_cohorts(num_networks, lanes) * num_lists
    num_steps = job.steps_per_epoch * job.expected_epochs
    cost = job.costs.compile_seconds
    cost += num_cohorts * num_steps * step_seconds(width, depth, lanes, job)
    lane_counts = [lanes]
    while lane_counts[0] > 1:
        half = lane_counts[0] // 2
        # The second half of the lanes' epochs, on average, run in half of the lanes.
        saved = step_seconds(width, depth, lane_counts[0], job)
        saved -= step_seconds(width, depth, half, job)
        saving = num_cohorts * num_steps * saved / 2 - job.costs.compile_seconds
        if saving <= 0:
            break
        lane_counts.insert(0, half)
        cost -= saving
    return cost, [CohortClass(width, depth, tuple(lane_counts))]


def expected_cohorts(num_networks: float, lanes: int) -> float:
    """Cohorts for a random number of networks: the last is half full on average."""
    return min(num_networks, num_networks / lanes + (1 - 1 / lanes) / 2)


def plan(trainees: Sequence[Trainee], classes: Iterable[CohortClass]) -> list[Cohort]:
    """Packs networks into cohorts.

    Args:
      trainees: the networks.
      classes: each network goes to the smallest that holds it.

    Returns:
      A list of Cohorts that holds every network once.
    """
    classes, members = sorted(classes), collections.defaultdict(list)
    for individual, trainee in enumerate(trainees):
        smallest = smallest_class(classes, trainee.width, trainee.depth)
        # The neediest lane decides what its cohort's updates cost, and the longest
        # how long it takes: alike go together.
        key = (trainee.update_level, trainee.num_epochs, trainee.depth, individual)
        members[smallest, trainee.replicate].append(key)
    cohorts = []
    for (cohort_class, replicate), group in sorted(members.items()):
        individuals = [individual for *_, individual in sorted(group)]
        cohorts += fill_cohorts(cohort_class, individuals, replicate=replicate)
    return cohorts


def smallest_class(
    classes: Iterable[CohortClass], width: int, depth: int
) -> CohortClass:
    """The smallest CohortClass that holds a network."""
    fitting = [c for c in classes if c.width >= width and c.depth >= depth]
    return min(fitting, key=lambda c: (c.width, c.depth))


def fill_cohorts(
    cohort_class: CohortClass, individuals: Sequence[int], *, replicate: int
) -> list[Cohort]:
    """Packs networks of one class, in the order given, into Cohorts."""
    cohorts, lane_counts = [], cohort_class.lane_counts
    for taken in itertools.batched(individuals, lane_counts[-1]):
        num_empty = min(n for n in lane_counts if n >= len(taken)) - len(taken)
        cohorts.append(Cohort(cohort_class, (*taken, *[-1] * num_empty), replicate))
    return cohorts


def halve_class(cohort_class: CohortClass, num_lanes: int) -> CohortClass:
    """The class with half of some lanes at most, for a device without memory."""
    fewer = {n for n in cohort_class.lane_counts if n <= num_lanes // 2}
    lane_counts = tuple(sorted(fewer | {num_lanes // 2}))
    return cohort_class._replace(lane_counts=lane_counts)


def most_lanes(width: int, depth: int, job: Job) -> int:
    """How many lanes of a shape one cohort may hold; 0 if not even one."""
    in_memory = job.memory_bytes // lane_bytes(width, depth, job)
    weights = num_weights(width, depth, job)
    if in_memory and width > job.costs.most_shared_width:
        return 1
    return min(in_memory, max(1, job.costs.most_weights // weights))


def share_memory(
    job: Job, shapes: Iterable[tuple[int, int]], *, num_workers: int
) -> Job:
    """The job with as many workers, up to some, as the largest network leaves room."""
    largest = max(lane_bytes(width, depth, job) for width, depth in shapes)
    num_workers = max(1, min(num_workers, job.memory_bytes // largest))
    memory_bytes = job.memory_bytes // num_workers
    return job._replace(num_workers=num_workers, memory_bytes=memory_bytes)


def lane_bytes(width: int, depth: int, job: Job) -> int:
    """Bytes that one lane takes while it trains."""
    per_example = width * depth * BYTES_PER_UNIT_EXAMPLE
    per_example += job.num_classes * BYTES_PER_LOGIT_EXAMPLE
    weights = num_weights(width, depth, job)
    return weights * BYTES_PER_WEIGHT + per_example * job.examples_at_once


def _check_fits(width: int, depth: int, job: Job) -> None:
    needed = lane_bytes(width, depth, job)
    if needed > job.memory_bytes:
        raise InputError(
            f"a network of depth={depth}, padded to width={width}, takes "
            f"{needed / 2**30:.3g} GiB, more than "
            f"memory_gib={job.memory_bytes / 2**30:.3g} (memory_bytes="
            f"{job.memory_bytes}): allow more, or leave it out."
        )


def step_seconds(width: int, depth: int, lanes: int, job: Job) -> float:
    """Expected seconds of one step of a cohort, of the time of all workers."""
    costs = job.costs
    unit_examples = lanes * width * depth * job.batch_size
    per_weight = costs.seconds_per_weight_example * job.batch_size
    per_weight += costs.seconds_per_weight
    weights = lanes * num_weights(width, depth, job)
    overhead = costs.seconds_per_step + costs.seconds_per_layer_step * depth
    per_unit = costs.seconds_per_unit_example
    return overhead + unit_examples * per_unit + weights * per_weight


def num_weights(width: int, depth: int, job: Job) -> int:
    """Weights of the kernels, the output layer's included."""
    hidden = width * job.num_features + (depth - 1) * width * width
    return hidden + width * job.num_classes
