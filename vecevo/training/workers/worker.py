"""A worker: a process with a device of its own, which trains what it is handed."""

import importlib.metadata
import math
import os
import platform
import time
from typing import Any

import jax

from vecevo.datasets.fingerprints import fingerprint
from vecevo.datasets.making import Dataset
from vecevo.errors import InputError
from vecevo.training.batches import lanes_of
from vecevo.training.devices import own_device
from vecevo.training.planning import Cohort
from vecevo.training.scheduling import attempt, request_programs
from vecevo.training.sessions import Session, start_session
from vecevo.training.workers.messages import Answer, Identity, Order, Task

PACKAGES = ("vecevo", "jax", "jaxlib", "numpy")  # that must be the same everywhere
JAX_SETTINGS = (
    *("jax_enable_x64", "jax_default_matmul_precision"),
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)
QUICK = "jax_disable_most_optimizations"  # which JAX has no attribute of


class Worker:
    """An actor of Ray's; `stop` is called while `train` is under way."""

    def __init__(self):
        self._session: Session | None = None
        self._last_stopped = -1

    def introduce(self) -> Identity:
        """Says what this worker is."""
        device = own_device()
        if device.is_cpu and os.environ.get("JAX_PLATFORMS", "").startswith("cuda"):
            raise InputError(
                "JAX finds no GPU there, and Ray does: pip install 'vecevo[cuda]', or "
                "give --device cpu"
            )
        num_threads = int(os.environ["PJRT_NPROC"]) if device.is_cpu else None
        return Identity(device, versions(), platform.node(), os.getpid(), num_threads)

    def begin(self, order: Order, dataset: Dataset) -> str:
        """Builds the session of a run; returns the fingerprint of its data set.

        Args:
          order: of the run.
          dataset: as it was sent, where the order has no way to read it.

        Raises:
          InputError: as `start_session` does.
        """
        if self._session is not None:
            self._session.setup.programs.close()
        jax.clear_caches()  # what was compiled with other settings
        for name, value in order.jax_settings.items():
            jax.config.update(name, value)
        dataset = dataset if order.read_fn is None else order.read_fn()
        self._session = start_session(
            dataset,
            order.expected,
            order.settings,
            seed=order.seed,
            keeps_probabilities=order.keeps_probabilities,
        )
        return fingerprint(dataset)

    def train(self, task: Task) -> Answer:
        """Trains a cohort, and lets programs of the next compile meanwhile."""
        start, session = time.perf_counter(), self._session
        assert session is not None  # a driver begins before it hands out
        for cohort in filter(None, (task.cohort, task.ahead)):
            request_programs(session, cohort)

        def make_lanes_fn(cohort: Cohort) -> Any:
            return lanes_of(session, cohort, task.hyperparams)

        def wants_params_fn(accuracy: float, replicate: int) -> bool:
            del replicate  # of a task there is one
            return task.wants_params and accuracy > -math.inf

        tried = attempt(
            session,
            task.cohort,
            make_lanes_fn,
            is_stopped_fn=lambda: task.number <= self._last_stopped,
            wants_params_fn=wants_params_fn,
            end_epoch=task.end_epoch,
            parked=task.parked,
        )
        return Answer(tried.trained, time.perf_counter() - start)

    def stop(self, number: int) -> None:
        """Ends tasks up to a number at the end of their call of the device."""
        self._last_stopped = max(self._last_stopped, number)


def versions() -> dict[str, str]:
    """Returns the versions of the packages that numbers depend on."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def jax_settings() -> dict[str, Any]:
    """Returns the settings of JAX in this process that its workers are to have."""
    values = {name: getattr(jax.config, name) for name in JAX_SETTINGS}
    return values | {QUICK: jax.config.read(QUICK)}
