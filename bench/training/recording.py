"""What journal, kept weights and progress add to a search on digits."""

import pathlib
import tempfile
import time

from rich.console import Console
from rich.table import Table

import vecevo
from bench.harness import records
from vecevo.runs import environment
from vecevo.runs.report import live

NUM_PAIRS, NUM_GENERATIONS = 7, 3


def measure(console, *, smoke, full, data_dir):
    """Measures pairs of the same search, with and without, and writes the record."""
    del full
    environment.set_up_cache(None)
    dataset = vecevo.load_dataset("digits", data_dir=data_dir)
    space = vecevo.article_space()
    sizes = {"num_generations": NUM_GENERATIONS, "population_size": 20}
    if smoke:
        sizes = {"num_generations": 1, "population_size": 4, "max_epochs": 1}
    run_both(dataset, space, sizes)  # its programs are in the cache from now on
    pairs = [run_both(dataset, space, sizes) for _ in range(1 if smoke else NUM_PAIRS)]
    rows = [
        {
            "what": "search of 3 generations of 20, digits",
            "with_seconds": records.spread([with_ for with_, _ in pairs]),
            "without_seconds": records.spread([without for _, without in pairs]),
            "ratio": records.spread([with_ / without for with_, without in pairs]),
        }
    ]
    console.print(make_table(rows))
    if not smoke:
        records.write("recording", rows, command=records.command("recording"))


def run_both(dataset, space, sizes):
    """Seconds of a search with journal and progress, and of the same without."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        search_recorded(dataset, space, sizes, pathlib.Path(folder))
    middle = time.perf_counter()
    vecevo.search(space, dataset, **sizes)
    return middle - start, time.perf_counter() - middle


def search_recorded(dataset, space, sizes, folder):
    """Searches as the command line does, in a terminal that nobody sees."""
    with (folder / "terminal").open("w") as file:
        terminal = Console(file=file, force_terminal=True)
        names = ("num_generations", "population_size")
        standing = live.start_standing(space, {}, **{n: sizes[n] for n in names})
        with live.watch(terminal, standing) as view:
            vecevo.search(
                space,
                dataset,
                output_dir=folder / "run",
                record_fn=view.take_cohort,
                progress_fn=view.take_generation,
                **sizes,
            )


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("what", "with, s", "without, s", "ratio"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in rows:
        ratio = row["ratio"]
        table.add_row(
            row["what"],
            f"{row['with_seconds']['median']:.1f}",
            f"{row['without_seconds']['median']:.1f}",
            f"{ratio['median']:.3f} ({ratio['min']:.3f}-{ratio['max']:.3f})",
        )
    return table
