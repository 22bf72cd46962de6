"""The loop of a run, wherever its fitness comes from: ask, evaluate, tell, record."""

import math
import time
from typing import NamedTuple

import jax
import numpy as np

from vecevo import evaluation, strategies
from vecevo.objectives import check_objectives, objective_values, pareto_front
from vecevo.training import recipe

NUM_TOP = 5


class Progress(NamedTuple):
    """What a run says after each generation."""

    generation: int  # from 0
    best_accuracy: float  # validation accuracy, of the run so far
    mean_accuracy: float  # of this generation, those that failed left out
    median_accuracy: float  # of this generation, those that failed counted
    num_trained: int  # distinct networks of the run so far
    num_failed: int  # of these
    networks_per_hour: float
    seconds_left: float  # if the generations left take as long as those before


class SearchResult(NamedTuple):
    """What a run leaves; `top` holds (genome, NetworkResult), best first."""

    top: list
    front: list  # of several objectives the Pareto front, likewise without weights
    progress: list[Progress]
    num_evaluated: int
    num_trained: int
    num_failed: int
    num_programs: int
    classes: list  # planning.CohortClasses, as they were at the end
    time_seconds: dict  # total; of a worker: compile (waited for), train
    useful_work_ratio: float | None  # None when nothing was trained


class Ledger:
    """What a run knows about the networks that it has trained."""

    def __init__(self, record_fn):
        self.fitness, self.top, self.generation = {}, [], 0
        self.results = {}  # NetworkResults without weights and curves
        self.num_failed, self.work = 0, evaluation.Work()
        self._record_fn = record_fn

    def record(self, genomes, results, work):
        """Takes in a cohort: genomes, NetworkResults and evaluation.Work."""
        pairs = list(zip(genomes, results, strict=True))
        for genome, result in pairs:
            self.fitness[genome] = result.validation_accuracy
            self.results[genome] = result._replace(params={}, curves={})
            self.num_failed += result.failed_epoch is not None
        self.work = evaluation.add_work(self.work, work)
        trained = [pair for pair in pairs if pair[1].failed_epoch is None]
        # Cohorts come in any order: of equals, the first genome ranks first.
        ranked = sorted(
            [*self.top, *trained], key=lambda p: (-p[1].validation_accuracy, p[0])
        )
        self.top = ranked[:NUM_TOP]
        if self._record_fn is not None:
            self._record_fn(self.generation, genomes, results)


def play(
    strategy,
    state,
    key,
    fitness_fn,
    ledger,
    *,
    num_generations,
    objectives,
    progress_fn=None,
):
    """Asks, evaluates and tells, until generations, time or genomes are at an end.

    Args:
      strategy: strategies.Strategy.
      state: its EvolutionState.
      key: random key, consumed; generation g draws from a fold of it with g.
      fitness_fn: int32[P, G] -> accuracies float32[P], or None when the time is up;
        it records what is new in the ledger.
      ledger: Ledger.
      num_generations: at most.
      objectives: names.
      progress_fn: called with a Progress after every generation.

    Returns:
      The list of Progress.
    """
    start, ask, tell = (
        time.perf_counter(),
        jax.jit(strategy.ask),
        jax.jit(strategy.tell),
    )
    progress = []
    for generation in range(num_generations):
        ledger.generation = generation
        offspring = ask(jax.random.fold_in(key, generation), state)
        accuracy = fitness_fn(offspring)
        if accuracy is None:
            break
        genomes = [tuple(genome) for genome in np.asarray(offspring).tolist()]
        num_params = [ledger.results[genome].num_params for genome in genomes]
        fitness = objective_values(objectives, accuracy, num_params)
        state, info = tell(state, offspring, fitness)
        seconds = time.perf_counter() - start
        progress.append(_progress(ledger, num_generations, accuracy, seconds))
        if progress_fn is not None:
            progress_fn(progress[-1])
        if info.is_exhausted:
            break
    return progress


def start_strategy(
    strategy, key, space, *, population_size, initial_population, objectives
):
    """Returns a strategy, the default one where it is None, and its first state.

    Raises:
      ValueError: for a strategy of another size or for other objectives, or for a
        population of another space or size.
    """
    check_objectives(objectives)
    num_objectives, num_choices = len(objectives), space.num_choices
    if strategy is None:
        size = 20 if population_size is None else population_size
        recipe.check_counts(population_size=size)
        setting = strategies.article_setting(size)
        strategy = strategies.genetic(num_choices, **setting)
        if num_objectives > 1:
            strategy = strategies.nsga2(
                num_choices, population_size=size, num_objectives=num_objectives
            )
    state = strategy.init(key)
    size = len(state.population)
    if population_size not in (None, size):
        raise ValueError(
            f"population_size={population_size} is not the {size} of the strategy: "
            "give it to the strategy alone."
        )
    if state.fitness.shape[1:] != objective_values(objectives, [0], [0]).shape[1:]:
        raise ValueError(
            f"objectives={tuple(objectives)} are not as many as the strategy takes: "
            "use strategies.nsga2 for several, and another strategy for one."
        )
    if initial_population is not None:
        check_population(initial_population, space, size)
        state = strategy.init(key, initial_population)
    return strategy, state


def check_population(population, space, population_size):
    """Raises ValueError for what is no population of a space."""
    population = np.asarray(population)
    shape = (population_size, len(space.genes))
    if population.shape != shape or not np.issubdtype(population.dtype, np.integer):
        raise ValueError(
            f"initial_population is {population.dtype}{list(population.shape)}: give "
            f"{shape[0]} genomes of {shape[1]} whole numbers."
        )
    if (population < 0).any() or (population >= space.num_choices).any():
        raise ValueError(
            "initial_population has an index that is no choice of its gene: there are "
            f"{space.num_choices.tolist()} choices, counted from 0."
        )


def _progress(ledger, num_generations, accuracy, seconds):
    num_done = ledger.generation + 1
    best = max(ledger.fitness.values())
    finite = accuracy[np.isfinite(accuracy)]
    return Progress(
        generation=ledger.generation,
        best_accuracy=best,
        mean_accuracy=float(finite.mean()) if finite.size else math.nan,
        median_accuracy=float(np.median(accuracy)),
        num_trained=len(ledger.fitness),
        num_failed=ledger.num_failed,
        networks_per_hour=3600 * len(ledger.fitness) / seconds,
        seconds_left=seconds * (num_generations - num_done) / num_done,
    )


def summarize(ledger, progress, objectives, **fields):
    """Returns the SearchResult of a ledger, with the other fields as given."""
    work, front = ledger.work, []
    trained = [p for p in ledger.results.items() if p[1].failed_epoch is None]
    if trained and len(objectives) > 1:
        accuracy = [result.validation_accuracy for _, result in trained]
        num_params = [result.num_params for _, result in trained]
        rows = pareto_front(objective_values(objectives, accuracy, num_params))
        front = sorted(
            (trained[row] for row in rows),
            key=lambda pair: (-pair[1].validation_accuracy, pair[0]),
        )
    return SearchResult(
        top=ledger.top,
        front=front,
        progress=progress,
        num_trained=len(ledger.fitness),
        num_failed=ledger.num_failed,
        useful_work_ratio=work.needed / work.executed if work.executed else None,
        **fields,
    )
