"""Recorded tables: every network of a space, trained once or several times."""

import importlib.resources
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from vecevo.errors import InputError, check_paths
from vecevo.runs.files.reading import RecordedNetwork, load_run
from vecevo.space import SearchSpace

EMBEDDED = ("digits",)


class Table(NamedTuple):
    """What every genome of a space gave, in the order of `grid_population`."""

    space: SearchSpace
    fixed: dict[str, Any]  # hyperparams that are no genes
    validation_accuracy: np.ndarray  # float32[N, R], R replicates; -inf is failed
    num_epochs: np.ndarray  # int32[N, R]
    num_params: np.ndarray  # int32[N]
    source: str  # how it was made


def load_table(run: str | os.PathLike) -> Table:
    """Reads a finished grid run, or a table file, as a table.

    Args:
      run: a run's folder; the path of an .npz file from `save_table`; or `digits`,
        the embedded table of the article's 672 networks.

    Returns:
      Table.

    Raises:
      InputError: for what cannot be read, or where networks of the space are missing.
    """
    run = os.fspath(run)
    if run in EMBEDDED:
        resource = importlib.resources.files("vecevo.data") / f"{run}_table.npz"
        with importlib.resources.as_file(resource) as path:
            return _read_file(path)
    path = pathlib.Path(run)
    check_paths(run=path / "run.sqlite")
    return _read_file(path) if path.suffix.lower() == ".npz" else _read_run(path)


def save_table(path: str | os.PathLike, table: Table) -> None:
    """Writes a Table as an .npz file, which NumPy alone can read."""
    arrays = {name: getattr(table, name) for name in _ARRAYS}
    texts = {
        "genes": json.dumps(table.space.genes),
        "fixed": json.dumps(table.fixed),
        "source": table.source,
    }
    np.savez_compressed(path, allow_pickle=False, **arrays, **texts)


def merge_tables(tables: Sequence[Table], *, source: str) -> Table:
    """Joins tables of one space as replicates.

    Raises:
      InputError: for tables of different networks.
    """
    if not tables:
        raise InputError("tables=[] must be one table or more.")
    first = tables[0]
    for table in tables[1:]:
        same = (table.space, table.fixed) == (first.space, first.fixed)
        if not same or (table.num_params != first.num_params).any():
            raise InputError(
                f"{table.source} and {first.source} are tables of different networks: "
                "merge runs of one configuration and several seeds."
            )
    columns = {
        name: np.concatenate([getattr(table, name) for table in tables], axis=1)
        for name in ("validation_accuracy", "num_epochs")
    }
    return first._replace(**columns, source=source)


_ARRAYS = ("validation_accuracy", "num_epochs", "num_params")


def _read_file(path: pathlib.Path) -> Table:
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in _ARRAYS}
            genes, fixed = (json.loads(str(file[name])) for name in ("genes", "fixed"))
            source = str(file["source"])
    except (OSError, EOFError, TypeError, ValueError, KeyError, BadZipFile) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"run={str(path)!r} cannot be read ({reason}): give a file of save_table."
        ) from error
    return Table(space=SearchSpace(genes), fixed=fixed, source=source, **arrays)


def _read_run(folder: pathlib.Path) -> Table:
    if not (folder / "run.sqlite").exists():
        raise InputError(
            f"run={str(folder)!r} is no folder of a run: it has no run.sqlite; "
            f"give one, a file of save_table, or {', '.join(EMBEDDED)}."
        )
    run, columns = load_run(folder), {}
    for network in run.networks:
        is_whole = network.status in ("trained", "failed")
        if is_whole and (network.purpose, network.rung) == ("search", 0):
            columns.setdefault(network.replicate, []).append(network)
    space, fewest = run.space, min(map(len, columns.values()), default=0)
    if fewest < space.num_genomes:
        raise InputError(
            f"run={str(folder)!r} has {fewest} of the {space.num_genomes} networks "
            "of its space: give a grid that went to its end."
        )
    ordered = [_in_order(columns[r], space) for r in sorted(columns)]
    accuracy = [[row.validation_accuracy for row in rows] for rows in ordered]
    num_epochs = [[row.num_epochs for row in rows] for rows in ordered]
    return Table(
        space=space,
        fixed=run.fixed,
        validation_accuracy=np.array(accuracy, np.float32).T,
        num_epochs=np.array(num_epochs, np.int32).T,
        num_params=np.array([row.num_params for row in ordered[0]], np.int32),
        source=str(folder),
    )


def _in_order(
    networks: Sequence[RecordedNetwork], space: SearchSpace
) -> list[RecordedNetwork]:
    """Sorts all networks of a space, each there once, as `grid_population` does."""
    genomes = np.array([network.genome for network in networks])
    places = np.ravel_multi_index(genomes.T, space.num_choices)
    return [networks[row] for row in np.argsort(places)]
