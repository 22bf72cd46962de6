"""Memory and cores that training may take, by device, machine and container."""

import os
import pathlib

from vecevo.training.devices import training_device

SHARE_OF_DEVICE, SHARE_OF_HOST = 0.8, 0.25
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def free_memory(taken: int = 0) -> int:
    """Bytes that cohorts may take: a quarter of a CPU's memory, 80 % of a device's.

    Args:
      taken: bytes that the data set takes of these; a quarter of them is left at the
        least.
    """
    own_bytes = training_device().memory_bytes
    if own_bytes is not None:
        budget = own_bytes * SHARE_OF_DEVICE
    else:
        budget = host_memory() * SHARE_OF_HOST
    return int(max(budget - taken, budget / 4))


def host_memory() -> int:
    """Bytes of memory that the machine has, or its container may use."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        groups = pathlib.Path("/proc/self/cgroup").read_text()
    except OSError:  # not Linux
        groups = ""
    return min([installed, *cgroup_limits(CGROUPS, groups)])


def cgroup_limits(root: pathlib.Path, groups: str) -> list[int]:
    """Limits in bytes of a process's control groups, and of those that they are in.

    Args:
      root: where control groups are mounted.
      groups: lines of `id:controllers:path`, as in /proc/self/cgroup.
    """
    limits = []
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":  # version 2
            top, name = root, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = top / path.lstrip("/")
        for folder in (group, *group.parents):
            limits += _read_limit(folder / name)
            if folder == top:
                break
    return limits


def _read_limit(path: pathlib.Path) -> list[int]:
    try:
        return [int(path.read_text())]
    except (OSError, ValueError):
        return []  # not there, or "max"


def num_cores() -> int:
    """Cores of the CPU that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
