"""The run's SQLite file: one row per trained network, one transaction per cohort."""

import json
import math
import sqlite3

SCHEMA_VERSION = 1

_SCHEMA = f"""
CREATE TABLE networks (
  id INTEGER PRIMARY KEY,
  generation INTEGER NOT NULL,
  genome TEXT NOT NULL UNIQUE,  -- JSON, choice indices
  hyperparams TEXT NOT NULL,  -- JSON
  num_params INTEGER NOT NULL,
  status TEXT NOT NULL,  -- 'trained' or 'failed'
  validation_accuracy REAL,
  validation_loss REAL,
  num_epochs INTEGER NOT NULL,
  failed_epoch INTEGER
);
PRAGMA user_version = {SCHEMA_VERSION};
"""


def create(path):
    """Creates the file and returns its connection."""
    connection = sqlite3.connect(path)
    connection.executescript(_SCHEMA)
    return connection


def record(connection, generation, genomes, results):
    """Writes the networks of one cohort in one transaction."""
    columns = (
        "generation, genome, hyperparams, num_params, status, validation_accuracy, "
        "validation_loss, num_epochs, failed_epoch"
    )
    with connection:
        for genome, result in zip(genomes, results, strict=True):
            failed = result.failed_epoch is not None
            row = (
                generation,
                json.dumps(genome),
                json.dumps(result.hyperparams),
                result.num_params,
                "failed" if failed else "trained",
                _finite_or_none(result.validation_accuracy),
                _finite_or_none(result.validation_loss),
                result.num_epochs,
                result.failed_epoch,
            )
            connection.execute(
                f"INSERT INTO networks ({columns}) VALUES (?,?,?,?,?,?,?,?,?)", row
            )


def _finite_or_none(number):
    return float(number) if math.isfinite(number) else None
