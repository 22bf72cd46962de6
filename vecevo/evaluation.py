"""Joins the towers: trains the networks of genomes, and so gives them accuracies."""

import collections
import contextlib
import itertools
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
WantsParamsFn = Callable[[float, int], bool]  # validation accuracy, replicate
Known = Mapping[tuple[Genome, int], NetworkResult]  # by genome and replicate


def make_evaluate_fn(
    session: Session,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    *,
    lookup_fn: Callable[[Genome], float | None],
    take_in_fn: TakeInFn,
    read_back_fn: TakeInFn | None = None,
    wants_params_fn: WantsParamsFn = lambda accuracy, replicate: True,
    num_replicates: int = 1,
    known: Known | None = None,
) -> Callable[[jax.Array], np.ndarray | None]:
    """Makes a function that trains the networks of genomes not known yet.

    Args:
      session: of the run.
      space: of the genomes.
      fixed: the hyperparams that are no genes.
      lookup_fn: genome -> validation accuracy, or None if it was not trained.
      take_in_fn: called with genomes, results and work of every cohort.
      read_back_fn: called likewise with the results of a population that are known.
      wants_params_fn: accuracy and replicate -> whether the weights are to be kept.
      num_replicates: trainings of each network.
      known: trainings that need not be done.

    Returns:
      The function: a population int[P, G] -> accuracies float32[P], -inf where
      training failed; None when the run was stopped before all were trained.
    """
    epochs_by_optimizer, before = collections.defaultdict(list), known or {}

    def learn(results: Sequence[NetworkResult]) -> None:
        for result in results:
            optimizer = result.hyperparams["optimizer"]
            epochs_by_optimizer[optimizer].append(result.num_epochs)

    def evaluate(population: jax.Array) -> np.ndarray | None:
        genomes = [tuple(genome) for genome in np.asarray(population).tolist()]
        fresh = sorted({g for g in genomes if lookup_fn(g) is None})
        pairs = [(g, r) for r in range(num_replicates) for g in fresh]
        # Of earlier generations alone, which are the same whenever this is run.
        expected = {o: float(np.mean(n)) for o, n in epochs_by_optimizer.items()}

        def take_in(
            genomes: Sequence[Genome], results: Sequence[NetworkResult], work: Work
        ) -> None:
            take_in_fn(genomes, results, work)
            learn([result for result in results if not result.is_partial])

        back = [(pair[0], before[pair]) for pair in pairs if pair in before]
        if read_back_fn is not None and back:
            read_back_fn([genome for genome, _ in back], [r for _, r in back], Work())
        learn([result for _, result in back])
        train_pairs(
            *(session, space, fixed, pairs),
            take_in_fn=take_in,
            wants_params_fn=wants_params_fn,
            known=before,
            expected_epochs=expected,
        )
        accuracies = [lookup_fn(genome) for genome in genomes]
        if None in accuracies:
            return None
        return np.array(accuracies, np.float32)

    return evaluate


def train_pairs(
    session: Session,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    pairs: Sequence[tuple[Genome, int]],
    *,
    take_in_fn: TakeInFn,
    wants_params_fn: WantsParamsFn,
    known: Known,
    expected_epochs: Mapping[str, float] | None = None,
) -> None:
    """Trains genomes, each with a replicate, by one plan for all of them.

    A cohort of the plan is trained whole, or not at all where all of it is known; what
    is known is not taken in. `expected_epochs` is as for `train_list`.
    """
    hyperparams = [complete({**fixed, **decode(space, genome)}) for genome, _ in pairs]
    trained = train_list(
        session,
        hyperparams,
        [replicate for _, replicate in pairs],
        expected_epochs=expected_epochs,
        is_known_fn=lambda row: pairs[row] in known,
        wants_params_fn=wants_params_fn,
    )
    # Closed at once where taking in fails, or training would go on behind it.
    with contextlib.closing(trained):
        for rows, results, work in trained:
            is_new = [pairs[row] not in known for row in rows]
            genomes = [pairs[row][0] for row in rows]
            take_in_fn(
                list(itertools.compress(genomes, is_new)),
                list(itertools.compress(results, is_new)),
                work,
            )
