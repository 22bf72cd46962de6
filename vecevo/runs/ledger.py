"""What a run knows about the networks that it has trained."""

import collections
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vecevo.objectives import objective_values, pareto_front
from vecevo.results import (
    Genome,
    NetworkResult,
    Progress,
    SearchResult,
    Work,
    add_work,
    mean_of,
    rank_key,
)
from vecevo.strategies.pruning import sort_keys

NUM_TOP = 5

RecordFn = Callable[[int, Sequence[Genome], Sequence[NetworkResult]], None]


class Ledger:
    """What a run knows about the networks that it has trained.

    Args:
      record_fn: called with generation, genomes and NetworkResults of every cohort.
      pool_size: networks that keep their weights.
      num_replicates: trainings of a network, whose mean is its result.
      num_rungs: of training; the best are of the last one.
    """

    def __init__(
        self,
        record_fn: RecordFn | None = None,
        pool_size: int = NUM_TOP,
        num_replicates: int = 1,
        num_rungs: int = 1,
    ):
        self.accuracy: dict[Genome, float] = {}
        self.results: dict[Genome, NetworkResult] = {}  # without weights and curves
        self.pool: list[tuple[Genome, NetworkResult]] = []  # the best, with weights
        self.partial: list[tuple[Genome, NetworkResult]] = []  # stopped, with weights
        self.waiting: dict[Genome, dict[int, NetworkResult]] = collections.defaultdict(
            dict  # by replicate, of those that lack some
        )
        self.pool_size, self.num_replicates = pool_size, num_replicates
        self.num_rungs = num_rungs
        self.generation, self.num_failed, self.work = 0, 0, Work()
        self._record_fn = record_fn

    def take_in(
        self, genomes: Sequence[Genome], results: Sequence[NetworkResult], work: Work
    ) -> None:
        """Takes in a cohort."""
        self.work = add_work(self.work, work)
        fresh = []
        for genome, result in zip(genomes, results, strict=True):
            if result.is_partial:
                self.partial.append((genome, result))
                continue
            self.waiting[genome][result.replicate] = result
            if len(self.waiting[genome]) == self.num_replicates:
                fresh.append((genome, mean_of(self.waiting.pop(genome))))
        self._settle(fresh)
        if self._record_fn is not None and genomes:
            self._record_fn(self.generation, genomes, results)

    def _settle(self, pairs: list[tuple[Genome, NetworkResult]]) -> None:
        for genome, result in pairs:
            self.accuracy[genome] = result.validation_accuracy
            self.results[genome] = without_arrays(result)
            self.num_failed += result.failed_epoch is not None
        last = self.num_rungs - 1
        trained = [p for p in pairs if p[1].failed_epoch is None and p[1].rung == last]
        self.pool = best_first([*self.pool, *trained])[: self.pool_size]

    def told(self, genomes: Sequence[Genome]) -> np.ndarray:
        """What a search is told of networks, float32[P]: accuracies, -inf where failed.

        With rungs these are keys that sort by the rung reached, then by the accuracy
        there, and mean nothing else.
        """
        accuracy = np.array([self.accuracy[genome] for genome in genomes], np.float32)
        if self.num_rungs == 1:
            return accuracy
        rungs = np.array([self.results[genome].rung for genome in genomes])
        return np.asarray(sort_keys(rungs, accuracy))

    @property
    def best_accuracy(self) -> float:
        """The best of the networks that came to the last rung; -inf where none did."""
        return self.pool[0][1].validation_accuracy if self.pool else -math.inf

    @property
    def whole_epochs(self) -> list[int]:
        """Epochs of each network that came to the last rung, and did not fail."""
        last = self.num_rungs - 1
        finalists = [r for r in self.results.values() if r.rung == last]
        return [r.num_epochs for r in finalists if r.failed_epoch is None]

    @property
    def num_whole(self) -> float:
        """How many trainings to the end have as many epochs as all have had."""
        results, whole = self.results.values(), self.whole_epochs
        if not whole:
            return len(results)
        return sum(result.num_epochs for result in results) / float(np.mean(whole))

    @property
    def kept(self) -> set[Genome]:
        """The networks whose weights are needed, or may be."""
        return {genome for genome, _ in self.pool} | set(self.waiting)

    def wants_params(self, accuracy: float, replicate: int) -> bool:
        """Whether the weights of a training of some accuracy may be needed."""
        if replicate or accuracy == -math.inf:
            return False
        if self.num_replicates > 1:
            return True  # its mean is not known yet
        is_full = len(self.pool) == self.pool_size
        return not is_full or accuracy >= self.pool[-1][1].validation_accuracy


def without_arrays(result: NetworkResult) -> NetworkResult:
    """Returns a result without its weights, and all that comes with them."""
    rest = {"network": None, "validation_probabilities": None}
    return result._replace(params={}, curves={}, **rest)


def best_first(
    pairs: Sequence[tuple[Genome, NetworkResult]],
) -> list[tuple[Genome, NetworkResult]]:
    """Sorts networks, which come in any order, by `rank_key`."""
    return sorted(pairs, key=lambda pair: rank_key(pair[1], pair[0]))


def summarize(
    ledger: Ledger, progress: list[Progress], objectives: Sequence[str], **fields: Any
) -> SearchResult:
    """Returns the SearchResult of a ledger, with the other fields as given."""
    work, top, front = ledger.work, ledger.pool[:NUM_TOP], []
    trained = [p for p in ledger.results.items() if p[1].failed_epoch is None]
    if trained and len(objectives) > 1:
        accuracy = [result.validation_accuracy for _, result in trained]
        num_params = [result.num_params for _, result in trained]
        rows = pareto_front(objective_values(objectives, accuracy, num_params))
        front = best_first([trained[row] for row in rows])
    failed = [r.failed_epoch for r in ledger.results.values()]
    epochs = [epoch for epoch in failed if epoch is not None]
    return SearchResult(
        **{"top": top, "front": front, "progress": progress, **fields},
        num_trained=len(ledger.accuracy),
        num_failed=ledger.num_failed,
        failed_epochs=tuple(sorted(epochs)),
        useful_work_ratio=work.needed / work.executed if work.executed else None,
    )
