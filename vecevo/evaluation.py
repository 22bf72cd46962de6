"""Joins the towers: trains the networks of genomes, and so gives them accuracies."""

import collections
import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from vecevo.results import Genome, NetworkResult, Work
from vecevo.space import SearchSpace, decode
from vecevo.training.batches import train_list
from vecevo.training.recipe import complete
from vecevo.training.sessions import Session

TakeInFn = Callable[[Sequence[Genome], Sequence[NetworkResult], Work], None]


def make_evaluate_fn(
    session: Session,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    *,
    lookup_fn: Callable[[Genome], float | None],
    take_in_fn: TakeInFn,
    wants_params_fn: Callable[[float], bool] = lambda accuracy: True,
) -> Callable[[jax.Array], np.ndarray | None]:
    """Makes a function that trains the networks of genomes not known yet.

    Args:
      session: of the run.
      space: of the genomes.
      fixed: the hyperparams that are no genes.
      lookup_fn: genome -> validation accuracy, or None if it was not trained.
      take_in_fn: called with genomes, results and work of every cohort.
      wants_params_fn: validation accuracy -> whether the weights are to be kept.

    Returns:
      The function: a population int[P, G] -> accuracies float32[P], -inf where
      training failed; None when the time was up before all were trained.
    """
    epochs_by_optimizer = collections.defaultdict(list)

    def evaluate(population: jax.Array) -> np.ndarray | None:
        genomes = [tuple(genome) for genome in np.asarray(population).tolist()]
        fresh = sorted({g for g in genomes if lookup_fn(g) is None})
        hyperparams = [complete({**fixed, **decode(space, g)}) for g in fresh]
        # Of earlier generations alone, which are the same whenever this is run.
        expected = {o: float(np.mean(n)) for o, n in epochs_by_optimizer.items()}
        trained = train_list(
            session,
            hyperparams,
            expected_epochs=expected,
            wants_params_fn=wants_params_fn,
        )
        # Closed at once where taking in fails, or training would go on behind it.
        with contextlib.closing(trained):
            for individuals, results, work in trained:
                take_in_fn([fresh[i] for i in individuals], results, work)
                for result in results:
                    optimizer = result.hyperparams["optimizer"]
                    epochs_by_optimizer[optimizer].append(result.num_epochs)
        accuracies = [lookup_fn(genome) for genome in genomes]
        if None in accuracies:
            return None
        return np.array(accuracies, np.float32)

    return evaluate
