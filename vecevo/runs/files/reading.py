"""A run that was recorded, read back as a value."""

import json
import math
import os
import pathlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vecevo.errors import InputError, check_paths
from vecevo.extras import import_extra
from vecevo.results import ACCURACY, R2, Genome, genome_text, in_metric, rank_key
from vecevo.runs.files import queries
from vecevo.space import SearchSpace

if TYPE_CHECKING:
    import pandas


class RecordedNetwork(NamedTuple):
    """One training of one network; a failed one has accuracy -inf and loss inf."""

    genome: Genome
    generation: int
    replicate: int
    rung: int
    purpose: str  # search or confirmation
    hyperparams: dict[str, Any]
    num_params: int
    status: str  # trained, failed, partial or stopped
    validation_accuracy: float
    validation_loss: float
    num_epochs: int
    failed_epoch: int | None
    curves: dict[str, np.ndarray]  # by name float[epochs], NaN where not finite
    test_accuracy: float | None = None  # of confirmations alone


class RecordedGeneration(NamedTuple):
    """What a generation ended with; accuracies are -inf where all failed."""

    generation: int
    best_accuracy: float  # of the run so far
    mean_accuracy: float  # of the generation, those that failed left out
    median_accuracy: float  # of the generation
    num_trained: int  # distinct networks of the run so far
    num_failed: int


class RecordedShift(NamedTuple):
    """A cohort as a worker has trained it, in seconds of the run's time."""

    generation: int
    worker: int  # its number
    node: str  # the name of its machine
    device: str  # its kind
    width: int
    depth: int
    num_networks: int
    began_seconds: float
    ended_seconds: float


class Run(NamedTuple):
    """A recorded run; networks are in the order in which their cohorts finished."""

    folder: pathlib.Path
    space: SearchSpace
    fixed: dict[str, Any]  # hyperparams that are no genes
    config: dict[str, Any]  # resolved; {} where the run did not record it
    versions: dict[str, str]
    device: str
    networks: list[RecordedNetwork]
    generations: list[RecordedGeneration]
    summary: dict[str, Any] | None  # result.json; None: the run did not end
    metric: str = ACCURACY  # what is called an accuracy, in a word
    task: str = "classification"  # or regression
    shifts: tuple[RecordedShift, ...] = ()  # of workers, where the run had any

    def __repr__(self) -> str:
        found: dict[Genome, list[float]] = {}
        last: dict[Genome, int] = {}
        for network in self.networks:
            if network.purpose == "search" and network.status != "partial":
                found.setdefault(network.genome, []).append(network.validation_accuracy)
                last[network.genome] = network.rung
        top = max(last.values(), default=0)
        means = [float(np.mean(found[g])) for g, rung in last.items() if rung == top]
        best = max(means, default=-math.inf)
        parts = [repr(str(self.folder)), self.config.get("strategy")]
        parts += [f"{len(found)} networks", f"best validation accuracy {best:.4f}"]
        parts[-1] = in_metric(parts[-1], self.metric)
        shown = parts if math.isfinite(best) else parts[:-1]
        return f"Run({', '.join(part for part in shown if part)})"

    def to_dataframe(self) -> "pandas.DataFrame":
        """Returns a row for each network, hyperparams as columns, curves left out.

        Raises:
          InputError: where pandas, of the extra `tables`, is not installed.
        """
        pandas = import_extra("pandas", "tables")
        rows = [
            {
                **network.hyperparams,
                **{
                    name: value
                    for name, value in network._asdict().items()
                    if name not in ("hyperparams", "curves", "genome")
                },
                "genome": genome_text(network.genome),
            }
            for network in self.networks
        ]
        return pandas.DataFrame(rows)


def ranked(run: Run, networks: Sequence[RecordedNetwork]) -> list[RecordedNetwork]:
    """Sorts networks, the best first: the winners as the run has them, then others."""
    top = [tuple(row["genome"]) for row in (run.summary or {}).get("top") or []]
    places = {genome: place for place, genome in enumerate(top)}
    return sorted(
        networks,
        key=lambda n: (places.get(n.genome, len(top)), *rank_key(n, n.genome)),
    )


def load_run(run: str | os.PathLike) -> Run:
    """Reads a run's folder, finished or not.

    Args:
      run: the folder, or the run.sqlite in it.

    Raises:
      InputError: for what is no run, or cannot be read.
    """
    if not isinstance(run, str | os.PathLike):
        raise InputError(f"run={run!r} is no path: give a run's folder.")
    path = pathlib.Path(run)
    folder = path.parent if path.name == "run.sqlite" else path
    path = folder / "run.sqlite"
    check_paths(run=path)
    if not path.exists():
        inner = sorted(found.parent.name for found in folder.glob("*/run.sqlite"))
        give = f"of its runs, such as {inner[0]}" if inner else "that has"
        raise InputError(
            f"run={str(run)!r} is no folder of a run: it has no run.sqlite; give one "
            f"{give}."
        )
    meta = _read_meta(path)
    metric = meta.get("metric", ACCURACY)
    return Run(
        folder=folder,
        space=SearchSpace(meta["space"]),
        fixed=meta["fixed"],
        config=meta.get("config", {}),
        versions=meta.get("versions", {}),
        device=meta.get("device", ""),
        networks=[_network(row) for row in queries.read_rows(path)],
        generations=[_generation(row) for row in queries.read_generations(path)],
        summary=_read_summary(folder / "result.json"),
        metric=metric,
        task=meta.get("task", "regression" if metric == R2 else "classification"),
        shifts=tuple(RecordedShift(**row) for row in queries.read_shifts(path)),
    )


def _read_meta(path: pathlib.Path) -> dict[str, Any]:
    """What a run is; of schema 1, its configuration says it."""
    meta = queries.read_meta(path)
    if meta is None:
        from vecevo.runs import resolving
        from vecevo.runs.files import toml

        config = toml.read_toml(path.parent / "config.toml")
        space, fixed = resolving.make_space(config)
        meta = {"space": space.genes, "fixed": fixed}
    return meta


def _network(row: dict[str, Any]) -> RecordedNetwork:
    values = queries.parsed(row)
    return RecordedNetwork(**{name: values[name] for name in RecordedNetwork._fields})


def _generation(row: dict[str, Any]) -> RecordedGeneration:
    values: dict[str, Any] = {
        name: -math.inf if row[name] is None else row[name]
        for name in RecordedGeneration._fields
    }
    return RecordedGeneration(**values)


def _read_summary(path: pathlib.Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): remove it.") from error
