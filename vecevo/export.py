"""The command `vecevo export`: a network of a run, trained again and kept."""

import dataclasses
import pathlib
import sys
from typing import Annotated

import tyro

from vecevo.errors import InputError, check_paths
from vecevo.runs import parsing

PROG = "vecevo export"
DESCRIPTION = """Trains a network of a run again, and writes it to a folder.

Examples:
  vecevo export runs/first --rank 7
  vecevo export runs/first --genome 0-2-1-3 --output my-network

The best five networks of a run are in its folder already, in best and top."""


@dataclasses.dataclass(frozen=True)
class ExportConfig:
    """Which network, and where to."""

    run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """The folder of a run."""
    rank: Annotated[int | None, tyro.conf.arg(metavar="K", help_behavior_hint="")] = (
        None
    )
    """The K-th best network, as the run ranks them at its end."""
    genome: Annotated[str | None, tyro.conf.arg(metavar="G", help_behavior_hint="")] = (
        None
    )
    """A network by its genome, such as 0-2-1-3."""
    output: Annotated[
        str | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")
    ] = None
    """The folder: exports/GENOME in that of the run."""


def main() -> None:
    """Runs the command line; bad input ends with one line and exit code 2."""
    parsing.run_command(ExportConfig, export, prog=PROG, description=DESCRIPTION)


def export(config: ExportConfig) -> None:
    """Trains and writes the network, and says whether its score came out the same.

    Raises:
      InputError: for what is no run, no network of it, or cannot be trained again.
    """
    # Only now, as they import JAX: help and mistakes are shown without the wait.
    from vecevo.networks.saving import save_network
    from vecevo.results import genome_text, in_metric
    from vecevo.runs.files import reading, retraining

    if (config.rank is None) == (config.genome is None):
        raise InputError("rank and genome: give --rank or --genome, one of them.")
    run = reading.load_run(config.run)
    recorded = retraining.find_network(run, rank=config.rank, genome=config.genome)
    name = genome_text(recorded.genome)
    folder = pathlib.Path(config.output or run.folder / "exports" / name)
    check_paths(output=folder)
    if folder.exists():
        raise InputError(
            f"output={str(folder)!r} exists and is never overwritten: name another."
        )
    result = retraining.train_again(run, recorded)
    if result.network is None:
        raise TypeError("the network came without weights")
    save_network(result.network, folder)
    print(folder)
    before, after = recorded.validation_accuracy, result.validation_accuracy
    said = in_metric("validation accuracy", run.metric)
    print(f"{said}: {after:.4f}, and {before:.4f} in the run")
    if before != after:
        print(
            "vecevo: the score came out differently: another plan, device or version "
            "rounds differently",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
