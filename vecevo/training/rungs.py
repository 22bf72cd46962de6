"""Trains lists of networks from rung to rung: at each, some stop and others go on.

A rung is an epoch. The lanes that are active there are parked on the host; those of
networks that are chosen are packed into full cohorts again, with others than before.
Such a network is the same as one that was trained without a stop.
"""

import contextlib
import itertools
import math
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from typing import Any

from vecevo.errors import InputError, describe, do_ascend
from vecevo.results import Genome, NetworkResult, Work, rank_key
from vecevo.training.batches import is_known, plan_rows, train_cohorts, unpark
from vecevo.training.outcomes import Parked
from vecevo.training.planning import FACTOR
from vecevo.training.sessions import Session

ChooseFn = Callable[[int, Mapping[int, NetworkResult]], Collection[int]]


def train_rungs(
    session: Session,
    hyperparams: Sequence[dict[str, Any]],
    replicates: Sequence[int] | None = None,
    *,
    rungs: Sequence[int],
    choose_fn: ChooseFn,
    expected_epochs: Mapping[str, float] | None = None,
    is_known_fn: Callable[[int, int], bool] = lambda row, number: False,
    wants_params_fn: Callable[[float, int], bool] = lambda accuracy, replicate: True,
) -> Generator[tuple[int, list[int], list[NetworkResult], Work]]:
    """Trains a list of networks, all to the first rung, and those chosen further.

    Closing the iterator stops what is in training.

    Args:
      session: of the run.
      hyperparams: completed dicts.
      replicates: of each; 0 where they are left out.
      rungs: ascending numbers of epochs; the last is the session's max_epochs.
      choose_fn: called at each rung but the last, when all its networks are there: the
        number of the rung, from 0, and the results, without weights, of the rows that
        came to it -> those that go on. A network that has stopped before for good is
        chosen or not like others, with the result that it has, but trains no more.
      expected_epochs: as for `train_list`.
      is_known_fn: row and number of a rung -> whether the network is known to have
        ended there or before; a cohort of such rows alone is not trained to it, and
        these are not at the rung.
      wants_params_fn: as for `train_list`; nobody is asked for the weights of a
        network that may go on, and its result has none.

    Yields:
      The number of the rung, rows of the list, their results, and the work of each
      cohort; the result of a network that has stopped for good comes once. When the
      time is up, partial results come as from `train_list`, and no rung begins; those
      that are parked come again, partial and with their weights.

    Raises:
      InputError: for rungs that do not ascend to the session's max_epochs.
      ValueError: for a row that was chosen and was not at the rung.
    """
    check_rungs(rungs, int(session.setup.rule.max_epochs))
    rows, standing = list(range(len(hyperparams))), {}
    parked: dict[int, Parked] = {}
    for number, end_epoch in enumerate(rungs):
        if number:
            standing = _choose(choose_fn, number - 1, standing)
            parked = {row: parked[row] for row in standing if row in parked}
            rows = sorted(parked)
        before, parked = parked, {}
        plan = plan_rows(session, hyperparams, replicates, expected_epochs, rows)
        known = [
            cohort
            for cohort in plan
            if is_known(cohort, lambda row, number=number: is_known_fn(row, number))
        ]
        for row in itertools.chain.from_iterable(c.individuals for c in known):
            standing.pop(row, None)
            before.pop(row, None)
        trained = train_cohorts(
            session,
            hyperparams,
            [cohort for cohort in plan if cohort not in known],
            wants_params_fn=wants_params_fn,
            end_epoch=end_epoch,
            parked=before,
        )
        with contextlib.closing(trained):
            for members, unranked, work, newly_parked in trained:
                results = [result._replace(rung=number) for result in unranked]
                parked |= newly_parked
                for row, result in zip(members, results, strict=True):
                    before.pop(row, None)  # as parked lanes are large
                    standing[row] = _without_weights(result)
                yield number, members, results, work
        if session.is_time_up_fn():
            left = before | parked
            results = [
                unpark(session, standing[row], left[row], wants_params_fn)._replace(
                    rung=number - (row in before)
                )
                for row in left
            ]
            yield number, list(left), results, Work()
            return
        if not standing:
            return


def choose_best[Row: (int, Genome)](
    number: int, results: Mapping[Row, NetworkResult]
) -> list[Row]:
    """Returns the best third of the rows, rounded up; of equals those that come first.

    See Jamieson & Talwalkar, "Non-stochastic best arm identification and
    hyperparameter optimization", 2016.
    """
    del number
    ranked = sorted(sorted(results), key=lambda row: rank_key(results[row], ()))
    return ranked[: math.ceil(len(ranked) / FACTOR)]


def check_rungs(rungs: Any, max_epochs: int | None) -> None:
    """Refuses rungs that are not epochs that ascend to the cap.

    Raises:
      InputError: saying what they must be.
    """
    if not (do_ascend(rungs) and rungs[-1] == max_epochs):
        raise InputError(
            f"rungs={describe(rungs)} must be ascending numbers of epochs, of which "
            f"the last is max_epochs={max_epochs}."
        )


def _choose(
    choose_fn: ChooseFn, number: int, standing: Mapping[int, NetworkResult]
) -> dict[int, NetworkResult]:
    """The results of the rows that go on from a rung."""
    chosen = set(choose_fn(number, dict(sorted(standing.items()))))
    if not chosen <= set(standing):
        strange = sorted(chosen - set(standing))
        raise ValueError(f"choose_fn gave rows {strange}, which are not at the rung.")
    return {row: standing[row]._replace(rung=number + 1) for row in sorted(chosen)}


def _without_weights(result: NetworkResult) -> NetworkResult:
    return result._replace(params={}, network=None, validation_probabilities=None)
