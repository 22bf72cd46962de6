"""A run on a recorded table: the networks were trained before, once and for all."""

import time

import jax
import numpy as np

from vecevo.evaluation import NetworkResult, Work
from vecevo.runs.loop import Ledger, play, start_strategy, summarize
from vecevo.space import decode
from vecevo.training import recipe, sessions


def replay(
    table,
    *,
    strategy=None,
    population_size=None,
    num_generations=10,
    seed=0,
    initial_population=None,
    objectives=("accuracy",),
    progress_fn=None,
):
    """Does as `search` does with the same seed, but looks accuracies up.

    Of each network's replicates, one is observed, as if it had been trained once;
    which one is drawn from the seed.

    Args:
      table: tables.Table.
      strategy, population_size, num_generations, seed, initial_population,
        objectives, progress_fn: as for `search`.

    Returns:
      SearchResult, in which `train` means looked up.

    Raises:
      ValueError: as `search` does.
    """
    start, ledger = time.perf_counter(), Ledger(None)
    recipe.check_counts(num_generations=num_generations)
    keys = sessions.split_run_key(seed)
    strategy, state = start_strategy(
        strategy,
        keys.start,
        table.space,
        population_size=population_size,
        initial_population=initial_population,
        objectives=objectives,
    )
    progress = play(
        strategy,
        state,
        keys.search,
        make_look_up(table, keys.network, ledger),
        ledger,
        num_generations=num_generations,
        objectives=objectives,
        progress_fn=progress_fn,
    )
    return summarize(
        ledger,
        progress,
        objectives,
        num_evaluated=len(state.population) * len(progress),
        num_programs=0,
        classes=[],
        time_seconds={
            "total": time.perf_counter() - start,
            "compile": 0.0,
            "train": 0.0,
        },
    )


def make_look_up(table, key, ledger):
    """Makes a function int[P, G] -> float32[P] that records what it looks up."""
    num_genomes, num_replicates = table.validation_accuracy.shape
    draws = jax.random.randint(key, (num_genomes,), 0, num_replicates)
    replicates = np.asarray(draws)

    def look_up(population):
        genomes = [tuple(genome) for genome in np.asarray(population).tolist()]
        fresh = sorted(set(genomes) - set(ledger.fitness))
        results = [observe(table, genome, replicates) for genome in fresh]
        ledger.record(fresh, results, Work())
        return np.array([ledger.fitness[genome] for genome in genomes], np.float32)

    return look_up


def observe(table, genome, replicates):
    """Returns the NetworkResult of a genome, without what a table does not hold."""
    place = np.ravel_multi_index(genome, table.space.num_choices)
    replicate = replicates[place]
    accuracy = float(table.validation_accuracy[place, replicate])
    num_epochs = int(table.num_epochs[place, replicate])
    return NetworkResult(
        hyperparams=recipe.complete({**table.fixed, **decode(table.space, genome)}),
        num_params=int(table.num_params[place]),
        validation_accuracy=accuracy,
        validation_loss=float("nan"),
        num_epochs=num_epochs,
        failed_epoch=None if np.isfinite(accuracy) else num_epochs - 1,
        curves={},
        params={},
    )
