"""The run's SQLite file, written once per cohort, or rung, in one transaction.

What a file of schema 3 holds is said here. Files of the schemas before can be read:
of 1, which had the table of networks alone, and of 2. What they lack is marked.
"""

import json
import math
import pathlib
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from vecevo.results import Genome, NetworkResult, Progress, Shift, Work

SCHEMA_VERSION = 3

_SCHEMA = f"""
CREATE TABLE meta (  -- new in 2: what the run is
  name TEXT PRIMARY KEY,  -- identity (new in 3: what a resumed run must share), space,
    -- fixed, plan, versions, device; of a command its config; task; metric, as accuracy
    -- or R2, which is then in all columns of accuracies (none: accuracy); workers
  value TEXT NOT NULL  -- JSON
);
CREATE TABLE cohorts (  -- new in 2
  id INTEGER PRIMARY KEY,  -- by when it was finished
  generation INTEGER NOT NULL,
  num_networks INTEGER NOT NULL,
  needed INTEGER NOT NULL,  -- new in 3, as all below: work, epochs times parameters,
  executed INTEGER NOT NULL,  -- by the networks and by the padded lanes
  train_seconds REAL NOT NULL,
  wait_seconds REAL NOT NULL,  -- for programs to be compiled
  ended_seconds REAL NOT NULL  -- when it was finished, of the run's time
);
CREATE TABLE generations (  -- new in 2
  generation INTEGER PRIMARY KEY,  -- from 0
  population TEXT NOT NULL,  -- new in 3: JSON, the genomes that were asked for
  best_accuracy REAL,  -- validation accuracy, of the run so far; NULL: all failed, or
    -- none came to the last rung
  mean_accuracy REAL,  -- of this generation, those that failed left out
  median_accuracy REAL,  -- of this generation, those that failed counted
  num_trained INTEGER,  -- distinct networks of the run so far; NULL: under way
  num_failed INTEGER,  -- of these
  ended_seconds REAL  -- new in 3: when it ended, of the run's time
);
CREATE TABLE networks (
  id INTEGER PRIMARY KEY,  -- by when its cohort was finished
  generation INTEGER NOT NULL,
  genome TEXT NOT NULL,  -- JSON, choice indices
  replicate INTEGER NOT NULL,  -- new in 2: which of its trainings it is, from 0
  rung INTEGER NOT NULL,  -- new in 2: the last it came to, from 0; a row is written
    -- when it ended there
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
  test_accuracy REAL,  -- new in 3: of confirmations alone
  num_epochs INTEGER NOT NULL,
  failed_epoch INTEGER,  -- from 0
  curves TEXT NOT NULL,  -- JSON, a list by epoch for each thing measured
  UNIQUE (genome, replicate, rung, purpose)
);
PRAGMA user_version = {SCHEMA_VERSION};
"""


# Of runs by workers alone.
_SHIFTS = """
CREATE TABLE IF NOT EXISTS shifts (  -- a cohort as a worker has trained it
  generation INTEGER NOT NULL,
  worker INTEGER NOT NULL,  -- its number, from 1
  node TEXT NOT NULL,  -- the name of its machine
  device TEXT NOT NULL,  -- its kind
  width INTEGER NOT NULL,  -- of the cohort
  depth INTEGER NOT NULL,
  num_networks INTEGER NOT NULL,
  began_seconds REAL NOT NULL,  -- of the run's time
  ended_seconds REAL NOT NULL
);
"""


