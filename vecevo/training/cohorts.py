"""Trains a cohort from its first epoch to its last: the host's side of training.

The device does the work in two programs for each shape (`epochs.init_lanes` and
`epochs.train_epoch`); the host reads a few numbers per lane and epoch, and cuts
the cohort down to fewer lanes when enough of them have stopped.
"""

import concurrent.futures
import operator
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.training import epochs, networks


class LaneResult(NamedTuple):
    """What training gave in one lane, on the host; curves have one entry an epoch."""

    train_loss: np.ndarray  # float32[num_epochs]
    validation_loss: np.ndarray  # float32[num_epochs]
    validation_accuracy: np.ndarray  # float32[num_epochs]
    kept_epoch: int  # the epoch that `params` are from
    is_failed: bool  # the loss of the last epoch was not finite
    params: dict  # padded, NumPy


class Setup(NamedTuple):
    """What all cohorts of a run share."""

    programs: "Programs"
    data: epochs.TrainingData
    rule: epochs.StoppingRule
    order_key: jax.Array  # random key of the order of examples


class Trained(NamedTuple):
    """What training a cohort gave."""

    lane_results: list[LaneResult | None]  # None for an empty lane
    num_lane_epochs: int  # executed
    wait_seconds: float  # for programs to be compiled


class _Shape(NamedTuple):
    """What a program is compiled for, beside the data set."""

    network: networks.PaddedMLP
    num_lanes: int


def with_settings_of_this_thread(fn):
    """Returns the function under JAX's settings of now, for another thread to call.

    A thread does not inherit settings made by a context, such as `jax.enable_x64`.
    """
    is_x64 = jax.config.jax_enable_x64
    precision = jax.config.jax_default_matmul_precision

    def call(*args):
        with jax.enable_x64(is_x64), jax.default_matmul_precision(precision):
            return fn(*args)

    return call


class Programs:
    """The compiled programs of a run: each is compiled once, ahead in a thread."""

    def __init__(self, data, batch_size):
        self._data, self._batch_size = data, batch_size
        self._futures = {}
        self._executor = concurrent.futures.ThreadPoolExecutor(max_workers=1)

    @property
    def num_programs(self):
        """Shapes compiled so far; two programs, for init and epochs, make one."""
        return sum(f.done() and not f.cancelled() for f in self._futures.values())

    def request(self, network, num_lanes):
        """Starts compiling for a shape in the background, unless that was done."""
        shape = _Shape(network, num_lanes)
        if shape not in self._futures:
            compile_shape = with_settings_of_this_thread(self._compile)
            self._futures[shape] = self._executor.submit(compile_shape, shape)

    def get(self, network, num_lanes):
        """Returns the init and the epoch program of a shape, and the seconds waited."""
        self.request(network, num_lanes)
        start = time.perf_counter()
        init, train_epoch = self._futures[_Shape(network, num_lanes)].result()
        return init, train_epoch, time.perf_counter() - start

    def close(self):
        """Drops what is not compiled yet."""
        self._executor.shutdown(cancel_futures=True)

    def _compile(self, shape):
        num_features = self._data.x_train.shape[1]
        lanes = epochs.example_lanes(shape.num_lanes)
        init = epochs.init_lanes.lower(
            lanes, network=shape.network, num_features=num_features
        ).compile({"xla_backend_optimization_level": 1} if is_on_cpu() else None)
        state = init.out_info
        epoch = epochs.train_epoch.lower(
            state,
            lanes,
            self._data,
            epochs.StoppingRule(jnp.array(0), jnp.array(0), jnp.array(False)),
            jnp.array(0),
            jax.random.key(0),
            network=shape.network,
            batch_size=self._batch_size,
        ).compile()
        return init, epoch


def is_on_cpu():
    return jax.default_backend() == "cpu"


def train_cohort(setup, network, lanes, is_occupied, lane_counts, *, is_stopped_fn):
    """Trains lanes until the last one stops.

    Args:
      setup: Setup.
      network: networks.PaddedMLP.
      lanes: epochs.Lanes.
      is_occupied: bool[L]; an empty lane computes, but is not waited for.
      lane_counts: those that the cohort may be cut down to, and L.
      is_stopped_fn: asked before every epoch whether to give up.

    Returns:
      Trained, or None when that was stopped before the last lane was.
    """
    lanes_left = np.arange(len(is_occupied))  # the original lane of each lane
    is_active = np.asarray(is_occupied)
    init, train_epoch, wait_seconds = setup.programs.get(network, len(lanes_left))
    state = init(lanes)._replace(is_active=jnp.asarray(is_active))
    reports = {lane: [] for lane in np.flatnonzero(is_active)}
    results: list[LaneResult | None] = [None] * len(lanes_left)
    num_lane_epochs = 0
    for epoch in range(int(setup.rule.max_epochs)):
        if is_stopped_fn():
            return None
        state, report = train_epoch(
            state, lanes, setup.data, setup.rule, jnp.array(epoch), setup.order_key
        )
        report = jax.device_get(report)
        num_lane_epochs += len(lanes_left)
        for position in np.flatnonzero(is_active):
            row = jax.tree.map(operator.itemgetter(position), report)
            reports[lanes_left[position]].append(row)
        is_active = report.is_active
        if not is_active.any():
            break
        num_lanes = min(n for n in lane_counts if n >= is_active.sum())
        if num_lanes < len(lanes_left):
            _collect(results, reports, state, lanes_left, is_active, setup.rule)
            stays = np.sort(np.argsort(~is_active, kind="stable")[:num_lanes])
            lanes_left, is_active = lanes_left[stays], is_active[stays]
            state, lanes = epochs.take_lanes((state, lanes), stays)
            _, train_epoch, waited = setup.programs.get(network, num_lanes)
            wait_seconds += waited
    _collect(results, reports, state, lanes_left, is_active, setup.rule)
    return Trained(results, num_lane_epochs, wait_seconds)


def _collect(results, reports, state, lanes_left, is_active, rule):
    """Adds the results of lanes that have stopped."""
    kept_params = jax.device_get(state.kept_params)
    for position, lane in enumerate(lanes_left):
        if is_active[position] or lane not in reports or results[lane] is not None:
            continue
        rows = reports[lane]
        last = rows[-1]
        best = [epoch for epoch, row in enumerate(rows) if row.is_best]
        keeps_last = bool(rule.keeps_last) or not best
        results[lane] = LaneResult(
            train_loss=np.array([row.train_loss for row in rows]),
            validation_loss=np.array([row.validation_loss for row in rows]),
            validation_accuracy=np.array([row.validation_accuracy for row in rows]),
            kept_epoch=len(rows) - 1 if keeps_last else best[-1],
            is_failed=not np.isfinite(last.train_loss + last.validation_loss),
            params=jax.tree.map(operator.itemgetter(position), kept_params),
        )
