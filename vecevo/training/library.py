"""Training as a library call: a list of networks, and a data set."""

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vecevo.datasets.loading import as_dataset
from vecevo.datasets.making import Dataset
from vecevo.errors import InputError
from vecevo.results import NetworkResult
from vecevo.training import recipe
from vecevo.training.rungs import check_rungs, choose_best, train_rungs
from vecevo.training.sessions import expect, start_session
from vecevo.training.settings import resolve
from vecevo.training.workers.opening import Workers, at_work, check_workers


def train_networks(
    hyperparams: Sequence[Mapping[str, Any]],
    dataset: Dataset | str,
    *,
    seed: int = 0,
    rungs: Sequence[int] | None = None,
    workers: Workers = None,
    **training: Any,
) -> list[NetworkResult]:
    """Trains a list of different networks on a data set.

    Args:
      hyperparams: dicts with `width`, `depth`, `activation`, `optimizer` and, where
        not the default, the others of `training.recipe.TABLE`.
      dataset: from `load_dataset` or `make_dataset`, or a name to load.
      seed: of initial weights, dropout and the order of examples.
      rungs: epochs, ascending to max_epochs, by successive halving: at each but the
        last the best third of the networks that are there goes on, by accuracy and
        then by loss. None: all do.
      workers: as for `vecevo.search`.
      **training: `batch_size`, `max_epochs`, `patience`, `metric`, `class_weight`,
        `augment`, `mixup`, `precision`, `memory_bytes` and `planned_workers`, as in
        `training.settings.TrainingSettings`.

    Returns:
      The results in the order of `hyperparams`. Equal networks train once and share
      a result. One that was stopped at a rung has no weights, and is otherwise as if
      its training had ended there.

    Raises:
      InputError: naming what cannot be trained, or trained with.
    """
    if isinstance(hyperparams, Mapping):
        raise InputError(
            f"hyperparams={dict(hyperparams)!r} is one network: give a list of dicts."
        )
    if not isinstance(hyperparams, Iterable):
        raise InputError(f"hyperparams={hyperparams!r} must be a list of dicts.")
    check_workers(workers)
    dataset = as_dataset(dataset)
    completed = [recipe.complete(h) for h in hyperparams]
    texts = [json.dumps(h, sort_keys=True) for h in completed]
    distinct = dict(zip(texts, completed, strict=True))
    if not distinct:
        return []
    listed, results = list(distinct.values()), {}
    with contextlib.ExitStack() as stack:
        crew = stack.enter_context(at_work(workers))
        settings = resolve(training, dataset)
        max_epochs = settings.max_epochs or 0  # resolved
        steps = [max_epochs] if rungs is None else rungs
        check_rungs(steps, max_epochs)
        session = start_session(dataset, expect(listed), settings, seed=seed, crew=crew)
        stack.enter_context(contextlib.closing(session.setup.programs))
        for _, individuals, trained, _ in train_rungs(
            session, listed, rungs=steps, choose_fn=choose_best
        ):
            results.update(zip(individuals, trained, strict=True))
    rows = {text: row for row, text in enumerate(distinct)}
    return [results[rows[text]] for text in texts]
