"""`python -m vecevo.run`: parses, shows progress, calls search; no algorithm."""

import contextlib
import dataclasses
import json
import math
import pathlib
import shutil
import sys

import jax
import numpy as np
from rich.console import Console

from vecevo import config as configs
from vecevo import (
    datasets,
    environment,
    journal,
    operators,
    report,
    selfcheck,
    strategies,
)
from vecevo import session as sessions
from vecevo.forecast import forecast
from vecevo.hyperparams import complete
from vecevo.search import check_population, count_lists, possible_shapes, search
from vecevo.space import decode, encode

MOST_AT_ONCE = 1000  # networks of a grid in one generation


def run(config, console):
    """Runs a configuration and leaves its results in the output folder.

    Raises:
      ValueError: naming the argument, for what cannot be run; nothing is left then.
    """
    configs.check(config)
    environment.select_device(config.device)
    precision = environment.set_precision(config.precision)
    cache_dir = environment.set_up_cache(config.cache_dir)
    selfcheck.check_compiler(cache_dir)
    config = resolve(config)
    folder = pathlib.Path(config.output_dir)
    if folder.exists():
        raise ValueError(
            f"output_dir={str(folder)!r} exists and is never overwritten: name another "
            "with --output-dir, or move it away."
        )
    space, fixed = configs.make_space(config)
    start = start_population(config, space, fixed, console)
    dataset = datasets.load_dataset(
        config.dataset,
        data_dir=config.data_dir,
        cache_dir=cache_dir and cache_dir / "datasets",
        seed=config.seed,
        limit_train=config.limit_train,
        is_article=config.protocol == "article",
    )
    if config.standardize:
        dataset = datasets.standardize(dataset)
    describe(config, space, dataset, console)
    show_plan(config, space, fixed, dataset, console)
    if config.plan:
        return
    environment.make_folder(folder)
    try:
        (folder / "config.toml").write_text(configs.to_toml(config))
        result = evolve(config, space, fixed, start, dataset, folder, console)
    except ValueError as error:
        if journal.read_best(folder / "run.sqlite"):
            raise RuntimeError(f"stopped, but {folder} has what was trained") from error
        shutil.rmtree(folder)  # made above, and nothing has been trained
        raise
    summary = report.result_dict(result, dataset, config, precision)
    (folder / "result.json").write_text(json.dumps(summary, indent=2) + "\n")
    show_result(summary, [name for name, _ in space.genes], folder, console)


def evolve(config, space, fixed, start, dataset, folder, console):
    """Searches as configured, showing and recording what is trained."""
    with (
        contextlib.closing(journal.create(folder / "run.sqlite")) as connection,
        console.status("starting") as status,
    ):
        show_cohort = report.make_cohort_shower(console, status, config)

        def record_fn(generation, genomes, results):
            journal.record(connection, generation, genomes, results)
            show_cohort(generation, results)

        def progress_fn(progress):
            line = report.progress_line(progress, config.num_generations)
            console.print(line)

        return search(
            space,
            dataset,
            strategy=make_strategy(config, space.num_choices),
            population_size=config.population_size,
            num_generations=config.num_generations,
            seed=config.seed,
            max_seconds=config.max_seconds or math.inf,
            initial_population=start,
            fixed=fixed,
            record_fn=record_fn,
            progress_fn=progress_fn,
            patience=config.patience,
            **plan_settings(config),
        )


def plan_settings(config):
    """The settings that decide, beside the networks, what is trained together."""
    return {
        "batch_size": config.batch_size,
        "max_epochs": config.max_epochs,
        "memory_bytes": int(config.memory_gib * 2**30),
    }


def show_plan(config, space, fixed, dataset, console):
    """Prints what is expected of the run; the whole table if only that is asked."""
    shapes = possible_shapes(space, fixed)
    strategy = make_strategy(config, space.num_choices)
    size = config.population_size
    num_lists = count_lists(space, strategy, size, config.num_generations)
    lists = {"list_size": size, "num_lists": num_lists}
    job, classes = sessions.make_plan(dataset, shapes, **lists, **plan_settings(config))
    rows = forecast(shapes, classes, job, **lists)
    if config.plan:
        console.print(report.plan_table(rows))
    console.print(report.plan_line(rows, job))


