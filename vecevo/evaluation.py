"""Joins the towers: trains the networks of genomes, and so gives them accuracies."""

import collections
import contextlib
import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from vecevo.results import Genome, NetworkResult, Work, add_work, mean_of
from vecevo.space import SearchSpace, decode
from vecevo.training.batches import train_list
from vecevo.training.recipe import CONDITIONAL, complete
from vecevo.training.rungs import choose_best, train_rungs
from vecevo.training.sessions import Session

TakeInFn = Callable[[Sequence[Genome], Sequence[NetworkResult], Work], None]
WantsParamsFn = Callable[[float, int], bool]  # validation accuracy, replicate
Known = Mapping[tuple[Genome, int], NetworkResult]  # by genome and replicate


def make_canonical_fn(
    space: SearchSpace, fixed: Mapping[str, Any]
) -> Callable[[np.ndarray], np.ndarray]:
    """Makes a function that gives genomes of the same network the same genes.

    A gene that has no say beside the others, as the momentum of adam, becomes the
    first choice with which the network is the same, and so does one after the other.

    Args:
      space: of the genomes.
      fixed: the hyperparams that are no genes.

    Returns:
      The function: genomes int[P, G] -> int32[P, G].
    """
    names = {name for name, _ in space.genes} | set(fixed)
    if not names & set(CONDITIONAL):
        return lambda population: population

    @functools.cache
    def canonical(genome: Genome) -> Genome:
        network = complete({**fixed, **decode(space, genome)})
        for place in range(len(genome)):
            for choice in range(genome[place]):
                other = (*genome[:place], choice, *genome[place + 1 :])
                if complete({**fixed, **decode(space, other)}) == network:
                    genome = other
                    break
        return genome

    def canonical_population(population: np.ndarray) -> np.ndarray:
        genomes = [canonical(tuple(genome)) for genome in population.tolist()]
        return np.array(genomes, np.int32).reshape(population.shape)

    return canonical_population


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
    rungs: Sequence[int] | None = None,
    known: Known | None = None,
) -> Callable[[jax.Array], np.ndarray | None]:
    """Makes a function that trains the networks of genomes not known yet.

    Args:
      session: of the run.
      space: of the genomes.
      fixed: the hyperparams that are no genes.
      lookup_fn: genome -> validation accuracy, or None if it was not trained.
      take_in_fn: called with genomes, results and work of every cohort, or of all
        that end at a rung.
      read_back_fn: called likewise with the results of a population that are known.
      wants_params_fn: accuracy and replicate -> whether the weights are to be kept.
      num_replicates: trainings of each network.
      rungs: at which a third of the new networks go on; None: all train to the end.
      known: trainings that need not be done.

    Returns:
      The function: a population int[P, G] -> accuracies float32[P], -inf where
      training failed; None when the run was stopped before all were trained.
    """
    epochs_by_optimizer, before = collections.defaultdict(list), known or {}
    last_rung = len(rungs or [0]) - 1

    def learn(results: Sequence[NetworkResult]) -> None:
        # When the others would have stopped is not known.
        for result in filter(lambda result: result.rung == last_rung, results):
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
            rungs=rungs,
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
    rungs: Sequence[int] | None = None,
) -> None:
    """Trains genomes, each with a replicate, by one plan for all of them.

    A cohort of the plan is trained whole, or not at all where all of it is known; what
    is known is not taken in. `expected_epochs` is as for `train_list`, `rungs` as for
    `make_evaluate_fn`.
    """
    hyperparams = [complete({**fixed, **decode(space, genome)}) for genome, _ in pairs]
    replicates = [replicate for _, replicate in pairs]
    race = _Race(pairs, known, take_in_fn)
    if rungs is not None:
        _train_by_rungs(
            *(session, hyperparams, replicates),
            race=race,
            rungs=rungs,
            expected_epochs=expected_epochs,
            wants_params_fn=wants_params_fn,
        )
        return
    trained = train_list(
        session,
        hyperparams,
        replicates,
        expected_epochs=expected_epochs,
        is_known_fn=lambda row: pairs[row] in known,
        wants_params_fn=wants_params_fn,
    )
    # Closed at once where taking in fails, or training would go on behind it.
    with contextlib.closing(trained):
        for rows, results, work in trained:
            race.take_in(dict(zip(rows, results, strict=True)), work)


