"""`python -m vecevo.run`: parses, shows progress, calls search; no algorithm."""

import contextlib
import dataclasses
import json
import math
import pathlib
import shutil
import sys
import warnings

import jax
from rich.console import Console

from vecevo import strategies
from vecevo.datasets import making
from vecevo.runs import configuration, environment, journal, report
from vecevo.runs.evolve import count_lists, possible_shapes, search
from vecevo.runs.recorded import replay
from vecevo.runs.starting import start_population
from vecevo.runs.tables import load_table
from vecevo.training import selfcheck, sessions
from vecevo.training.forecast import forecast

MOST_AT_ONCE = 1000  # networks of a grid in one generation
POPULATION_SIZE = 20  # of other strategies


def run(config, console):
    """Runs a configuration and leaves its results in the output folder.

    Raises:
      ValueError: naming the argument, for what cannot be run; nothing is left then.
    """
    configuration.check(config)
    environment.select_device(config.device)
    if config.landscape is not None:
        run_on_landscape(config, console)
        return
    precision = environment.set_precision(config.precision)
    cache_dir = environment.set_up_cache(config.cache_dir)
    selfcheck.check_compiler(cache_dir)
    config = resolve(config)
    folder = new_folder(config)
    space, fixed = configuration.make_space(config)
    start = start_population(config, space, fixed, console)
    dataset = making.load_dataset(
        config.dataset,
        data_dir=config.data_dir,
        cache_dir=cache_dir and cache_dir / "datasets",
        seed=config.seed,
        limit_train=config.limit_train,
        is_article=config.protocol == "article",
    )
    if config.standardize:
        dataset = making.standardize(dataset)
    describe(config, space, dataset, console)
    show_plan(config, space, fixed, dataset, console)
    if config.plan:
        return
    environment.make_folder(folder)
    try:
        (folder / "config.toml").write_text(configuration.to_toml(config))
        result = evolve(config, space, fixed, start, dataset, folder, console)
    except ValueError as error:
        if journal.read_networks(folder / "run.sqlite"):
            raise ValueError(f"{error} What was trained is in {folder}.") from error
        shutil.rmtree(folder)  # made above, and nothing has been trained
        raise
    summary = report.result_dict(result, dataset, config, precision, space)
    (folder / "result.json").write_text(json.dumps(summary, indent=2) + "\n")
    report.show_result(summary, [name for name, _ in space.genes], folder, console)


def run_on_landscape(config, console):
    """Searches a recorded table as configured; nothing is trained."""
    try:
        table = load_table(config.landscape)
    except ValueError as error:
        raise ValueError(f"landscape={config.landscape!r}: {error}") from error
    config = resolve_strategy(config, table.space)
    name = f"{pathlib.Path(config.landscape).stem}-{config.strategy}-{config.seed}"
    config = dataclasses.replace(
        resolve_sizes(config, table.space),
        output_dir=config.output_dir or f"runs/landscape-{name}",
    )
    folder = new_folder(config)
    strategy = make_strategy(config, table.space.num_choices)
    num_replicates = table.validation_accuracy.shape[1]
    console.print(
        f"{config.strategy} search over {table.space.num_genomes:,} recorded networks, "
        f"{num_replicates} replicates of each: {config.num_generations} generations "
        f"of {config.population_size}"
    )

    def progress_fn(progress):
        console.print(report.progress_line(progress, config.num_generations))

    result = replay(
        table,
        strategy=strategy,
        num_generations=config.num_generations,
        seed=config.seed,
        objectives=config.objectives,
        progress_fn=progress_fn,
    )
    environment.make_folder(folder)
    (folder / "config.toml").write_text(configuration.to_toml(config))
    summary = report.replay_dict(result, table, config)
    (folder / "result.json").write_text(json.dumps(summary, indent=2) + "\n")
    report.show_result(
        summary, [name for name, _ in table.space.genes], folder, console
    )


