"""Trains the cohorts of a plan, several at a time, and halves what finds no room.

A step of a small cohort is too little work to share between the cores of a CPU, so
each core trains a cohort of its own; an accelerator trains one after the other.
"""

import concurrent.futures
import threading
import time
import warnings

import jax
import numpy as np

from vecevo.training import cohorts, networks, planning


def train_plan(session, plan, make_lanes_fn):
    """Trains cohorts, `session.job.num_workers` at a time, in the order of the plan.

    Args:
      session: sessions.Session.
      plan: list of planning.Cohorts.
      make_lanes_fn: planning.Cohort -> epochs.Lanes.

    Yields:
      (Cohort, cohorts.Trained, seconds) as they finish. When the time is up, cohorts
      that are left out are not yielded.

    Raises:
      ValueError: when the device has no room for a single network.
    """
    for cohort in plan:
        _request_programs(session, cohort)
    is_abandoned = threading.Event()

    @cohorts.with_settings_of_this_thread
    def train(cohort):
        start = time.perf_counter()
        trained = cohorts.train_cohort(
            session.setup,
            _network(session, cohort),
            make_lanes_fn(cohort),
            np.array(cohort.individuals) >= 0,
            cohort.cohort_class.lane_counts,
            is_stopped_fn=lambda: is_abandoned.is_set() or session.is_time_up_fn(),
        )
        return trained, time.perf_counter() - start

    executor = concurrent.futures.ThreadPoolExecutor(session.job.num_workers)
    futures = {executor.submit(train, cohort): cohort for cohort in plan}
    try:
        while futures:
            done, _ = concurrent.futures.wait(
                futures, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in done:
                cohort = futures.pop(future)
                try:
                    trained, seconds = future.result()
                except jax.errors.JaxRuntimeError as error:
                    for half in _halve(session, cohort, error):
                        futures[executor.submit(train, half)] = half
                    continue
                if trained is not None:
                    yield cohort, trained, seconds
    finally:
        is_abandoned.set()
        executor.shutdown(cancel_futures=True)


def _request_programs(session, cohort):
    """Lets the programs of a cohort compile while earlier cohorts train."""
    for num_lanes in reversed(cohort.cohort_class.lane_counts):
        if num_lanes <= len(cohort.individuals):
            session.setup.programs.request(_network(session, cohort), num_lanes)


def _network(session, cohort):
    return networks.PaddedMLP(
        width=cohort.cohort_class.width,
        depth=cohort.cohort_class.depth,
        num_classes=session.dataset.num_classes,
    )


def _halve(session, cohort, error):
    """Returns two cohorts for one that the device had no memory for.

    The class is halved too, in `session.classes`, for all later lists of the run.
    """
    if "RESOURCE_EXHAUSTED" not in str(error):
        raise error
    num_lanes, whole = len(cohort.individuals), cohort.cohort_class
    if num_lanes == 1:
        raise ValueError(
            f"the device has no memory for one network of depth={whole.depth}, padded "
            f"to width={whole.width}: leave it out, or lower batch_size."
        ) from error
    half = planning.halve_class(whole, num_lanes)
    if whole in session.classes:
        session.classes[session.classes.index(whole)] = half
        warnings.warn(
            f"the device has no memory for {num_lanes} networks of width {whole.width} "
            f"and depth {whole.depth} at once: {half.lane_counts[-1]} from now on",
            stacklevel=2,
        )
    return planning.fill_cohorts(half, [i for i in cohort.individuals if i >= 0])
