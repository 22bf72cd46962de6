"""The workers of a run: asked for by its configuration, started, shown."""

import contextlib
import dataclasses
import functools
import os
import pathlib
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rich.console import Console

from vecevo.runs.configuration import RunConfig
from vecevo.runs.files.retraining import dataset_of
from vecevo.runs.report.verdict import counted
from vecevo.runs.resolving import has_workers
from vecevo.training.sessions import most_workers
from vecevo.training.workers.crew import Crew
from vecevo.training.workers.members import Member
from vecevo.training.workers.opening import check_number, open_workers

MOST_LINES = 8  # of workers, in a view


class Hired(NamedTuple):
    """A run's settings, and who trains."""

    config: RunConfig  # with the number of workers that the plan is made for
    crew: Crew | None  # None: the threads of this process


def device_here(config: RunConfig) -> str:
    """What this process computes on; workers have the accelerators to themselves."""
    return "cpu" if has_workers(config) else config.device


def check(config: RunConfig) -> None:
    """Refuses workers that there cannot be.

    Raises:
      InputError: naming the setting.
    """
    if config.workers not in ("none", "auto"):
        check_number(config.workers)


@contextlib.contextmanager
def hire(
    config: RunConfig, cache_dir: pathlib.Path | None, console: Console
) -> Iterator[Hired]:
    """Starts the workers of a run, where it has any, and says who they are.

    Raises:
      InputError: where they cannot be had.
    """
    if not has_workers(config):
        yield Hired(config, None)
        return
    start = time.perf_counter()
    with open_workers(
        "auto" if config.workers == "none" else config.workers,
        ray=config.ray,
        device=config.device,
        allow_mixed_devices=config.allow_mixed_devices,
        read_fn=functools.partial(
            dataset_of, from_anywhere(config), cache_dir and cache_dir / "datasets"
        ),
    ) as crew:
        planned = config.planned_workers or most_workers()
        for line in lines(crew, planned, time.perf_counter() - start):
            console.print(line)
        yield Hired(dataclasses.replace(config, planned_workers=planned), crew)


def from_anywhere(config: RunConfig) -> RunConfig:
    """The settings with paths of data that do not depend on where a process is."""
    paths, data_dir = {}, config.data_dir
    if pathlib.Path(config.dataset).suffix and pathlib.Path(config.dataset).is_file():
        paths["dataset"] = os.path.abspath(config.dataset)
    if data_dir is not None:
        paths["data_dir"] = os.path.abspath(os.path.expanduser(data_dir))
    return dataclasses.replace(config, **paths)


def lines(crew: Crew, planned: int, seconds: float) -> list[str]:
    """Says who the workers are, and whether the plan suits them."""
    num = len(crew.workers)
    said = [
        f"{counted(num, 'worker')} on {crew.device.kind}, by Ray in {seconds:.1f} s"
    ]
    if num > planned:
        said.append(
            f"the plan is for {counted(planned, 'worker')}: with --planned-workers "
            f"{num} there are cohorts for all, which differ by rounding"
        )
    return said


def make_lines_fn(crew: Crew | None) -> Callable[[], list[str]]:
    """Makes a function that says what each worker of a crew trains, if there is one."""
    return list if crew is None else lambda: worker_lines(crew)


def worker_lines(crew: Crew) -> list[str]:
    """Says what each worker trains, and how long they were idle before."""
    workers, now = crew.workers, time.monotonic()
    lines = [worker_line(member, now) for member in workers[:MOST_LINES]]
    if len(workers) > MOST_LINES:
        lines.append(f"and {len(workers) - MOST_LINES} others")
    if crew.idle_share is not None:
        lines.append(f"{crew.idle_share:.0%} idle at the end of the last generation")
    return lines


def worker_line(member: Member, now: float) -> str:
    """Says what a worker is at; `now` is of the monotonic clock."""
    node = member.identity.node if member.identity else ""
    task = member.task  # which another thread may change
    if task is None:
        return f"{member.number} on {node}: {'idle' if member.is_ready else 'begins'}"
    width, depth, _ = task.cohort.cohort_class
    networks = counted(len(task.hyperparams), "network")
    return (
        f"{member.number} on {node}: {networks}, width {width}, depth {depth}, for "
        f"{now - member.since:.0f} s"
    )