def new_folder(config):
    """Returns the path of the output folder, which must not be there yet."""
    folder = pathlib.Path(config.output_dir)
    if folder.exists():
        raise ValueError(
            f"output_dir={str(folder)!r} exists and is never overwritten: name another "
            "with --output-dir, or move it away."
        )
    return folder


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
            objectives=config.objectives,
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
    settings = {**lists, **plan_settings(config)}
    job, classes = sessions.make_plan(dataset.x_train.shape, shapes, **settings)
    rows = forecast(shapes, classes, job, **lists)
    if config.plan:
        console.print(report.plan_table(rows))
    console.print(report.plan_line(rows, job))


def resolve(config):
    """Fills in what depends on data set and device."""
    space, _ = configuration.make_space(config)
    config = resolve_strategy(config, space)
    name = (
        pathlib.Path(config.dataset).stem
        if "." in config.dataset
        else (config.dataset.replace("/", "-"))
    )
    memory_gib = config.memory_gib or sessions.memory_budget() / 2**30
    return dataclasses.replace(
        resolve_sizes(config, space),
        batch_size=config.batch_size or making.default_batch_size(config.dataset),
        max_epochs=config.max_epochs or making.default_max_epochs(config.dataset),
        memory_gib=round(memory_gib, 4),
        output_dir=config.output_dir or f"runs/{name}-{config.strategy}-{config.seed}",
    )


def resolve_strategy(config, space):
    """Chooses a strategy where none is named."""
    if config.strategy is not None:
        return config
    budget = (config.population_size or POPULATION_SIZE) * config.num_generations
    name = "recommended"
    if len(config.objectives) > 1:
        name = "nsga2"
    elif config.start_from is None and space.num_genomes <= budget:
        name = "grid"
    return dataclasses.replace(config, strategy=name)


def resolve_sizes(config, space):
    """Fills in how many networks a generation has, and how many generations a grid."""
    num_generations, population_size = config.num_generations, config.population_size
    if config.strategy == "grid":
        population_size = population_size or min(space.num_genomes, MOST_AT_ONCE)
        num_generations = -(-space.num_genomes // population_size)
    return dataclasses.replace(
        config,
        num_generations=num_generations,
        population_size=population_size or POPULATION_SIZE,
    )


def make_strategy(config, num_choices):
    """The one table from names to functions."""
    settings = {"population_size": config.population_size}
    if config.strategy == "genetic":
        make_setting = {
            "article": strategies.article_setting,
            "code": strategies.code_setting,
        }[config.genetic_setting]
        settings = make_setting(config.population_size)
    if config.strategy == "nsga2":
        settings["num_objectives"] = len(config.objectives)
    most_told = config.population_size * config.num_generations
    if config.strategy == "recommended":
        settings["capacity"] = most_told
    make = {
        "recommended": strategies.recommended,
        "genetic": strategies.genetic,
        "evolution_plus": strategies.evolution_plus,
        "regularized_evolution": strategies.regularized_evolution,
        "self_adaptive": strategies.self_adaptive,
        "nsga2": strategies.nsga2,
        "univariate_estimation": strategies.univariate_estimation,
        "local_search": strategies.local_search,
        "random": strategies.random,
        "grid": strategies.grid,
    }[config.strategy]
    strategy = make(num_choices, **settings)
    if config.strategy == "recommended" or not config.without_repeats:
        return strategy
    return strategies.without_repeats(strategy, num_choices, capacity=most_told)


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


def main():
    """Runs the command line; bad input ends with one line and exit code 2."""
    # Where it is not a terminal, nothing need be cut to a width.
    width = None if sys.stdout.isatty() else 200
    console = Console(soft_wrap=True, highlight=False, width=width)
    warnings.formatwarning = lambda message, *_, **__: f"vecevo: {message}\n"
    try:
        run(configuration.parse(sys.argv[1:]), console)
    except ValueError as error:
        print(f"vecevo: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("vecevo: stopped; run.sqlite has what was trained", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
