"""What the command settles before anything runs: search, folder, strategy."""

import dataclasses
import pathlib

from vecevo import catalogue
from vecevo.errors import InputError, check_paths
from vecevo.runs import resolving
from vecevo.runs.configuration import RunConfig
from vecevo.runs.files.store import LOCK, POOL
from vecevo.space import SearchSpace
from vecevo.strategies import Strategy


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
    check_paths(output_dir=folder)
    if folder.exists():
        raise InputError(
            f"output_dir={str(folder)!r} exists and is never overwritten: name another "
            "with --output-dir, or move it away."
        )


def is_bare(folder: pathlib.Path) -> bool:
    """Whether a folder has no more than a run leaves there before its journal."""
    names = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    return folder.is_dir() and names <= {"config.toml", LOCK, POOL}


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
        is_ordered=space.is_ordered,
    )


def rungs_of(config: RunConfig) -> tuple[int, ...] | None:
    """The rungs of a configuration whose training is resolved; None: there are none."""
    return config.rungs if isinstance(config.rungs, tuple) else None


def size_of(config: RunConfig) -> int:
    """The population size of a configuration whose search is resolved."""
    if config.population_size is None:
        raise TypeError("population_size is not resolved")
    return config.population_size
