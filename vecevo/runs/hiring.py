"""The workers of a run, as its configuration asks for them."""

import contextlib
import dataclasses
import functools
import pathlib
import time
from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console

from vecevo.runs.configuration import RunConfig
from vecevo.runs.files.retraining import dataset_of
from vecevo.runs.report.verdict import counted
from vecevo.runs.resolving import has_workers
from vecevo.training.sessions import most_workers
from vecevo.training.workers.crew import Crew
from vecevo.training.workers.opening import check_number, open_workers


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
            dataset_of, config, cache_dir and cache_dir / "datasets"
        ),
    ) as crew:
        planned = config.planned_workers or most_workers()
        for line in lines(crew, planned, time.perf_counter() - start):
            console.print(line)
        yield Hired(dataclasses.replace(config, planned_workers=planned), crew)


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
