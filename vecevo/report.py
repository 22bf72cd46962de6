"""The command `vecevo report`: a page about recorded runs."""

import dataclasses
import pathlib
from typing import Annotated

import tyro

from vecevo.errors import InputError
from vecevo.extras import import_extra
from vecevo.runs import parsing
from vecevo.runs.files.reading import Run, load_run

PROG = "vecevo report"
DESCRIPTION = """Writes a page with pictures about a recorded run, or several compared.

Examples:
  vecevo report runs/first              runs/first/report.html
  vecevo report runs/first runs/second  report.html, which compares them
  vecevo report runs/first --figures --csv

The page is one file, and needs neither a network nor scripts. A run may have ended, or
have been stopped, or still run."""


@dataclasses.dataclass(frozen=True)
class ReportConfig:
    """What is reported, and in which forms."""

    runs: Annotated[
        tuple[str, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="RUN [RUN ...]", help_behavior_hint=""),
    ]
    """Folders of runs."""
    output: Annotated[
        str | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")
    ] = None
    """The page: report.html in the run's folder, of several runs in the current one."""
    csv: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write the networks of each run, too, as networks.csv in its folder."""
    parquet: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write the networks of each run, too, as networks.parquet in its folder."""
    optuna: Annotated[
        str | None, tyro.conf.arg(metavar="URL", help_behavior_hint="")
    ] = None
    """Write each run, too, as a study of Optuna, to a storage such as sqlite:///x.db."""
    figures: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Write the pictures, too, as SVG and PNG, in the folder figures of the run."""


def main() -> None:
    """Runs the command line; bad input ends with one line and exit code 2."""
    parsing.run_command(ReportConfig, report, prog=PROG, description=DESCRIPTION)


def report(config: ReportConfig) -> None:
    """Writes what a configuration asks for, and says where.

    Raises:
      InputError: for what is no run, or where something cannot be written.
    """
    if not config.runs:
        raise InputError(f"a run is missing: see {PROG} --help.")
    runs = [load_run(run) for run in config.runs]
    # Only now, as it imports Matplotlib: mistakes are shown without the wait.
    from vecevo.runs.report import page

    folder = runs[0].folder if len(runs) == 1 else pathlib.Path()
    path = pathlib.Path(config.output or folder / "report.html")
    page.write_report(runs, path)
    print(path)
    if config.figures:
        for path in page.write_figures(runs, folder / "figures"):
            print(path)
    for run in runs:
        write_tables(run, config)
        if config.optuna is not None:
            # Only now, as it needs the extra.
            from vecevo.integrations.optuna import study_of

            print(f"study: {study_of(run, storage=config.optuna).study_name}")


def write_tables(run: Run, config: ReportConfig) -> None:
    """Writes the networks of a run as tables, in the forms that are asked for.

    Raises:
      InputError: where pandas or pyarrow is not installed, or the folder not writable.
    """
    path = run.folder / "networks"
    try:
        if config.csv:
            run.to_dataframe().to_csv(path.with_suffix(".csv"), index=False)
            print(path.with_suffix(".csv"))
        if config.parquet:
            import_extra("pyarrow", "tables")
            run.to_dataframe().to_parquet(path.with_suffix(".parquet"), index=False)
            print(path.with_suffix(".parquet"))
    except OSError as error:
        raise InputError(
            f"run={str(run.folder)!r}: its networks cannot be written "
            f"({error.strerror or error}): make the folder writable."
        ) from error


if __name__ == "__main__":
    main()
