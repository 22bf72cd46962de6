"""What rungs save in seconds: searches on CIFAR-10 with rungs and without, in turns.

All ask `recommended` for generations of 20 networks of the article's space and train
them by the article's stopping rule, each seed without rungs, then with those of `auto`,
then with sharper ones. All programs that one generation needs are in the compilation
cache before. A search's best network counts from the end of its generation on; the
level that all of a seed are timed to is the lowest accuracy that one of them ends with,
on the validation part.
"""

import statistics
import time
from typing import Any

from rich.table import Table

import vecevo
from bench.harness import markdown, records
from bench.training import ladder
from vecevo.runs import environment

SEEDS, NUM_GENERATIONS, POPULATION_SIZE = (0, 1), 6, 20
LIMIT_TRAIN, MAX_EPOCHS = 10_000, 25
SMOKE: dict[str, Any] = {"num_generations": 1, "population_size": 3, "max_epochs": 2}
SIDES = {"no rungs": None, "rungs": "auto", "rungs 3 9 25": (3, 9, 25)}


def measure(console, *, smoke, full, data_dir):
    """Searches, and writes the record anew after each seed."""
    del full
    environment.set_up_cache(None)
    name, limit = ("digits", 200) if smoke else ("cifar10", LIMIT_TRAIN)
    dataset = vecevo.load_dataset(name, data_dir=data_dir, limit_train=limit)
    for rungs in (None, (1, 2)):
        search(dataset, rungs, 0, smoke, num_generations=1, max_epochs=2)
    rows = []
    for seed in SEEDS[: 1 if smoke else None]:
        found = {
            side: search(dataset, (1, 2) if smoke and rungs else rungs, seed, smoke)
            for side, rungs in SIDES.items()
        }
        rows.append({"seed": seed, **compare(found)})
        console.print(make_table(rows))
        if not smoke:
            command = records.command("rung_seconds")
            records.write("rung_seconds", rows, command=command)


def search(dataset, rungs, seed, smoke, **changes):
    """Searches once; returns what it took, and what it found by the end."""
    settings: dict[str, Any] = {
        "num_generations": NUM_GENERATIONS,
        "population_size": POPULATION_SIZE,
        "max_epochs": MAX_EPOCHS,
    } | changes
    marks = []
    start = time.perf_counter()
    result = vecevo.search(
        vecevo.SearchSpace(ladder.narrow(vecevo.article_space(), smoke)),
        dataset,
        strategy="recommended",
        seed=seed,
        rungs=rungs,
        confirm=0,
        ensemble=0,
        progress_fn=lambda said: marks.append((time.perf_counter() - start, said)),
        **(settings | SMOKE if smoke else settings),
    )
    best = max(result.top, key=lambda network: network[1].validation_accuracy)[1]
    return {
        "seconds": [round(seconds, 2) for seconds, _ in marks],
        "best_accuracies": [round(said.best_accuracy, 5) for _, said in marks],
        "compile_seconds": round(result.time_seconds["compile"], 1),
        "num_networks": result.num_trained,
        "rungs": list(result.saved.rungs) if result.saved else None,
        "num_epochs": result.saved.num_epochs if result.saved else None,
        "best": best.hyperparams,
        "test_accuracy": round(best.test_accuracy or 0.0, 5),
    }


def compare(found):
    """Returns a seed's searches with the level all came to, and the seconds to it."""
    level = min(side["best_accuracies"][-1] for side in found.values())
    row: dict = {"level": level, **found}
    for name, side in found.items():
        row[name] = {**side, "seconds_to_level": seconds_to(level, side)}
    return row


def seconds_to(level, side):
    """Returns the seconds until the best accuracy of a search was at least `level`."""
    marks = zip(side["seconds"], side["best_accuracies"], strict=True)
    return next(seconds for seconds, accuracy in marks if accuracy >= level)


def shares(rows, name):
    """Returns what a side needs of the seconds without rungs, medians over its seeds.

    Returns:
      By the seconds to the level, by those of the whole search, and how many seeds.
    """
    pairs = [(row[name], row["no rungs"]) for row in rows if name in row]
    to_level = [
        ours["seconds_to_level"] / theirs["seconds_to_level"] for ours, theirs in pairs
    ]
    whole = [ours["seconds"][-1] / theirs["seconds"][-1] for ours, theirs in pairs]
    return statistics.median(to_level), statistics.median(whole), len(pairs)


COLUMNS = (
    *("seed", "side", "networks", "seconds", "to level", "best validation", "its test"),
    "winner",
)


def cells(rows):
    """Returns the cells of a table, a line for each search."""
    lines = []
    for row in rows:
        for side in (name for name in SIDES if name in row):
            one = row[side]
            best = one["best"]
            lines.append(
                [
                    *(str(row["seed"]), side, str(one["num_networks"])),
                    *(f"{one['seconds'][-1]:.0f}", f"{one['seconds_to_level']:.0f}"),
                    f"{100 * one['best_accuracies'][-1]:.2f}",
                    f"{100 * one['test_accuracy']:.2f}",
                    f"{best['depth']} x {best['width']} {best['activation']} "
                    f"{best['optimizer']}",
                ]
            )
    return lines


def make_table(rows):
    """Returns rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in COLUMNS:
        table.add_column(name)
    for line in cells(rows):
        table.add_row(*line)
    return table


def rung_seconds_table(record):
    """The record, a line for each search, for the report."""
    lines = markdown.head(COLUMNS)
    rows = record["rows"]
    lines += [markdown.row(line) for line in cells(rows)]
    said = []
    for name in list(SIDES)[1:]:
        if any(name in row for row in rows):
            to_level, whole, num_pairs = shares(rows, name)
            said.append(f"{name} {to_level:.2f} and {whole:.2f} ({num_pairs})")
    how = (
        "Share of the seconds without rungs, to the level that all came to and of a "
        f"whole search, medians (of how many seeds): {', '.join(said)}"
    )
    return markdown.finish(lines, record, how)
