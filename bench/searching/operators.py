"""Generations a second of the genetic operators, without any training.

A generation selects parents by tournaments of three, crosses them uniformly, redraws
each gene with probability 0.05, and counts the genes that have their last choice
(OneMax). Genomes are those of the article's space. The others do the same with their
own operators; a library that is not installed is left out.
"""

import importlib
import time

import jax
import jax.numpy as jnp
import numpy as np
from rich.table import Table

from bench.harness import records
from vecevo import article_space, operators

NUM_CHOICES = article_space().num_choices
SIZES = (20, 1_000, 100_000, 1_000_000)
MOST_PEERS = 1_000  # individuals that the slow ones are tried with
TOURNAMENT_SIZE, MUTATION_RATE = 3, 0.05
NUM_PAIRS = 7
LEAST_SECONDS = 0.1  # of one measurement


def measure(console, *, smoke, full, data_dir):
    """Measures every size and library, and writes the record."""
    del data_dir
    rows = []
    for population_size in SIZES[:1] if smoke else SIZES:
        prepared = {"vecevo": prepare_vecevo(population_size)}
        if population_size <= MOST_PEERS:
            prepared |= {
                "deap": prepare_deap(population_size),
                "pygad": prepare_pygad(population_size),
                "evosax": prepare_evosax(population_size),
            }
        row = {"population_size": population_size}
        row |= compare(prepared, 2 if smoke else NUM_PAIRS)
        rows.append(row)
    console.print(make_table(rows))
    if not smoke:
        command = records.command("operators", full=full)
        records.write("operators", rows, command=command)


def compare(prepared, num_pairs):
    """Lets the libraries take turns; returns generations a second of each."""
    present = {name: run for name, run in prepared.items() if run is not None}
    counts, rates = {}, {name: [] for name in present}
    for name, run in present.items():
        run(1)
        counts[name] = 1
        while seconds_of(run, counts[name]) < LEAST_SECONDS:
            counts[name] *= 2
    for _ in range(num_pairs):
        for name, run in present.items():
            rates[name].append(counts[name] / seconds_of(run, counts[name]))
    row = {
        name: {"generations_per_second": records.spread(r)} for name, r in rates.items()
    }
    for name in present:
        if name != "vecevo":
            pairs = zip(rates["vecevo"], rates[name], strict=True)
            row[name]["ratio"] = records.spread(
                [ours / theirs for ours, theirs in pairs]
            )
    return row


def seconds_of(run, num_generations):
    """Seconds that some generations take."""
    start = time.perf_counter()
    run(num_generations)
    return time.perf_counter() - start


def prepare_vecevo(population_size):
    """All generations in one program; their number is data."""

    def next_generation(number, carry):
        key, population = carry
        keys = jax.random.split(jax.random.fold_in(key, number), 3)
        fitness = jnp.sum(population == NUM_CHOICES - 1, axis=1).astype(float)
        parents = operators.tournament_selection(
            keys[0],
            fitness,
            num_parents=2 * population_size,
            tournament_size=TOURNAMENT_SIZE,
        )
        first, second = jnp.split(population[parents], 2)
        offspring = operators.uniform_crossover(keys[1], first, second)
        return key, operators.reset_mutation(
            keys[2], offspring, NUM_CHOICES, mutation_rate=MUTATION_RATE
        )

    population = operators.random_population(
        jax.random.key(0), NUM_CHOICES, population_size=population_size
    )
    evolve = jax.jit(lambda n, c: jax.lax.fori_loop(0, n, next_generation, c))
    carry = (jax.random.key(1), population)

    def run(num_generations):
        jax.block_until_ready(evolve(num_generations, carry))

    return run


