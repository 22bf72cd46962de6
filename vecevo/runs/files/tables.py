"""Recorded tables: every network of a space, trained once or several times."""

import importlib.resources
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from vecevo.errors import InputError, check_paths
from vecevo.evaluation import make_canonical_fn
from vecevo.results import ACCURACY, R2, Genome
from vecevo.runs.files.reading import RecordedNetwork, Run, load_run
from vecevo.space import SearchSpace
from vecevo.training.lanes import metrics

MOST_GENOMES = 1_000_000  # of a table
EMBEDDED = ("digits", "digits_curves", "fashion_mnist")
CURVES = ("validation_accuracy", "validation_loss")
SETTINGS = (  # of a run, that have a say in what a network gives
    *("dataset", "target", "inputs", "limit_train", "protocol"),
    *("max_epochs", "patience", "batch_size", "precision", "augment", "mixup", "task"),
    *("metric", "class_weight", "weight"),
)


class Table(NamedTuple):
    """What every genome of a space gave, in the order of `grid_population`."""

    space: SearchSpace
    fixed: dict[str, Any]  # hyperparams that are no genes
    validation_accuracy: np.ndarray  # float32[N, R], R replicates; -inf is failed
    num_epochs: np.ndarray  # int32[N, R]
    num_params: np.ndarray  # int32[N]
    source: str  # how it was made
    # By name of CURVES float32[N, R, E], NaN from where training ended, or failed;
    # {} where they are not known.
    curves: dict[str, np.ndarray] = {}  # noqa: RUF012 (never changed)
    # Of the runs, by name of SETTINGS, those that are known.
    settings: dict[str, Any] = {}  # noqa: RUF012 (never changed)


