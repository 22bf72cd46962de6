"""The workers that a driver has, and what it has asked them for."""

import dataclasses
import time
from typing import Any, NamedTuple

from vecevo.errors import InputError
from vecevo.training.cohorts import Trained
from vecevo.training.workers.cluster import Cluster, count_devices, make_actor
from vecevo.training.workers.messages import Answer, Identity, Task
from vecevo.training.workers.worker import Worker

POLL_SECONDS = 0.2  # between looks whether to stop
LOOK_SECONDS = 2.0  # between looks at the cluster
READY_SECONDS = 600.0  # after which a worker has to be ready


@dataclasses.dataclass(eq=False)
class Member:
    """A worker as its driver sees it."""

    number: int
    actor: Any
    identity: Identity | None = None  # None: it has not said yet what it is
    is_ready: bool = False  # its session is built
    task: Task | None = None  # that it trains
    since: float = 0.0  # when it began that


class Event(NamedTuple):
    """What came of a call of a worker."""

    member: Member
    call: str  # introduce, begin or train
    value: Any  # None: there was an error
    error: Exception | None

    @property
    def trained(self) -> Trained | None:
        """What a cohort gave; None: it found no memory, or this is something else."""
        return self.value.trained if isinstance(self.value, Answer) else None


class Members:
    """The workers that a driver has; they come and go.

    Args:
      cluster: where they work.
      most: of them; None: one for each device of the cluster.
      device: auto, cpu or cuda.
    """

    def __init__(self, cluster: Cluster, *, most: int | None, device: str):
        self.all: list[Member] = []
        self.num_hired = self.num_refused = 0
        self._cluster, self._most, self._device = cluster, most, device
        self._calls: dict[Any, tuple[Member, str]] = {}  # by what is to come
        self._next_look, self._ready_at = 0.0, time.monotonic()

    @property
    def are_at_work(self) -> bool:
        """Whether any of them trains."""
        return any(member.task is not None for member in self.all)

    def look(self) -> None:
        """Looks at the cluster now and then, and starts workers where there is room.

        Raises:
          InputError: where its head does not answer any more, or no worker is ready for
            too long.
        """
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        if any(member.is_ready for member in self.all):
            self._ready_at = now
        if now - self._ready_at > READY_SECONDS:
            raise InputError(
                f"no worker has been ready for {READY_SECONDS:.0f} seconds: see by ray "
                "status that the cluster has a free device; what was trained is kept, "
                "and --resume goes on."
            )
        if not self._cluster.is_there():
            raise InputError(
                f"ray={self._cluster.address!r}, the head of the cluster, does not "
                "answer any more: what was trained is kept; start a cluster again, "
                "and go on with --resume."
            )
        ray = self._cluster.ray
        num_devices, has_gpu = count_devices(ray, self._device)
        wanted = min(self._most or num_devices, num_devices) - self.num_refused
        while len(self.all) < wanted:
            actor = make_actor(ray, Worker, has_gpu=has_gpu)
            self.num_hired += 1
            self.all.append(Member(self.num_hired, actor))
            self.call(self.all[-1], "introduce")

    def call(self, member: Member, name: str, *args: Any) -> None:
        """Asks a worker for something; what came of it is an Event."""
        method = getattr(member.actor, name)
        call = method.options(concurrency_group="training").remote(*args)
        self._calls[call] = (member, name)

    def start_anew(self) -> None:
        """Forgets what becomes of earlier sessions, and whom these refused."""
        self._calls = {c: call for c, call in self._calls.items() if call[1] != "begin"}
        self.num_refused, self._ready_at = 0, time.monotonic()

    def wait(self) -> list[Event]:
        """Waits a moment for what workers have done; empty: nothing was."""
        ray, calls = self._cluster.ray, list(self._calls)
        if not calls:
            time.sleep(POLL_SECONDS)
            return []
        ray.wait(calls, timeout=POLL_SECONDS)
        done, _ = ray.wait(calls, num_returns=len(calls), timeout=0)
        events = []
        for call in done:
            member, name = self._calls.pop(call)
            try:
                events.append(Event(member, name, ray.get(call), None))
            except ray.exceptions.RayError as error:
                events.append(Event(member, name, None, error))
        return events

    def stop(self) -> None:
        """Lets workers end what they train, at the end of their call of the device."""
        for member in self.all:
            if member.task is not None:
                stop = member.actor.stop.options(concurrency_group="control")
                stop.remote(member.task.number)

    def dismiss_all(self) -> None:
        """Ends all of them."""
        for member in list(self.all):
            self.dismiss(member)

    def dismiss(self, member: Member) -> None:
        """Ends a worker, and what is expected of it."""
        if member not in self.all:
            return
        self.all.remove(member)
        self._calls = {
            c: call for c, call in self._calls.items() if call[0] is not member
        }
        self._cluster.ray.kill(member.actor, no_restart=True)
