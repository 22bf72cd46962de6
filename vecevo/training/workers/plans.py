"""A plan under way: which cohorts are left, and how often each was tried."""

import collections
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vecevo.training.outcomes import Parked
from vecevo.training.planning import Cohort
from vecevo.training.scheduling import halve
from vecevo.training.sessions import Session
from vecevo.training.workers.messages import Task

MOST_TRIES = 3  # of a cohort whose workers are lost


@dataclasses.dataclass
class PlanUnderWay:
    """What is left of a plan, in the order in which it is handed out."""

    session: Session
    left: collections.deque[Cohort]
    hyperparams: Sequence[dict[str, Any]]  # of the list
    wants_params_fn: Callable[[float, int], bool]
    end_epoch: int | None
    parked: Mapping[int, Parked] | None
    tries: collections.Counter[Cohort] = dataclasses.field(
        default_factory=collections.Counter
    )

    def next_task(self, number: int) -> Task:
        """Takes the next cohort, for a worker to train."""
        cohort = self.left.popleft()
        self.tries[cohort] += 1
        rows = [row for row in cohort.individuals if row >= 0]
        parked = self.parked
        return Task(
            number=number,
            cohort=cohort,
            hyperparams={row: self.hyperparams[row] for row in rows},
            # Of which lanes is decided later, by their accuracies.
            wants_params=self.wants_params_fn(math.inf, cohort.replicate),
            end_epoch=self.end_epoch,
            parked={row: parked[row] for row in rows} if parked else None,
            ahead=self.left[0] if self.left else None,
        )

    def put_back(self, cohort: Cohort) -> None:
        """Lets a cohort whose worker was lost be trained again, at last in halves.

        Raises:
          InputError: for a single network.
        """
        if self.tries[cohort] < MOST_TRIES:
            self.left.appendleft(cohort)
        else:
            reason = f"{MOST_TRIES} workers were lost, one after the other,"
            self.left.extend(halve(self.session, cohort, reason=reason))

    def halve(self, cohort: Cohort) -> None:
        """Lets a cohort that found no memory be trained in halves.

        Raises:
          InputError: for a single network.
        """
        self.left.extend(halve(self.session, cohort))
