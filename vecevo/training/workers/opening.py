"""Workers for a run: asked for, started, and ended."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, Literal

from vecevo.datasets.making import Dataset
from vecevo.errors import InputError, check_counts
from vecevo.training.devices import on_device_of_workers
from vecevo.training.settings import MOST_WORKERS
from vecevo.training.workers import cluster
from vecevo.training.workers.crew import Crew

Workers = int | Literal["auto"] | Crew | None


@contextlib.contextmanager
def open_workers(
    workers: int | Literal["auto"] = "auto",
    *,
    ray: str | None = None,
    device: str = "auto",
    allow_mixed_devices: bool = False,
    read_fn: Callable[[], Dataset] | None = None,
) -> Iterator[Crew]:
    """Starts workers, for runs within the block to train with.

    Args:
      workers: processes, each with a GPU or one thread of a CPU; auto: one for each
        device.
      ray: host:port of the head of a cluster, or auto; None: this machine.
      device: auto, cpu or cuda; auto are GPUs where there are any.
      allow_mixed_devices: whether devices may be of several kinds, whose numbers
        differ by rounding.
      read_fn: by which each worker reads the data set; None: it is sent to them.

    Yields:
      The Crew.

    Raises:
      InputError: for a number that is none, or workers that cannot be had.
    """
    if workers != "auto":
        check_number(workers)
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(
            f"device={device!r} has no workers: they train on cpu or cuda, so leave "
            "workers out."
        )
    most = None if workers == "auto" else int(workers)
    with cluster.join(ray, most) as joined:
        crew = Crew(
            joined,
            most=most,
            device=device,
            is_mixed=allow_mixed_devices,
            read_fn=read_fn if ray is not None else None,
        )
        with contextlib.closing(crew), on_device_of_workers(crew.device):
            yield crew


@contextlib.contextmanager
def at_work(workers: Workers) -> Iterator[Crew | None]:
    """Gives a crew as it is, and starts one where a number is asked for.

    Within the block networks are planned for what it trains them on.
    """
    if workers is None or isinstance(workers, Crew):
        with on_device_of_workers(workers and workers.device):
            yield workers
        return
    with open_workers(workers) as crew:
        yield crew


def recorded_of(crew: Crew | None) -> dict[str, Any]:
    """Returns what a run records of its first workers, as JSON."""
    if crew is None:
        return {}
    known = [member.identity for member in crew.workers if member.identity]
    return {
        "workers": [
            {"node": i.node, "device": i.device.kind, "num_threads": i.num_threads}
            for i in known
        ]
    }


def check_workers(workers: Any) -> None:
    """Refuses what is neither a number of workers, nor auto, nor a Crew, nor None.

    Raises:
      InputError: naming it.
    """
    if workers is not None and workers != "auto" and not isinstance(workers, Crew):
        check_number(workers)


def check_number(workers: Any) -> None:
    """Refuses what is no number of workers.

    Raises:
      InputError: naming it.
    """
    check_counts(workers=workers)
    if workers > MOST_WORKERS:
        raise InputError(f"workers={workers} must be at most {MOST_WORKERS}.")
