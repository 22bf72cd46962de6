"""What a run leaves of its networks: the best, their ensemble, its pool."""

import io
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from vecevo.datasets.making import Dataset
from vecevo.networks import saving
from vecevo.networks.network import Network, probabilities_of
from vecevo.results import Genome, NetworkResult, SearchResult, genome_text
from vecevo.runs.ledger import best_first

BEST, TOP, POOL, ENSEMBLE = saving.BEST, "top", "pool", "ensemble"
TESTED = "tested.npz"  # beside the best network: what it says of the test part
MOST_SHOWN = 12  # examples of the test part that it gets wrong


def make_pool_keeper(
    folder: pathlib.Path, size: int
) -> Callable[[Sequence[Genome], Sequence[NetworkResult]], None]:
    """Returns a function that keeps the best networks so far in a folder.

    A file holds Flax's params and, where they are known, `validation_probabilities`.

    Args:
      folder: to be made.
      size: networks that are kept, at most.
    """
    pool: list[tuple[Genome, NetworkResult]] = []
    saving.make_folder(folder)

    def keep(genomes: Sequence[Genome], results: Sequence[NetworkResult]) -> None:
        nonlocal pool
        pairs = zip(genomes, results, strict=True)
        fresh = [(g, r) for g, r in pairs if r.network and r.failed_epoch is None]
        earlier = {genome for genome, _ in pool}
        # Of those in the pool nothing but their order is needed again.
        light = [(g, r._replace(params={}, network=None)) for g, r in fresh]
        pool = best_first([*pool, *light])[:size]
        kept = {genome for genome, _ in pool}
        for genome, result in fresh:
            if genome in kept and result.network is not None:
                arrays = {"validation_probabilities": result.validation_probabilities}
                content = saving.as_safetensors(result.network.params, arrays)
                saving.write_whole(_path(folder, genome), content)
        for genome in earlier - kept:
            _path(folder, genome).unlink(missing_ok=True)

    return keep


def _path(folder: pathlib.Path, genome: Genome) -> pathlib.Path:
    return folder / f"{genome_text(genome)}.safetensors"


def leave_networks(
    result: SearchResult,
    dataset: Dataset,
    folder: pathlib.Path,
    facts: Mapping[str, Any],
) -> None:
    """Writes the best networks and the ensemble into the folder of a run.

    Args:
      result: of the run.
      dataset: that it was trained on.
      folder: of the run.
      facts: to be said of each network, such as versions.
    """
    for rank, (genome, found) in enumerate(result.top, start=1):
        if found.network is None:
            continue
        known = {**found.network.facts, **facts, "rank": rank, "genome": genome}
        place = folder / BEST if rank == 1 else folder / TOP / str(rank)
        saving.save_network(found.network._replace(facts=known), place)
        if rank == 1:
            content = io.BytesIO()
            np.savez(content, allow_pickle=False, **say(found.network, dataset))
            saving.write_whole(place / TESTED, content.getvalue())
    if result.ensemble is not None:
        known = {**result.ensemble.facts, **facts}
        saving.save_ensemble(result.ensemble._replace(facts=known), folder / ENSEMBLE)


def say(network: Network, dataset: Dataset) -> dict[str, np.ndarray]:
    """Returns what a network says of the test part, by name.

    `labels` and `predicted`, int[N], places of `classes`; and, where examples have a
    shape, `wrong`, int[n], the first that it gets wrong, and `examples` [n, ...].
    """
    predicted = probabilities_of(network, dataset.x_test).argmax(axis=1)
    said = {"labels": dataset.y_test, "predicted": predicted}
    said["classes"] = np.array(list(map(str, dataset.classes)))
    if len(dataset.inputs.shape) >= 2:
        wrong = np.flatnonzero(predicted != dataset.y_test)[:MOST_SHOWN]
        said |= {"wrong": wrong, "examples": dataset.raw_x_test[wrong]}
    return said
