"""What it takes to start: import, compilation cold and warm, the first generation.

Every measurement is a fresh process; cold ones have an empty compilation cache.
"""

import subprocess
import sys
import time

from rich.table import Table

from bench.harness import records
from bench.training import jobs

NUM_TIMES = 3
IMPORTS = ("vecevo", "vecevo.run", "jax, flax.linen, optax")


def measure(console, *, smoke, full, data_dir):
    """Measures everything, and writes the record."""
    del full, data_dir
    num_times = 1 if smoke else NUM_TIMES
    rows = [
        {"what": f"import {names}", "seconds": records.spread(seconds)}
        for names in IMPORTS
        for seconds in [[time_import(names) for _ in range(num_times)]]
    ]
    runs = [first_generation(smoke) for _ in range(num_times)]
    for start in ("cold", "warm"):
        for what in ("waiting for programs", "first generation trained"):
            seconds = [run[start][what] for run in runs]
            rows.append(
                {"what": f"{what}, {start}", "seconds": records.spread(seconds)}
            )
    console.print(make_table(rows))
    if not smoke:
        records.write("startup", rows, command=records.command("startup"))


def time_import(names):
    """Seconds of a process that imports, less those of one that does not."""

    def seconds_of(program):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        return time.perf_counter() - start

    return seconds_of(f"import {names}") - seconds_of("")


def first_generation(smoke):
    """Runs one generation of the digits search cold and warm, as a user does."""
    small = ["--width", "16", "--max-epochs", "1"] if smoke else []
    runs = jobs.run_cold_and_warm(["--num-generations", "1", *small])
    return {
        start: {
            "waiting for programs": result["time_seconds"]["compile"],
            "first generation trained": seconds,
        }
        for start, (seconds, result) in runs.items()
    }


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("what")
    table.add_column("seconds", justify="right")
    for row in rows:
        spread = row["seconds"]
        table.add_row(
            row["what"],
            f"{spread['median']:.1f} ({spread['min']:.1f}-{spread['max']:.1f})",
        )
    return table
