"""The crew: workers in processes of their own, and the queue that they train from.

What a run trains does not depend on them: its plan is made for a number of workers
that is configured, and a cohort is the same wherever it is trained.
"""

import collections
import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from vecevo.datasets.fingerprints import fingerprint
from vecevo.datasets.making import Dataset
from vecevo.errors import InputError
from vecevo.results import Shift
from vecevo.training.cohorts import Trained
from vecevo.training.devices import Device
from vecevo.training.outcomes import Parked
from vecevo.training.planning import Cohort
from vecevo.training.sessions import Expected, Session
from vecevo.training.workers.answers import (
    check_kinds,
    difference_of,
    first_line,
    idle_share,
    shift_of,
    wanted,
)
from vecevo.training.workers.cluster import Cluster
from vecevo.training.workers.members import Event, Member, Members
from vecevo.training.workers.messages import Order, Task
from vecevo.training.workers.plans import PlanUnderWay
from vecevo.training.workers.worker import jax_settings

MOST_FAILED = 3  # workers, one after the other, that could not begin
START_SECONDS = 120.0  # that the first worker has to begin in
LATER_SECONDS = 20.0  # that the others are waited for
STOP_SECONDS = 10.0  # that a worker has to stop in


class Crew:
    """The workers of a run, made by `at_work`.

    Args:
      cluster: where they work.
      most: of them; None: one for each device of the cluster.
      device: auto, cpu or cuda.
      is_mixed: whether devices may be of several kinds.
      read_fn: by which each reads the data set; None: it is sent to them.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        most: int | None,
        device: str,
        is_mixed: bool,
        read_fn: Callable[[], Dataset] | None = None,
    ):
        self._members = Members(cluster, most=most, device=device)
        self._cluster, self._is_mixed, self._read_fn = cluster, is_mixed, read_fn
        self._num_failed = self._num_tasks = 0
        self._device: Device | None = None
        self._order: Order | None = None
        self._sent, self._fingerprint = None, ""
        self._ends: dict[int, float] = {}  # of this plan, the last of each worker
        self.idle_share: float | None = None  # of the last plan, at its end
        self.shift_fn: Callable[[Shift], None] | None = None  # told of each cohort
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def device(self) -> Device:
        """That of the workers; where they are of several kinds, of the first."""
        if self._device is None:
            raise TypeError("no worker has begun")
        return self._device

    @property
    def num_workers(self) -> int:
        """How many there are now."""
        return len(self.workers)

    @property
    def workers(self) -> list[Member]:
        """Those that have said what they are."""
        return [m for m in self._members.all if m.identity is not None]

    def close(self) -> None:
        """Ends all workers; the cluster may serve others."""
        if self._cluster.is_there():
            self._members.dismiss_all()

    def begin(self, dataset: Dataset, expected: Expected, **session: Any) -> None:
        """Lets the workers build their sessions, as `start_session` is asked to."""
        self._order = Order(
            expected, read_fn=self._read_fn, jax_settings=jax_settings(), **session
        )
        self._sent = None if self._read_fn else self._cluster.ray.put(dataset)
        self._fingerprint = fingerprint(dataset)
        self._members.start_anew()
        for member in self._members.all:
            member.is_ready = False
            if member.identity is not None:
                self._members.call(member, "begin", self._order, self._sent)

    def train_plan(
        self,
        session: Session,
        plan: Sequence[Cohort],
        hyperparams: Sequence[dict[str, Any]],
        *,
        wants_params_fn: Callable[[float, int], bool],
        end_epoch: int | None = None,
        parked: Mapping[int, Parked] | None = None,
    ) -> Generator[tuple[Cohort, Trained, float]]:
        """Trains cohorts, each worker one at a time, in the order of the plan.

        Does as `scheduling.train_plan`, but for cohorts that have not begun when the
        time is up: they do not come.

        Raises:
          InputError: where a network finds no memory, its workers are lost again and
            again, there are no workers that can be used, or the cluster is lost.
        """
        left = collections.deque(plan)
        settings = (hyperparams, wants_params_fn, end_epoch, parked)
        under_way = PlanUnderWay(session, left, *settings)
        start, self._ends = time.monotonic(), {}
        try:
            while left or self._members.are_at_work:
                self._members.look()
                self._hand_out(under_way)
                events = self._members.wait()
                yield from self._take_in(events, under_way)
            ends = {m.number: start for m in self.workers} | self._ends
            self.idle_share = idle_share(list(ends.values()), start)
        finally:
            self._abandon()

    def _take_in(
        self, events: Sequence[Event], under_way: PlanUnderWay
    ) -> Generator[tuple[Cohort, Trained, float]]:
        """Takes in what workers have done: first what they have trained."""
        done, rest = [], []
        for event in events:
            task, event.member.task = event.member.task, None
            if event.error is not None:  # before any work is handed out again
                self._members.dismiss(event.member)
            if task is not None and event.trained is not None:
                self._ends[event.member.number] = time.monotonic()
                done.append((task, event.value, shift_of(event.member, task)))
            else:
                rest.append((task, event))
        self._hand_out(under_way)  # before what was trained is written
        for task, answer, shift in done:
            wants_fn, replicate = under_way.wants_params_fn, task.cohort.replicate
            kept = wanted(answer.trained, wants_fn, replicate)
            yield task.cohort, kept, shift.seconds
            if self.shift_fn is not None:
                self.shift_fn(shift)
        for task, event in rest:
            self._settle(event, task, under_way)

    def _settle(self, event: Event, task: Task | None, under_way: PlanUnderWay) -> None:
        """Takes in what is no training that went well."""
        if event.error is not None:
            self._lose(event, task, under_way)
        elif task is not None:
            under_way.halve(task.cohort)
        else:
            self._learn(event)

    def _lose(
        self, event: Event, task: Task | None, under_way: PlanUnderWay | None
    ) -> None:
        """Gives up a worker after an error, and lets others have its cohort.

        Raises:
          Exception: the error, where training itself has failed.
        """
        member, error = event.member, event.error
        cause = getattr(error, "cause", None)  # of an error that a worker has raised
        if cause is not None and event.call == "train":
            raise cause from None
        if cause is not None:
            self._refuse(member, first_line(cause))
            return
        self._members.dismiss(member)
        self._num_failed += not member.is_ready
        if self._num_failed >= MOST_FAILED:
            raise InputError(
                f"{MOST_FAILED} workers, one after the other, could not begin "
                f"({first_line(error)}): see that vecevo is installed where they are."
            )
        if task is not None and under_way is not None:
            warnings.warn(
                f"worker {member.number} was lost: what it trained is trained again",
                stacklevel=2,
            )
            under_way.put_back(task.cohort)

    def _learn(self, event: Event) -> None:
        """Takes in what a worker says of itself, or of its data set."""
        member = event.member
        if event.call == "introduce":
            member.identity = event.value
            self._engage(member)
            return
        self._num_failed = 0
        member.is_ready = event.value == self._fingerprint
        if not member.is_ready:
            self._refuse(member, "its data set is another")

    def _engage(self, member: Member) -> None:
        """Lets a worker that is known build its session, or refuses it."""
        if member.identity is None:
            return
        self._device = self._device or member.identity.device
        difference = difference_of(
            member.identity, self._device, is_mixed=self._is_mixed
        )
        if difference is not None:
            self._refuse(member, difference)
        elif self._order is not None:
            self._members.call(member, "begin", self._order, self._sent)

    def _refuse(self, member: Member, reason: str) -> None:
        """Does without a worker, and without another in its place.

        Raises:
          InputError: where there is no other.
        """
        self._members.dismiss(member)
        self._members.num_refused += 1
        node = member.identity.node if member.identity else "a machine of the cluster"
        text = f"worker {member.number} on {node} is refused: {reason}"
        if not self._members.all:
            raise InputError(f"{text}. There is no other.")
        warnings.warn(text, stacklevel=2)

    def _start(self) -> None:
        """Waits for the first workers.

        Raises:
          InputError: where there are none, or of several kinds against the settings.
        """
        members, end = self._members, time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            members.look()
            for event in members.wait():
                if event.error is not None:
                    self._lose(event, None, None)
                    continue
                event.member.identity = event.value
                end = min(end, time.monotonic() + LATER_SECONDS)
            if members.all and all(member.identity for member in members.all):
                break
        if not (known := self.workers):
            raise InputError(
                f"workers have not begun within {START_SECONDS:.0f} seconds: see by "
                "ray status that the cluster is up, and has a free device."
            )
        if not self._is_mixed:
            check_kinds(known)
        for member in known:
            self._engage(member)

    def _hand_out(self, under_way: PlanUnderWay) -> None:
        """Gives each worker that is free the next cohort, unless the time is up."""
        if under_way.session.is_time_up_fn():
            under_way.left.clear()
            self._members.stop()
        for member in self._members.all:
            if under_way.left and member.is_ready and member.task is None:
                self._num_tasks += 1
                member.task = under_way.next_task(self._num_tasks)
                member.since = time.monotonic()
                self._members.call(member, "train", member.task)

    def _abandon(self) -> None:
        """Stops what is in training, and drops it."""
        members, end = self._members, time.monotonic() + STOP_SECONDS
        members.stop()
        while members.are_at_work and time.monotonic() < end:
            for event in members.wait():
                event.member.task = None
                if event.error is not None:
                    members.dismiss(event.member)
                elif event.call != "train":
                    self._learn(event)
        for member in list(members.all):
            if member.task is not None:
                members.dismiss(member)
