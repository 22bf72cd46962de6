"""Renders the README's tables from the records, between comments that mark them."""

import os
import pathlib
import subprocess
import sys

from bench.harness import records, tables

README = pathlib.Path(__file__).parent.parent.parent / "README.md"


def render(console):
    """Writes every table that has a record and a place in the README."""
    text = README.read_text()
    for name, make_table in tables.TABLES.items():
        record = records.read(name)
        if record is None:
            console.print(f"report: no record {name}; its table stays as it is")
            continue
        text = replace_block(text, name, make_table(record))
        console.print(f"report: {name}")
    README.write_text(replace_block(text, "help", help_block()))


def help_block():
    """The command line's help, as printed 80 columns wide."""
    done = subprocess.run(
        [sys.executable, "-m", "vecevo.run", "--help"],
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    return f"```text\n{done.stdout.strip()}\n```"


def replace_block(text, name, table):
    """Puts a table between <!-- NAME --> and <!-- end of NAME -->."""
    before, start, rest = text.partition(f"<!-- {name} -->\n")
    _, stop, after = rest.partition(f"<!-- end of {name} -->")
    if not start or not stop:
        raise ValueError(f"README.md has no <!-- {name} --> block: add one.")
    return f"{before}{start}\n{table}\n\n{stop}{after}"
