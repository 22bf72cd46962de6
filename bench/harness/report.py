"""Renders tables and pictures from the records, between comments that mark them."""

import functools
import os
import pathlib
import subprocess
import sys

from bench.harness import gains, records, tables
from bench.searching import compare, curve_file, evolution, evolution_picture
from vecevo.errors import InputError

ROOT = pathlib.Path(__file__).parent.parent.parent
README = ROOT / "README.md"
MEASUREMENTS = ROOT / "bench" / "README.md"
COMMAND_LINE = ROOT / "vecevo" / "docs" / "command_line.md"


def render(console):
    """Writes every block that has a record and a place, and the pictures."""
    for path, makers in BLOCKS.items():
        render_file(console, path, makers)
    draw_pictures(console)


def render_file(console, path, makers):
    """Writes the blocks of one file; `makers` give None where there is no record."""
    where = path.relative_to(ROOT, walk_up=True)
    if not path.exists():
        console.print(f"report: {where} is not there")
        return
    text = path.read_text()
    for name, make_block in makers.items():
        if not has_block(text, name):
            console.print(f"report: {where} has no <!-- {name} --> block")
            continue
        block = make_block()
        if block is None:
            console.print(f"report: no record of {name}; its block stays as it is")
            continue
        text = replace_block(text, name, block)
        console.print(f"report: {name} in {where}")
    path.write_text(text)


def draw_pictures(console):
    """Draws the pictures that have records anew, where Matplotlib is."""
    record = records.read("evolution")
    try:
        if curve_file.PATH.exists():
            compare.draw()
        if record is not None:
            evolution_picture.draw(record["rows"], evolution.PICTURE)
    except InputError as error:
        console.print(f"report: pictures stay as they are: {error}")


def table_block(name):
    """The table of a record, or None where there is none."""
    record = records.read(name)
    return None if record is None else tables.TABLES[name](record)


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


BLOCKS = {
    MEASUREMENTS: {
        name: functools.partial(table_block, name) for name in tables.TABLES
    },
    README: {"gains": gains.gains_table},
    COMMAND_LINE: {"help": help_block},
}


def has_block(text, name):
    """Whether a text has <!-- NAME --> and then <!-- end of NAME -->."""
    _, is_there, rest = text.partition(f"<!-- {name} -->\n")
    return bool(is_there) and f"<!-- end of {name} -->" in rest


def replace_block(text, name, block):
    """Puts a block between <!-- NAME --> and <!-- end of NAME -->."""
    if not has_block(text, name):
        raise InputError(f"there is no <!-- {name} --> block: add one.")
    before, start, rest = text.partition(f"<!-- {name} -->\n")
    _, stop, after = rest.partition(f"<!-- end of {name} -->")
    return f"{before}{start}\n{block}\n\n{stop}{after}"