def prepare_deap(population_size):
    """DEAP: lists of integers, its tournament, uniform crossover and reset mutation."""
    try:
        base, tools = (importlib.import_module(f"deap.{m}") for m in ("base", "tools"))
    except ImportError:
        return None

    class Fitness(base.Fitness):
        weights = (1.0,)

    class Individual(list):
        def __init__(self, genes):
            super().__init__(genes)
            self.fitness = Fitness()

    rng = np.random.default_rng(0)
    last = (NUM_CHOICES - 1).tolist()
    toolbox = base.Toolbox()
    toolbox.register("select", tools.selTournament, tournsize=TOURNAMENT_SIZE)
    toolbox.register("mate", tools.cxUniform, indpb=0.5)
    mutation = {"low": [0] * len(last), "up": last, "indpb": MUTATION_RATE}
    toolbox.register("mutate", tools.mutUniformInt, **mutation)
    start = [
        Individual(genes)
        for genes in rng.integers(0, NUM_CHOICES, (population_size, len(last))).tolist()
    ]

    def run(num_generations):
        population = start
        for _ in range(num_generations):
            for one in population:
                one.fitness.values = (sum(map(int.__eq__, one, last)),)
            chosen = toolbox.select(population, population_size)
            population = [Individual(one) for one in chosen]
            for first, second in zip(population[::2], population[1::2], strict=False):
                toolbox.mate(first, second)
            for one in population:
                toolbox.mutate(one)

    return run


def prepare_pygad(population_size):
    """PyGAD: tournament, uniform crossover, random mutation, fitness by batch."""
    try:
        pygad = importlib.import_module("pygad")
    except ImportError:
        return None

    def fitness_fn(ga, solutions, indices):
        del ga, indices
        return np.sum(solutions == NUM_CHOICES - 1, axis=1).astype(float)

    def run(num_generations):
        pygad.GA(
            num_generations=num_generations,
            num_parents_mating=population_size,
            fitness_func=fitness_fn,
            fitness_batch_size=population_size,
            sol_per_pop=population_size,
            num_genes=len(NUM_CHOICES),
            gene_type=int,
            gene_space=[list(range(n)) for n in NUM_CHOICES.tolist()],
            parent_selection_type="tournament",
            K_tournament=TOURNAMENT_SIZE,
            keep_elitism=0,
            keep_parents=0,
            crossover_type="uniform",
            mutation_type="random",
            mutation_probability=MUTATION_RATE,
            random_seed=0,
            suppress_warnings=True,
        ).run()

    return run


def prepare_evosax(population_size):
    """evosax's SimpleGA, on floats rounded to choices, all generations in one scan."""
    try:
        simple = importlib.import_module("evosax.algorithms").SimpleGA
    except (ImportError, AttributeError):
        return None
    algorithm = simple(
        population_size=population_size, solution=jnp.zeros(len(NUM_CHOICES))
    )
    params = algorithm.default_params
    start = jnp.zeros((population_size, len(NUM_CHOICES)))
    state = algorithm.init(jax.random.key(0), start, jnp.zeros(population_size), params)

    def next_generation(number, state):
        ask_key, tell_key = jax.random.split(
            jax.random.fold_in(jax.random.key(1), number)
        )
        floats, state = algorithm.ask(ask_key, state, params)
        genomes = jnp.clip(jnp.round(floats), 0, NUM_CHOICES - 1)
        cost = -jnp.sum(genomes == NUM_CHOICES - 1, axis=1).astype(float)
        return algorithm.tell(tell_key, floats, cost, state, params)[0]

    evolve = jax.jit(lambda n, s: jax.lax.fori_loop(0, n, next_generation, s))

    def run(num_generations):
        jax.block_until_ready(evolve(num_generations, state))

    return run


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in (
        "population",
        "vecevo gen/s",
        "over DEAP",
        "over PyGAD",
        "over evosax",
    ):
        table.add_column(name, justify="right")
    for row in rows:
        ratios = (row.get(name) for name in ("deap", "pygad", "evosax"))
        table.add_row(
            f"{row['population_size']:,}",
            f"{row['vecevo']['generations_per_second']['median']:,.1f}",
            *(f"{r['ratio']['median']:,.1f}" if r else "-" for r in ratios),
        )
    return table
