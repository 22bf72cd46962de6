"""The run's SQLite file, read: of every schema there was, as `journal` says them."""

import json
import math
import pathlib
import sqlite3
from collections.abc import Mapping
from typing import Any

import numpy as np

from vecevo.errors import InputError
from vecevo.results import Work
from vecevo.runs.files.journal import SCHEMA_VERSION

READABLE = (1, 2, 3)
# Of trainings that count for what the search was told.
_TOLD = "purpose = 'search' AND status IN ('trained', 'failed', 'stopped')"


def check_whole(path: pathlib.Path) -> None:
    """Refuses the file of a run that cannot go on.

    Raises:
      InputError: for what is no table of a run, of another schema, or damaged.
    """
    (version,) = _select(path, "PRAGMA user_version", "resume")[0]
    if version != SCHEMA_VERSION:
        raise InputError(
            f"resume={str(path.parent)!r} was recorded with schema {version}, which "
            "cannot go on: --start-from takes its best networks into a new run."
        )
    (found,) = _select(path, "PRAGMA quick_check(1)", "resume")[0]
    if found != "ok":
        raise InputError(
            f"resume={str(path.parent)!r}: run.sqlite is damaged "
            f"({' '.join(found.split())}): start another run."
        )


def read_best(path: pathlib.Path) -> list[dict[str, Any]]:
    """Returns the hyperparams of a run's trained networks, the best first.

    Raises:
      InputError: for a file that is no table of a run.
    """
    query = (
        "SELECT hyperparams FROM networks WHERE {told} GROUP BY genome "
        "HAVING max(status = 'failed') = 0 "
        "ORDER BY {rung} DESC, avg(validation_accuracy) DESC, avg(validation_loss), "
        "genome"
    )
    return [json.loads(text) for (text,) in _select(path, query, "start_from")]


def read_networks(path: pathlib.Path) -> list[dict[str, Any]]:
    """Returns a dict for each training of a run's search, by when they were.

    It has genome, num_params, num_epochs, and validation_accuracy, None where failed.

    Raises:
      InputError: for a file that is no table of a run.
    """
    names = ("genome", "num_params", "num_epochs", "validation_accuracy")
    query = f"SELECT {', '.join(names)} FROM networks WHERE {{told}} ORDER BY id"
    rows = [dict(zip(names, row, strict=True)) for row in _select(path, query, "run")]
    return [row | {"genome": json.loads(row["genome"])} for row in rows]


def read_shifts(path: pathlib.Path) -> list[dict[str, Any]]:
    """Returns the columns of all cohorts that workers have trained, as they ended."""
    query = "SELECT name FROM sqlite_master WHERE name = 'shifts'"
    if not _select(path, query, "run"):
        return []
    return _select_dicts(path, "SELECT * FROM shifts ORDER BY ended_seconds")


def read_rows(path: pathlib.Path) -> list[dict[str, Any]]:
    """Returns all columns of a run's networks, by when they were trained.

    A file of an earlier schema lacks some: these have the values that they would have
    had.

    Raises:
      InputError: for a file that is no table of a run.
    """
    rows = _select_dicts(path, "SELECT * FROM networks ORDER BY id")
    absent = {"replicate": 0, "rung": 0, "purpose": "search", "test_accuracy": None}
    return [{**absent, **row} for row in rows]


def parsed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row with its texts as values, and with what stands for NULL.

    A network that failed has accuracy -inf and loss inf; curves are float[epochs], NaN
    where not finite.
    """
    accuracy, loss = row["validation_accuracy"], row["validation_loss"]
    return {
        **row,
        "genome": tuple(json.loads(row["genome"])),
        "hyperparams": json.loads(row["hyperparams"]),
        "validation_accuracy": -math.inf if accuracy is None else accuracy,
        "validation_loss": math.inf if loss is None else loss,
        "curves": {
            name: np.array([math.nan if x is None else x for x in curve], float)
            for name, curve in json.loads(row["curves"]).items()
        },
    }


def read_generations(path: pathlib.Path) -> list[dict[str, Any]]:
    """Returns a run's generations, the one under way left out; schema 1 has none.

    Raises:
      InputError: for a file that is no table of a run.
    """
    if _select(path, "PRAGMA user_version", "run") == [(1,)]:
        return []
    query = "SELECT * FROM generations WHERE num_trained IS NOT NULL"
    return _select_dicts(path, f"{query} ORDER BY generation")


def has_networks(folder: pathlib.Path) -> bool:
    """Whether the run in a folder has trained a network, or may have."""
    path = folder / "run.sqlite"
    try:
        return path.exists() and bool(read_rows(path))
    except InputError:
        return True  # what cannot be read now may be read later


def count_ended(folder: pathlib.Path) -> int:
    """How many generations of the run in a folder are at an end; 0 without a run.

    Raises:
      InputError: for a file that is no table of a run.
    """
    path = folder / "run.sqlite"
    return len(read_generations(path)) if path.exists() else 0


def read_populations(path: pathlib.Path) -> list[list[list[int]]]:
    """Returns the genomes that a run's generations asked for, of schema 3.

    Raises:
      InputError: for a file that is no table of a run.
    """
    query = "SELECT population FROM generations ORDER BY generation"
    return [json.loads(text) for (text,) in _select(path, query, "resume")]


def read_work(path: pathlib.Path) -> tuple[Work, float]:
    """Returns the work of a run, of schema 3, and when it was last written to.

    Raises:
      InputError: for a file that is no table of a run.
    """
    sums = ", ".join(f"total({name})" for name in Work._fields)
    query = f"SELECT {sums}, coalesce(max(ended_seconds), 0) FROM cohorts"
    needed, executed, *seconds, ended = _select(path, query, "resume")[0]
    return Work(int(needed), int(executed), *seconds), ended


def read_meta(path: pathlib.Path) -> dict[str, Any] | None:
    """Returns what a run says that it is, or None for a file of schema 1.

    Raises:
      InputError: for a file that is no table of a run.
    """
    if _select(path, "PRAGMA user_version", "run") == [(1,)]:
        return None
    rows = _select(path, "SELECT name, value FROM meta", "run")
    return {name: json.loads(value) for name, value in rows}


def _select(path: pathlib.Path, query: str, argument: str) -> list[tuple]:
    """Returns the rows of a query; errors name the argument that gave the path."""
    return [tuple(row) for row in _select_rows(path, query, argument)]


def _unreadable(path: pathlib.Path, version: int, argument: str) -> str:
    if not version:
        return (
            f"{argument}={str(path)!r} is empty, or of another program: give what a "
            "run has left."
        )
    return (
        f"{argument}={str(path)!r} has schema version {version}, not "
        f"{' or '.join(map(str, READABLE))}: give a run of this version of vecevo."
    )


def _select_dicts(path: pathlib.Path, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in _select_rows(path, query, "run")]


def _select_rows(path: pathlib.Path, query: str, argument: str) -> list[sqlite3.Row]:
    try:
        uri = pathlib.Path(path).absolute().as_uri() + "?mode=ro"
        connection = sqlite3.connect(uri, uri=True)
        connection.row_factory = sqlite3.Row
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in READABLE:
                raise InputError(_unreadable(path, version, argument))
            parts = {"told": "1", "rung": "max(0)"}  # a file of schema 1 has no rungs
            if version > 1:
                parts = {"told": _TOLD, "rung": "max(rung)"}
            return connection.execute(query.format(**parts)).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise InputError(
            f"{argument}={str(path)!r} cannot be read ({error}): give a run's folder."
        ) from error
