"""What a run leaves of its networks: the best, their ensemble, its pool."""

import io
import pathlib
import shutil
from collections.abc import Mapping
from typing import Any

import numpy as np

from vecevo.datasets.making import Dataset
from vecevo.networks import saving
from vecevo.networks.network import Network, answers_of, outputs_of
from vecevo.results import SearchResult

BEST, TOP, ENSEMBLE = saving.BEST, "top", "ensemble"
TESTED = "tested.npz"  # beside the best network: what it says of the test part
MOST_SHOWN = 12  # examples of the test part that it gets wrong


def leave_networks(
    result: SearchResult,
    dataset: Dataset,
    folder: pathlib.Path,
    facts: Mapping[str, Any],
) -> None:
    """Writes the best networks and the ensemble into the folder of a run.

    Those that it left before it was resumed, and has no more, are removed.

    Args:
      result: of the run.
      dataset: that it was trained on.
      folder: of the run.
      facts: to be said of each network, such as versions.
    """
    has_best = bool(result.top) and result.top[0][1].network is not None
    for name in (TOP, ENSEMBLE) if has_best else (BEST, TOP, ENSEMBLE):
        if (folder / name).exists():
            shutil.rmtree(folder / name)
    for rank, (genome, found) in enumerate(result.top, start=1):
        if found.network is None:
            continue
        known = {**found.network.facts, **facts, "rank": rank, "genome": genome}
        place = folder / BEST if rank == 1 else folder / TOP / str(rank)
        saving.save_network(found.network._replace(facts=known), place)
        if rank == 1:
            (place / TESTED).unlink(missing_ok=True)  # of the best before
        if rank == 1 and found.test_accuracy is not None:
            content = io.BytesIO()
            np.savez(content, allow_pickle=False, **say(found.network, dataset))
            saving.write_whole(place / TESTED, content.getvalue())
    if result.ensemble is not None:
        known = {**result.ensemble.facts, **facts}
        saving.save_ensemble(result.ensemble._replace(facts=known), folder / ENSEMBLE)


def say(network: Network, dataset: Dataset) -> dict[str, np.ndarray]:
    """Returns what a network says of the test part, by name.

    `labels` and `predicted`, int[N], places of `classes`; and, where examples have a
    shape, `wrong`, int[n], the first that it gets wrong, and `examples` [n, ...]. Of
    numbers `right` and `said`, float[N, K], in their units, and `targets`, their names.
    """
    outputs = outputs_of(network, dataset.x_test)
    if dataset.targets is not None:
        shape = outputs.shape
        return {
            "right": dataset.raw_y_test.reshape(shape),
            "said": answers_of(outputs, network).reshape(shape),
            "targets": np.array(dataset.targets.names),
        }
    predicted = outputs.argmax(axis=1)
    said = {"labels": dataset.y_test, "predicted": predicted}
    said["classes"] = np.array(list(map(str, dataset.classes)))
    if len(dataset.inputs.shape) >= 2:
        wrong = np.flatnonzero(predicted != dataset.y_test)[:MOST_SHOWN]
        said |= {"wrong": wrong, "examples": dataset.raw_x_test[wrong]}
    return said
