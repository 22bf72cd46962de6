"""The run's SQLite file, written once per cohort in one transaction.

What a file of schema 2 holds is said here. Files of schema 1, which had the table of
networks alone, without the columns that are marked, can be read.
"""

import json
import math
import pathlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from vecevo.errors import InputError
from vecevo.results import Genome, NetworkResult, Progress

SCHEMA_VERSION = 2
READABLE = (1, 2)

_SCHEMA = f"""
CREATE TABLE meta (  -- new in 2: what the run is
  name TEXT PRIMARY KEY,  -- space, fixed, config, plan, versions, device
  value TEXT NOT NULL  -- JSON
);
CREATE TABLE cohorts (  -- new in 2
  id INTEGER PRIMARY KEY,  -- by when it was finished
  generation INTEGER NOT NULL,
  num_networks INTEGER NOT NULL
);
CREATE TABLE generations (  -- new in 2
  generation INTEGER PRIMARY KEY,  -- from 0
  best_accuracy REAL,  -- validation accuracy, of the run so far; NULL: all failed
  mean_accuracy REAL,  -- of this generation, those that failed left out
  median_accuracy REAL,  -- of this generation, those that failed counted
  num_trained INTEGER NOT NULL,  -- distinct networks of the run so far
  num_failed INTEGER NOT NULL  -- of these
);
CREATE TABLE networks (
  id INTEGER PRIMARY KEY,  -- by when its cohort was finished
  generation INTEGER NOT NULL,
  genome TEXT NOT NULL,  -- JSON, choice indices
  replicate INTEGER NOT NULL,  -- new in 2: 0, or the number of a further training
  rung INTEGER NOT NULL,  -- new in 2: 0, or how often it was stopped and went on
  purpose TEXT NOT NULL  -- new in 2
    CHECK (purpose IN ('search', 'confirmation')),
  cohort INTEGER REFERENCES cohorts (id),  -- new in 2
  hyperparams TEXT NOT NULL,  -- JSON, values by name
  num_params INTEGER NOT NULL,
  status TEXT NOT NULL  -- failed: a loss was not finite; partial: the time was up;
    -- stopped: at its rung
    CHECK (status IN ('trained', 'failed', 'partial', 'stopped')),
  validation_accuracy REAL,  -- at the epoch whose weights were kept; NULL: failed
  validation_loss REAL,
  num_epochs INTEGER NOT NULL,
  failed_epoch INTEGER,  -- from 0
  curves TEXT NOT NULL,  -- JSON, a list by epoch for each thing measured
  UNIQUE (genome, replicate, rung, purpose)
);
PRAGMA user_version = {SCHEMA_VERSION};
"""
# Of networks that count as told to the search.
_TOLD = {
    1: "1",
    2: "purpose = 'search' AND replicate = 0 AND rung = 0 "
    "AND status IN ('trained', 'failed')",
}


def create(path: pathlib.Path, meta: Mapping[str, Any]) -> sqlite3.Connection:
    """Creates the file, says in it what the run is, and returns its connection."""
    connection = sqlite3.connect(path)
    connection.executescript(_SCHEMA)
    with connection:
        for name, value in meta.items():
            _insert(connection, "meta", {"name": name, "value": json.dumps(value)})
    return connection


def record(
    connection: sqlite3.Connection,
    generation: int,
    genomes: Sequence[Genome],
    results: Sequence[NetworkResult],
) -> None:
    """Writes the results of one cohort in one transaction."""
    with connection:
        cohort = {"generation": generation, "num_networks": len(results)}
        number = _insert(connection, "cohorts", cohort)
        for genome, result in zip(genomes, results, strict=True):
            curves = {
                name: [finite_or_none(value) for value in curve]
                for name, curve in result.curves.items()
            }
            row = {
                "generation": generation,
                "genome": json.dumps(genome),
                "replicate": 0,
                "rung": 0,
                "purpose": "search",
                "cohort": number,
                "hyperparams": json.dumps(result.hyperparams),
                "num_params": result.num_params,
                "status": "trained" if result.failed_epoch is None else "failed",
                "validation_accuracy": finite_or_none(result.validation_accuracy),
                "validation_loss": finite_or_none(result.validation_loss),
                "num_epochs": result.num_epochs,
                "failed_epoch": result.failed_epoch,
                "curves": json.dumps(curves),
            }
            _insert(connection, "networks", row)


def record_generation(connection: sqlite3.Connection, progress: Progress) -> None:
    """Writes what a generation ended with."""
    columns = ("best_accuracy", "mean_accuracy", "median_accuracy")
    row = {name: finite_or_none(getattr(progress, name)) for name in columns}
    for name in ("generation", "num_trained", "num_failed"):
        row[name] = getattr(progress, name)
    with connection:
        _insert(connection, "generations", row)


def _insert(
    connection: sqlite3.Connection, table: str, row: Mapping[str, Any]
) -> int | None:
    """Inserts a row, and returns its number."""
    return connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) "
        f"VALUES ({', '.join(':' + name for name in row)})",
        row,
    ).lastrowid


def read_best(path: pathlib.Path) -> list[dict[str, Any]]:
    """Returns the hyperparams of a run's trained networks, the best first.

    Raises:
      InputError: for a file that is no table of a run.
    """
    query = (
        "SELECT hyperparams FROM networks WHERE status = 'trained' AND {told} "
        "ORDER BY validation_accuracy DESC, validation_loss, genome"
    )
    return [json.loads(text) for (text,) in _select(path, query, "start_from")]


def read_networks(path: pathlib.Path) -> list[dict[str, Any]]:
    """Returns a dict for each of a run's networks, by when they were trained.

    It has genome, num_params, num_epochs, and validation_accuracy, None where failed.

    Raises:
      InputError: for a file that is no table of a run.
    """
    names = ("genome", "num_params", "num_epochs", "validation_accuracy")
    query = f"SELECT {', '.join(names)} FROM networks WHERE {{told}} ORDER BY id"
    rows = [dict(zip(names, row, strict=True)) for row in _select(path, query, "run")]
    return [row | {"genome": json.loads(row["genome"])} for row in rows]


def read_rows(path: pathlib.Path) -> list[dict[str, Any]]:
    """Returns all columns of a run's networks, by when they were trained.

    A file of schema 1 lacks some: these have the values that they would have had.

    Raises:
      InputError: for a file that is no table of a run.
    """
    rows = _select_dicts(path, "SELECT * FROM networks ORDER BY id")
    return [{"replicate": 0, "rung": 0, "purpose": "search", **row} for row in rows]


def read_generations(path: pathlib.Path) -> list[dict[str, Any]]:
    """Returns a run's generations; a file of schema 1 has none.

    Raises:
      InputError: for a file that is no table of a run.
    """
    if _select(path, "PRAGMA user_version", "run") == [(1,)]:
        return []
    return _select_dicts(path, "SELECT * FROM generations ORDER BY generation")


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
                raise InputError(
                    f"{argument}={str(path)!r} has schema version {version}, not "
                    f"{' or '.join(map(str, READABLE))}: give a run of this version of "
                    "vecevo."
                )
            return connection.execute(query.format(told=_TOLD[version])).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise InputError(
            f"{argument}={str(path)!r} cannot be read ({error}): give a run's folder."
        ) from error


def finite_or_none(number: float) -> float | None:
    """Returns a number as JSON and SQLite have it: None where it is not finite."""
    return float(number) if math.isfinite(number) else None
