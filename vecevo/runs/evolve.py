"""A run as a library call: ask, train what is new, tell, record."""

import functools
import itertools
import math
import time

import jax
import jax.numpy as jnp

from vecevo import evaluation
from vecevo.runs.loop import Ledger, play, start_strategy, summarize
from vecevo.training import epochs, networks, recipe, sessions


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
    objectives=("accuracy",),
    fixed=None,
    record_fn=None,
    progress_fn=None,
    **training_settings,
):
    """Evolves networks on a data set; a network is trained once.

    Args:
      space: space.SearchSpace.
      dataset: making.Dataset.
      strategy: strategies.Strategy; None is the article's genetic algorithm, or
        NSGA-II for several objectives.
      population_size: P; None is the strategy's own, or 20.
      num_generations: the initial one included.
      seed: of every random draw.
      max_seconds: budget; the cohort that it ends is dropped.
      initial_population: int[P, G]; None is random.
      objectives: names; `accuracy` is maximised, and `num_params` minimised beside it.
      fixed: dict of hyperparams that are no genes.
      record_fn: called with generation, genomes, NetworkResults of every cohort.
      progress_fn: called with a Progress after every generation.
      **training_settings: `batch_size`, `max_epochs`, `patience` and `memory_bytes`
        of `sessions.start_session`.

    Returns:
      SearchResult.

    Raises:
      ValueError: for genomes that are none of the space, or values no network takes.
    """
    start, fixed, ledger = time.perf_counter(), fixed or {}, Ledger(record_fn)
    recipe.check_counts(num_generations=num_generations)
    keys = sessions.split_run_key(seed)
    strategy, state = start_strategy(
        strategy,
        keys.start,
        space,
        population_size=population_size,
        initial_population=initial_population,
        objectives=objectives,
    )
    population_size = len(state.population)
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
    try:
        progress = play(
            strategy,
            state,
            keys.search,
            fitness_fn,
            ledger,
            num_generations=num_generations,
            objectives=objectives,
            progress_fn=progress_fn,
        )
    finally:
        session.setup.programs.close()
    work, num_workers = ledger.work, session.job.num_workers
    return summarize(
        ledger,
        progress,
        objectives,
        num_evaluated=population_size * len(progress),
        num_programs=session.setup.programs.num_programs,
        classes=session.classes,
        time_seconds={
            "total": time.perf_counter() - start,
            "compile": work.wait_seconds / num_workers,
            "train": work.train_seconds / num_workers,
        },
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
            recipe.check_choice(name, value)
    absent = [name for name in recipe.REQUIRED if name not in choices]
    if absent:
        raise ValueError(f"the space has no gene {absent[0]}: add it, or fix it.")
    return list(itertools.product(choices["width"], choices["depth"]))


def accuracy_on(result, x, y, *, num_classes):
    """Accuracy of a NetworkResult's network on inputs [N, F] and labels [N]."""
    width, depth = result.hyperparams["width"], result.hyperparams["depth"]
    activation = networks.ACTIVATIONS.index(result.hyperparams["activation"])
    architecture = networks.Architecture(*map(jnp.array, (width, depth, activation)))
    params, architecture = jax.tree.map(
        lambda leaf: jnp.asarray(leaf)[None], (result.params, architecture)
    )
    network = networks.PaddedMLP(width, depth, num_classes)
    measure = jax.jit(functools.partial(epochs.evaluate, network=network))
    _, accuracy = measure(params, architecture, jnp.asarray(x), jnp.asarray(y))
    return float(accuracy[0])
