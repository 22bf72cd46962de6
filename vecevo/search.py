"""A run as a library call: ask, train what is new, tell, record."""

import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo import evaluation, networks, operators
from vecevo.space import decode

NUM_TOP = 5


class Progress(NamedTuple):
    """What a run says after each generation."""

    generation: int
    best_accuracy: float  # of the run so far
    mean_accuracy: float  # of this generation
    median_accuracy: float  # of this generation
    num_trained: int  # distinct networks of the run so far
    networks_per_hour: float


class SearchResult(NamedTuple):
    """What a run leaves; `top` holds (genome, NetworkResult), best first."""

    top: list
    progress: list[Progress]
    num_evaluated: int
    num_trained: int
    num_failed: int
    time_seconds: float


def search(
    space,
    dataset,
    *,
    strategy,
    population_size=20,
    num_generations=10,
    seed=0,
    record_fn=None,
    progress_fn=None,
    **training_settings,
):
    """Evolves networks on a data set; a network is trained once.

    Args:
      space: space.SearchSpace.
      dataset: datasets.Dataset.
      strategy: strategies.Strategy.
      population_size: P.
      num_generations: the first one, random, included.
      seed: of every random draw.
      record_fn: called with generation, genomes, NetworkResults of every cohort.
      progress_fn: called with a Progress after every generation.
      **training_settings: batch_size, max_epochs, patience of `train_networks`.

    Returns:
      SearchResult.
    """
    start = time.perf_counter()
    search_key = jax.random.fold_in(jax.random.key(seed), 1)
    init_key = jax.random.fold_in(search_key, 0)
    state = strategy.init(
        operators.random_population(
            init_key, space.num_choices, population_size=population_size
        )
    )
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    fitness, top, progress, num_failed = {}, [], [], 0
    for generation in range(num_generations):
        key = jax.random.fold_in(search_key, generation + 1)
        offspring = np.asarray(ask(key, state))
        genomes = [tuple(genome) for genome in offspring.tolist()]
        fresh = sorted(set(genomes) - fitness.keys())
        trained = evaluation.train_networks(
            [decode(space, genome) for genome in fresh],
            dataset,
            seed=seed,
            **training_settings,
        )
        for individuals, results in trained:
            cohort = [fresh[individual] for individual in individuals]
            for genome, result in zip(cohort, results, strict=True):
                fitness[genome] = float(result.validation_accuracy)
                num_failed += result.failed_epoch is not None
            top = best_of([*top, *zip(cohort, results, strict=True)])
            if record_fn is not None:
                record_fn(generation, cohort, results)
        scores = np.array([fitness[genome] for genome in genomes], np.float32)
        state, info = tell(state, offspring, scores)
        seconds = time.perf_counter() - start
        progress.append(
            Progress(
                generation=generation,
                best_accuracy=float(state.best_fitness),
                mean_accuracy=float(info.mean_fitness),
                median_accuracy=float(np.median(scores)),
                num_trained=len(fitness),
                networks_per_hour=3600 * len(fitness) / seconds,
            )
        )
        if progress_fn is not None:
            progress_fn(progress[-1])
    return SearchResult(
        top=top,
        progress=progress,
        num_evaluated=population_size * num_generations,
        num_trained=len(fitness),
        num_failed=num_failed,
        time_seconds=time.perf_counter() - start,
    )


def best_of(trained):
    """Returns the NUM_TOP most accurate of (genome, NetworkResult) pairs."""
    ranked = sorted(trained, key=lambda pair: -pair[1].validation_accuracy)
    return ranked[:NUM_TOP]


def accuracy_on(result, x, y, *, num_classes):
    """Accuracy of a trained network on inputs [N, F] and labels [N]."""
    width, depth = result.hyperparams["width"], result.hyperparams["depth"]
    architecture = networks.Architecture(
        width=jnp.array(width),
        depth=jnp.array(depth),
        activation=jnp.array(
            networks.ACTIVATIONS.index(result.hyperparams["activation"])
        ),
    )
    scale = np.float32(255 if x.dtype == np.uint8 else 1)
    logits = networks.PaddedMLP(width, depth, num_classes).apply(
        {"params": result.params}, x.T / scale, architecture
    )
    return float(np.mean(np.argmax(np.asarray(logits), axis=0) == y))
