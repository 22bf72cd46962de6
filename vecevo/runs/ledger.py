"""What a run knows about the networks that it has trained."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from vecevo.objectives import objective_values, pareto_front
from vecevo.results import (
    Genome,
    NetworkResult,
    Progress,
    SearchResult,
    Work,
    add_work,
    rank_key,
)

NUM_TOP = 5

RecordFn = Callable[[int, Sequence[Genome], Sequence[NetworkResult]], None]


class Ledger:
    """What a run knows about the networks that it has trained."""

    def __init__(self, record_fn: RecordFn | None = None, pool_size: int = NUM_TOP):
        self.accuracy: dict[Genome, float] = {}
        self.results: dict[Genome, NetworkResult] = {}  # without weights and curves
        self.pool: list[tuple[Genome, NetworkResult]] = []  # the best, with weights
        self.pool_size = pool_size
        self.generation, self.num_failed, self.work = 0, 0, Work()
        self._record_fn = record_fn

    def take_in(
        self, genomes: Sequence[Genome], results: Sequence[NetworkResult], work: Work
    ) -> None:
        """Takes in a cohort."""
        pairs = list(zip(genomes, results, strict=True))
        for genome, result in pairs:
            self.accuracy[genome] = result.validation_accuracy
            self.results[genome] = without_arrays(result)
            self.num_failed += result.failed_epoch is not None
        self.work = add_work(self.work, work)
        trained = [pair for pair in pairs if pair[1].failed_epoch is None]
        self.pool = best_first([*self.pool, *trained])[: self.pool_size]
        if self._record_fn is not None:
            self._record_fn(self.generation, genomes, results)

    def wants_params(self, accuracy: float) -> bool:
        """Whether a network of an accuracy may be among the best so far."""
        pool = self.pool
        is_full = len(pool) == self.pool_size
        least = pool[-1][1].validation_accuracy if is_full else -math.inf
        return accuracy > -math.inf and accuracy >= least


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
    return SearchResult(
        **{"top": top, "front": front, "progress": progress, **fields},
        num_trained=len(ledger.accuracy),
        num_failed=ledger.num_failed,
        useful_work_ratio=work.needed / work.executed if work.executed else None,
    )
