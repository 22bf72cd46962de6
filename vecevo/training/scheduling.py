"""Trains the cohorts of a plan, several at a time, and halves what finds no room.

A step of a small cohort is too little work to share between the cores of a CPU, so
each core trains a cohort of its own; an accelerator trains one after the other.
"""

import concurrent.futures
import gc
import threading
import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from vecevo.errors import InputError
from vecevo.training import cohorts, planning
from vecevo.training.devices import is_on_cpu
from vecevo.training.minibatches import Lanes
from vecevo.training.outcomes import Parked
from vecevo.training.programs import with_settings_of_this_thread
from vecevo.training.sessions import Session, padded_module


class Attempt(NamedTuple):
    """What trying to train a cohort gave."""

    trained: cohorts.Trained | None  # None: it found no memory
    seconds: float = 0.0


def train_plan(
    session: Session,
    plan: Sequence[planning.Cohort],
    make_lanes_fn: Callable[[planning.Cohort], Lanes],
    *,
    wants_params_fn: Callable[[float, int], bool],
    end_epoch: int | None = None,
    parked: Mapping[int, Parked] | None = None,
) -> Generator[tuple[planning.Cohort, cohorts.Trained, float]]:
    """Trains cohorts, `session.job.num_workers` at a time, in the order of the plan.

    Closing the iterator stops what is in training, at the end of its call of the
    device.

    Args:
      session: of the run.
      plan: the cohorts.
      make_lanes_fn: makes the lanes of a cohort.
      wants_params_fn: as for `batches.train_list`; called in several threads.
      end_epoch: the rung to train to; None: the cap on epochs.
      parked: row -> its lane, of all rows of the plan; None: they start anew.

    Yields:
      The cohort, what it gave, and seconds, as they finish. When the time is up,
      partial ones come too.

    Raises:
      InputError: when the device has no room for a single network.
    """
    for cohort in plan:
        request_programs(session, cohort)
    is_abandoned = threading.Event()

    @with_settings_of_this_thread
    def train(cohort: planning.Cohort) -> Attempt:
        start = time.perf_counter()
        tried = attempt(
            session,
            cohort,
            make_lanes_fn,
            is_stopped_fn=lambda: is_abandoned.is_set() or session.is_time_up_fn(),
            wants_params_fn=wants_params_fn,
            end_epoch=end_epoch,
            parked=parked,
        )
        return tried._replace(seconds=time.perf_counter() - start)

    # A plan may be for workers with a device each; threads share one, and its memory.
    num_threads = session.job.num_workers if is_on_cpu() else 1
    executor = concurrent.futures.ThreadPoolExecutor(num_threads)
    futures = {executor.submit(train, cohort): cohort for cohort in plan}
    try:
        while futures:
            done, _ = concurrent.futures.wait(
                futures, return_when=concurrent.futures.FIRST_COMPLETED
            )
            # What was trained comes first: nothing of it may be lost to an error.
            for future in sorted(done, key=_brings_an_error):
                cohort = futures.pop(future)
                tried = future.result()
                if tried.trained is not None:
                    yield cohort, tried.trained, tried.seconds
                else:
                    for half in halve(session, cohort):
                        request_programs(session, half)
                        futures[executor.submit(train, half)] = half
    finally:
        is_abandoned.set()
        executor.shutdown(cancel_futures=True)


def attempt(
    session: Session,
    cohort: planning.Cohort,
    make_lanes_fn: Callable[[planning.Cohort], Lanes],
    *,
    is_stopped_fn: Callable[[], bool],
    wants_params_fn: Callable[[float, int], bool],
    end_epoch: int | None,
    parked: Mapping[int, Parked] | None,
) -> Attempt:
    """Trains a cohort; a lack of memory is a value.

    As an error it would hold the frames in which it was raised, and with them the
    memory that the next attempt needs.
    """
    trained, replicate = None, cohort.replicate
    try:
        trained = cohorts.train_cohort(
            session.setup,
            padded_module(session, cohort.cohort_class),
            make_lanes_fn(cohort),
            np.array(cohort.individuals) >= 0,
            cohort.cohort_class.lane_counts,
            is_stopped_fn=is_stopped_fn,
            wants_params_fn=lambda accuracy: wants_params_fn(accuracy, replicate),
            replicate=replicate,
            end_epoch=end_epoch,
            parked=[parked[i] for i in cohort.individuals if i >= 0] if parked else (),
        )
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
    if trained is None:
        gc.collect()  # before this thread goes on to another cohort
    return Attempt(trained)


def _brings_an_error(future: concurrent.futures.Future) -> bool:
    return future.exception() is not None or future.result().trained is None


def request_programs(session: Session, cohort: planning.Cohort) -> None:
    """Lets the programs of a cohort compile while earlier cohorts train."""
    module = padded_module(session, cohort.cohort_class)
    for num_lanes in reversed(cohort.cohort_class.lane_counts):
        if num_lanes <= len(cohort.individuals):
            session.setup.programs.request(module, num_lanes)


def halve(
    session: Session,
    cohort: planning.Cohort,
    *,
    reason: str = "the device has no memory",
) -> list[planning.Cohort]:
    """Returns two cohorts for one that could not be trained.

    The class is halved too, in `session.classes`, for all later lists of the run.

    Raises:
      InputError: for a single network, with the reason.
    """
    num_lanes, whole = len(cohort.individuals), cohort.cohort_class
    if num_lanes == 1:
        raise InputError(
            f"{reason} for one network of depth={whole.depth}, padded to "
            f"width={whole.width}: leave it out, or lower batch_size."
        )
    half = planning.halve_class(whole, num_lanes)
    if whole in session.classes:
        session.classes[session.classes.index(whole)] = half
        warnings.warn(
            f"{reason} for {num_lanes} networks of width {whole.width} "
            f"and depth {whole.depth} at once: {half.lane_counts[-1]} from now on",
            stacklevel=2,
        )
    members = [i for i in cohort.individuals if i >= 0]
    return planning.fill_cohorts(half, members, replicate=cohort.replicate)
