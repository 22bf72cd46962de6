"""The command `vecevo predict`: what a network says of new examples."""

import csv
import dataclasses
import pathlib
from collections.abc import Collection, Iterable, Iterator
from typing import Annotated, Any

import numpy as np
import tyro

from vecevo.datasets import tables
from vecevo.datasets.targets import rmse, standardize
from vecevo.errors import InputError, did_you_mean, first_few
from vecevo.networks.ensembles import Ensemble
from vecevo.networks.network import (
    Network,
    encode_answers,
    make_measure_fn,
    score_of,
)
from vecevo.networks.saving import load_network
from vecevo.runs import parsing
from vecevo.training.lanes import metrics

PROG = "vecevo predict"
DESCRIPTION = """Predicts labels or numbers of new examples by a network of a run.

Examples:
  vecevo predict runs/wine-recommended-0 new.csv
  vecevo predict runs/wine-recommended-0/ensemble new.csv --target kind

A table has the columns that were trained on; more are ignored. An array comes as .npy,
or as x or else x_test of an .npz file, such as one that was trained from; right answers
in one are its array --target, such as y_test."""
ARRAYS = ("x", "x_test")  # of an .npz file, the first that is there


@dataclasses.dataclass(frozen=True)
class PredictConfig:
    """What predicts, and of what."""

    network: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """A run, whose best network it is, or a folder in it: top/2, ensemble."""
    data: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")]
    """A file of examples: .csv, .tsv, .parquet, .npy or .npz."""
    output: Annotated[str, tyro.conf.arg(metavar="PATH")] = "predictions.csv"
    """Where predictions go, of classes with the probability of each; never a file that
    is there."""
    target: Annotated[
        str | None, tyro.conf.arg(metavar="COLUMN", help_behavior_hint="")
    ] = None
    """A column with the right answers, or an array of an .npz file, if there is one, to
    say how good predictions are."""


def main() -> None:
    """Runs the command line; bad input ends with one line and exit code 2."""
    parsing.run_command(PredictConfig, predict, prog=PROG, description=DESCRIPTION)


def predict(config: PredictConfig) -> None:
    """Writes predictions as asked.

    Raises:
      InputError: for what cannot be read, predicted or written.
    """
    network = load_network(config.network)
    x, y = read_examples(pathlib.Path(config.data), config.target)
    one = network.networks[0] if isinstance(network, Ensemble) else network
    is_number = one.targets is not None
    said = network.predict(x) if is_number else network.predict_proba(x)
    # The labels first: where they are wrong, nothing is left.
    lines = [] if y is None else score_lines(said, y, one)
    header, rows = number_rows(said, one) if is_number else class_rows(said, one)
    write_predictions(pathlib.Path(config.output), header, rows)
    print(f"{config.output}: {len(said):,} predictions")
    for line in lines:
        print(line)


def score_lines(said: np.ndarray, y: Any, network: Network) -> list[str]:
    """Returns what predictions are worth: by the metric of the run, and by others.

    These are accuracy, or R2 and errors in their units.

    Args:
      said: probabilities [N, C], or numbers [N] or [N, K] in their units.
      y: the right labels or numbers.
      network: that said it.

    Raises:
      InputError: for labels or numbers that it was not trained on.
    """
    targets = network.targets
    if targets is None:
        accuracy = score_of(said, y, network)
        return [*judged_lines(said, y, network), f"accuracy: {accuracy:.4f}"]
    outputs = standardize(targets, said.reshape(len(said), -1))
    r2, right = score_of(outputs, y, network), encode_answers(y, network)
    errors = zip(targets.names, rmse(targets, outputs, right), strict=True)
    named = first_few([f"{name} {error:.4g}" for name, error in errors])
    return [*judged_lines(outputs, y, network), f"R2: {r2:.4f}", f"RMSE: {named}"]


