"""The file of the searches' curves: other packages' take minutes, and so stay."""

import json

from bench.harness import records
from bench.searching import summary

PATH = records.FOLDER / "search_curves.json"


def read():
    """Returns dicts by table and then by method; empty where there is no file."""
    return json.loads(PATH.read_text()) if PATH.exists() else {}


def save(cached):
    """Writes the file, a line for each method."""
    lines = [
        f" {json.dumps(table)}: {{\n"
        + ",\n".join(f"  {json.dumps(m)}: {json.dumps(c)}" for m, c in methods.items())
        + "\n }"
        for table, methods in cached.items()
    ]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def to_entry(found):
    """Returns Curves as lists by seed."""
    round_to = summary.round_to
    return {
        "regret": [[round_to(regret) for regret in one.regret] for one in found],
        "num_distinct": [one.num_distinct for one in found],
        "num_asked": [one.num_asked for one in found],
    }
