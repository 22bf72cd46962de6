"""A run as a library call: ask, train what is new, tell, record."""

import contextlib
import itertools
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from vecevo import evaluation
from vecevo.datasets.loading import as_dataset
from vecevo.datasets.making import Dataset
from vecevo.errors import (
    InputError,
    check_callable,
    check_positive,
    describe,
)
from vecevo.keys import split_run_key
from vecevo.results import SearchResult
from vecevo.runs.budget import plan_in_time
from vecevo.runs.ledger import NUM_TOP, Ledger, RecordFn, summarize
from vecevo.runs.loop import ProgressFn, play
from vecevo.runs.starting import start_search
from vecevo.runs.voting import check_picks, count_pool, make_ensemble, measure_winner
from vecevo.space import SearchSpace
from vecevo.strategies import Strategy
from vecevo.training import recipe, sessions, settings
from vecevo.training.lanes.weights import count_params
from vecevo.training.programs import products_in


def search(
    space: SearchSpace,
    dataset: Dataset | str | os.PathLike,
    *,
    strategy: Strategy | str | None = None,
    population_size: int | None = None,
    num_generations: int = 10,
    seed: int = 0,
    max_seconds: float | None = None,
    initial_population: jax.typing.ArrayLike | None = None,
    objectives: Sequence[str] = ("accuracy",),
    fixed: Mapping[str, Any] | None = None,
    ensemble: int = 10,
    record_fn: RecordFn | None = None,
    progress_fn: ProgressFn | None = None,
    **training: Any,
) -> SearchResult:
    """Evolves networks on a data set; a network is trained once.

    Args:
      space: of the networks.
      dataset: from `load_dataset` or `make_dataset`, or a name to load.
      strategy: of `vecevo.strategies`, or its name; None is a grid where the budget
        covers the space, nsga2 for several objectives, and else recommended.
      population_size: P; None is the strategy's own, or 20.
      num_generations: the initial one included; a grid takes as many as it needs.
      seed: of every random draw, from 0 to 2^64 - 1.
      max_seconds: budget; the cohort that it ends is dropped. None is no limit.
      initial_population: int[P, G]; None is the strategy's own.
      objectives: names; `accuracy` is maximised, and `num_params` minimised beside it.
      fixed: hyperparams that are no genes, by name.
      ensemble: picks of the ensemble, chosen among the best 50 networks; 0: none.
      record_fn: called with generation, genomes and NetworkResults of every cohort.
      progress_fn: called with a Progress after every generation.
      **training: `batch_size`, `max_epochs`, `patience`, `precision` and
        `memory_bytes`, as in `training.settings.TrainingSettings`.

    Returns:
      SearchResult. The best networks have their weights, and their accuracy on the
      test part, which is used for nothing else.

    Raises:
      InputError: for genomes that are none of the space, values that no network
        takes, or settings that nothing can be trained with.
    """
    start, fixed = time.perf_counter(), fixed or {}
    check_positive(max_seconds=max_seconds)
    check_callable(record_fn=record_fn, progress_fn=progress_fn)
    check_picks(ensemble)
    check_space(space)
    if not isinstance(fixed, Mapping):
        raise InputError(f"fixed={describe(fixed)} must be a dict of values by name.")
    keys, dataset = split_run_key(seed), as_dataset(dataset)
    resolved = settings.resolve(training, dataset)
    strategy, state, num_generations = start_search(
        strategy,
        keys.start,
        space,
        population_size=population_size,
        num_generations=num_generations,
        initial_population=initial_population,
        objectives=objectives,
    )
    size = len(state.population)
    num_lists = count_lists(space, strategy.share_new, size, num_generations)
    expected = expected_networks(space, fixed, list_size=size, num_lists=num_lists)
    data_shape = (*dataset.x_train.shape, dataset.num_classes)
    planned = plan_in_time(data_shape, expected, resolved, max_seconds)
    session = sessions.start_session(
        dataset,
        planned.expected,
        resolved,
        seed=seed,
        is_time_up_fn=_make_clock(start, max_seconds),
        keeps_probabilities=ensemble > 0,
    )
    ledger = Ledger(record_fn, choose_pool_size(ensemble, expected, dataset))
    evaluate_fn = evaluation.make_evaluate_fn(
        session,
        space,
        fixed,
        lookup_fn=ledger.accuracy.get,
        take_in_fn=ledger.take_in,
        wants_params_fn=ledger.wants_params,
    )
    with contextlib.closing(session.setup.programs):
        progress = play(
            strategy,
            state,
            keys.search,
            space,
            evaluate_fn,
            ledger,
            num_generations=num_generations,
            objectives=objectives,
            progress_fn=progress_fn,
        )
    with products_in(resolved.precision):
        top = [
            (genome, measure_winner(result, dataset))
            for genome, result in ledger.pool[:NUM_TOP]
        ]
        voting = make_ensemble(ledger.pool, dataset, num_picks=ensemble)
    work, num_workers = ledger.work, session.job.num_workers
    return summarize(
        ledger,
        progress,
        objectives,
        top=top,
        ensemble=voting,
        num_evaluated=size * len(progress),
        num_programs=session.setup.programs.num_programs,
        classes=session.classes,
        time_seconds={
            "total": time.perf_counter() - start,
            "compile": work.wait_seconds / num_workers,
            "train": work.train_seconds / num_workers,
        },
    )


