"""A run on a recorded table: the networks were trained before, once and for all."""

import functools
import math
import time
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.errors import InputError, describe
from vecevo.evaluation import make_canonical_fn
from vecevo.keys import split_run_key
from vecevo.results import Genome, NetworkResult, SearchResult, Work
from vecevo.runs.files.tables import Table
from vecevo.runs.ledger import Ledger, summarize
from vecevo.runs.loop import EvaluateFn, ProgressFn, play
from vecevo.runs.rungs import check_alone, count_saved
from vecevo.runs.starting import start_search
from vecevo.space import decode
from vecevo.strategies import Strategy, pruning
from vecevo.training.lanes.metrics import stops_by
from vecevo.training.recipe import complete
from vecevo.training.rungs import check_rungs


def replay(
    table: Table,
    *,
    strategy: Strategy | str | None = None,
    population_size: int | None = None,
    num_generations: int = 10,
    seed: int = 0,
    initial_population: jax.typing.ArrayLike | None = None,
    objectives: Sequence[str] = ("accuracy",),
    rungs: Sequence[int] | None = None,
    patience: int = 5,
    progress_fn: ProgressFn | None = None,
) -> SearchResult:
    """Does as `search` does with the same seed, but looks accuracies up.

    Of each network's replicates, one is observed, as if it had been trained once;
    which one is drawn from the seed.

    Args:
      table: of `load_table`.
      strategy, population_size, num_generations, seed, initial_population,
        objectives, progress_fn: as for `search`.
      rungs: epochs, ascending to the last of the table's curves, as for `search`;
        None: all networks are trained to their end.
      patience: with rungs, epochs in a row without a lower validation loss before a
        network stops.

    Returns:
      SearchResult, in which `train` means looked up.

    Raises:
      InputError: as `search` does, or for rungs on a table without curves.
    """
    if not isinstance(table, Table):
        raise InputError(
            f"table={describe(table)} must be a Table: give vecevo.load_table(...)."
        )
    start, keys = time.perf_counter(), split_run_key(seed)
    curves = None
    if rungs is not None:
        curves = follow_table(table, rungs, patience)
        check_alone(rungs, objectives)
    ledger = Ledger(num_rungs=len(rungs or [0]))
    look_up_fn = make_look_up(table, keys.network, ledger, curves, rungs or ())
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
        look_up_fn,
        ledger,
        num_generations=num_generations,
        objectives=objectives,
        progress_fn=progress_fn,
        canonical_fn=make_canonical_fn(table.space, table.fixed),
    )
    return summarize(
        ledger,
        played.progress,
        objectives,
        saved=count_saved(ledger, rungs),
        num_evaluated=len(state.population) * len(played.progress),
        num_programs=0,
        classes=[],
        time_seconds={
            "total": time.perf_counter() - start,
            "compile": 0.0,
            "train": 0.0,
        },
    )


def make_look_up(
    table: Table,
    key: jax.Array,
    ledger: Ledger,
    curves: pruning.Curves | None = None,
    rungs: Sequence[int] = (),
) -> EvaluateFn:
    """Makes a function int[P, G] -> float32[P] that records what it looks up.

    With curves of the table it looks up what networks have at rungs.
    """
    num_genomes, num_replicates = table.validation_accuracy.shape
    draws = jax.random.randint(key, (num_genomes,), 0, num_replicates)
    observe_fn = functools.partial(observe, table, np.asarray(draws))
    if curves is not None:
        observe_fn = functools.partial(
            observe_to_rungs, table, np.asarray(draws), curves, rungs
        )

    def look_up(population: jax.Array) -> np.ndarray:
        genomes = [tuple(genome) for genome in np.asarray(population).tolist()]
        fresh = sorted(set(genomes) - set(ledger.accuracy))
        ledger.take_in(fresh, observe_fn(fresh), Work())
        return np.array([ledger.accuracy[genome] for genome in genomes], np.float32)

    return look_up


def follow_table(table: Table, rungs: Sequence[int], patience: int) -> pruning.Curves:
    """Returns what networks of a table have at each epoch.

    Raises:
      InputError: for a table without curves, or rungs that do not ascend to their end.
    """
    if not table.curves:
        raise InputError(
            f"rungs={describe(rungs)} need learning curves, which the table "
            f"{table.source!r} has not: leave them out."
        )
    if stops_by(metric := table.settings.get("metric")) is not None:
        raise InputError(
            f"rungs={describe(rungs)} need curves of networks that their loss stopped, "
            f"and those of {table.source!r} were by metric={metric!r}: leave them out."
        )
    check_rungs(rungs, table.curves[pruning.NAMES[0]].shape[-1])
    return pruning.follow(
        table.curves,
        num_epochs=table.num_epochs,
        is_failed=np.isneginf(table.validation_accuracy),
        patience=patience,
    )


def observe(
    table: Table, replicates: np.ndarray, genomes: Sequence[Genome]
) -> list[NetworkResult]:
    """Returns the NetworkResults of genomes, without what a table does not hold.

    Args:
      table: of all.
      replicates: int[N], that of each genome of the space.
      genomes: to look up.
    """
    return [_observe(table, replicates, genome) for genome in genomes]


def observe_to_rungs(
    table: Table,
    replicates: np.ndarray,
    curves: pruning.Curves,
    rungs: Sequence[int],
    genomes: Sequence[Genome],
) -> list[NetworkResult]:
    """Does as `observe`, but at each rung the best third of the genomes goes on."""
    if not genomes:
        return []
    num_choices = table.space.num_choices
    look_up_fn = pruning.look_up(
        curves, num_choices, pruning.halving(rungs), replicate=replicates
    )
    pruned = look_up_fn(jnp.array(genomes, jnp.int32))
    places = np.ravel_multi_index(np.array(genomes).T, num_choices)
    at = places, replicates[places], np.array(rungs)[np.asarray(pruned.rung)] - 1
    accuracy, loss = np.asarray(curves.accuracy)[at], np.asarray(curves.loss)[at]
    ends = np.asarray(curves.num_epochs)[at[:2]]
    results = []
    for row, genome in enumerate(genomes):
        num_epochs = int(pruned.num_epochs[row])
        is_failed = np.isneginf(accuracy[row])
        results.append(
            _observe(table, replicates, genome)._replace(
                validation_accuracy=float(accuracy[row]),
                validation_loss=float(loss[row]),
                num_epochs=num_epochs,
                failed_epoch=num_epochs - 1 if is_failed else None,
                rung=int(pruned.rung[row]),
                is_stopped=num_epochs < int(ends[row]),
            )
        )
    return results


def _observe(table: Table, replicates: np.ndarray, genome: Genome) -> NetworkResult:
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
