"""The course of a run: what it learns is known, recorded, and told."""

from collections.abc import Sequence

import numpy as np

from vecevo.results import Genome, NetworkResult, Progress, Shift, Work
from vecevo.runs.ending.confirming import count_replicates
from vecevo.runs.files.opening import plan_of
from vecevo.runs.files.store import Recorded, Store
from vecevo.runs.ledger import Ledger
from vecevo.runs.loop import ProgressFn
from vecevo.runs.stopping import Stop
from vecevo.training.sessions import Session, count_workers

END_SECONDS = 3.0  # of a budget, for the ensemble, tests and a report
MOST_ASIDE = 1 / 3  # of a budget, for confirmation


class Course:
    """Takes in what a run learns.

    Args:
      session: of the run.
      ledger: of the run.
      stop: of the run.
      files: to record it in; None: it is not recorded.
      confirm: networks that are trained again at the end.
      recorded: before the run was resumed.
      progress_fn: called after every generation.
    """

    def __init__(
        self,
        session: Session,
        ledger: Ledger,
        stop: Stop,
        *,
        files: Store | None,
        confirm: int,
        recorded: Recorded,
        progress_fn: ProgressFn | None,
    ):
        self.session, self.ledger, self.stop, self.files = session, ledger, stop, files
        self.confirm, self.seconds_before = confirm, recorded.seconds
        ledger.work = recorded.work
        self._num_confirmed = sum(p == "confirmation" for p, *_ in recorded.rows)
        self._progress_fn, self._classes = progress_fn, list(session.classes)
        self._expect()

    @property
    def seconds(self) -> float:
        """The run's time."""
        return self.seconds_before + self.stop.seconds

    def begin(self, generation: int, offspring: np.ndarray) -> None:
        """Records what a generation asks for, int[P, G]."""
        if self.files is not None:
            self.files.begin_generation(generation, offspring)

    def take_in(
        self, genomes: Sequence[Genome], results: Sequence[NetworkResult], work: Work
    ) -> None:
        """Takes in a cohort of the search."""
        self.ledger.take_in(genomes, results, work)
        self.record(genomes, results, work)
        if not self.stop.is_set():  # of one that was stopped no end is known
            self._expect()

    def read_back(
        self, genomes: Sequence[Genome], results: Sequence[NetworkResult], work: Work
    ) -> None:
        """Takes in what was recorded before."""
        self.ledger.take_in(genomes, results, work)
        self._expect()

    def record(
        self,
        genomes: Sequence[Genome],
        results: Sequence[NetworkResult],
        work: Work,
        **purpose: str,
    ) -> None:
        """Records a cohort, and the plan, where a lack of memory has changed it."""
        if self.files is None:
            return
        if self.session.classes != self._classes:
            self._classes = list(self.session.classes)
            self.files.write_meta({"plan": plan_of(self.session)})
        self.files.record(
            *(self.ledger.generation, genomes, results, work),
            kept=self.ledger.kept,
            seconds=self.seconds,
            **purpose,
        )

    def record_shift(self, shift: Shift) -> None:
        """Records what a worker has trained."""
        if self.files is not None:
            generation = self.ledger.generation
            self.files.record_shift(generation, shift, seconds=self.seconds)

    def end(self, progress: Progress) -> None:
        """Records what a generation ended with, and tells it."""
        if self.files is not None and not progress.is_read_back:
            self.files.end_generation(progress, seconds=self.seconds)
        if self._progress_fn is not None:
            self._progress_fn(progress)

    def can_confirm(self, num_trainings: int) -> bool:
        """Whether so many trainings take no more than their share of the budget."""
        return self.expect_seconds(num_trainings) <= self.stop.max_seconds * MOST_ASIDE

    def expect_seconds(self, num_trainings: int) -> float:
        """What so many trainings are expected to take."""
        return num_trainings * self._training_seconds

    def _expect(self) -> None:
        """Expects of a training what those before took, those of confirmation too.

        Those that rungs have stopped took less: of the epochs of all, a training to
        its end has those of one that came to the last rung. What it takes to train the
        best again is set aside of the budget.
        """
        ledger = self.ledger
        work, num_trained = ledger.work, len(ledger.accuracy)
        num_workers = count_workers(self.session.job, self.session.crew)
        worked = (work.train_seconds + work.wait_seconds) / num_workers
        num_before = ledger.num_whole * ledger.num_replicates + self._num_confirmed
        self._training_seconds = worked / max(1, num_before)
        num_again = min(self.confirm, num_trained) * count_replicates(num_trained)
        seconds = self.expect_seconds(num_again) * self.can_confirm(num_again)
        most = self.stop.max_seconds * MOST_ASIDE
        self.stop.seconds_aside = min(seconds + END_SECONDS, most)
