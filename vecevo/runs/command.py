"""A run as the command line asks for it: resolved, shown, recorded, reported."""

import dataclasses
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console

from vecevo.datasets.making import Dataset
from vecevo.errors import InputError
from vecevo.networks import saving
from vecevo.results import SearchResult, metric_prefix
from vecevo.runs import environment, hiring, landscape, resolving
from vecevo.runs.announcing import describe, show_plan
from vecevo.runs.configuration import RunConfig
from vecevo.runs.earlier import start_population
from vecevo.runs.evolve import search
from vecevo.runs.files import keeping, queries
from vecevo.runs.files.reading import load_run
from vecevo.runs.files.retraining import dataset_of
from vecevo.runs.files.store import telling
from vecevo.runs.files.toml import to_toml
from vecevo.runs.parsing import recorded_settings
from vecevo.runs.report import console as shown
from vecevo.runs.report import leaving, live, several
from vecevo.runs.report import summary as summaries
from vecevo.runs.settling import (
    check_new,
    is_bare,
    make_strategy,
    resolve,
    rungs_of,
    size_of,
)
from vecevo.runs.stopping import SIGNALS, Stop, end_by_signals, outlive_reader, watch
from vecevo.space import SearchSpace
from vecevo.training.lanes import metrics
from vecevo.training.programs import products_in
from vecevo.training.workers.crew import Crew


def run(config: RunConfig, console: Console) -> int:
    """Runs a configuration and leaves its results in the output folder.

    Returns:
      The exit code: 0, or that of the signal by which it was stopped.

    Raises:
      InputError: naming the argument, for what cannot be run; what was trained by
        then stays, and nothing else is left.
    """
    environment.select_device(hiring.device_here(config))
    resolving.check(config)
    hiring.check(config)
    is_quiet = config.quiet and not config.plan
    talk = Console(quiet=True, markup=False) if is_quiet else console
    if config.landscape is not None:
        landscape.run_on_landscape(config, talk, console)
        return 0
    if config.num_runs > 1:
        return run_several(config, talk, console)
    return run_training(config, talk, console)


def run_several(config: RunConfig, talk: Console, console: Console) -> int:
    """Does as `run`, once for each of several seeds, in folders of one folder."""
    cache_dir = environment.set_up_cache(config.cache_dir)
    config, _ = settle(config, cache_dir)
    folder = pathlib.Path(str(config.output_dir))
    first = folder / f"seed-{config.seed}"
    if config.resume is None and not config.plan:
        start_folder(config, folder)
    elif queries.has_networks(first):  # whose rungs by default may be others now
        config = dataclasses.replace(config, rungs=recorded_settings(str(first)).rungs)
    folders: list[pathlib.Path] = []
    to_go_on = f"to go on with all runs: {summaries.resume_command(config)}"
    for seed in range(config.seed, config.seed + config.num_runs):
        own = folder / f"seed-{seed}"
        folders.append(own)
        resume = str(own) if own.exists() else None
        changes = {"seed": seed, "output_dir": str(own), "resume": resume}
        talk.print(f"run {len(folders)} of {config.num_runs}: seed {seed}")
        one = dataclasses.replace(config, num_runs=1, **changes)
        code = run_training(one, talk, console, is_all=False)
        end_by_signals(f"stopped; {to_go_on}")
        if not config.plan:  # it may go on with other settings, and then differs
            leave_settings(config, folder)
            leaving.remove_report(folder)
        if code:
            console.print(to_go_on)
        if code or config.plan:
            return code
    runs = [load_run(own) for own in folders]
    several.show_spread(runs, console)
    if config.report:
        leaving.leave_report(runs, folder, console)
    return 0


def run_training(
    config: RunConfig, talk: Console, console: Console, *, is_all: bool = True
) -> int:
    """Does as `run`, where networks are trained; progress goes to `talk`.

    A signal after the end of the search stops nothing but the report, where this run
    is all that there is to do.
    """
    cache_dir = environment.set_up_cache(config.cache_dir)
    config, dataset = settle(config, cache_dir)
    space, fixed = resolving.make_space(config)
    folder, start = pathlib.Path(str(config.output_dir)), None
    if config.start_from is not None:
        start = start_population(
            *(config.start_from, space, fixed, talk),
            population_size=size_of(config),
            seed=config.seed,
            goes_on=config.resume is not None,
        )
    with hiring.hire(config, cache_dir, talk) as (config, crew):
        config = resolving.resolve_training(config, dataset)
        describe(config, space, fixed, dataset, talk)
        show_plan(config, space, fixed, dataset, talk)
        if config.plan:
            return 0
        if config.resume is not None and is_bare(folder):
            shutil.rmtree(folder)  # of a run that was killed before it began
            config = dataclasses.replace(config, resume=None)
        stop = Stop()
        outlive_reader(console, stop)
        with watch(stop, ends_process=True):
            code = record_run(config, space, fixed, start, dataset, stop, console, crew)
    return 0 if is_all and stop.has_ended else code