@dataclasses.dataclass
class _Race:
    """Genomes in training, each with a replicate; some trainings are known."""

    pairs: Sequence[tuple[Genome, int]]
    known: Known
    take_in_fn: TakeInFn
    waiting: dict[int, NetworkResult] = dataclasses.field(default_factory=dict)
    # by row; what becomes of these is not decided yet
    work: Work = dataclasses.field(default_factory=Work)  # that was not taken in yet

    def take_in(self, results: Mapping[int, NetworkResult], work: Work) -> None:
        """Takes in results by row, but for those that are known."""
        fresh = [row for row in results if self.pairs[row] not in self.known]
        genomes = [self.pairs[row][0] for row in fresh]
        self.take_in_fn(genomes, [results[row] for row in fresh], work)

    def settle(self, rows: Sequence[int], **changes: Any) -> None:
        """Takes in rows that waited, and all work up to now."""
        ended = {row: self.waiting.pop(row)._replace(**changes) for row in rows}
        self.take_in(ended, self.work)
        self.work = Work()

    def has_ended(self, row: int, number: int) -> bool:
        """Whether a training is known, and came to no later rung."""
        before = self.known.get(self.pairs[row])
        return before is not None and before.rung <= number

    def choose(
        self, number: int, results: Mapping[int, NetworkResult], *, last: int
    ) -> set[int]:
        """Returns the rows that go on from a rung, and takes in those that do not.

        Of those that go on, some have stopped before, for good: these wait on, and at
        the last rung but one they are taken in, too.
        """
        going = choose_rows(self.pairs, self.known, number, results)
        for row in going:
            self.waiting[row] = self.waiting[row]._replace(rung=number + 1)
        is_last = number + 1 == last
        ended = [
            row
            for row in results
            if row not in going or (is_last and not self.waiting[row].is_stopped)
        ]
        self.settle(ended)
        return going


def _train_by_rungs(
    session: Session,
    hyperparams: Sequence[dict[str, Any]],
    replicates: Sequence[int],
    *,
    race: _Race,
    rungs: Sequence[int],
    **settings: Any,
) -> None:
    """Does as `train_pairs`, but at each rung the best third of the genomes goes on.

    All that end at a rung are taken in together, once it is decided; in the last rung
    cohorts are taken in as they come. `settings` are those of `train_rungs`.
    """
    last = len(rungs) - 1
    if all(pair in race.known for pair in race.pairs):
        return
    trained = train_rungs(
        *(session, hyperparams, replicates),
        rungs=rungs,
        choose_fn=functools.partial(race.choose, last=last),
        is_known_fn=race.has_ended,
        **settings,
    )
    with contextlib.closing(trained):
        for number, rows, results, work in trained:
            race.work = add_work(race.work, work)
            race.waiting |= dict(zip(rows, results, strict=True))
            if number == last:
                race.settle(rows)
    left = [row for row in race.waiting if race.pairs[row] not in race.known]
    if left:  # the time was up before it was decided what becomes of them
        race.settle(left, is_partial=True)


def choose_rows(
    pairs: Sequence[tuple[Genome, int]],
    known: Known,
    number: int,
    results: Mapping[int, NetworkResult],
) -> set[int]:
    """Returns the rows that go on from a rung: all replicates of some genomes.

    These are the best third, by the means of their replicates. Where a run is resumed,
    what is known of the rung shows how it was decided.

    Args:
      pairs: genomes, each with a replicate.
      known: trainings that were done before.
      number: of the rung.
      results: by row of the pairs, of those at the rung.
    """
    ended = {pair[0] for pair in pairs if pair in known and known[pair].rung == number}
    if ended:
        return {row for row in results if pairs[row][0] not in ended}
    by_genome = collections.defaultdict(dict)
    for row, result in results.items():
        genome, replicate = pairs[row]
        by_genome[genome][replicate] = result
    means = {genome: mean_of(replicates) for genome, replicates in by_genome.items()}
    chosen = choose_best(number, means)
    return {row for row in results if pairs[row][0] in chosen}
