"""Trains a cohort from its first epoch to its last: the host's side of training.

The device does the work in two programs for each shape (`epochs.init_lanes` and
`epochs.train_epochs`); the host reads a few numbers per lane and epoch, and cuts
the cohort down to fewer lanes when enough of them have stopped.
"""

import dataclasses
import functools
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.keys import IMPLEMENTATION, order_key_of
from vecevo.training.epochs import MOST_EPOCHS, Call, Lanes, TrainingData
from vecevo.training.lanes import losses
from vecevo.training.lanes.networks import Architecture, PaddedMLP
from vecevo.training.lanes.stopping import EpochReport, LaneState, StoppingRule
from vecevo.training.programs import Compiled, Programs, is_on_cpu, products_in

CALL_SECONDS = 0.5  # that the device is about to work for without the host
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
    cohort = _start(programs.init, lanes, np.asarray(is_occupied))
    order_key = order_key_of(setup.order_key, replicate)
    epoch, num_lane_epochs, at_once = 0, 0, 1
    while epoch < int(setup.rule.max_epochs):
        if programs is None or is_stopped_fn():
            break
        fewer = [n for n in lane_counts if n < len(cohort.places)]
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
        if not num_active:
            break
        # From each number to the next: an accelerator compiles a gather for each.
        for number in sorted((n for n in fewer if n >= num_lanes), reverse=True):
            _cut_down(cohort, number, module)
        programs, seconds = get_programs(num_lanes, is_stopped_fn)
        waited += seconds
    is_partial = bool(cohort.is_open.any())
    _close(cohort, np.ones(len(cohort.places), bool), finish_fn)
    return Trained(cohort.results, num_lane_epochs, waited, is_partial)


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
    is_there = programs.wait(module, num_lanes, is_stopped_fn)
    compiled = programs.get(module, num_lanes) if is_there else None
    return compiled, time.perf_counter() - start


def _start(init: Callable, lanes: Lanes, is_occupied: np.ndarray) -> _Cohort:
    num_lanes = len(is_occupied)
    return _Cohort(
        state=init(lanes)._replace(is_active=jnp.asarray(is_occupied)),
        lanes=lanes,
        places=np.arange(num_lanes),
        is_active=is_occupied,
        is_open=is_occupied.copy(),
        num_epochs=np.zeros(num_lanes, int),
        best_epoch=np.full(num_lanes, -1),
        rows=[],
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
    cohort: _Cohort, is_closed: np.ndarray, finish_fn: Callable[..., LaneResult]
) -> None:
    """Takes the results of lanes bool[L'] that have trained for an epoch or more."""
    curves = np.stack(cohort.rows, axis=2) if cohort.rows else None
    lanes = (cohort.state.kept_params, cohort.lanes.architecture)
    lanes = jax.tree.map(np.asarray, lanes) if is_on_cpu() else lanes  # views
    for position in np.flatnonzero(is_closed & cohort.is_open[cohort.places]):
        place = cohort.places[position]
        cohort.is_open[place] = False
        num_epochs = cohort.num_epochs[place]
        if curves is not None and num_epochs:
            of_lane = curves[:, place, :num_epochs]
            best_epoch = int(cohort.best_epoch[place])
            cohort.results[place] = finish_fn(of_lane, best_epoch, lanes, position)


def _cut_down(cohort: _Cohort, num_lanes: int, module: PaddedMLP) -> None:
    """Keeps the active lanes on the device, and others up to a number."""
    stays = np.sort(np.argsort(~cohort.is_active, kind="stable")[:num_lanes])
    cohort.places, cohort.is_active = cohort.places[stays], cohort.is_active[stays]
    cohort.state, cohort.lanes = take_lanes(
        (cohort.state, cohort.lanes), stays, is_for_cpu=module.variant.is_for_cpu
    )


def take_lanes[Tree](tree: Tree, indices: np.ndarray, *, is_for_cpu: bool) -> Tree:
    """Picks lanes int[L'] of every leaf [L, ...] of a tree.

    A CPU's arrays are the host's too: there nothing is compiled for it.
    """
    if not is_for_cpu:
        return _take_on_device(tree, indices)

    def take(leaf: jax.Array) -> jax.Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            words = take(jax.random.key_data(leaf))
            return jax.random.wrap_key_data(words, impl=IMPLEMENTATION)
        return jnp.asarray(np.asarray(leaf)[indices])

    return jax.tree.map(take, tree)


@jax.jit
def _take_on_device[Tree](tree: Tree, indices: jax.Array) -> Tree:
    return jax.tree.map(lambda leaf: leaf[indices], tree)


def _finish(
    setup: Setup,
    module: PaddedMLP,
    wants_params_fn: Callable[[float], bool],
    curves: np.ndarray,
    best_epoch: int,
    lanes: tuple[dict, Architecture],
    position: int,
) -> LaneResult:
    """What a lane has measured, float[4, epochs]; if they are wanted, its weights."""
    by_name = dict(zip(CURVES, curves, strict=True))
    is_last = bool(setup.rule.keeps_last) or best_epoch < 0
    last = by_name["train_loss"][-1] + by_name["validation_loss"][-1]
    result = LaneResult(
        **by_name,
        kept_epoch=curves.shape[1] - 1 if is_last else best_epoch,
        is_failed=not np.isfinite(last),
        params=None,
    )
    if not wants_params_fn(result.score):
        return result
    # Of a stack of lanes, only what is wanted leaves the device.
    if not module.variant.is_for_cpu:
        one = np.array([position])
        lanes, position = jax.device_get(_take_on_device(lanes, one)), 0
    params, architecture = jax.tree.map(  # copied, as a view would hold the stack
        lambda leaf: np.array(leaf[position]), lanes
    )
    probabilities = None
    if setup.keeps_probabilities:
        x = setup.data.x_validation
        with products_in(setup.precision):
            probabilities = np.asarray(_say(params, architecture, x, module=module))
    return result._replace(params=params, probabilities=probabilities)


@functools.partial(jax.jit, static_argnames="module")
def _say(
    params: dict, architecture: Architecture, x: jax.Array, *, module: PaddedMLP
) -> jax.Array:
    said = losses.probabilities(params, architecture, x, module=module)
    return said.astype(jnp.float16)