def create(path: pathlib.Path, meta: Mapping[str, Any]) -> sqlite3.Connection:
    """Creates the file, says in it what the run is, and returns its connection."""
    connection = connect(path)
    try:
        connection.executescript(_SCHEMA)
        write_meta(connection, meta)
        _move_log(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect(path: pathlib.Path) -> sqlite3.Connection:
    """Opens a file with a log ahead of it, so that others may read meanwhile."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    return connection


def _move_log(connection: sqlite3.Connection) -> None:
    """Moves what the log has into the file, so that a damaged log loses less."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def close(connection: sqlite3.Connection) -> None:
    """Closes the file, and leaves one that needs no other beside it."""
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error:
        pass  # somebody reads it, or the disk is full: it is whole with its log, too
    finally:
        connection.close()


def write_meta(connection: sqlite3.Connection, meta: Mapping[str, Any]) -> None:
    """Writes what a run says that it is; what it said before is replaced."""
    with connection:
        for name, value in meta.items():
            row = {"name": name, "value": json.dumps(value)}
            _insert(connection, "meta", row, or_replace=True)


def begin_generation(
    connection: sqlite3.Connection, generation: int, population: Sequence[Genome]
) -> None:
    """Writes what a generation asks for."""
    row = {"generation": generation, "population": json.dumps(population)}
    with connection:
        _insert(connection, "generations", row)


def record(
    connection: sqlite3.Connection,
    generation: int,
    genomes: Sequence[Genome],
    results: Sequence[NetworkResult],
    work: Work = Work(),  # noqa: B008, a value that never changes
    *,
    purpose: str = "search",
    seconds: float = 0.0,
) -> None:
    """Writes a cohort, or those that end at a rung of a generation, in one transaction.

    Rows that are partial are replaced. `seconds` is the run's time.
    """
    with connection:
        cohort = {
            "generation": generation,
            "num_networks": len(results),
            **work._asdict(),
            "ended_seconds": seconds,
        }
        number = _insert(connection, "cohorts", cohort)
        for genome, result in zip(genomes, results, strict=True):
            same = {
                "genome": json.dumps(genome),
                "replicate": result.replicate,
                "purpose": purpose,
            }
            connection.execute(
                "DELETE FROM networks WHERE status = 'partial' AND genome = :genome "
                "AND replicate = :replicate AND purpose = :purpose",
                same,
            )
            place = {"generation": generation, "cohort": number}
            _insert(connection, "networks", {**place, **same, **_row(result)})


def _row(result: NetworkResult) -> dict[str, Any]:
    curves = {
        name: [finite_or_none(value) for value in curve]
        for name, curve in result.curves.items()
    }
    return {
        "rung": result.rung,
        "hyperparams": json.dumps(result.hyperparams),
        "num_params": result.num_params,
        "status": status_of(result),
        "validation_accuracy": finite_or_none(result.validation_accuracy),
        "validation_loss": finite_or_none(result.validation_loss),
        "test_accuracy": result.test_accuracy,
        "num_epochs": result.num_epochs,
        "failed_epoch": result.failed_epoch,
        "curves": json.dumps(curves),
    }


def status_of(result: NetworkResult) -> str:
    """What became of a training, in one word."""
    if result.is_partial:
        return "partial"
    if result.failed_epoch is not None:
        return "failed"
    return "stopped" if result.is_stopped else "trained"


def end_generation(
    connection: sqlite3.Connection, progress: Progress, *, seconds: float = 0.0
) -> None:
    """Writes what a generation ended with; `seconds` is the run's time."""
    columns = ("best_accuracy", "mean_accuracy", "median_accuracy")
    row = {name: finite_or_none(getattr(progress, name)) for name in columns}
    for name in ("generation", "num_trained", "num_failed"):
        row[name] = getattr(progress, name)
    row["ended_seconds"] = seconds
    changes = ", ".join(f"{name} = :{name}" for name in row if name != "generation")
    with connection:
        connection.execute(
            f"UPDATE generations SET {changes} WHERE generation = :generation", row
        )
    _move_log(connection)


def record_shift(
    connection: sqlite3.Connection, generation: int, shift: Shift, *, seconds: float
) -> None:
    """Writes what a worker has trained until now, `seconds` of the run's time."""
    row = shift._asdict()
    began = seconds - row.pop("seconds")
    with connection:
        connection.execute(_SHIFTS)
        times = {"began_seconds": began, "ended_seconds": seconds}
        _insert(connection, "shifts", {"generation": generation, **row, **times})


def _insert(
    connection: sqlite3.Connection,
    table: str,
    row: Mapping[str, Any],
    *,
    or_replace: bool = False,
) -> int | None:
    """Inserts a row, and returns its number."""
    return connection.execute(
        f"INSERT {'OR REPLACE ' * or_replace}INTO {table} ({', '.join(row)}) "
        f"VALUES ({', '.join(':' + name for name in row)})",
        row,
    ).lastrowid


def finite_or_none(number: float) -> float | None:
    """Returns a number as JSON and SQLite have it: None where it is not finite."""
    return float(number) if math.isfinite(number) else None
