"""What a configuration means: its space, and what data set and device fill in."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from vecevo.datasets.making import Dataset
from vecevo.errors import (
    MOST_SEED,
    InputError,
    check_counts,
    check_paths,
    check_seed,
)
from vecevo.objectives import check_objectives
from vecevo.runs.configuration import RunConfig, choices_of
from vecevo.runs.ending.confirming import check_confirm
from vecevo.runs.ending.voting import check_picks
from vecevo.runs.rungs import choose_rungs
from vecevo.runs.starting import choose_budget
from vecevo.space import SearchSpace, SpaceTask
from vecevo.training import recipe
from vecevo.training.settings import TrainingSettings, resolve
from vecevo.training.settings import check as check_training

LANDSCAPE_SETTINGS = {  # those that have a say where nothing is trained
    *("landscape", "strategy", "genetic_setting", "without_repeats", "objectives"),
    *("population_size", "num_generations", "seed", "device", "output_dir"),
    *("quiet", "rungs", "patience"),
}

LEAST_GIB, MOST_GIB = 2**-30, 2**30  # of memory_gib


def check(config: RunConfig) -> None:
    """Refuses values that cannot be run with.

    Raises:
      InputError: naming the setting.
    """
    names = ("population_size", "num_generations", "limit_train", "replicates")
    for name in (*names, "num_runs"):
        if getattr(config, name) is not None:
            check_counts(**{name: getattr(config, name)})
    if config.max_seconds is not None and not 0 < config.max_seconds < math.inf:
        raise InputError(
            f"max_seconds={config.max_seconds} must be a finite number above 0."
        )
    if config.memory_gib is not None and not LEAST_GIB <= config.memory_gib < MOST_GIB:
        raise InputError(
            f"memory_gib={config.memory_gib} must be a number from {LEAST_GIB:.3g}, "
            f"which is a byte, to {MOST_GIB}."
        )
    check_seed(config.seed)
    check_seed_of_last(config.seed, config.num_runs)
    check_paths(dataset=config.dataset)
    check_picks(config.ensemble)
    check_confirm(config.confirm)
    given = TrainingSettings(**training_settings(config))
    # The device of workers is not known yet.
    check_training(given._replace(precision=None) if has_workers(config) else given)
    if config.strategy == "grid" and config.start_from is not None:
        raise InputError(
            f"start_from={config.start_from!r} is of no use to a grid, which trains "
            "all networks: leave it out, or choose another --strategy."
        )
    check_strategy(config)
    check_landscape(config)
    make_space(config)


def has_workers(config: RunConfig) -> bool:
    """Whether a run trains by workers; a plan alone is one of this machine."""
    return (config.workers != "none" or config.ray is not None) and not config.plan


def check_seed_of_last(seed: int, num_runs: int) -> None:
    """Refuses several runs whose seeds go beyond the last that there is."""
    if seed + num_runs - 1 > MOST_SEED:
        raise InputError(
            f"seed={seed} and num_runs={num_runs} go beyond the seed 2**64 - 1, as "
            "each run takes the next: give a smaller seed."
        )


def check_strategy(config: RunConfig) -> None:
    """Refuses settings that do not go with the strategy."""
    check_objectives(config.objectives)
    if config.genetic_setting != "article" and config.strategy != "genetic":
        raise InputError(
            f"genetic_setting={config.genetic_setting!r} has no say with strategy="
            f"{config.strategy!r}: give --strategy genetic."
        )
    is_several = len(config.objectives) > 1
    if config.strategy is not None and is_several != (config.strategy == "nsga2"):
        raise InputError(
            f"objectives={config.objectives} and strategy={config.strategy!r} do not "
            "go together: give --strategy nsga2 for accuracy and num_params, and "
            "another one for accuracy alone."
        )


def check_landscape(config: RunConfig) -> None:
    """Refuses settings of training where nothing is trained."""
    if config.landscape is None:
        return
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name not in LANDSCAPE_SETTINGS and value != field.default:
            raise InputError(
                f"{field.name}={value!r} has no say with landscape="
                f"{config.landscape!r}, where nothing is trained: leave it out."
            )


def make_space(config: RunConfig) -> tuple[SearchSpace, dict[str, Any]]:
    """Returns the SearchSpace of a configuration, and the values that are no genes.

    The article's four genes always are, but for the width where each layer has its own;
    another setting is one where it has choices, and of those that came later, one at
    its default is left out.
    """
    genes, fixed = [], {}
    by_name = {name: getattr(config, name) for name in recipe.NAMES}
    for name, choices in by_name.items():
        recipe.check_choices(name, choices)
    unused = _check_layer_widths(config, by_name)
    for row in (row for row in recipe.TABLE if row.name not in unused):
        choices, is_required = by_name[row.name], row.default is None
        if is_required or len(choices) > 1:
            genes.append((row.name, tuple(choices)))
        elif choices:
            if choices[0] != row.default or row.name in recipe.ALWAYS_IDENTIFY:
                fixed[row.name] = choices[0]
        elif not callable(row.default):
            raise InputError(f"{row.name}=() has no choice: give at least one.")
    return SearchSpace(tuple(genes)), fixed


def _check_layer_widths(
    config: RunConfig, choices: Mapping[str, Sequence[Any]]
) -> set[str]:
    """Returns `width` where it has no say, as every hidden layer has its own.

    Raises:
      InputError: for widths that were given, and have no say.
    """
    beyond = recipe.LAYER_WIDTHS[max(config.depth, default=0) :]
    for name in beyond:
        if choices[name]:
            raise InputError(
                f"{name}={choices[name]} has no say with depth={config.depth}: leave "
                "it out, or give more layers."
            )
    if not recipe.needs_no_width(choices):
        return set()
    if config.width not in (RunConfig.width, choices_of(config.space)["width"]):
        raise InputError(
            f"width={config.width} has no say where every hidden layer has its own: "
            "leave it out."
        )
    return {"width"}


def resolve_space(config: RunConfig, task: SpaceTask) -> RunConfig:
    """Returns a configuration whose named space is that for a task.

    What this task has no use for goes; choices that differ from the named stay.
    """
    named, own = choices_of(config.space), choices_of(config.space, task)
    changes = {
        name: choices
        for name, choices in own.items()
        if choices != named[name] and getattr(config, name) == named[name]
    }
    return dataclasses.replace(config, **changes)


def resolve_search(config: RunConfig, space: SearchSpace) -> RunConfig:
    """Fills in a strategy where none is named, and the sizes that it needs."""
    budget = choose_budget(
        config.strategy,
        space,
        population_size=config.population_size,
        num_generations=config.num_generations,
        objectives=config.objectives,
        has_start=config.start_from is not None,
    )
    return dataclasses.replace(config, **budget._asdict())


def resolve_training(config: RunConfig, dataset: Dataset) -> RunConfig:
    """Fills in what depends on the data set and the device."""
    settings = resolve(training_settings(config), dataset)
    rungs = choose_rungs(
        *(config.rungs, dataset, settings),
        strategy=config.strategy,
        objectives=config.objectives,
    )
    return dataclasses.replace(
        config,
        task=dataset.task,
        rungs=rungs or "none",
        metric=settings.metric,
        batch_size=settings.batch_size,
        max_epochs=settings.max_epochs,
        memory_gib=(settings.memory_bytes or 0) / 2**30,
    )


def training_settings(config: RunConfig) -> dict[str, Any]:
    """The settings of a configuration that `TrainingSettings` has."""
    names = set(TrainingSettings._fields) - {"memory_bytes"}
    settings = {name: getattr(config, name) for name in names}
    if config.memory_gib is not None:
        settings["memory_bytes"] = int(config.memory_gib * 2**30)
    return settings
