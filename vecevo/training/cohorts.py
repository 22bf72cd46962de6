"""Trains a cohort from its first epoch to its last: the host's side of training.

The device does the work in two programs for each shape (`epochs.init_lanes` and
`epochs.train_epoch`); the host reads a few numbers per lane and epoch, and cuts
the cohort down to fewer lanes when enough of them have stopped.
"""

import dataclasses
import functools
import operator
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.keys import order_key_of
from vecevo.training.epochs import Lanes, TrainingData, take_lanes
from vecevo.training.lanes import losses
from vecevo.training.lanes.networks import Architecture, PaddedMLP
from vecevo.training.lanes.stopping import EpochReport, LaneState, StoppingRule
from vecevo.training.programs import Compiled, Programs, products_in

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

    lane_results: list[LaneResult | None]  # None for a lane without an epoch
    num_lane_epochs: int  # executed
    wait_seconds: float  # for programs to be compiled
    is_partial: bool = False  # stopped before all lanes were; what there was by then


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


@dataclasses.dataclass
class _Cohort:
    """A cohort in training; L' lanes of it are left on the device."""

    state: LaneState  # of L' lanes
    lanes: Lanes  # L' of them
    places: np.ndarray  # int[L'], which lane of the L each is
    is_active: np.ndarray  # bool[L']
    open_lanes: dict[int, Lane]  # by place, those that train
    results: list[LaneResult | None]  # by place


def train_cohort(
    setup: Setup,
    module: PaddedMLP,
    lanes: Lanes,
    is_occupied: np.ndarray,
    lane_counts: Sequence[int],
    *,
    is_stopped_fn: Callable[[], bool],
    wants_params_fn: Callable[[float], bool] = lambda accuracy: True,
    replicate: int = 0,
) -> Trained:
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
      replicate: decides the order of examples.

    Returns:
      Trained; partial where that was stopped before the last lane was: then what
      lanes had by then, and None for those without an epoch.
    """
    get_programs = functools.partial(_get_programs, setup.programs, module)
    finish_fn = functools.partial(_finish, setup, module, wants_params_fn)
    num_lanes = len(is_occupied)
    programs, waited = get_programs(num_lanes, is_stopped_fn)
    if programs is None:
        return Trained([None] * num_lanes, 0, waited, is_partial=True)
    cohort = _start(programs.init, lanes, np.asarray(is_occupied), setup.rule)
    order_key = order_key_of(setup.order_key, replicate)
    num_lane_epochs = 0
    for epoch in range(int(setup.rule.max_epochs)):
        if programs is None or is_stopped_fn():
            break
        cohort.state, report = programs.train_epoch(
            *(cohort.state, cohort.lanes, setup.data, setup.rule, jnp.array(epoch)),
            order_key,
        )
        num_lane_epochs += len(cohort.places)
        _take_report(cohort, jax.device_get(report))
        num_active = cohort.is_active.sum()
        num_lanes = min(n for n in lane_counts if n >= max(1, num_active))
        if num_active and num_lanes == len(cohort.places):
            continue
        _close(cohort, ~cohort.is_active, finish_fn)
        if not num_active:
            break
        _cut_down(cohort, num_lanes)
        programs, seconds = get_programs(num_lanes, is_stopped_fn)
        waited += seconds
    is_partial = bool(cohort.open_lanes)
    _close(cohort, np.ones(len(cohort.places), bool), finish_fn)
    return Trained(cohort.results, num_lane_epochs, waited, is_partial)


def _get_programs(
    programs: Programs,
    module: PaddedMLP,
    num_lanes: int,
    is_stopped_fn: Callable[[], bool],
) -> tuple[Compiled | None, float]:
    """The programs of a shape, and seconds waited; None: stopped before."""
    start = time.perf_counter()
    is_there = programs.wait(module, num_lanes, is_stopped_fn)
    compiled = programs.get(module, num_lanes) if is_there else None
    return compiled, time.perf_counter() - start


def _start(
    init: Callable, lanes: Lanes, is_occupied: np.ndarray, rule: StoppingRule
) -> _Cohort:
    keeps_last = bool(rule.keeps_last)
    return _Cohort(
        state=init(lanes)._replace(is_active=jnp.asarray(is_occupied)),
        lanes=lanes,
        places=np.arange(len(is_occupied)),
        is_active=is_occupied,
        open_lanes={int(n): Lane([], keeps_last) for n in np.flatnonzero(is_occupied)},
        results=[None] * len(is_occupied),
    )


def _take_report(cohort: _Cohort, report: EpochReport) -> None:
    """Takes in what an epoch gave, of the lanes that were active in it."""
    for position in np.flatnonzero(cohort.is_active):
        row = jax.tree.map(operator.itemgetter(position), report)
        cohort.open_lanes[cohort.places[position]].reports.append(row)
    cohort.is_active = np.asarray(report.is_active)


def _close(
    cohort: _Cohort, is_closed: np.ndarray, finish_fn: Callable[..., LaneResult]
) -> None:
    """Takes the results of lanes bool[L'] that have trained for an epoch or more."""
    for position in np.flatnonzero(is_closed):
        lane = cohort.open_lanes.pop(cohort.places[position], None)
        if lane is not None and lane.reports:
            result = finish_fn(lane, cohort.state, cohort.lanes, position)
            cohort.results[cohort.places[position]] = result


def _cut_down(cohort: _Cohort, num_lanes: int) -> None:
    """Keeps the active lanes on the device, and others up to a number."""
    stays = np.sort(np.argsort(~cohort.is_active, kind="stable")[:num_lanes])
    cohort.places, cohort.is_active = cohort.places[stays], cohort.is_active[stays]
    cohort.state, cohort.lanes = take_lanes((cohort.state, cohort.lanes), stays)


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
