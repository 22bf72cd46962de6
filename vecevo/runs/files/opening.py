"""The files of a run, made or opened again, and the session that goes with them."""

import hashlib
import os
import pathlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from vecevo.datasets.fingerprints import fingerprint
from vecevo.datasets.weighing import class_weights
from vecevo.errors import InputError
from vecevo.results import NetworkResult, Work
from vecevo.runs.environment import versions
from vecevo.runs.files import identity, pool, store
from vecevo.space import SearchSpace
from vecevo.training.devices import training_device
from vecevo.training.lanes.metrics import row_of, stops_by
from vecevo.training.planning import CohortClass
from vecevo.training.sessions import Session
from vecevo.training.settings import precision_name

NOTHING = store.Recorded({}, [], 0, {}, Work(), 0.0)


class Opened(NamedTuple):
    """A run that is about to start, or to go on."""

    session: Session  # with the plan of the run that goes on
    files: store.Store | None  # None: it is not recorded
    recorded: store.Recorded
    known: Mapping[store.Training, NetworkResult]  # what was recorded


def open_run(
    session: Session,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    *,
    output_dir: str | os.PathLike | None,
    resume: bool,
    num_generations: int,
    meta: Mapping[str, Any],
    **said: Any,
) -> Opened:
    """Makes the files of a run, or opens them again.

    Args:
      session: of the run.
      space, fixed: of its networks.
      output_dir: its folder; None: it is not recorded.
      resume: whether it goes on.
      num_generations: at most.
      meta: what else to record.
      **said: what a run that goes on must share, beside what the session has.

    Raises:
      InputError: for what cannot be written, or cannot go on.
    """
    if output_dir is None:
        return Opened(session, None, NOTHING, {})
    folder = pathlib.Path(output_dir)
    same = _identity(session, space, fixed, said)
    if not resume:
        whole = {
            "identity": same,
            "space": space.genes,
            "fixed": dict(fixed),
            "plan": plan_of(session),
            "num_workers": session.job.num_workers,
            "versions": versions(),
            "device": same["device"],
            "metric": row_of(str(session.settings.metric)).word,
            "task": session.dataset.task,
        }
        return Opened(session, store.start(folder, {**whole, **meta}), NOTHING, {})
    files, recorded = store.open_again(folder)
    try:
        identity.check_same(folder, recorded.meta.get("identity", {}), same)
        _check_length(folder, recorded, num_generations)
        known = pool.read_back(recorded, folder, session)
        files.write_meta(meta)
    except BaseException:
        files.close()
        raise
    return Opened(_with_plan(session, recorded.meta), files, recorded, known)


def _identity(
    session: Session,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    said: Mapping[str, Any],
) -> dict[str, Any]:
    """What a run that goes on must share: all that its numbers depend on."""
    settings, dataset = session.settings, session.dataset
    by_class = class_weights(settings.class_weight, dataset.y_train, dataset.classes)
    return {
        "space": space.genes,
        "fixed": dict(fixed),
        **said,
        "batch_size": settings.batch_size,
        "max_epochs": settings.max_epochs,
        "patience": settings.patience,
        "precision": precision_name(settings.precision),
        **({"augment": sorted(settings.augment)} if settings.augment else {}),
        **({"mixup": settings.mixup} if settings.mixup else {}),
        **({"metric": metric} if (metric := stops_by(settings.metric)) else {}),
        **({} if by_class is None else {"class_weight": by_class.tolist()}),
        "protocol": "article" if dataset.is_article else "validation",
        "data": fingerprint(dataset),
        "device": training_device().kind,
        **{name: versions()[name] for name in ("vecevo", "jax", "jaxlib")},
    }


def hash_of(population: Any) -> str | None:
    """Returns a hash of a first population int[P, G]; None of none."""
    if population is None:
        return None
    genomes = np.ascontiguousarray(population, np.int64)
    return hashlib.sha256(genomes.data).hexdigest()[:16]


def _check_length(
    folder: pathlib.Path, recorded: store.Recorded, num_generations: int
) -> None:
    num_begun = len(recorded.populations)
    if num_generations < num_begun:
        raise InputError(
            f"num_generations={num_generations} is less than the {num_begun} that the "
            f"run in {str(folder)!r} has begun: give as many, or more."
        )


def _with_plan(session: Session, meta: Mapping[str, Any]) -> Session:
    """The session with the plan that a run began with, wherever it goes on."""
    classes = [
        CohortClass(c["width"], c["depth"], tuple(c["lane_counts"]))
        for c in meta["plan"]
    ]
    num_workers = min(session.job.num_workers, meta["num_workers"])
    job = session.job._replace(num_workers=num_workers)
    return session._replace(classes=classes, job=job)


def plan_of(session: Session) -> list[dict[str, Any]]:
    """Returns the cohort classes of a session, as JSON."""
    return [cohort_class._asdict() for cohort_class in session.classes]