def judged_lines(outputs: np.ndarray, y: Any, network: Network) -> list[str]:
    """Returns the metric that a network was judged by, unless it is accuracy or R2.

    Args:
      outputs: probabilities [N, C], or standardised numbers [N, K].
      y: the right labels or numbers.
      network: of the outputs.
    """
    word = network.facts.get("metric")
    if word is None:
        return []
    name = metrics.name_of(word)
    measure_fn = make_measure_fn(name, network.classes, network.targets)
    found = measure_fn(outputs, encode_answers(y, network))
    if np.isnan(found):
        return [f"{word}: none, as all answers are of one class"]
    return [f"{word}: {found:.4f}"]


def read_examples(path: pathlib.Path, target: str | None) -> tuple[Any, Any]:
    """Returns examples, and the labels of the target, or None.

    Raises:
      InputError: for a file that cannot be read, or has no such column.
    """
    if path.suffix.lower() in tables.ENDINGS:
        frame = tables.read_table(path, argument="data", least_columns=1)
        if target is None:
            return frame, None
        given = f"data={str(path)!r}"
        return tables.split_target(frame, target, argument=given)[:2]
    if target is not None and path.suffix.lower() != ".npz":
        raise InputError(
            f"target={target!r} has no say with data={str(path)!r}, which is no table "
            "and no .npz file: leave it out."
        )
    names, arrays = read_arrays(path, (*ARRAYS, target))
    by_target = sorted(ARRAYS, key=lambda name: target != f"y{name[1:]}")
    found = [name for name in by_target if name in arrays]
    if not found:
        raise InputError(
            f"data={str(path)!r} holds {', '.join(names)}, and no {' or '.join(ARRAYS)}"
            f": save the examples to predict as {ARRAYS[0]}, with numpy.savez."
        )
    if target is not None and target not in arrays:
        raise InputError(
            f"target={target!r} is no array of data={str(path)!r}"
            f"{did_you_mean(target, names)}: it holds {', '.join(names)}."
        )
    return arrays[found[0]], None if target is None else arrays[target]


def read_arrays(
    path: pathlib.Path, wanted: Collection[str | None]
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Reads an .npy file, whose array is `x`, or arrays of an .npz file.

    Returns:
      The names of all arrays, and those of them that are wanted.

    Raises:
      InputError: for any other file, or a damaged one.
    """
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return ["x"], {"x": loaded}
            names = list(loaded)
            return names, {name: loaded[name] for name in names if name in wanted}
    except Exception as error:  # NumPy and zipfile raise some ten kinds
        raise InputError(
            f"data={str(path)!r} cannot be read ({error}): give a table, an .npy file, "
            f"or an .npz file with {' or '.join(ARRAYS)}."
        ) from error


def class_rows(
    probabilities: np.ndarray, network: Network
) -> tuple[list[str], Iterator[list[Any]]]:
    """Returns a header and rows: the prediction, and the probability of each class."""
    places, classes = probabilities.argmax(axis=1), network.classes
    rows = (
        [classes[place], *(f"{value:.6g}" for value in row)]
        for place, row in zip(places, probabilities, strict=True)
    )
    return ["prediction", *(f"probability_{c}" for c in classes)], rows


def number_rows(
    said: np.ndarray, network: Network
) -> tuple[list[str], Iterator[list[Any]]]:
    """Returns a header and rows: the prediction, of several numbers one for each."""
    names = network.targets.names if network.targets is not None else ()
    header = ["prediction"]
    if len(names) > 1:
        header = [f"prediction_{name}" for name in names]
    rows = ([repr(float(v)) for v in row] for row in said.reshape(len(said), -1))
    return header, rows


def write_predictions(
    path: pathlib.Path, header: list[str], rows: Iterable[list[Any]]
) -> None:
    """Writes predictions as a table.

    Raises:
      InputError: for a file that is there, or cannot be written.
    """
    try:
        with path.open("x", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        raise InputError(
            f"output={str(path)!r} cannot be written ({error.strerror}): name another "
            "with --output."
        ) from error


if __name__ == "__main__":
    main()