def resolve(config):
    """Fills in what depends on data set and device."""
    space, _ = configs.make_space(config)
    name = (
        pathlib.Path(config.dataset).stem
        if "." in config.dataset
        else (config.dataset.replace("/", "-"))
    )
    memory_gib = config.memory_gib or sessions.memory_budget() / 2**30
    num_generations, population_size = config.num_generations, config.population_size
    if config.strategy == "grid":
        population_size = population_size or min(space.num_genomes, MOST_AT_ONCE)
        num_generations = -(-space.num_genomes // population_size)
    return dataclasses.replace(
        config,
        batch_size=config.batch_size or datasets.default_batch_size(config.dataset),
        max_epochs=config.max_epochs or datasets.default_max_epochs(config.dataset),
        memory_gib=round(memory_gib, 4),
        num_generations=num_generations,
        population_size=population_size or 20,
        output_dir=config.output_dir or f"runs/{name}-{config.strategy}-{config.seed}",
    )


def start_population(config, space, fixed, console):
    """Returns the first generation int[P, G] that the configuration names, or None."""
    if config.start_from is None:
        return None
    path = pathlib.Path(config.start_from)
    if path.suffix == ".json":
        genomes = read_genomes(path)
        try:
            check_population(genomes, space, config.population_size)
        except ValueError as error:
            raise ValueError(f"start_from={config.start_from!r}: {error}") from error
        return genomes
    path = path / "run.sqlite" if path.is_dir() else path
    known = []
    for values in journal.read_best(path):
        if all(values[name] in choices for name, choices in space.genes):
            genome = encode(space, values)
            if complete({**fixed, **decode(space, genome)}) == values:
                known.append(genome)
    known = known[: config.population_size]
    console.print(
        f"start: the best {len(known)} networks of {path}, and "
        f"{config.population_size - len(known)} random ones"
    )
    key = sessions.split_run_key(config.seed).start
    fresh = operators.random_population(
        key, space.num_choices, population_size=config.population_size
    )
    return np.concatenate([*(g[None] for g in known), fresh])[: config.population_size]


def read_genomes(path):
    """Reads a JSON list of genomes."""
    try:
        return np.array(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"start_from={str(path)!r} cannot be read ({reason}): give a JSON list of "
            "genomes of one length, or the folder of a run."
        ) from error


def make_strategy(config, num_choices):
    """The one table from names to functions."""
    if config.strategy == "genetic":
        setting = {
            "article": strategies.article_setting,
            "code": strategies.code_setting,
        }[config.genetic_setting]
        return strategies.genetic(num_choices, **setting(config.population_size))
    make = {"random": strategies.random, "grid": strategies.grid}[config.strategy]
    return make(num_choices, population_size=config.population_size)


def describe(config, space, dataset, console):
    """Says what is about to run."""
    console.print(
        f"{dataset.name}: {len(dataset.y_train):,} examples to train on, "
        f"{len(dataset.y_validation):,} to validate, {len(dataset.y_test):,} to test; "
        f"inputs: {dataset.scaling}"
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


def show_result(summary, genes, folder, console):
    """Prints the winners and the sum of the run."""
    seconds = summary["time_seconds"]
    if summary["best"]:
        console.print(report.top_table(summary, genes))
    else:
        console.print("no network was trained to its end: give the run more time")
    console.print(
        f"{summary['num_trained']} distinct networks trained for "
        f"{summary['num_evaluated']} asked, in {report.duration(seconds['total'])}, "
        f"{report.duration(seconds['compile'])} of it waiting for "
        f"{summary['num_programs']} compiled programs; results in {folder}"
    )


def main():
    """Runs the command line; bad input ends with one line and exit code 2."""
    # Where it is not a terminal, nothing need be cut to a width.
    width = None if sys.stdout.isatty() else 200
    console = Console(soft_wrap=True, highlight=False, width=width)
    try:
        run(configs.parse(sys.argv[1:]), console)
    except ValueError as error:
        print(f"vecevo: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("vecevo: stopped; run.sqlite has what was trained", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
