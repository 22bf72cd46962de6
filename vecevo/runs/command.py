"""A run as the command line asks for it: resolved, shown, recorded, reported."""

import contextlib
import dataclasses
import json
import pathlib
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from rich.console import Console

from vecevo import catalogue
from vecevo.datasets.making import Dataset, describe_dataset
from vecevo.errors import InputError
from vecevo.results import Genome, NetworkResult, Progress, SearchResult
from vecevo.runs import budget, environment, journal, keeping, resolving
from vecevo.runs.configuration import RunConfig
from vecevo.runs.earlier import start_population
from vecevo.runs.evolve import (
    choose_pool_size,
    count_lists,
    expected_networks,
    search,
)
from vecevo.runs.parsing import to_toml
from vecevo.runs.reading import load_run
from vecevo.runs.recorded import replay
from vecevo.runs.report import console as shown
from vecevo.runs.report import live
from vecevo.runs.report import summary as summaries
from vecevo.runs.retraining import dataset_of
from vecevo.runs.tables import load_table
from vecevo.space import SearchSpace
from vecevo.strategies import Strategy
from vecevo.training import settings
from vecevo.training.forecast import forecast
from vecevo.training.planning import CohortClass
from vecevo.training.programs import products_in


def run(config: RunConfig, console: Console) -> None:
    """Runs a configuration and leaves its results in the output folder.

    Raises:
      InputError: naming the argument, for what cannot be run; what was trained by
        then stays, and nothing else is left.
    """
    environment.select_device(config.device)
    resolving.check(config)
    talk = Console(quiet=True) if config.quiet and not config.plan else console
    if config.landscape is not None:
        run_on_landscape(config, talk, console)
        return
    cache_dir = environment.set_up_cache(config.cache_dir)
    space, fixed = resolving.make_space(config)
    config = resolve(config, space)
    folder = pathlib.Path(str(config.output_dir))
    if not config.plan:
        check_new(folder)
    start = None
    if config.start_from is not None:
        sizes = {"population_size": size_of(config), "seed": config.seed}
        start = start_population(config.start_from, space, fixed, talk, **sizes)
    dataset = dataset_of(config, cache_dir and cache_dir / "datasets")
    config = resolving.resolve_training(config, dataset)
    describe(config, space, dataset, talk)
    plan = show_plan(config, space, fixed, dataset, talk)
    if config.plan:
        return
    environment.make_folder(folder)
    (folder / "config.toml").write_text(to_toml(config))
    try:
        result = evolve(config, space, fixed, start, dataset, plan, folder, console)
    except InputError as error:
        if journal.read_networks(folder / "run.sqlite"):
            raise InputError(f"{error} What was trained is in {folder}.") from error
        shutil.rmtree(folder)  # made above, and nothing has been trained
        raise
    facts = {"seed": config.seed, "versions": summaries.versions()}
    with products_in(config.precision):
        keeping.leave_networks(result, dataset, folder, facts)
    summary = summaries.result_dict(result, dataset, config, space)
    leave_result(summary, space, folder, console)
    if config.report:
        leave_report(folder, console)


def run_on_landscape(config: RunConfig, talk: Console, console: Console) -> None:
    """Searches a recorded table as configured; nothing is trained.

    Progress goes to `talk`, the result to `console`.
    """
    try:
        table = load_table(str(config.landscape))
    except InputError as error:
        raise InputError(f"landscape={config.landscape!r}: {error}") from error
    config = resolve(config, table.space)
    folder = pathlib.Path(str(config.output_dir))
    check_new(folder)
    num_replicates = table.validation_accuracy.shape[1]
    talk.print(
        f"{config.strategy} search over {table.space.num_genomes:,} recorded networks, "
        f"{num_replicates} replicates of each: {config.num_generations} generations "
        f"of {config.population_size}"
    )

    def progress_fn(progress: Progress) -> None:
        talk.print(shown.progress_line(progress, config.num_generations))

    result = replay(
        table,
        strategy=make_strategy(config, table.space),
        num_generations=config.num_generations,
        seed=config.seed,
        objectives=config.objectives,
        progress_fn=progress_fn,
    )
    environment.make_folder(folder)
    (folder / "config.toml").write_text(to_toml(config))
    summary = summaries.replay_dict(result, table, config)
    leave_result(summary, table.space, folder, console)


def leave_result(
    summary: dict[str, Any], space: SearchSpace, folder: pathlib.Path, console: Console
) -> None:
    """Writes result.json, and shows what is in it."""
    (folder / "result.json").write_text(json.dumps(summary, indent=2) + "\n")
    shown.show_result(summary, [name for name, _ in space.genes], folder, console)
    if summary.get("ensemble"):
        console.print(shown.ensemble_line(summary["ensemble"]))


def leave_report(folder: pathlib.Path, console: Console) -> None:
    """Writes the page about the run into its folder."""
    # Only now, as it imports Matplotlib.
    from vecevo.runs.report import page

    page.write_report([load_run(folder)], folder / "report.html")
    console.print(f"report: {folder / 'report.html'}")


