"""The page in the folder of a run, or of several: written, and removed when stale."""

import pathlib
from collections.abc import Sequence

from rich.console import Console

from vecevo.runs.files.reading import Run
from vecevo.runs.files.store import telling

REPORT = "report.html"


def leave_report(runs: Sequence[Run], folder: pathlib.Path, console: Console) -> None:
    """Writes a page about one run, or several compared, into a folder."""
    # Only now, as it imports Matplotlib.
    from vecevo.runs.report import page

    page.write_report(runs, folder / REPORT)
    console.print(f"report: {folder / REPORT}")


def remove_report(folder: pathlib.Path) -> None:
    """Removes the page about what was there before more was trained, if there is one.

    Raises:
      InputError: where it cannot be removed.
    """
    with telling(folder):
        (folder / REPORT).unlink(missing_ok=True)
