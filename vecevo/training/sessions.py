"""What all lists of networks of one run share: data on the device, plan, keys."""

import os
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from vecevo.training import cohorts, epochs, planning
from vecevo.training.recipe import check_counts

CLASS_WIDTHS = (64, 128, 256, 512, 768, 1024)  # widths between are padded to these
EXPECTED_EPOCHS = 25  # for the plan, where the cap on epochs is not lower


class RunKeys(NamedTuple):
    """The domains of a run's random draws, which never meet."""

    search: jax.Array
    network: jax.Array
    order: jax.Array
    start: jax.Array


def split_run_key(seed):
    """Returns the RunKeys of a seed."""
    key = jax.random.key(seed, impl="threefry2x32")  # as `threefry` draws from
    return RunKeys(*jax.random.split(key, 4))


class Session(NamedTuple):
    """All that the lists of networks of one run share."""

    dataset: object  # making.Dataset
    classes: list  # planning.CohortClasses
    setup: cohorts.Setup
    job: planning.Job
    is_time_up_fn: Callable  # asked before every epoch of every cohort
    network_root: jax.Array  # random key that networks fold their identity into


def memory_budget():
    """Bytes that cohorts may take: of a CPU's memory a quarter, of a device's most."""
    stats = jax.devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return int(stats["bytes_limit"] * 0.8)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4


def most_workers():
    """Cohorts that a device trains at once, given the memory: one a core of a CPU."""
    return num_cores() if cohorts.is_on_cpu() else 1


def num_cores():
    """Cores of the CPU that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def make_plan(
    data_shape,
    shapes,
    *,
    list_size,
    num_lists: float = 1,
    batch_size=64,
    max_epochs=50,
    memory_bytes=None,
):
    """Returns the planning.Job and CohortClasses of a run.

    `data_shape` is (N, F) of the part to train on; the rest as in `start_session`.
    """
    num_train, num_features = data_shape
    shapes = [(padded_width(width), depth) for width, depth in shapes]
    job = planning.Job(
        costs=planning.CPU if cohorts.is_on_cpu() else planning.ACCELERATOR,
        num_features=num_features,
        batch_size=batch_size,
        examples_at_once=max(batch_size, epochs.EVALUATION_BATCH),
        steps_per_epoch=-(-num_train // batch_size),
        expected_epochs=min(max_epochs, EXPECTED_EPOCHS),
        memory_bytes=memory_budget() if memory_bytes is None else memory_bytes,
        num_workers=1,
    )
    job = planning.share_memory(job, shapes, num_workers=most_workers())
    return job, planning.choose_classes(
        shapes, job, list_size=list_size, num_lists=num_lists
    )


def start_session(
    dataset,
    shapes,
    *,
    list_size,
    num_lists: float = 1,
    seed=0,
    batch_size=64,
    max_epochs=50,
    patience=5,
    memory_bytes=None,
    is_time_up_fn=lambda: False,
):
    """Puts the data set on the device and chooses the classes of cohorts.

    Args:
      dataset: making.Dataset.
      shapes: (width, depth) of every network that may come, each equally likely.
      list_size: networks that are expected to be trained at once.
      num_lists: how often that is expected to be done.
      seed: of initial weights, dropout and the order of examples.
      batch_size: B.
      max_epochs: cap on the epochs of a network.
      patience: epochs in a row without a lower validation loss before it stops.
      memory_bytes: that cohorts may take; None is `memory_budget()`.
      is_time_up_fn: asked before every epoch; what is then not finished is dropped.
    """
    check_counts(batch_size=batch_size, max_epochs=max_epochs, patience=patience)
    job, classes = make_plan(
        dataset.x_train.shape,
        shapes,
        list_size=list_size,
        num_lists=num_lists,
        batch_size=batch_size,
        max_epochs=max_epochs,
        memory_bytes=memory_bytes,
    )
    arrays = (getattr(dataset, name) for name in epochs.TrainingData._fields)
    data = jax.device_put(epochs.TrainingData(*arrays))
    keys = split_run_key(seed)
    setup = cohorts.Setup(
        programs=cohorts.Programs(data, batch_size),
        data=data,
        rule=epochs.StoppingRule(
            patience=jnp.array(patience),
            max_epochs=jnp.array(max_epochs),
            keeps_last=jnp.array(dataset.is_article),
        ),
        order_key=keys.order,
    )
    return Session(
        dataset, classes, setup, job, is_time_up_fn, network_root=keys.network
    )


def padded_width(width):
    """The class width of a network; beyond the widest, its own."""
    return min((w for w in CLASS_WIDTHS if w >= width), default=width)
