"""Trainings read back from the files of a run, with weights where they are kept."""

import pathlib
from collections.abc import Mapping
from typing import Any

import flax.traverse_util
import jax
import numpy as np
import safetensors
import safetensors.numpy

from vecevo.networks.network import metric_fact
from vecevo.results import NetworkResult
from vecevo.runs.files.store import Recorded, Training, weights_path
from vecevo.training.batches import make_network
from vecevo.training.lanes.metrics import stops_by
from vecevo.training.recipe import complete
from vecevo.training.sessions import Session


def read_back(
    recorded: Recorded, folder: pathlib.Path, session: Session
) -> dict[Training, NetworkResult]:
    """Returns the trainings of a run by purpose, genome and replicate.

    Those of the pool have their weights; where a file is missing or damaged, not.
    """
    found = {}
    for training, row in recorded.rows.items():
        purpose, genome, replicate = training
        result = result_of(row)
        if purpose == "search" and not replicate and result.failed_epoch is None:
            result = with_weights(result, weights_path(folder, genome), session)
        found[training] = result
    return found


def result_of(row: Mapping[str, Any]) -> NetworkResult:
    """Returns a parsed row of the journal as a result, without weights."""
    names = set(NetworkResult._fields) & set(row)
    curves = {name: curve.astype(np.float32) for name, curve in row["curves"].items()}
    values = {name: row[name] for name in names} | {"curves": curves, "params": {}}
    # One of an earlier version lacks those that came later.
    values["hyperparams"] = complete(row["hyperparams"])
    return NetworkResult(**values, is_stopped=row["status"] == "stopped")


def with_weights(
    result: NetworkResult, path: pathlib.Path, session: Session
) -> NetworkResult:
    """Returns a result with the weights of a file, where it is there and whole."""
    try:
        arrays = safetensors.numpy.load(path.read_bytes())
    except (OSError, ValueError, safetensors.SafetensorError):
        return result
    said = arrays.pop("validation_probabilities", None)
    if sum(array.size for array in arrays.values()) != result.num_params:
        return result  # of another network
    flax_params = flax.traverse_util.unflatten_dict(arrays, sep="/")
    params = jax.tree.map(np.transpose, flax_params)
    facts = {
        "validation_accuracy": result.validation_accuracy,
        "validation_loss": result.validation_loss,
        "epoch": _kept_epoch(result, session),
        **metric_fact(session.settings.metric),
    }
    network = make_network(result.hyperparams, params, session.dataset, facts)
    return result._replace(
        params=params, network=network, validation_probabilities=said
    )


def _kept_epoch(result: NetworkResult, session: Session) -> int:
    if session.dataset.is_article:
        return result.num_epochs - 1
    if stops_by(session.settings.metric) is not None:
        curves = result.curves
        by = curves["validation_loss"], -curves["validation_accuracy"]
        return int(np.lexsort(by)[0])
    return int(np.nanargmin(result.curves["validation_loss"]))
