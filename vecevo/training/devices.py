"""What networks are trained on: JAX's device, or, in a run by workers, theirs."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import NamedTuple

import jax


class Device(NamedTuple):
    """What a plan, and the numbers of a training, depend on."""

    kind: str  # as JAX calls it
    is_cpu: bool
    memory_bytes: int | None = None  # of its own; None: the host's


_OF_WORKERS: contextvars.ContextVar[Device | None] = contextvars.ContextVar(
    "device_of_workers", default=None
)


def own_device() -> Device:
    """Returns the device that JAX computes on in this process."""
    stats = jax.devices()[0].memory_stats() or {}
    return Device(
        kind=jax.devices()[0].device_kind,
        is_cpu=jax.default_backend() == "cpu",
        memory_bytes=stats.get("bytes_limit"),
    )


def training_device() -> Device:
    """Returns the device that networks are trained on."""
    return _OF_WORKERS.get() or own_device()


def is_on_cpu() -> bool:
    """Whether networks are trained on a CPU."""
    device = _OF_WORKERS.get()
    return jax.default_backend() == "cpu" if device is None else device.is_cpu


@contextlib.contextmanager
def on_device_of_workers(device: Device | None) -> Iterator[None]:
    """Plans for the device of workers; None: this process trains, on its own."""
    token = _OF_WORKERS.set(device)
    try:
        yield
    finally:
        _OF_WORKERS.reset(token)