def settle(
    config: RunConfig, cache_dir: pathlib.Path | None
) -> tuple[RunConfig, Dataset]:
    """Reads the data set; fills in the space for its task, the search and the folder.

    Raises:
      InputError: for a data set that cannot be had, or a folder that is there already.
    """
    is_new = config.resume is None and not config.plan
    if is_new and config.output_dir is not None:  # before what may take long
        check_new(pathlib.Path(config.output_dir))
    dataset = dataset_of(config, cache_dir and cache_dir / "datasets")
    config = resolving.resolve_space(config, dataset.task)
    config = resolve(config, resolving.make_space(config)[0])
    if is_new:
        check_new(pathlib.Path(str(config.output_dir)))
    return config, dataset


def record_run(
    config: RunConfig,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    start: np.ndarray | None,
    dataset: Dataset,
    stop: Stop,
    console: Console,
    crew: Crew | None,
) -> int:
    """Searches as configured, and leaves what came of it; returns the exit code."""
    folder = pathlib.Path(str(config.output_dir))
    if config.resume is None:
        start_folder(config, folder)
    try:
        result = evolve(config, space, fixed, start, dataset, stop, console, crew)
    except BaseException as error:
        is_told = isinstance(error, InputError)
        if config.resume is None and not queries.has_networks(folder):
            shutil.rmtree(folder)  # made above, and nothing has been trained
        elif is_told and config.resume is None:
            raise InputError(f"{error} What was trained is in {folder}.") from error
        raise
    if stop.signal is not None and not queries.has_networks(folder):
        if config.resume is None:
            shutil.rmtree(folder)
        console.print(f"stopped by {stop.signal} before anything was trained")
        return SIGNALS[stop.signal]
    leave_settings(config, folder)
    with telling(folder):
        facts = {"seed": config.seed, "versions": environment.versions()}
        with products_in(config.precision):
            keeping.leave_networks(result, dataset, folder, facts)
        leaving.remove_report(folder)
        summary = summaries.result_dict(result, dataset, config, space)
        shown.leave_result(summary, space, folder, console)
    if config.report and stop.signal is None:
        leaving.leave_report([load_run(folder)], folder, console)
    stop.has_ended = result.stopped_by is None
    return 0 if stop.signal is None else SIGNALS[stop.signal]


def start_folder(config: RunConfig, folder: pathlib.Path) -> None:
    """Makes the folder of a new run, with its settings."""
    environment.make_folder(folder)
    try:
        leave_settings(config, folder)
    except InputError:
        shutil.rmtree(folder)
        raise


def leave_settings(config: RunConfig, folder: pathlib.Path) -> None:
    """Writes config.toml, from which the same run can be started again."""
    with telling(folder):
        content = to_toml(as_started(config)).encode()
        saving.write_whole(folder / "config.toml", content)


def as_started(config: RunConfig) -> RunConfig:
    """The settings as a run of them is started, wherever its folder is."""
    return dataclasses.replace(config, resume=None, plan=False)


def evolve(
    config: RunConfig,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    start: np.ndarray | None,
    dataset: Dataset,
    stop: Stop,
    console: Console,
    crew: Crew | None,
) -> SearchResult:
    """Searches as configured, showing and recording what is trained."""
    sizes = {
        "num_generations": config.num_generations,
        "population_size": size_of(config),
    }
    standing = live.start_standing(
        space,
        fixed,
        **sizes,
        num_replicates=config.replicates,
        num_rungs=len(rungs_of(config) or [0]),
        is_resumed=config.resume is not None,
        word=metric_prefix(metrics.row_of(str(config.metric)).word),
    )
    with live.watch(console, standing, is_quiet=config.quiet) as view:
        view.workers_fn = hiring.make_lines_fn(crew)
        return search(
            space,
            dataset,
            strategy=make_strategy(config, space),
            num_generations=config.num_generations,
            seed=config.seed,
            max_seconds=config.max_seconds,
            initial_population=start,
            objectives=config.objectives,
            fixed=fixed,
            replicates=config.replicates,
            rungs=config.rungs,
            confirm=config.confirm,
            ensemble=config.ensemble,
            output_dir=config.output_dir,
            resume=config.resume is not None,
            record_fn=view.take_cohort,
            progress_fn=view.take_generation,
            stop=stop,
            workers=crew,
            meta={"config": dataclasses.asdict(as_started(config))},
            **resolving.training_settings(config),
        )
