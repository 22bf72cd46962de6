"""How many trainings it takes to come within 0.5 points of the best of 672 networks.

The article's own question, on the embedded table of its space on digits: a run observes
one of the replicates of each network, and its incumbent is the one with the best
accuracy observed. Counted are the distinct networks trained until the mean accuracy of
the incumbent is first within 0.5 points of the best mean of the table, in generations
of 20, as in the article. A run ends after 200 distinct networks, or 100 generations.
"""

import jax
import numpy as np
from rich.table import Table

import vecevo
from bench.harness import records
from bench.searching import sources, summary
from vecevo import landscapes, strategies

POPULATION_SIZE, MOST_TRAINED, MOST_GENERATIONS = 20, 200, 100
NUM_RUNS, CHUNK = 1000, 100
WITHIN = 0.005
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def measure(console, *, smoke, full, data_dir):
    """Runs a thousand searches of each strategy, and writes the record."""
    del full, data_dir
    recorded = load_digits()
    num_runs = 4 if smoke else NUM_RUNS
    rows = []
    for name, (strategy, num_generations) in make_strategies(recorded).items():
        counts = count_trainings(strategy, recorded, num_runs, num_generations)
        rows.append({"strategy": name, **describe(counts)})
        console.print(f"trainings: {name}: median {rows[-1]['quantiles'][2]}")
        if smoke:
            break
    console.print(make_table(rows))
    if not smoke:
        records.write("trainings", rows, command=records.command("trainings"))


def load_digits():
    """Returns the embedded table as a Recorded."""
    table = vecevo.load_table("digits")
    return sources.Recorded(
        name="digits",
        num_choices=tuple(table.space.num_choices),
        is_ordered=tuple(
            not isinstance(choices[0], str) for _, choices in table.space.genes
        ),
        values=np.asarray(table.validation_accuracy, np.float64),
    )


def make_strategies(recorded):
    """Returns strategies and their generations by the names of their table."""
    num_choices = recorded.num_choices
    size = {"population_size": POPULATION_SIZE}
    settings = {
        "genetic, the article's setting": strategies.article_setting(POPULATION_SIZE),
        "genetic, its code's setting": strategies.code_setting(POPULATION_SIZE),
    }
    least = MOST_TRAINED // POPULATION_SIZE
    random = strategies.random(num_choices, **size)
    return {
        **{
            name: (strategies.genetic(num_choices, **setting), MOST_GENERATIONS)
            for name, setting in settings.items()
        },
        "random, without repeats": (
            strategies.without_repeats(random, num_choices),
            least,
        ),
        "recommended": (
            strategies.recommended(
                num_choices,
                population_size=POPULATION_SIZE,
                capacity=MOST_TRAINED,
                is_ordered=recorded.is_ordered,
            ),
            least,
        ),
    }


def count_trainings(strategy, recorded, num_runs, num_generations):
    """Returns float64[num_runs]: distinct networks until one is good; inf is never."""
    num_genomes, num_replicates = recorded.values.shape
    values = recorded.values.astype(np.float32)
    means = recorded.values.mean(axis=1)
    is_good = means >= means.max() - WITHIN

    @jax.jit
    @jax.vmap
    def run(key):
        replicate_key, search_key = jax.random.split(key)
        replicate = jax.random.randint(replicate_key, (num_genomes,), 0, num_replicates)
        fitness_fn = landscapes.table(values, recorded.num_choices, replicate=replicate)
        _, trace = strategies.run_strategy(
            search_key, strategy, fitness_fn, num_generations
        )
        return trace.offspring, trace.fitness

    keys, counts = jax.random.split(jax.random.key(0), num_runs), []
    for start in range(0, num_runs, CHUNK):
        for genomes, fitness in zip(*run(keys[start : start + CHUNK]), strict=True):
            genomes = np.asarray(genomes).reshape(-1, len(recorded.num_choices))
            numbers = np.ravel_multi_index(tuple(genomes.T), recorded.num_choices)
            counts.append(count_until(numbers, np.ravel(fitness), is_good))
    return np.array(counts)


def count_until(numbers, fitness, is_good):
    """Returns how many distinct genomes it takes until a good one is the incumbent."""
    _, first = np.unique(numbers, return_index=True)
    first = np.sort(first)[:MOST_TRAINED]
    incumbent, highest = None, -np.inf
    for count, place in enumerate(first, start=1):
        if fitness[place] > highest:
            incumbent, highest = numbers[place], fitness[place]
        if incumbent is not None and is_good[incumbent]:
            return count
    return np.inf


def describe(counts):
    """Returns the distribution of counts; null stands for more than 200."""
    values = np.quantile(counts, QUANTILES, method="inverted_cdf")
    return {
        "n": len(counts),
        "quantiles": [None if np.isinf(value) else int(value) for value in values],
        "share_reached": summary.round_to(np.isfinite(counts).mean()),
        "share_within_100": summary.round_to((counts <= 100).mean()),
    }


def make_table(rows):
    """Returns the rows as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = (f"{100 * quantile:.0f} %" for quantile in QUANTILES)
    for name in ("strategy", *names, f"within {MOST_TRAINED}"):
        table.add_column(name)
    for row in rows:
        cells = [str(value or f"> {MOST_TRAINED}") for value in row["quantiles"]]
        table.add_row(row["strategy"], *cells, f"{row['share_reached']:.1%}")
    return table
