"""The command `python -m vecevo.predict`: what a network says of new examples."""

import csv
import dataclasses
import pathlib
from typing import Annotated, Any

import numpy as np
import tyro

from vecevo.datasets import tables
from vecevo.errors import InputError
from vecevo.networks.network import share_right
from vecevo.networks.saving import load_network
from vecevo.runs import parsing

PROG = "python -m vecevo.predict"
DESCRIPTION = """Predicts the labels of new examples with a network that a run has left.

Examples:
  python -m vecevo.predict runs/wine-recommended-0 new.csv
  python -m vecevo.predict runs/wine-recommended-0/ensemble new.csv --target kind

A table has the columns that were trained on; more are ignored. An array comes as .npy,
or as x or x_test of an .npz file."""
ARRAYS = ("x", "x_test")  # of an .npz file, the first that is there


@dataclasses.dataclass(frozen=True)
class PredictConfig:
    """What predicts, and of what."""

    network: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """A run, whose best network it is, or a folder in it: top/2, ensemble."""
    data: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="DATA")]
    """A file of examples: .csv, .tsv, .parquet, .npy or .npz."""
    output: Annotated[str, tyro.conf.arg(metavar="PATH")] = "predictions.csv"
    """Where predictions go, with the probability of each class; never a file that is
    there."""
    target: Annotated[
        str | None, tyro.conf.arg(metavar="COLUMN", help_behavior_hint="")
    ] = None
    """A column with the right labels, if there is one, to say how many are right."""


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
    probabilities = network.predict_proba(x)
    # The labels first: where they are wrong, nothing is left.
    accuracy = None if y is None else share_right(probabilities, y, network.classes)
    write_predictions(pathlib.Path(config.output), network.classes, probabilities)
    print(f"{config.output}: {len(probabilities):,} predictions")
    if accuracy is not None:
        print(f"accuracy: {accuracy:.4f}")


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
    if target is not None:
        raise InputError(f"target={target!r} has no say, as {str(path)!r} is no table.")
    return read_array(path), None


def read_array(path: pathlib.Path) -> np.ndarray:
    """Reads an array of examples from an .npy or an .npz file.

    Raises:
      InputError: for any other file, or a damaged one.
    """
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            found = [name for name in ARRAYS if name in loaded]
            if not found:
                raise ValueError(f"it holds {', '.join(loaded)}")
            return loaded[found[0]]
    except Exception as error:  # NumPy and zipfile raise some ten kinds
        raise InputError(
            f"data={str(path)!r} cannot be read ({error}): give a table, an .npy file, "
            f"or an .npz file with {' or '.join(ARRAYS)}."
        ) from error


def write_predictions(
    path: pathlib.Path, classes: tuple[Any, ...], probabilities: np.ndarray
) -> None:
    """Writes a table: the prediction, and the probability of each class.

    Raises:
      InputError: for a file that is there, or cannot be written.
    """
    places = probabilities.argmax(axis=1)
    try:
        with path.open("x", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["prediction", *(f"probability_{c}" for c in classes)])
            for place, row in zip(places, probabilities, strict=True):
                writer.writerow([classes[place], *(f"{value:.6g}" for value in row)])
    except OSError as error:
        raise InputError(
            f"output={str(path)!r} cannot be written ({error.strerror}): name another."
        ) from error


if __name__ == "__main__":
    main()
