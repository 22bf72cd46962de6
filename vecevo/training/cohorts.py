"""Trains a cohort, from its first epoch or a rung: the host's side of training.

The device does the work in two programs for each shape (`epochs.init_lanes` and
`epochs.train_epochs`); the host reads a few numbers per lane and epoch, and cuts
the cohort down to fewer lanes when enough of them have stopped. At a rung all lanes
stop; those that were active are parked, and may go on together with others.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.keys import order_key_of
from vecevo.training.devices import is_on_cpu
from vecevo.training.epochs import MOST_EPOCHS, Call
from vecevo.training.lanes.networks import PaddedMLP
from vecevo.training.lanes.stopping import EpochReport, LaneState
from vecevo.training.minibatches import Lanes
from vecevo.training.outcomes import (
    CURVES,
    LaneResult,
    Parked,
    finish,
    park,
    stack_states,
    take_lanes,
)
from vecevo.training.programs import Compiled, Programs, Setup

CALL_SECONDS = 0.5  # that the device is about to work for without the host


class Trained(NamedTuple):
    """What training a cohort gave."""

    lane_results: list[LaneResult | None]  # None for a lane without an epoch
    num_lane_epochs: int  # executed
    wait_seconds: float  # for programs to be compiled


@dataclasses.dataclass
class _Cohort:
    """A cohort in training; L' lanes of it are left on the device."""

    state: LaneState  # of L' lanes
    lanes: Lanes  # L' of them
    places: np.ndarray  # int[L'], which lane of the L each is
    is_active: np.ndarray  # bool[L']
    is_open: np.ndarray  # bool[L], occupied, and without a result yet
    num_epochs: np.ndarray  # int[L], that each has trained for
    best_epoch: np.ndarray  # int[L], of the lowest loss; -1: none
    rows: list[np.ndarray]  # of each epoch float[4, L], what CURVES have of it
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
    end_epoch: int | None = None,
    parked: Sequence[Parked] = (),
) -> Trained:
    """Trains lanes until the last one stops, or to a rung.

    Args:
      setup: of the run.
      module: padded to the cohort.
      lanes: L of them.
      is_occupied: bool[L]; an empty lane computes, but is not waited for.
      lane_counts: those that the cohort may be cut down to, and L.
      is_stopped_fn: asked before every call of the device, of epochs for about
        CALL_SECONDS, whether to give up.
      wants_params_fn: validation accuracy, -inf where it failed -> whether a lane's
        weights are to leave the device.
      replicate: decides the order of examples.
      end_epoch: the rung, in epochs from the very first; None: the cap. For the
        weights of a lane that is active there nobody is asked.
      parked: the occupied lanes, as they were at one rung; none: lanes start anew.

    Returns:
      Trained; where that was stopped before the last lane was, the lanes that were
      active are partial, with what they had by then, and None without an epoch.
    """
    get_programs = functools.partial(_get_programs, setup.programs, module)
    finish_fn = functools.partial(finish, setup, module, wants_params_fn)
    num_lanes, end_epoch = len(is_occupied), end_epoch or int(setup.rule.max_epochs)
    programs, waited = get_programs(num_lanes, is_stopped_fn)
    if programs is None:
        return Trained([None] * num_lanes, 0, waited)
    cohort = _start(programs.init, lanes, np.asarray(is_occupied), parked)
    order_key = order_key_of(setup.order_key, replicate)
    epoch, num_lane_epochs, at_once = len(cohort.rows), 0, 1
    while epoch < end_epoch:
        if programs is None or is_stopped_fn():
            break
        fewer = [n for n in lane_counts if n < len(cohort.places)]
        at_once = min(at_once, end_epoch - epoch)
        call = Call(*map(jnp.array, (epoch, at_once, max(fewer, default=0))))
        start = time.perf_counter()
        cohort.state, *reports = programs.train_epochs(
            *(cohort.state, cohort.lanes, setup.data, setup.rule, call, order_key)
        )
        done = _take_reports(cohort, *jax.device_get(reports), epoch)
        at_once = _count_in_a_call(done, time.perf_counter() - start)
        epoch, num_lane_epochs = epoch + done, num_lane_epochs + done * num_lanes
        num_active = cohort.is_active.sum()
        num_lanes = min(n for n in lane_counts if n >= max(1, num_active))
        if num_active and num_lanes == len(cohort.places):
            continue
        _close(cohort, ~cohort.is_active, finish_fn)
        if not num_active or epoch == end_epoch:
            break
        # From each number to the next: an accelerator compiles a gather for each.
        for number in sorted((n for n in fewer if n >= num_lanes), reverse=True):
            _cut_down(cohort, number, module)
        programs, seconds = get_programs(num_lanes, is_stopped_fn)
        waited += seconds
    _close(cohort, ~cohort.is_active, finish_fn)
    is_partial = epoch < end_epoch and bool(cohort.is_open.any())
    if not is_partial and cohort.is_open.any():
        cohort.state = jax.device_get(cohort.state)  # all at once
        finish_fn = functools.partial(park, setup)
    _close(cohort, cohort.is_active, finish_fn, is_partial=is_partial)
    return Trained(cohort.results, num_lane_epochs, waited)


