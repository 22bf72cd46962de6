"""Which network a search reports where single results are mostly luck.

All methods search the embedded table of 672 networks, three replicates each, as those
of `search` do, up to half of them. Each reports the network with the best result told;
`recommended` also the one, among the 50 best told, of which its model expects most, as
`vecevo.search` does. Regret is how far the mean of a network's replicates is below the
best mean of the table; means over the seeds, as medians can only be one of a few
numbers there.
"""

import jax
import jax.numpy as jnp
import numpy as np
from rich.table import Table

from bench.harness import records
from bench.searching import compare, curve_file, sources, summary, trainings
from vecevo import landscapes, strategies
from vecevo.runs.ending.voting import POOL_SIZE

NUM_SEEDS = 200
JUDGED = "recommended"
READ_AT = (128, 256)


def measure(console, *, smoke, full, data_dir):
    """Runs what is not in the file of curves yet, and writes the record."""
    del full, data_dir
    recorded = sources.small_table() if smoke else trainings.load_digits()
    seeds = range(2 if smoke else NUM_SEEDS)
    versions = {n: compare.find_version(*p) for n, (p, _) in compare.PEERS.items()}
    cached = {} if smoke else curve_file.read()
    found = compare.search_all(
        *(console, recorded, seeds, versions),
        cached.setdefault(recorded.name, {}),
        save=lambda: smoke or curve_file.save(cached),
    )
    best = {
        name: np.array(entry["regret"])[:, places()] for name, entry in found.items()
    }
    rows = summarize(best, judged_regrets(recorded, seeds), versions)
    console.print(make_table(rows))
    if not smoke:
        records.write("search_digits", rows, command=records.command("search_digits"))


def places():
    """Returns where in a curve the numbers of networks stand."""
    return [number // compare.BATCH_SIZE - 1 for number in READ_AT]


def judged_regrets(recorded, seeds):
    """Returns float64[S, K], regrets of what `recommended` expects most of.

    The searches are those of `compare.search_with_strategy`.
    """
    num_choices, values = recorded.num_choices, recorded.values.astype(np.float32)
    make, _ = compare.OURS[JUDGED]
    strategy = make(recorded)
    columns = np.array([sources.draw_replicates(recorded, seed) for seed in seeds])
    means = recorded.values.mean(axis=1)

    def reported(num_generations):
        @jax.jit
        @jax.vmap
        def run(seed, replicate):
            fitness_fn = landscapes.table(values, num_choices, replicate=replicate)
            state, trace = strategies.run_strategy(
                jax.random.key(seed), strategy, fitness_fn, num_generations
            )
            offspring = trace.offspring.reshape(-1, len(num_choices))
            best = jnp.argsort(-trace.fitness.reshape(-1))[:POOL_SIZE]
            pool = offspring[best]
            return pool[jnp.argmax(strategy.judge(state, pool))]

        genomes = np.asarray(run(np.asarray(seeds), columns))
        numbers = np.ravel_multi_index(tuple(genomes.T), num_choices)
        return means.max() - means[numbers]

    return np.stack([reported(place + 1) for place in places()], axis=1)


def summarize(best, judged, versions):
    """Returns a row for each method, the first with what its model changed.

    Args:
      best: float64[S, K] by method, regrets of the best results told.
      judged: float64[S, K], of what the model reports.
      versions: of the other packages, None where absent.
    """
    regrets = best | {JUDGED: judged}
    ranks = summary.mean_ranks({name: r.mean(axis=0) for name, r in regrets.items()})
    rows = [
        {
            "method": name,
            "version": versions.get(name),
            "mean_rank": round(ranks[name], 3),
            "cells": describe(regrets[name]),
        }
        for name in regrets
    ]
    rows[0]["best_told"] = describe(best[JUDGED])
    rows[0]["best_told_less_judged"] = [
        summary.mean_difference(best[JUDGED][:, k], judged[:, k])
        for k in range(len(READ_AT))
    ]
    return rows


def describe(regrets):
    """Returns mean and standard error by number of networks."""
    return [
        {
            "num_distinct": number,
            "n": len(column),
            "mean": summary.round_to(column.mean()),
            "standard_error": summary.round_to(column.std(ddof=1) / len(column) ** 0.5),
        }
        for number, column in zip(READ_AT, regrets.T, strict=True)
    ]


def make_table(rows):
    """Returns ranks and mean regrets as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("method", "mean rank", "mean regrets"):
        table.add_column(name)
    for row in rows:
        means = " ".join(f"{cell['mean']:.2e}" for cell in row["cells"])
        table.add_row(row["method"], f"{row['mean_rank']:.2f}", means)
    return table
