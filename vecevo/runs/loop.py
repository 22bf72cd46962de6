"""The loop of a run, wherever its accuracies come from: ask, evaluate, tell, record."""

import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.errors import InputError
from vecevo.objectives import objective_values
from vecevo.results import Progress
from vecevo.runs.ledger import Ledger
from vecevo.space import SearchSpace
from vecevo.strategies import EvolutionState, Strategy

EvaluateFn = Callable[[jax.Array], np.ndarray | None]
ProgressFn = Callable[[Progress], None]
BeginFn = Callable[[int, np.ndarray], None]


class Played(NamedTuple):
    """How far a run has come."""

    state: EvolutionState  # the last that was told
    progress: list[Progress]
    is_stopped: bool  # in the middle of a generation


def play(
    strategy: Strategy,
    state: EvolutionState,
    key: jax.Array,
    space: SearchSpace,
    evaluate_fn: EvaluateFn,
    ledger: Ledger,
    *,
    num_generations: int,
    objectives: Sequence[str],
    progress_fn: ProgressFn | None = None,
    begin_fn: BeginFn | None = None,
    canonical_fn: Callable[[np.ndarray], np.ndarray] = lambda population: population,
    populations: Sequence[np.ndarray] = (),
    num_ended: int = 0,
    seconds_before: float = 0.0,
) -> Played:
    """Asks, evaluates and tells, until generations, time or genomes are at an end.

    Args:
      strategy: the search.
      state: its first one.
      key: random key, consumed; generation g draws from a fold of it with g.
      space: of the genomes.
      evaluate_fn: int32[P, G] -> accuracies float32[P], or None when the time is up;
        what is new to the ledger it tells it.
      ledger: of the run.
      num_generations: at most.
      objectives: names.
      progress_fn: called after every generation.
      begin_fn: called with a generation and its offspring before they are evaluated.
      canonical_fn: int[P, G] -> int[P, G], of genomes that stand for the same networks,
        one of each network; these are evaluated, and in the ledger.
      populations: int32[P, G] of the first generations, which are not asked anew.
      num_ended: of these, those that were evaluated to the end.
      seconds_before: that the run took before.

    Raises:
      InputError: for a strategy that asks for genomes of another space.
    """
    start = time.perf_counter()
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    progress = []
    for generation in range(num_generations):
        ledger.generation, num_before = generation, len(ledger.accuracy)
        num_failed = ledger.num_failed
        if generation < len(populations):
            offspring = jnp.asarray(populations[generation])
        else:
            offspring = ask(jax.random.fold_in(key, generation), state)
        check_offspring(np.asarray(offspring), space)
        if begin_fn is not None and generation >= len(populations):
            begin_fn(generation, np.asarray(offspring))
        population = canonical_fn(np.asarray(offspring))
        accuracy = evaluate_fn(jnp.asarray(population))
        if accuracy is None:
            break
        genomes = [tuple(genome) for genome in population.tolist()]
        num_params = [ledger.results[genome].num_params for genome in genomes]
        fitness = objective_values(objectives, ledger.told(genomes), num_params)
        state, info = tell(state, offspring, fitness)
        seconds = seconds_before + time.perf_counter() - start
        said = _progress(ledger, num_generations, accuracy, seconds)
        progress.append(
            said._replace(
                num_new=len(ledger.accuracy) - num_before,
                num_new_failed=ledger.num_failed - num_failed,
                is_read_back=generation < num_ended,
            )
        )
        if progress_fn is not None:
            progress_fn(progress[-1])
        if info.is_exhausted:
            break
    return Played(state, progress, is_stopped=ledger.generation >= len(progress))


def check_offspring(offspring: np.ndarray, space: SearchSpace) -> None:
    """Refuses genomes int[P, G] that are none of the space."""
    num_choices = space.num_choices
    is_of_space = offspring.shape[1:] == num_choices.shape
    if not is_of_space or ((offspring < 0) | (offspring >= num_choices)).any():
        raise InputError(
            "strategy asks for genomes that the space has not: make it with the "
            f"space's num_choices, {num_choices.tolist()}."
        )


def _progress(
    ledger: Ledger, num_generations: int, accuracy: np.ndarray, seconds: float
) -> Progress:
    num_done = ledger.generation + 1
    finite = accuracy[np.isfinite(accuracy)]
    return Progress(
        generation=ledger.generation,
        best_accuracy=ledger.best_accuracy,
        mean_accuracy=float(finite.mean()) if finite.size else -math.inf,
        median_accuracy=float(np.median(accuracy)),
        num_trained=len(ledger.accuracy),
        num_failed=ledger.num_failed,
        networks_per_hour=3600 * len(ledger.accuracy) / seconds,
        seconds_left=seconds * (num_generations - num_done) / num_done,
    )
