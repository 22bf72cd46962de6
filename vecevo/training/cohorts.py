"""Trains a cohort from its first epoch to its last: the host's side of training.

The device does the work in two programs for each shape (`epochs.init_lanes` and
`epochs.train_epoch`); the host reads a few numbers per lane and epoch, and cuts
the cohort down to fewer lanes when enough of them have stopped.
"""

import functools
import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.training.epochs import Lanes, TrainingData, take_lanes
from vecevo.training.lanes import losses
from vecevo.training.lanes.networks import Architecture, PaddedMLP
from vecevo.training.lanes.stopping import EpochReport, LaneState, StoppingRule
from vecevo.training.programs import Programs, products_in

CURVES = (
    *("train_loss", "train_accuracy"),
    *("validation_loss", "validation_accuracy"),
)


class LaneResult(NamedTuple):
    """What training gave in one lane, on the host; curves have one entry an epoch."""

    train_loss: np.ndarray  # float32[num_epochs]
    train_accuracy: np.ndarray  # float32[num_epochs]
    validation_loss: np.ndarray  # float32[num_epochs]
    validation_accuracy: np.ndarray  # float32[num_epochs]
    kept_epoch: int  # the epoch that `params` are from
    is_failed: bool  # the loss of the last epoch was not finite
    params: dict | None  # padded, NumPy; None where they were not wanted
    probabilities: np.ndarray | None = None  # float16[N', C] on the validation part

    @property
    def score(self) -> float:
        """The validation accuracy of the kept epoch; -inf: failed."""
        accuracy = self.validation_accuracy[self.kept_epoch]
        return -np.inf if self.is_failed else float(accuracy)


class Setup(NamedTuple):
    """What all cohorts of a run share."""

    programs: Programs
    data: TrainingData
    rule: StoppingRule
    order_key: jax.Array  # random key of the order of examples
    keeps_probabilities: bool = False  # of lanes whose weights are wanted
    precision: str | None = None  # of products


class Trained(NamedTuple):
    """What training a cohort gave."""

    lane_results: list[LaneResult | None]  # None for an empty lane
    num_lane_epochs: int  # executed
    wait_seconds: float  # for programs to be compiled


class Lane(NamedTuple):
    """What the host keeps of an occupied lane while it trains."""

    reports: list[EpochReport]  # one an epoch, of scalars
    keeps_last: bool

    @property
    def is_failed(self) -> bool:
        last = self.reports[-1]
        return not np.isfinite(last.train_loss + last.validation_loss)

    @property
    def kept_epoch(self) -> int:
        best = [epoch for epoch, row in enumerate(self.reports) if row.is_best]
        return len(self.reports) - 1 if self.keeps_last or not best else best[-1]


def train_cohort(
    setup: Setup,
    module: PaddedMLP,
    lanes: Lanes,
    is_occupied: np.ndarray,
    lane_counts: Sequence[int],
    *,
    is_stopped_fn: Callable[[], bool],
    wants_params_fn: Callable[[float], bool] = lambda accuracy: True,
) -> Trained | None:
    """Trains lanes until the last one stops.

    Args:
      setup: of the run.
      module: padded to the cohort.
      lanes: L of them.
      is_occupied: bool[L]; an empty lane computes, but is not waited for.
      lane_counts: those that the cohort may be cut down to, and L.
      is_stopped_fn: asked before every epoch whether to give up.
      wants_params_fn: validation accuracy, -inf where it failed -> whether a lane's
        weights are to leave the device.

    Returns:
      Trained, or None when that was stopped before the last lane was.
    """
    lanes_left = np.arange(len(is_occupied))  # the original lane of each lane
    is_active = np.asarray(is_occupied)
    finish = functools.partial(_finish, setup, module, wants_params_fn)
    programs = setup.programs.get(module, len(lanes_left))
    wait_seconds = programs.wait_seconds
    state = programs.init(lanes)._replace(is_active=jnp.asarray(is_active))
    keeps_last = bool(setup.rule.keeps_last)
    open_lanes = {lane: Lane([], keeps_last) for lane in np.flatnonzero(is_active)}
    results: list[LaneResult | None] = [None] * len(lanes_left)
    num_lane_epochs = 0
    for epoch in range(int(setup.rule.max_epochs)):
        if is_stopped_fn():
            return None
        state, report = programs.train_epoch(
            state, lanes, setup.data, setup.rule, jnp.array(epoch), setup.order_key
        )
        report = jax.device_get(report)
        num_lane_epochs += len(lanes_left)
        for position in np.flatnonzero(is_active):
            row = jax.tree.map(operator.itemgetter(position), report)
            open_lanes[lanes_left[position]].reports.append(row)
        is_active = report.is_active
        num_lanes = min(n for n in lane_counts if n >= max(1, is_active.sum()))
        if is_active.any() and num_lanes == len(lanes_left):
            continue
        for position, lane in enumerate(lanes_left):
            if not is_active[position] and lane in open_lanes:
                results[lane] = finish(open_lanes.pop(lane), state, lanes, position)
        if not is_active.any():
            break
        stays = np.sort(np.argsort(~is_active, kind="stable")[:num_lanes])
        lanes_left, is_active = lanes_left[stays], is_active[stays]
        state, lanes = take_lanes((state, lanes), stays)
        programs = setup.programs.get(module, num_lanes)
        wait_seconds += programs.wait_seconds
    return Trained(results, num_lane_epochs, wait_seconds)


def _finish(
    setup: Setup,
    module: PaddedMLP,
    wants_params_fn: Callable[[float], bool],
    lane: Lane,
    state: LaneState,
    lanes: Lanes,
    position: int,
) -> LaneResult:
    """What a lane has measured; if they are wanted, with its weights."""
    curves = {
        name: np.array([getattr(row, name) for row in lane.reports]) for name in CURVES
    }
    ended = {"kept_epoch": lane.kept_epoch, "is_failed": lane.is_failed}
    result = LaneResult(**curves, **ended, params=None)
    if not wants_params_fn(result.score):
        return result
    # Of a stack of lanes, only what is wanted leaves the device.
    picked = take_lanes((state.kept_params, lanes.architecture), np.array([position]))
    params, architecture = jax.tree.map(operator.itemgetter(0), picked)
    probabilities = None
    if setup.keeps_probabilities:
        x = setup.data.x_validation
        with products_in(setup.precision):
            probabilities = np.asarray(_say(params, architecture, x, module=module))
    return result._replace(params=jax.device_get(params), probabilities=probabilities)


@functools.partial(jax.jit, static_argnames="module")
def _say(
    params: dict, architecture: Architecture, x: jax.Array, *, module: PaddedMLP
) -> jax.Array:
    said = losses.probabilities(params, architecture, x, module=module)
    return said.astype(jnp.float16)
