"""The end of a run: its winners, confirmed, tested and joined."""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.evaluation import train_pairs
from vecevo.networks.ensembles import Ensemble
from vecevo.results import Confirmed, Genome, NetworkResult, Work, add_work
from vecevo.runs.course import Course
from vecevo.runs.ending.confirming import compare, count_replicates
from vecevo.runs.ending.voting import make_ensemble, measure_winner
from vecevo.runs.files.store import Training
from vecevo.runs.ledger import NUM_TOP, best_first
from vecevo.space import SearchSpace
from vecevo.strategies import EvolutionState, Strategy
from vecevo.training.programs import products_in

Pairs = list[tuple[Genome, NetworkResult]]


class Ending(NamedTuple):
    """What a run ends with."""

    top: Pairs
    confirmation: tuple[Confirmed, ...]
    ensemble: Ensemble | None
    unconfirmed_seconds: float | None  # as in SearchResult


def end_run(
    course: Course,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    *,
    strategy: Strategy,
    state: EvolutionState,
    known: Mapping[Training, NetworkResult],
    num_picks: int,
) -> Ending:
    """Chooses the winners of a run, tests them, and joins the best.

    Args:
      course: of the run, at the end of its search.
      space, fixed: of its networks.
      strategy, state: of the search, and its last.
      known: trainings that were recorded before.
      num_picks: of the ensemble.
    """
    ledger, dataset = course.ledger, course.session.dataset
    metric = course.session.settings.metric
    _fill_pool(course, space, fixed)
    pool = [pair for pair in ledger.pool if pair[1].network is not None]
    ranked = rank(pool, strategy, state)
    top, confirmed, lacking = _top(ranked, ledger.partial), (), None
    if course.confirm and ranked and course.stop.signal is None:
        best = ranked[: course.confirm]
        genomes = [genome for genome, _ in best]
        confirmed, lacking = confirm(course, space, fixed, genomes, known)
        order = [c.genome for c in confirmed]
        if confirmed:
            best = sorted(best, key=lambda pair: order.index(pair[0]))
            top = [*best, *ranked[course.confirm :]][:NUM_TOP]
    voting = None
    with products_in(course.session.settings.precision):
        # A run that goes on later is measured later: who resumes it shall not know.
        if course.stop.signal is None or confirmed:
            top = [(genome, measure_winner(r, dataset, metric)) for genome, r in top]
        if course.stop.signal is None:
            voting = make_ensemble(pool, dataset, num_picks=num_picks, metric=metric)
    is_stopped = course.stop.signal is not None
    return Ending(top, confirmed, voting, None if is_stopped else lacking)


def rank(pool: Pairs, strategy: Strategy, state: EvolutionState) -> Pairs:
    """Sorts networks by what the strategy expects of them, where it says so.

    Among networks whose single results a model cannot tell apart, the best result is
    the luckiest. Where the strategy has no model, they are in the order of the pool.
    """
    expected = expect(pool, strategy, state)
    if expected is None:
        return list(pool)
    return [pool[place] for place in np.argsort(-expected, kind="stable")]


def expect(pool: Pairs, strategy: Strategy, state: EvolutionState) -> np.ndarray | None:
    """Returns what the strategy's model expects of networks, None where it has none."""
    if strategy.judge is None or not pool:
        return None
    genomes = jnp.array([genome for genome, _ in pool], jnp.int32)
    expected = np.asarray(jax.jit(strategy.judge)(state, genomes))
    return expected if np.isfinite(expected).all() else None


def _top(ranked: Pairs, partial: Pairs) -> Pairs:
    """The best networks; those that were stopped count by what they had."""
    if not partial:
        return ranked[:NUM_TOP]
    done = [pair for pair in partial if pair[1].network is not None]
    return best_first([*ranked[:NUM_TOP], *done])[:NUM_TOP]


def _fill_pool(course: Course, space: SearchSpace, fixed: Mapping[str, Any]) -> None:
    """Trains again what the pool has lost the weights of, as far as there is time."""
    pool = course.ledger.pool
    lost = [genome for genome, result in pool if result.network is None]
    if not lost:
        return
    warnings.warn(
        f"the weights of {len(lost)} networks are not in the pool: these are trained "
        "again",
        stacklevel=2,
    )
    found: dict[Genome, NetworkResult] = {}

    def take_in(
        genomes: Sequence[Genome], results: Sequence[NetworkResult], work: Work
    ) -> None:
        for genome, result in zip(genomes, results, strict=True):
            if not result.is_partial:  # or its weights would pass for whole ones
                found[genome] = result

    train_pairs(
        *(course.session, space, fixed, [(genome, 0) for genome in lost]),
        take_in_fn=take_in,
        wants_params_fn=lambda accuracy, replicate: True,
        known={},
    )
    arrays = ("params", "network", "validation_probabilities")
    for place, (genome, result) in enumerate(pool):
        if genome in found:
            weights = {name: getattr(found[genome], name) for name in arrays}
            pool[place] = genome, result._replace(**weights)


def confirm(
    course: Course,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    genomes: Sequence[Genome],
    known: Mapping[Training, NetworkResult],
) -> tuple[tuple[Confirmed, ...], float | None]:
    """Trains networks again, with fresh replicates; empty where that was stopped.

    It is so too where what is not known of it would take too much of the budget. The
    second result is None, or where the first is empty the seconds that were expected.
    """
    first = course.ledger.num_replicates
    num_replicates = count_replicates(len(course.ledger.accuracy))
    replicates = range(first, first + num_replicates)
    pairs = [(genome, replicate) for replicate in replicates for genome in genomes]
    found = {
        (genome, replicate): known["confirmation", genome, replicate]
        for genome, replicate in pairs
        if ("confirmation", genome, replicate) in known
    }
    before = dict(found)
    num_new = len(pairs) - len(before)
    seconds = course.expect_seconds(num_new)
    if not course.can_confirm(num_new):
        return (), seconds
    stop = course.stop
    stop.go_on(min(stop.seconds_aside, stop.max_seconds / 10))

    def take_in(
        genomes: Sequence[Genome], results: Sequence[NetworkResult], work: Work
    ) -> None:
        with products_in(course.session.settings.precision):
            tested = [_tested(result, course) for result in results]
        course.ledger.work = add_work(course.ledger.work, work)
        course.record(genomes, tested, work, purpose="confirmation")
        for genome, result in zip(genomes, tested, strict=True):
            if not result.is_partial:
                found[genome, result.replicate] = result

    train_pairs(
        *(course.session, space, fixed, pairs),
        take_in_fn=take_in,
        wants_params_fn=lambda accuracy, replicate: accuracy > -math.inf,
        known=before,
    )
    if len(found) < len(pairs):
        return (), seconds
    compared = compare({g: [found[g, r] for r in replicates] for g in genomes})
    searched = course.ledger.accuracy
    found_again = (c._replace(search_accuracy=searched[c.genome]) for c in compared)
    return tuple(found_again), None


def _tested(result: NetworkResult, course: Course) -> NetworkResult:
    """A result with its accuracy on the test part, and without its weights."""
    session = course.session
    tested = measure_winner(result, session.dataset, session.settings.metric)
    rest = {"network": None, "validation_probabilities": None}
    return tested._replace(params={}, **rest)
