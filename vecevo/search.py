"""A run as a library call: ask, train what is new, tell, record."""

import functools
import itertools
import math
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo import evaluation, hyperparams, networks, strategies, training
from vecevo import session as sessions

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
    progress: list[Progress]
    num_evaluated: int
    num_trained: int
    num_failed: int
    num_programs: int
    classes: list  # packing.CohortClasses, as they were at the end
    time_seconds: dict  # total; of a worker: compile (waited for), train
    useful_work_ratio: float | None  # None when nothing was trained


class Ledger:
    """What a run knows about the networks that it has trained."""

    def __init__(self, record_fn):
        self.fitness, self.top, self.generation = {}, [], 0
        self.num_failed, self.work = 0, evaluation.Work()
        self._record_fn = record_fn

    def record(self, genomes, results, work):
        """Takes in a cohort: genomes, NetworkResults and evaluation.Work."""
        pairs = list(zip(genomes, results, strict=True))
        for genome, result in pairs:
            self.fitness[genome] = result.validation_accuracy
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


def search(
    space,
    dataset,
    *,
    strategy=None,
    population_size=None,
    num_generations=10,
    seed=0,
    max_seconds=math.inf,
    initial_population=None,
    fixed=None,
    record_fn=None,
    progress_fn=None,
    **training_settings,
):
    """Evolves networks on a data set; a network is trained once.

    Args:
      space: space.SearchSpace.
      dataset: datasets.Dataset.
      strategy: strategies.Strategy; None is the article's genetic algorithm.
      population_size: P; None is the strategy's own, or 20.
      num_generations: the initial one included.
      seed: of every random draw.
      max_seconds: budget; the cohort that it ends is dropped.
      initial_population: int[P, G]; None is random.
      fixed: dict of hyperparams that are no genes.
      record_fn: called with generation, genomes, NetworkResults of every cohort.
      progress_fn: called with a Progress after every generation.
      **training_settings: `batch_size`, `max_epochs`, `patience` and `memory_bytes`
        of `session.start_session`.

    Returns:
      SearchResult.

    Raises:
      ValueError: for genomes that are none of the space, or values no network takes.
    """
    start, fixed, ledger = time.perf_counter(), fixed or {}, Ledger(record_fn)
    hyperparams.check_counts(num_generations=num_generations)
    if strategy is None:
        population_size = 20 if population_size is None else population_size
        hyperparams.check_counts(population_size=population_size)
        setting = strategies.article_setting(population_size)
        strategy = strategies.genetic(space.num_choices, **setting)
    keys = sessions.split_run_key(seed)
    state = start_state(strategy, keys.start, space, initial_population)
    population_size = check_size(population_size, len(state.population))
    session = sessions.start_session(
        dataset,
        possible_shapes(space, fixed),
        list_size=population_size,
        num_lists=count_lists(space, strategy, population_size, num_generations),
        seed=seed,
        is_time_up_fn=lambda: time.perf_counter() - start > max_seconds,
        **training_settings,
    )
    fitness_fn = evaluation.make_fitness_fn(
        session, space, fixed, lookup_fn=ledger.fitness.get, record_fn=ledger.record
    )
    ask, tell, progress = jax.jit(strategy.ask), jax.jit(strategy.tell), []
    try:
        for generation in range(num_generations):
            ledger.generation = generation
            offspring = ask(jax.random.fold_in(keys.search, generation), state)
            fitness = fitness_fn(offspring)
            if fitness is None:
                break
            state, info = tell(state, offspring, fitness)
            seconds = time.perf_counter() - start
            progress.append(_progress(ledger, num_generations, info, fitness, seconds))
            if progress_fn is not None:
                progress_fn(progress[-1])
            if info.is_exhausted:
                break
    finally:
        session.setup.programs.close()
    return _summarize(
        ledger, progress, population_size, session, time.perf_counter() - start
    )


def count_lists(space, strategy, population_size, num_generations):
    """How many generations all the new networks of a run are expected to fill."""
    num_lists = 1 + strategy.share_new * (num_generations - 1)
    return min(num_lists, space.num_genomes / population_size)


def possible_shapes(space, fixed):
    """Returns (width, depth) of every kind of network, once for each that has it.

    Raises:
      ValueError: for a value that a network cannot have.
    """
    choices = {name: (value,) for name, value in fixed.items()} | dict(space.genes)
    for name, values in choices.items():
        for value in values:
            hyperparams.check_choice(name, value)
    absent = [name for name in hyperparams.REQUIRED if name not in choices]
    if absent:
        raise ValueError(f"the space has no gene {absent[0]}: add it, or fix it.")
    return list(itertools.product(choices["width"], choices["depth"]))


def start_state(strategy, key, space, population):
    """Returns a strategy's first state, from a random population where there is none.

    Raises:
      ValueError: for a population of another space or size.
    """
    state = strategy.init(key)
    if population is None:
        return state
    check_population(population, space, len(state.population))
    return strategy.init(key, population)


def check_size(population_size, asked):
    """Returns the number that a strategy asks for, if it is what was given.

    Raises:
      ValueError: for another population_size.
    """
    if population_size not in (None, asked):
        raise ValueError(
            f"population_size={population_size} is not the {asked} of the strategy: "
            "give it to the strategy alone."
        )
    return asked


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


def _progress(ledger, num_generations, info, fitness, seconds):
    num_done = ledger.generation + 1
    best = max(ledger.fitness.values())
    return Progress(
        generation=ledger.generation,
        best_accuracy=best,
        mean_accuracy=float(info.mean_fitness),
        median_accuracy=float(np.median(fitness)),
        num_trained=len(ledger.fitness),
        num_failed=ledger.num_failed,
        networks_per_hour=3600 * len(ledger.fitness) / seconds,
        seconds_left=seconds * (num_generations - num_done) / num_done,
    )


def _summarize(ledger, progress, population_size, session, seconds):
    work = ledger.work
    return SearchResult(
        top=ledger.top,
        progress=progress,
        num_evaluated=population_size * len(progress),
        num_trained=len(ledger.fitness),
        num_failed=ledger.num_failed,
        num_programs=session.setup.programs.num_programs,
        classes=session.classes,
        time_seconds={
            "total": seconds,
            "compile": work.wait_seconds / session.job.num_workers,
            "train": work.train_seconds / session.job.num_workers,
        },
        useful_work_ratio=work.needed / work.executed if work.executed else None,
    )


def accuracy_on(result, x, y, *, num_classes):
    """Accuracy of a NetworkResult's network on inputs [N, F] and labels [N]."""
    width, depth = result.hyperparams["width"], result.hyperparams["depth"]
    activation = networks.ACTIVATIONS.index(result.hyperparams["activation"])
    architecture = networks.Architecture(*map(jnp.array, (width, depth, activation)))
    params, architecture = jax.tree.map(
        lambda leaf: jnp.asarray(leaf)[None], (result.params, architecture)
    )
    network = networks.PaddedMLP(width, depth, num_classes)
    measure = jax.jit(functools.partial(training.evaluate, network=network))
    _, accuracy = measure(params, architecture, jnp.asarray(x), jnp.asarray(y))
    return float(accuracy[0])
