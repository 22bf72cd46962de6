"""What workers say, judged: whether they fit, and what of it is kept."""

import time
from collections.abc import Callable, Sequence

import jax
import numpy as np

from vecevo.errors import InputError
from vecevo.results import Shift
from vecevo.training.cohorts import Trained
from vecevo.training.devices import Device
from vecevo.training.workers.members import Member
from vecevo.training.workers.messages import Identity, Task
from vecevo.training.workers.worker import versions


def difference_of(identity: Identity, device: Device, *, is_mixed: bool) -> str | None:
    """Says why a worker cannot train beside others; None: it can."""
    own = versions()
    changed = [n for n in own if identity.versions[n] != own[n]]
    if changed:
        name = changed[0]
        return f"{name} is {identity.versions[name]} there, and {own[name]} here"
    if identity.device.kind != device.kind and not is_mixed:
        return f"it is a {identity.device.kind}, and the others are {device.kind}"
    return None


def wanted(
    trained: Trained, wants_params_fn: Callable[[float, int], bool], replicate: int
) -> Trained:
    """What was trained without weights that are not wanted, in memory of its own.

    Arrays that come from a worker are views into memory that it shares.
    """
    lanes = []
    for lane in trained.lane_results:
        if lane is None or wants_params_fn(lane.accuracy, replicate):
            lanes.append(lane)
        else:
            lanes.append(lane._replace(params=None, probabilities=None))
    kept = trained._replace(lane_results=lanes)
    return jax.tree.map(lambda x: x.copy() if isinstance(x, np.ndarray) else x, kept)


def shift_of(member: Member, task: Task) -> Shift:
    """Returns what a worker has trained by now."""
    identity = member.identity
    return Shift(
        worker=member.number,
        node=identity.node if identity else "",
        device=identity.device.kind if identity else "",
        width=task.cohort.cohort_class.width,
        depth=task.cohort.cohort_class.depth,
        num_networks=len(task.hyperparams),
        seconds=time.monotonic() - member.since,
    )


def idle_share(ends: Sequence[float], start: float) -> float:
    """The share of the time of all workers that they had nothing left to train in.

    >>> idle_share([10.0, 5.0], 0.0)  # seconds
    0.25

    Args:
      ends: when each of them was done with its last cohort; the start, if with none.
      start: of the plan.
    """
    last = max(ends, default=start)
    whole = (last - start) * len(ends)
    return sum(last - end for end in ends) / whole if whole else 0.0


def first_line(error: Exception | None) -> str:
    """The first line of what an error says, or its name."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def check_kinds(members: Sequence[Member]) -> None:
    """Refuses devices of several kinds.

    Raises:
      InputError: naming them.
    """
    kinds = sorted({m.identity.device.kind for m in members if m.identity})
    if len(kinds) > 1:
        raise InputError(
            f"workers are of several kinds ({', '.join(kinds)}), whose "
            "numbers differ by rounding: give --allow-mixed-devices, or leave some out."
        )
