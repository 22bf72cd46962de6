"""`python -m bench NAME ...`: runs benchmarks, writes records, renders the README."""

import sys
from typing import Annotated, Literal

import tyro
from rich.console import Console

from bench import lanes, parity, report, table

BENCHMARKS = {"lanes": lanes.measure, "parity": parity.measure, "report": report.render}


def main(
    names: Annotated[
        tuple[Literal["lanes", "parity", "table", "report"], ...], tyro.conf.Positional
    ] = ("lanes", "report"),
    /,
    smoke: bool = False,
    data_dir: str | None = None,
    runs: tuple[str, ...] = (),
):
    """Measures vecevo against its plain baselines.

    Args:
      names: lanes (training throughput by width), parity (accuracies of Keras and
        vecevo, half an hour), table (records the grid runs given with --runs), report
        (writes the README's tables from the records).
      smoke: take seconds, not minutes; the records are of no use and not written.
      data_dir: where tensorflow-datasets has its prepared sets, for parity.
      runs: folders of finished grid runs, one for each replicate of a table.
    """
    width = None if sys.stdout.isatty() else 200
    console = Console(soft_wrap=True, highlight=False, width=width)
    try:
        for name in names:
            if name == "table":
                table.record(console, runs=runs, smoke=smoke)
            else:
                BENCHMARKS[name](console, smoke=smoke, data_dir=data_dir)
    except ValueError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    tyro.cli(main, prog="python -m bench")
