"""What a run says before it begins: its data, its search, its plan."""

import pathlib
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from vecevo.datasets.making import Dataset, describe_dataset
from vecevo.results import in_metric
from vecevo.runs import budget, resolving
from vecevo.runs.configuration import RunConfig
from vecevo.runs.expecting import count_lists, count_networks, expected_networks
from vecevo.runs.files import queries
from vecevo.runs.report import console as shown
from vecevo.runs.report.verdict import counted, rungs_line
from vecevo.runs.rungs import AUTO_STRATEGIES
from vecevo.runs.settling import make_strategy, rungs_of, size_of
from vecevo.space import SearchSpace
from vecevo.training import settings
from vecevo.training.devices import training_device
from vecevo.training.forecast import forecast
from vecevo.training.lanes import metrics
from vecevo.training.sessions import check_smoothing, shape_of


def show_plan(
    config: RunConfig,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    dataset: Dataset,
    console: Console,
) -> None:
    """Prints what is expected of the run; the whole table if only that is asked."""
    resume = config.resume
    num_ended = 0 if resume is None else queries.count_ended(pathlib.Path(resume))
    if num_ended >= config.num_generations:
        console.print("plan: what the search trains is read back, all of it")
        return
    size, strategy = size_of(config), make_strategy(config, space)
    num_lists = count_lists(
        space, fixed, strategy.share_new, size, config.num_generations
    )
    lists = {"list_size": size, "num_lists": num_lists}
    expected = expected_networks(space, fixed, **lists, rungs=rungs_of(config))
    check_smoothing(dataset, expected.variant)
    resolved = settings.resolve(resolving.training_settings(config), dataset)
    asked = (shape_of(dataset), expected, resolved, config.max_seconds)
    planned = budget.plan_in_time(*asked)
    rows = forecast(expected.shapes, planned.classes, planned.job, **lists)
    if config.plan:
        console.print(shown.plan_table(rows))
    proposals = budget.propose(
        *asked,
        num_networks=count_networks(space, fixed) or space.num_genomes,
        has_auto_rungs=config.strategy in AUTO_STRATEGIES,
    )
    for line in shown.plan_lines(rows, planned, proposals):
        console.print(line)


def describe(
    config: RunConfig,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    dataset: Dataset,
    console: Console,
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
        said = (
            "protocol article: stops and selects on the TEST part, as the article did; "
            "an accuracy there is no estimate for new data"
        )
        console.print(in_metric(said, metrics.row_of(str(config.metric)).word))
    console.print(
        f"{config.strategy} search over {size_line(space, fixed)}: "
        f"{counted(config.num_generations, 'generation')} of "
        f"{config.population_size} on {training_device().kind}"
    )
    if rungs := rungs_of(config):
        console.print(rungs_line(rungs))


def size_line(space: SearchSpace, fixed: Mapping[str, Any]) -> str:
    """Says how many networks a space has, and genomes, where several are of one."""
    num_networks = count_networks(space, fixed)
    genomes = counted(space.num_genomes, "genome")
    if num_networks is None:
        return f"{genomes}, some of them of one network"
    networks = counted(num_networks, "network")
    return networks if num_networks == space.num_genomes else f"{networks} ({genomes})"
