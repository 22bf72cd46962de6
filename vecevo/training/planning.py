"""The plan: which networks train together, and what that costs.

A run first chooses its cohort classes, the shapes for which it compiles programs
(`classes`); then every list of networks is packed into cohorts of these classes. Both
are decided by constants, never by the clock nor by what is compiled already, so a plan
can be repeated.
"""

import collections
import itertools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from vecevo.errors import InputError

LADDER = (1, 2, 4, 8, 16, 32, 64)  # lane counts that programs are compiled for
FACTOR = 3  # of the networks at a rung, one in so many goes on
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
    bytes_per_weight: int  # params, two slots, best params, gradients, some to spare
    bytes_per_unit_example: float  # an activation, its gradient, its dropout draw
    most_live_layers: int  # whose activations are in memory at once


# Fitted as `python -m bench costs` does, on two AVX-512 cores with a cohort each,
# that should keep within the cache.
CPU = Costs(
    compile_seconds=1.5,
    seconds_per_step=1.7e-5,
    seconds_per_layer_step=5.5e-6,
    seconds_per_unit_example=1.6e-9,
    seconds_per_weight_example=1.2e-11,
    seconds_per_weight=2.7e-10,
    most_weights=400_000,
    most_shared_width=256,
    bytes_per_weight=28,
    bytes_per_unit_example=24,
    most_live_layers=1 << 40,
)
# Estimated for an NVIDIA H200 from its data sheet and launch times, not measured.
# Its memory is that of programs compiled for an H100.
ACCELERATOR = Costs(
    compile_seconds=5.0,
    seconds_per_step=6e-5,
    seconds_per_layer_step=2e-5,
    seconds_per_unit_example=5e-13,
    seconds_per_weight_example=2e-14,
    seconds_per_weight=1.5e-11,
    most_weights=1 << 40,
    most_shared_width=1 << 40,
    bytes_per_weight=20,
    bytes_per_unit_example=3.5,
    most_live_layers=2,
)


class Job(NamedTuple):
    """What the cost of training depends on, for all networks of a run."""

    costs: Costs
    num_features: int
    num_classes: int
    batch_size: int
    examples_at_once: int  # in training or evaluation, whichever takes more
    steps_per_epoch: int
    expected_epochs: float  # of a network, the mean
    memory_bytes: int  # what a cohort may take
    num_workers: int  # cohorts that train at the same time
    stops_early: bool = True  # lanes may stop before the others of their cohort
    kept_bytes: int = 0  # of a lane, for a metric of the whole validation part


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
    """The smallest CohortClass that holds a network.

    Raises:
      ValueError: where none does.
    """
    fitting = [c for c in classes if c.width >= width and c.depth >= depth]
    if not fitting:
        raise ValueError(
            f"a network of width={width} and depth={depth} was not expected of this "
            "session."
        )
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


def mean_epochs(rungs: Sequence[int], max_epochs: int, num_networks: int) -> float:
    """Epochs of each of some networks, on average, if they end at rungs alone.

    >>> mean_epochs((3, 9, 25), 25, 20)  # of 20 networks 7 go on, and 3 of these
    7.5

    Args:
      rungs: ascending; none: all networks train to the end.
      max_epochs: at which they end, too.
      num_networks: that begin together.
    """
    num_epochs, num_left = 0, num_networks
    ends = [min(rung, max_epochs) for rung in rungs] or [max_epochs]
    for before, end in itertools.pairwise([0, *ends]):
        num_epochs += num_left * (end - before)
        num_left = math.ceil(num_left / FACTOR)
    return num_epochs / num_networks


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
    costs = job.costs
    num_live = width * min(depth, costs.most_live_layers)
    per_example = num_live * costs.bytes_per_unit_example
    per_example += job.num_classes * BYTES_PER_LOGIT_EXAMPLE
    # What an epoch holds of all its steps: two measures of each example, a dropout key
    # of each layer, three coefficients of the optimizer.
    per_step = 8 * job.batch_size + 8 * depth + 12
    taken = num_weights(width, depth, job) * costs.bytes_per_weight
    taken += per_example * job.examples_at_once + per_step * job.steps_per_epoch
    return int(taken) + job.kept_bytes


def check_fits(width: int, depth: int, job: Job) -> None:
    """Refuses a network that a cohort's memory has no room for.

    Raises:
      InputError: naming its shape, what it takes and what there is.
    """
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
