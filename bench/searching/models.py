"""How sharp models are: `recommended` beside other packages' models, to 256 networks.

All search the four FCNet tables as in `search`. These packages take minutes for what
others do in seconds, so they have fewer seeds and a smaller budget.
"""

import numpy as np
from rich.table import Table

from bench.harness import records
from bench.searching import compare, curve_file, peers, sources, summary
from vecevo import strategies

NUM_BATCHES, NUM_SEEDS, NUM_SEEDS_OF_PEERS = 4, 30, 3
OURS = "recommended"
PEERS = peers.MODELS


def measure(console, *, smoke, full, data_dir):
    """Runs what is not in the file of curves yet, and writes the record."""
    del full, data_dir
    cached = {} if smoke else curve_file.read()
    versions = {name: compare.find_version(*p) for name, (p, _) in PEERS.items()}
    found = {}
    for recorded in [sources.small_table()] if smoke else compare.load_fcnet():
        found[recorded.name] = {OURS: search_ours(recorded, smoke)}
        for name, (_, peer) in PEERS.items():
            if versions[name] is None:
                console.print(f"search_models: {name} is absent")
                continue
            found[recorded.name][name] = compare.go_on(
                *(name, peer, versions[name], recorded),
                range(2 if smoke else NUM_SEEDS_OF_PEERS),
                cached.setdefault(recorded.name, {}),
                num_batches=NUM_BATCHES,
                save=lambda: smoke or curve_file.save(cached),
            )
            console.print(f"search_models: {recorded.name}, {name} {versions[name]}")
    rows = summarize(found, versions)
    console.print(make_table(rows))
    if not smoke:
        records.write("search_models", rows, command=records.command("search_models"))


def search_ours(recorded, smoke):
    """Returns the curves of `recommended`, with room for what it will be told."""
    strategy = strategies.recommended(
        recorded.num_choices,
        population_size=compare.BATCH_SIZE,
        capacity=compare.BATCH_SIZE * NUM_BATCHES,
        is_ordered=recorded.is_ordered,
    )
    curves = compare.search_with_strategy(
        strategy,
        recorded,
        list(range(2 if smoke else NUM_SEEDS)),
        num_generations=NUM_BATCHES,
        num_batches=NUM_BATCHES,
    )
    return curve_file.to_entry(curves)


def summarize(found, versions):
    """Returns a row for each table and budget.

    Args:
      found: entries of the file of curves, by table and then by method.
      versions: of the other packages, None where absent.
    """
    rows = []
    for table, methods in found.items():
        regrets = {name: np.array(entry["regret"]) for name, entry in methods.items()}
        for place in range(NUM_BATCHES):
            at = {name: regret[:, place] for name, regret in regrets.items()}
            rows.append(
                {
                    "table": table,
                    "num_distinct": (place + 1) * compare.BATCH_SIZE,
                    "cells": {
                        name: {
                            "version": versions.get(name),
                            **summary.quartiles(values),
                            "mean": summary.round_to(values.mean()),
                        }
                        for name, values in at.items()
                    },
                    "against_best_peer": summary.compare_centres(OURS, at, seed=place),
                }
            )
    return rows


def make_table(rows):
    """Returns medians and means as a table for the console."""
    names = list(rows[0]["cells"])
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("table", "networks", *names):
        table.add_column(name)
    for row in rows:
        cells = [
            f"{cell['median']:.1e} ({cell['mean']:.1e})"
            for cell in row["cells"].values()
        ]
        table.add_row(row["table"], str(row["num_distinct"]), *cells)
    return table