def resolve(config: RunConfig, space: SearchSpace) -> RunConfig:
    """Fills in the search, and the output folder that is named after it."""
    config = resolving.resolve_search(config, space)
    output_dir = config.output_dir or default_folder(config)
    return dataclasses.replace(config, output_dir=output_dir)


def default_folder(config: RunConfig) -> str:
    """The output folder of a configuration that names none."""
    if config.landscape is not None:
        name = f"landscape-{pathlib.Path(config.landscape).stem}"
    elif "." in config.dataset:
        name = pathlib.Path(config.dataset).stem
    else:
        name = config.dataset.replace("/", "-")
    return f"runs/{name}-{config.strategy}-{config.seed}"


def check_new(folder: pathlib.Path) -> None:
    """Refuses an output folder that is there already."""
    if folder.exists():
        raise InputError(
            f"output_dir={str(folder)!r} exists and is never overwritten: name another "
            "with --output-dir, or move it away."
        )


def evolve(
    config: RunConfig,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    start: np.ndarray | None,
    dataset: Dataset,
    plan: list[CohortClass],
    folder: pathlib.Path,
    console: Console,
) -> SearchResult:
    """Searches as configured, showing and recording what is trained."""
    meta = {
        "space": space.genes,
        "fixed": fixed,
        "config": dataclasses.asdict(config),
        "plan": [cohort_class._asdict() for cohort_class in plan],
        "versions": summaries.versions(),
        "device": jax.devices()[0].device_kind,
    }
    expected = expected_networks(space, fixed, list_size=1, num_lists=1)
    pool_size = choose_pool_size(config.ensemble, expected, dataset)
    keep_fn = keeping.make_pool_keeper(folder / keeping.POOL, pool_size)
    sizes = {
        "num_generations": config.num_generations,
        "population_size": size_of(config),
    }
    standing = live.start_standing(space, fixed, **sizes)
    with (
        contextlib.closing(journal.create(folder / "run.sqlite", meta)) as connection,
        live.watch(console, standing, is_quiet=config.quiet) as view,
    ):

        def record_fn(
            generation: int,
            genomes: Sequence[Genome],
            results: Sequence[NetworkResult],
        ) -> None:
            keep_fn(genomes, results)
            journal.record(connection, generation, genomes, results)
            view.take_cohort(results)

        def progress_fn(progress: Progress) -> None:
            journal.record_generation(connection, progress)
            view.take_generation(progress)

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
            ensemble=config.ensemble,
            record_fn=record_fn,
            progress_fn=progress_fn,
            **resolving.training_settings(config),
        )


def make_strategy(config: RunConfig, space: SearchSpace) -> Strategy:
    """Returns the strategy of a configuration whose search is resolved."""
    return catalogue.make_strategy(
        str(config.strategy),
        space.num_choices,
        population_size=size_of(config),
        num_generations=config.num_generations,
        num_objectives=len(config.objectives),
        genetic_setting=config.genetic_setting,
        without_repeats=config.without_repeats,
    )


def size_of(config: RunConfig) -> int:
    """The population size of a configuration whose search is resolved."""
    if config.population_size is None:
        raise TypeError("population_size is not resolved")
    return config.population_size


def show_plan(
    config: RunConfig,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    dataset: Dataset,
    console: Console,
) -> list[CohortClass]:
    """Prints what is expected of the run; the whole table if only that is asked."""
    size, strategy = size_of(config), make_strategy(config, space)
    num_lists = count_lists(space, strategy.share_new, size, config.num_generations)
    lists = {"list_size": size, "num_lists": num_lists}
    expected = expected_networks(space, fixed, **lists)
    resolved = settings.resolve(resolving.training_settings(config), dataset)
    data_shape = (*dataset.x_train.shape, dataset.num_classes)
    asked = (data_shape, expected, resolved, config.max_seconds)
    planned = budget.plan_in_time(*asked)
    rows = forecast(expected.shapes, planned.classes, planned.job, **lists)
    if config.plan:
        console.print(shown.plan_table(rows))
    proposals = budget.propose(*asked, num_genomes=space.num_genomes)
    for line in shown.plan_lines(rows, planned, proposals):
        console.print(line)
    return planned.classes


def describe(
    config: RunConfig, space: SearchSpace, dataset: Dataset, console: Console
) -> None:
    """Says what is about to run."""
    for line in describe_dataset(dataset):
        console.print(line)
    if config.batch_size is not None and config.batch_size > len(dataset.y_train):
        console.print(
            f"batch_size {config.batch_size} is more than there are examples to train "
            "on: each epoch is one step"
        )
    if dataset.is_article:
        console.print(
            "protocol article: stops and selects on the TEST part, as the article did; "
            "its accuracies are no estimate for new data"
        )
    console.print(
        f"{config.strategy} search over {space.num_genomes:,} networks: "
        f"{config.num_generations} generations of {config.population_size} on "
        f"{jax.devices()[0].device_kind}"
    )
