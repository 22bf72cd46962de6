"""What a budget of time makes of a run: its plan, its order, what would fit.

All is told from the constants of `planning`, never from a clock, so a run with the same
settings has the same plan.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vecevo.training import planning
from vecevo.training.forecast import InTime, networks_in_time
from vecevo.training.sessions import Expected, make_plan
from vecevo.training.settings import TrainingSettings

EPOCHS = (20, 15, 10, 5, 3)  # caps that are proposed
ROUND = (8, 5, 4, 3, 2, 1)  # first digits of numbers of examples that are proposed
LEAST_EXAMPLES, LEAST_SHARE = 1000, 0.1  # of those to train on, that are proposed

DataShape = tuple[int, int, int]  # N, F, C of the part to train on
Asked = tuple[DataShape, Expected, TrainingSettings]


class BudgetPlan(NamedTuple):
    """A run's plan, and what its time allows of it."""

    max_seconds: float
    job: planning.Job
    classes: list[planning.CohortClass]
    expected: Expected  # to start a session with; its lists are those of the plan
    in_time: InTime


class Proposal(NamedTuple):
    """A setting, and what the time would allow with it."""

    setting: str
    in_time: InTime


def plan_in_time(
    data_shape: DataShape,
    expected: Expected,
    settings: TrainingSettings,
    max_seconds: float | None,
) -> BudgetPlan:
    """Plans a run such that its programs pay off within its time.

    With fewer lists to come fewer programs are compiled, and more networks padded. Of
    the plans for all lists, a half of them, a quarter and so on, that of the most
    networks in time is taken; among equals, that of the fewest lists.

    Args:
      data_shape: N, F, C of the part to train on.
      expected: of the whole run, as if there were time.
      settings: resolved.
      max_seconds: budget; None is no limit.

    Raises:
      InputError: for a network that the memory has no room for.
    """
    if max_seconds is None:
        max_seconds = math.inf
    whole = _plan(data_shape, expected, settings, expected.num_lists, max_seconds)
    if whole.in_time.num_networks >= expected.list_size * expected.num_lists:
        return whole
    num_lists, plans = expected.num_lists, [whole]
    while num_lists * expected.list_size > 1:
        num_lists /= 2
        plans.append(_plan(data_shape, expected, settings, num_lists, max_seconds))
    return max(reversed(plans), key=lambda plan: plan.in_time.num_networks)


def _plan(
    data_shape: DataShape,
    expected: Expected,
    settings: TrainingSettings,
    num_lists: float,
    max_seconds: float,
) -> BudgetPlan:
    """Plans for some lists, and expects what the time allows of all that may come."""
    fewer = expected._replace(num_lists=num_lists)
    job, classes = make_plan(data_shape, fewer, settings)
    in_time = networks_in_time(
        expected.shapes,
        classes,
        job,
        list_size=expected.list_size,
        num_lists=expected.num_lists,
        max_seconds=max_seconds,
    )
    fewer = fewer._replace(cheapest_first=in_time.is_cut)
    return BudgetPlan(max_seconds, job, classes, fewer, in_time)


def propose(
    data_shape: DataShape,
    expected: Expected,
    settings: TrainingSettings,
    max_seconds: float | None,
    *,
    num_genomes: int,
) -> list[Proposal]:
    """Returns settings that let a generation end in time, where it does not.

    Of each setting the largest value that allows a whole list, or else the one that
    allows the most; none where that is no more than without it.

    Args:
      data_shape, expected, settings, max_seconds: as for `plan_in_time`.
      num_genomes: of the space.
    """
    now = plan_in_time(data_shape, expected, settings, max_seconds).in_time
    if not is_short(now):
        return []
    num_train, num_features, num_classes = data_shape
    epochs = [n for n in EPOCHS if n < (settings.max_epochs or math.inf)]
    options = (
        {
            f"--max-epochs {num}": (
                data_shape,
                expected,
                settings._replace(max_epochs=num),
            )
            for num in epochs
        },
        {
            f"--limit-train {num}": (
                (num, num_features, num_classes),
                expected,
                settings,
            )
            for num in fewer_examples(num_train)
        },
        {
            f"widths to {width}": (data_shape, narrow, settings)
            for width, narrow in _narrower(expected, num_genomes)
        },
    )
    found = [_first_enough(of_one, max_seconds) for of_one in options]
    return [one for one in found if one and one.in_time.num_networks > now.num_networks]


def is_short(in_time: InTime) -> bool:
    """Whether the time allows less than one generation."""
    return in_time.num_networks < in_time.num_first


def _first_enough(
    options: Mapping[str, Asked], max_seconds: float | None
) -> Proposal | None:
    """The first option that allows a generation, or the first of the most networks."""
    proposals = []
    for setting, asked in options.items():
        in_time = plan_in_time(*asked, max_seconds).in_time
        proposals.append(Proposal(setting, in_time))
        if not is_short(in_time):
            return proposals[-1]
    return max(proposals, key=lambda one: one.in_time.num_networks, default=None)


def fewer_examples(num_train: int) -> list[int]:
    """Round numbers of examples to train on, fewer than there are, the most first.

    At least a tenth of them, and no fewer than 1,000.

    >>> fewer_examples(40_000)
    [30000, 20000, 10000, 8000, 5000, 4000]
    """
    least = max(LEAST_EXAMPLES, LEAST_SHARE * num_train)
    powers = [10**power for power in range(len(str(num_train)), -1, -1)]
    numbers = (digit * power for power in powers for digit in ROUND)
    return [number for number in numbers if least <= number < num_train]


def _narrower(expected: Expected, num_genomes: int) -> Iterator[tuple[int, Expected]]:
    """What is expected without the widest networks, from the second width down."""
    for width in sorted({width for width, _ in expected.shapes})[-2::-1]:
        shapes = [shape for shape in expected.shapes if shape[0] <= width]
        genomes = num_genomes * len(shapes) / len(expected.shapes)
        num_lists = min(expected.num_lists, genomes / expected.list_size)
        yield width, expected._replace(shapes=shapes, num_lists=num_lists)
