"""The run's SQLite file: one row per trained network, one transaction per cohort."""

import json
import math
import pathlib
import sqlite3

SCHEMA_VERSION = 1

_SCHEMA = f"""
CREATE TABLE networks (
  id INTEGER PRIMARY KEY,  -- by when its cohort was finished
  generation INTEGER NOT NULL,
  genome TEXT NOT NULL UNIQUE,  -- JSON, choice indices
  hyperparams TEXT NOT NULL,  -- JSON, values by name
  num_params INTEGER NOT NULL,
  status TEXT NOT NULL,  -- 'trained', or 'failed': a loss was not finite
  validation_accuracy REAL,  -- at the epoch whose weights were kept
  validation_loss REAL,
  num_epochs INTEGER NOT NULL,
  failed_epoch INTEGER,  -- from 0
  curves TEXT NOT NULL  -- JSON, a list by epoch for each thing measured
);
PRAGMA user_version = {SCHEMA_VERSION};
"""


def create(path):
    """Creates the file and returns its connection."""
    connection = sqlite3.connect(path)
    connection.executescript(_SCHEMA)
    return connection


def record(connection, generation, genomes, results):
    """Writes the NetworkResults of one cohort in one transaction."""
    with connection:
        for genome, result in zip(genomes, results, strict=True):
            failed = result.failed_epoch is not None
            curves = {
                name: [_finite_or_none(value) for value in curve]
                for name, curve in result.curves.items()
            }
            row = {
                "generation": generation,
                "genome": json.dumps(genome),
                "hyperparams": json.dumps(result.hyperparams),
                "num_params": result.num_params,
                "status": "failed" if failed else "trained",
                "validation_accuracy": _finite_or_none(result.validation_accuracy),
                "validation_loss": _finite_or_none(result.validation_loss),
                "num_epochs": result.num_epochs,
                "failed_epoch": result.failed_epoch,
                "curves": json.dumps(curves),
            }
            connection.execute(
                f"INSERT INTO networks ({', '.join(row)}) "
                f"VALUES ({', '.join(':' + name for name in row)})",
                row,
            )


def read_best(path):
    """Returns the hyperparams of a run's trained networks, the best first.

    Raises:
      ValueError: for a file that is no table of a run.
    """
    query = (
        "SELECT hyperparams FROM networks WHERE status = 'trained' "
        "ORDER BY validation_accuracy DESC, genome"
    )
    return [json.loads(text) for (text,) in _select(path, query, "start_from")]


def read_networks(path):
    """Returns a dict for each of a run's networks, by when they were trained.

    It has genome, num_params, num_epochs, and validation_accuracy, None where failed.

    Raises:
      ValueError: for a file that is no table of a run.
    """
    names = ("genome", "num_params", "num_epochs", "validation_accuracy")
    query = f"SELECT {', '.join(names)} FROM networks ORDER BY id"
    rows = [dict(zip(names, row, strict=True)) for row in _select(path, query, "run")]
    return [row | {"genome": json.loads(row["genome"])} for row in rows]


def _select(path, query, argument):
    """Returns the rows of a query; errors name the argument that gave the path."""
    try:
        uri = pathlib.Path(path).absolute().as_uri() + "?mode=ro"
        connection = sqlite3.connect(uri, uri=True)
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version != SCHEMA_VERSION:
                raise ValueError(
                    f"{argument}={str(path)!r} has schema version {version}, not "
                    f"{SCHEMA_VERSION}: give a run of this version of vecevo."
                )
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ValueError(
            f"{argument}={str(path)!r} cannot be read ({error}): give a run's folder."
        ) from error


def _finite_or_none(number):
    return float(number) if math.isfinite(number) else None