def load_table(run: str | os.PathLike) -> Table:
    """Reads a finished grid run, or a table file, as a table.

    Args:
      run: a run's folder; the path of an .npz file from `save_table`; or an embedded
        table: `digits`, the article's 672 networks; `digits_curves`, these with the
        curves of 25 epochs; or `fashion_mnist`, 504 small ones with such curves.

    Returns:
      Table. Its `curves` are {} for `digits`, for a file that was saved without, and
      for a run that recorded none.

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


def metric_of(table: Table) -> str:
    """Returns what the networks of a table were judged by, in a word or two."""
    name = table.settings.get("metric")
    if name in metrics.NAMES:
        return metrics.row_of(name).word
    return R2 if table.settings.get("task") == "regression" else ACCURACY


def save_table(path: str | os.PathLike, table: Table) -> None:
    """Writes a Table as an .npz file, which NumPy alone can read."""
    arrays = {name: getattr(table, name) for name in _ARRAYS}
    if table.curves:
        found = (table.curves[name].astype(np.float32) for name in CURVES)
        arrays |= dict(zip((_ACCURACIES, _LOSSES), found, strict=True))
    texts = {
        "genes": json.dumps(table.space.genes),
        "fixed": json.dumps(table.fixed),
        "source": table.source,
        "settings": json.dumps(table.settings),
    }
    np.savez_compressed(path, allow_pickle=False, **arrays, **texts)


def merge_tables(tables: Sequence[Table], *, source: str) -> Table:
    """Joins tables of one space as replicates.

    Raises:
      InputError: for tables of different networks, of runs with different settings, or,
        where these are not known, with curves of different lengths.
    """
    if not tables:
        raise InputError("tables=[] must be one table or more.")
    first = tables[0]
    for table in tables[1:]:
        same = (table.space, table.fixed) == (first.space, first.fixed)
        if not same or (table.num_params != first.num_params).any():
            raise InputError(
                f"{table.source} and {first.source} are tables of different networks: "
                f"{_ALIKE}."
            )
    settings = _common_settings(tables)
    columns = {
        name: np.concatenate([getattr(table, name) for table in tables], axis=1)
        for name in ("validation_accuracy", "num_epochs")
    }
    curves = _join_curves(tables) if all(table.curves for table in tables) else {}
    return first._replace(**columns, source=source, curves=curves, settings=settings)


_ARRAYS = ("validation_accuracy", "num_epochs", "num_params")
_ACCURACIES, _LOSSES = "curves_of_accuracy", "curves_of_loss"
_UNITS, _NO_CODE = 65534, 65535  # of accuracies, in files that have them as uint16
_ALIKE = "merge runs of one configuration and several seeds"


def _common_settings(tables: Sequence[Table]) -> dict[str, Any]:
    """Returns the settings that are known of all; refuses those that differ."""
    known = {}
    for table in tables:
        for name, value in table.settings.items():
            if known.setdefault(name, value) != value:
                raise InputError(
                    f"{table.source} has {name}={value!r}, and another table has "
                    f"{known[name]!r}: {_ALIKE}."
                )
    return {
        name: value
        for name, value in known.items()
        if all(name in table.settings for table in tables)
    }


def _join_curves(tables: Sequence[Table]) -> dict[str, np.ndarray]:
    """Returns curves side by side; of alike runs, those that all ended early padded."""
    lengths = [table.curves[CURVES[0]].shape[2] for table in tables]
    if len(set(lengths)) > 1 and not all(table.settings for table in tables):
        raise InputError(
            f"tables have curves of {min(lengths)} and {max(lengths)} epochs: {_ALIKE}."
        )
    return {
        name: np.concatenate(
            [_pad(table.curves[name], max(lengths)) for table in tables], axis=1
        )
        for name in CURVES
    }


def _pad(curves: np.ndarray, num_epochs: int) -> np.ndarray:
    """Curves float32[..., E], NaN in further epochs."""
    more = [(0, 0)] * (curves.ndim - 1) + [(0, num_epochs - curves.shape[-1])]
    return np.pad(curves, more, constant_values=np.nan)


def _read_file(path: pathlib.Path) -> Table:
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in _ARRAYS}
            genes, fixed = (json.loads(str(file[name])) for name in ("genes", "fixed"))
            source = str(file["source"])
            curves = _read_curves(file)
            settings = json.loads(str(file["settings"])) if "settings" in file else {}
    except (OSError, EOFError, TypeError, ValueError, KeyError, BadZipFile) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"run={str(path)!r} cannot be read ({reason}): give a file of save_table."
        ) from error
    return Table(
        space=SearchSpace(genes),
        fixed=fixed,
        source=source,
        curves=curves,
        settings=settings,
        **arrays,
    )


def _read_curves(file: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns a file's curves; older ones have codes, and losses as float16."""
    if _ACCURACIES not in file:
        return {}
    accuracy, loss = file[_ACCURACIES], file[_LOSSES]
    if accuracy.dtype == np.uint16:
        accuracy = np.where(accuracy == _NO_CODE, np.nan, accuracy / _UNITS)
    found = (accuracy.astype(np.float32), loss.astype(np.float32))
    return dict(zip(CURVES, found, strict=True))


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
    genomes = _trained_genomes(space, run.fixed)
    if fewest < len(set(genomes)):
        raise InputError(
            f"run={str(folder)!r} has {fewest} of the {len(set(genomes))} networks "
            "of its space, trained to their end: give a grid without rungs that went "
            "to its end."
        )
    ordered = []
    for replicate in sorted(columns):
        by_genome = {row.genome: row for row in columns[replicate]}
        ordered.append([by_genome[genome] for genome in genomes])
    accuracy = [[row.validation_accuracy for row in rows] for rows in ordered]
    num_epochs = [[row.num_epochs for row in rows] for rows in ordered]
    return Table(
        space=space,
        fixed=run.fixed,
        validation_accuracy=np.array(accuracy, np.float32).T,
        num_epochs=np.array(num_epochs, np.int32).T,
        num_params=np.array([row.num_params for row in ordered[0]], np.int32),
        source=str(folder),
        curves=_stack(ordered),
        settings=_settings_of(run),
    )


def _settings_of(run: Run) -> dict[str, Any]:
    """Returns what is known of SETTINGS; the metric is, of any run."""
    known = {"metric": metrics.name_of(run.metric), **run.config}
    return {name: known[name] for name in SETTINGS if name in known}


def _stack(ordered: list[list[RecordedNetwork]]) -> dict[str, np.ndarray]:
    """Returns the curves of all, by name float32[N, R, E]; {} where some have none."""
    rows = [row for column in ordered for row in column]
    if not all(name in row.curves for row in rows for name in CURVES):
        return {}
    longest = max(row.num_epochs for row in rows)
    stacked = {
        name: [
            [_pad(row.curves[name], longest) for row in column] for column in ordered
        ]
        for name in CURVES
    }
    return {
        name: np.array(curves, np.float32).swapaxes(0, 1)
        for name, curves in stacked.items()
    }


def _trained_genomes(space: SearchSpace, fixed: Mapping[str, Any]) -> list[Genome]:
    """Returns the genome that was trained for each, in the order of `grid_population`.

    Genomes of the same network are trained as one.
    """
    if space.num_genomes > MOST_GENOMES:
        raise InputError(
            f"a space of {space.num_genomes} networks is no table: give one of at most "
            f"{MOST_GENOMES}."
        )
    num_genes = len(space.num_choices)
    grid = np.indices(tuple(space.num_choices.tolist())).reshape(num_genes, -1).T
    return [tuple(g) for g in make_canonical_fn(space, fixed)(grid).tolist()]
