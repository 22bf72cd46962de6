"""A run on a recorded table: the networks were trained before, once and for all."""

import math
import time
from collections.abc import Sequence

import jax
import numpy as np

from vecevo.errors import InputError, describe
from vecevo.keys import split_run_key
from vecevo.results import Genome, NetworkResult, SearchResult, Work
from vecevo.runs.files.tables import Table
from vecevo.runs.ledger import Ledger, summarize
from vecevo.runs.loop import EvaluateFn, ProgressFn, play
from vecevo.runs.starting import start_search
from vecevo.space import decode
from vecevo.strategies import Strategy
from vecevo.training.recipe import complete


def replay(
    table: Table,
    *,
    strategy: Strategy | str | None = None,
    population_size: int | None = None,
    num_generations: int = 10,
    seed: int = 0,
    initial_population: jax.typing.ArrayLike | None = None,
    objectives: Sequence[str] = ("accuracy",),
    progress_fn: ProgressFn | None = None,
) -> SearchResult:
    """Does as `search` does with the same seed, but looks accuracies up.

    Of each network's replicates, one is observed, as if it had been trained once;
    which one is drawn from the seed.

    Args:
      table: of `load_table`.
      strategy, population_size, num_generations, seed, initial_population,
        objectives, progress_fn: as for `search`.

    Returns:
      SearchResult, in which `train` means looked up.

    Raises:
      InputError: as `search` does.
    """
    if not isinstance(table, Table):
        raise InputError(
            f"table={describe(table)} must be a Table: give vecevo.load_table(...)."
        )
    start, ledger = time.perf_counter(), Ledger()
    keys = split_run_key(seed)
    strategy, state, num_generations, _ = start_search(
        strategy,
        keys.start,
        table.space,
        population_size=population_size,
        num_generations=num_generations,
        initial_population=initial_population,
        objectives=objectives,
    )
    played = play(
        strategy,
        state,
        keys.search,
        table.space,
        make_look_up(table, keys.network, ledger),
        ledger,
        num_generations=num_generations,
        objectives=objectives,
        progress_fn=progress_fn,
    )
    return summarize(
        ledger,
        played.progress,
        objectives,
        num_evaluated=len(state.population) * len(played.progress),
        num_programs=0,
        classes=[],
        time_seconds={
            "total": time.perf_counter() - start,
            "compile": 0.0,
            "train": 0.0,
        },
    )


def make_look_up(table: Table, key: jax.Array, ledger: Ledger) -> EvaluateFn:
    """Makes a function int[P, G] -> float32[P] that records what it looks up."""
    num_genomes, num_replicates = table.validation_accuracy.shape
    draws = jax.random.randint(key, (num_genomes,), 0, num_replicates)
    replicates = np.asarray(draws)

    def look_up(population: jax.Array) -> np.ndarray:
        genomes = [tuple(genome) for genome in np.asarray(population).tolist()]
        fresh = sorted(set(genomes) - set(ledger.accuracy))
        results = [observe(table, genome, replicates) for genome in fresh]
        ledger.take_in(fresh, results, Work())
        return np.array([ledger.accuracy[genome] for genome in genomes], np.float32)

    return look_up


def observe(table: Table, genome: Genome, replicates: np.ndarray) -> NetworkResult:
    """Returns the NetworkResult of a genome, without what a table does not hold."""
    place = np.ravel_multi_index(genome, table.space.num_choices)
    replicate = replicates[place]
    accuracy = float(table.validation_accuracy[place, replicate])
    num_epochs = int(table.num_epochs[place, replicate])
    return NetworkResult(
        hyperparams=complete({**table.fixed, **decode(table.space, genome)}),
        num_params=int(table.num_params[place]),
        validation_accuracy=accuracy,
        validation_loss=math.inf,
        num_epochs=num_epochs,
        failed_epoch=None if np.isfinite(accuracy) else num_epochs - 1,
        curves={},
        params={},
    )