def _make_clock(start: float, max_seconds: float | None) -> Callable[[], bool]:
    most = math.inf if max_seconds is None else max_seconds
    return lambda: time.perf_counter() - start > most


def choose_pool_size(
    ensemble: int, expected: sessions.Expected, dataset: Dataset
) -> int:
    """How many networks keep their weights; the winners do in any case."""
    if not ensemble:
        return NUM_TOP
    sizes = {
        "num_features": dataset.x_train.shape[1],
        "num_classes": dataset.num_classes,
    }
    largest = max(count_params(*shape, **sizes) for shape in expected.shapes)
    return count_pool(largest, dataset, least=NUM_TOP)


def check_space(space: Any) -> None:
    """Refuses what is no search space.

    Raises:
      InputError: saying what to give.
    """
    if not isinstance(space, SearchSpace):
        raise InputError(
            f"space={describe(space)} is no search space: give vecevo.SearchSpace({{"
            "name: choices, ...}) or vecevo.article_space()."
        )


def count_lists(
    space: SearchSpace, share_new: float, population_size: int, num_generations: int
) -> float:
    """How many generations all the new networks of a run are expected to fill."""
    num_lists = 1 + share_new * (num_generations - 1)
    return min(num_lists, space.num_genomes / population_size)


def expected_networks(
    space: SearchSpace, fixed: Mapping[str, Any], *, list_size: int, num_lists: float
) -> sessions.Expected:
    """Returns what networks of a space are to be expected.

    Args:
      space: of the networks.
      fixed: hyperparams that are no genes.
      list_size: networks of a generation.
      num_lists: generations that are trained.

    Raises:
      InputError: for a value that a network cannot have, or one given twice.
    """
    choices = {name: (value,) for name, value in fixed.items()}
    for name, values in space.genes:
        if name in choices:
            raise InputError(
                f"fixed has {name}={fixed[name]!r}, which is a gene of the space with "
                f"the choices {values}: leave it out of one of them."
            )
        choices[name] = values
    for name, values in choices.items():
        for value in values:
            recipe.check_choice(name, value)
    absent = [name for name in recipe.REQUIRED if name not in choices]
    if absent:
        raise InputError(f"the space has no gene {absent[0]}: add it, or fix it.")
    return sessions.Expected(
        shapes=list(itertools.product(choices["width"], choices["depth"])),
        activations=sessions.in_order(choices["activation"]),
        list_size=list_size,
        num_lists=num_lists,
    )