def _count_in_a_call(num_epochs: int, seconds: float) -> int:
    """How many epochs take about CALL_SECONDS, as some others did."""
    return int(np.clip(num_epochs * CALL_SECONDS / seconds, 1, MOST_EPOCHS))


def _get_programs(
    programs: Programs,
    module: PaddedMLP,
    num_lanes: int,
    is_stopped_fn: Callable[[], bool],
) -> tuple[Compiled | None, float]:
    """The programs of a shape, and seconds waited; None: stopped before."""
    start = time.perf_counter()
    compiled = programs.wait(module, num_lanes, is_stopped_fn)
    return compiled, time.perf_counter() - start


def _start(
    init: Callable,
    lanes: Lanes,
    is_occupied: np.ndarray,
    parked: Sequence[Parked],
) -> _Cohort:
    """A cohort before its first epoch; an empty lane repeats the first parked one."""
    num_lanes = len(is_occupied)
    numbers = np.where(is_occupied, np.cumsum(is_occupied) - 1, 0)
    before = [parked[number] for number in numbers] if parked else []
    state = stack_states(before) if before else init(lanes)
    rows = np.stack([lane.curves.T for lane in before], axis=2) if before else []
    best_epoch = [lane.best_epoch for lane in before] or [-1] * num_lanes
    return _Cohort(
        state=state._replace(is_active=jnp.asarray(is_occupied)),
        lanes=lanes,
        places=np.arange(num_lanes),
        is_active=is_occupied,
        is_open=is_occupied.copy(),
        num_epochs=np.full(num_lanes, len(rows)),
        best_epoch=np.array(best_epoch),
        rows=list(rows),
        results=[None] * num_lanes,
    )


def _take_reports(
    cohort: _Cohort, reports: EpochReport, num_epochs: int, epoch: int
) -> int:
    """Takes in what some epochs gave, of the lanes that were active in each.

    Args:
      cohort: changed.
      reports: of [E, L'].
      num_epochs: E, or fewer.
      epoch: the first.

    Returns:
      The number of epochs.
    """
    columns = np.stack([getattr(reports, name) for name in CURVES], axis=1)
    for number in range(int(num_epochs)):
        active = cohort.places[cohort.is_active]
        row = np.full((len(CURVES), len(cohort.results)), np.nan, columns.dtype)
        row[:, active] = columns[number][:, cohort.is_active]
        cohort.rows.append(row)
        cohort.num_epochs[active] += 1
        cohort.best_epoch[cohort.places[reports.is_best[number]]] = epoch + number
        cohort.is_active = np.asarray(reports.is_active[number])
    return int(num_epochs)


def _close(
    cohort: _Cohort,
    is_closed: np.ndarray,
    finish_fn: Callable[..., LaneResult],
    *,
    is_partial: bool = False,
) -> None:
    """Takes what lanes bool[L'] leave that have trained for an epoch or more."""
    curves = np.stack(cohort.rows, axis=2) if cohort.rows else None
    lanes = (cohort.state, cohort.lanes.architecture)
    lanes = jax.tree.map(np.asarray, lanes) if is_on_cpu() else lanes  # views
    for position in np.flatnonzero(is_closed & cohort.is_open[cohort.places]):
        place = cohort.places[position]
        cohort.is_open[place] = False
        num_epochs = cohort.num_epochs[place]
        if curves is not None and num_epochs:
            of_lane = curves[:, place, :num_epochs]
            best_epoch = int(cohort.best_epoch[place])
            left = finish_fn(of_lane, best_epoch, lanes, position)
            cohort.results[place] = left._replace(is_partial=is_partial)


def _cut_down(cohort: _Cohort, num_lanes: int, module: PaddedMLP) -> None:
    """Keeps the active lanes on the device, and others up to a number."""
    stays = np.sort(np.argsort(~cohort.is_active, kind="stable")[:num_lanes])
    cohort.places, cohort.is_active = cohort.places[stays], cohort.is_active[stays]
    cohort.state, cohort.lanes = take_lanes(
        (cohort.state, cohort.lanes), stays, is_for_cpu=module.variant.is_for_cpu
    )
