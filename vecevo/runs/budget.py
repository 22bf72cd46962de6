"""What a budget of time makes of a run: its plan, its order, what would fit.

All is told from the constants of `planning`, never from a clock, so a run with the same
settings has the same plan.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from vecevo.runs.rungs import auto_rungs
from vecevo.training import planning
from vecevo.training.forecast import InTime, networks_in_time
from vecevo.training.sessions import DataShape, Expected, make_plan
from vecevo.training.settings import TrainingSettings

EPOCHS = (20, 15, 10, 5, 3)  # caps that are proposed
ROUND = (8, 5, 4, 3, 2, 1)  # first digits of numbers of examples that are proposed
LEAST_EXAMPLES, LEAST_SHARE = 1000, 0.1  # of those to train on, that are proposed

Asked = tuple[DataShape, Expected, TrainingSettings]


class BudgetPlan(NamedTuple):
    """A run's plan, and what its time allows of it."""

    max_seconds: float
    job: planning.Job
    classes: list[planning.CohortClass]
    expected: Expected  # to start a session with; its lists are those of the plan
    in_time: InTime
    generation_seconds: float  # of the first, with the plan that is the best for it


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
    the plans for all lists, a half of them, a quarter and so on to a single network,
    those for more networks than the time allows are left out, and of the others that
    of the most networks is taken. Where not one network is allowed, it is that of the
    shortest generation.

    Args:
      data_shape: of `sessions.shape_of`.
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
    soonest = min(plan.in_time.first_seconds for plan in plans)
    return _best(plans)._replace(generation_seconds=soonest)


def _best(plans: Sequence[BudgetPlan]) -> BudgetPlan:
    """The plan of the most networks in time, of those that pay off."""
    paying = [plan for plan in plans if _pays_off(plan)]
    if paying:
        return max(paying, key=lambda plan: plan.in_time.num_networks)
    # Programs may be cached, and the machine faster: do not pad without need.
    empty = [plan for plan in plans if not plan.in_time.num_networks]
    return min(empty, key=lambda plan: plan.in_time.first_seconds)


def _pays_off(plan: BudgetPlan) -> bool:
    """Whether the time allows as many networks as a plan is made for."""
    num_networks = plan.expected.list_size * plan.expected.num_lists
    return num_networks <= plan.in_time.num_networks


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
    if expected.rungs and in_time.is_cut:  # then none comes to the last of them
        in_time = in_time._replace(num_networks=0)
    fewer = fewer._replace(cheapest_first=in_time.is_cut)
    return BudgetPlan(max_seconds, job, classes, fewer, in_time, in_time.first_seconds)


def propose(
    data_shape: DataShape,
    expected: Expected,
    settings: TrainingSettings,
    max_seconds: float | None,
    *,
    num_networks: int,
    has_auto_rungs: bool,
) -> list[Proposal]:
    """Returns settings that let a generation end in time, where it does not.

    Of each setting the largest value that allows a whole list, or else the one that
    allows the most; none where that is no more than without it.

    Args:
      data_shape, expected, settings, max_seconds: as for `plan_in_time`.
      num_networks: of the space.
      has_auto_rungs: whether rungs follow the cap on epochs, as those by default do.
    """
    now = plan_in_time(data_shape, expected, settings, max_seconds).in_time
    if not is_short(now):
        return []
    asked = (data_shape, expected, settings)
    by_setting = [_fewer_examples(*asked), _narrower(*asked, num_networks)]
    by_default = _rungs_by_default(data_shape, settings)
    is_by_default = has_auto_rungs and expected.rungs == by_default
    if is_by_default or not expected.rungs:  # or they would not end at the cap
        by_setting = [_fewer_epochs(*asked), *by_setting]
    if is_by_default:
        by_setting = [_with_rungs_by_default(options) for options in by_setting]
    found = [_first_enough(options, max_seconds) for options in by_setting]
    return [one for one in found if one and one.in_time.num_networks > now.num_networks]


def _with_rungs_by_default(options: Mapping[str, Asked]) -> dict[str, Asked]:
    return {
        setting: (
            shape,
            expected._replace(rungs=_rungs_by_default(shape, settings)),
            settings,
        )
        for setting, (shape, expected, settings) in options.items()
    }


def _rungs_by_default(
    data_shape: DataShape, settings: TrainingSettings
) -> tuple[int, ...]:
    steps_per_epoch = -(-data_shape[0] // (settings.batch_size or 1))
    rungs = auto_rungs(settings.max_epochs or 0, steps_per_epoch=steps_per_epoch)
    return rungs or ()


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


def _fewer_epochs(
    data_shape: DataShape, expected: Expected, settings: TrainingSettings
) -> dict[str, Asked]:
    caps = [cap for cap in EPOCHS if cap < (settings.max_epochs or math.inf)]
    return {
        f"--max-epochs {cap}": (data_shape, expected, settings._replace(max_epochs=cap))
        for cap in caps
    }


def _fewer_examples(
    data_shape: DataShape, expected: Expected, settings: TrainingSettings
) -> dict[str, Asked]:
    num_train, num_features, num_classes, num_validation = data_shape
    shapes = {
        num: (num, num_features, num_classes, num_validation)
        for num in fewer_examples(num_train)
    }
    return {
        f"--limit-train {num}": (shape, expected, settings)
        for num, shape in shapes.items()
    }


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


def _narrower(
    data_shape: DataShape,
    expected: Expected,
    settings: TrainingSettings,
    num_genomes: int,
) -> dict[str, Asked]:
    """Leaves out the widest networks, and as large a part of the space."""
    options = {}
    for width in sorted({width for width, _ in expected.shapes})[-2::-1]:
        shapes = [shape for shape in expected.shapes if shape[0] <= width]
        genomes = num_genomes * len(shapes) / len(expected.shapes)
        num_lists = min(expected.num_lists, genomes / expected.list_size)
        narrow = expected._replace(shapes=shapes, num_lists=num_lists)
        options[f"widths to {width}"] = (data_shape, narrow, settings)
    return options
