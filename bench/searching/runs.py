"""Whole searches a second on the embedded table, thousands at once in one program."""

import time

import jax
from rich.table import Table

import vecevo
from bench.harness import records
from vecevo import landscapes, strategies

POPULATION_SIZE, NUM_GENERATIONS = 20, 10
NUM_RUNS, NUM_TIMES = 8192, 7


def measure(console, *, smoke, full, data_dir):
    """Measures some strategies, and writes the record."""
    del full, data_dir
    table = vecevo.load_table("digits")
    num_choices = table.space.num_choices
    fitness_fn = landscapes.table(table.validation_accuracy, num_choices)
    rows = []
    for name, strategy in make_strategies(num_choices).items():
        times = (64, 2) if smoke else (NUM_RUNS, NUM_TIMES)
        rows.append({"strategy": name, **measure_one(strategy, fitness_fn, *times)})
        if smoke:
            break
    console.print(make_table(rows))
    if not smoke:
        records.write("runs", rows, command=records.command("runs"))


def make_strategies(num_choices):
    """Returns strategies by the names of their table."""
    size = {"population_size": POPULATION_SIZE}
    plus = strategies.evolution_plus(num_choices, **size)
    article, code = strategies.article_setting, strategies.code_setting
    return {
        "genetic, the article's setting": strategies.genetic(
            num_choices, **article(POPULATION_SIZE)
        ),
        "genetic, its code's setting": strategies.genetic(
            num_choices, **code(POPULATION_SIZE)
        ),
        "evolution_plus": plus,
        "evolution_plus without repeats": strategies.without_repeats(plus, num_choices),
        "random": strategies.random(num_choices, **size),
    }


def measure_one(strategy, fitness_fn, num_runs, num_times):
    """Returns the seconds to compile, and runs a second after that."""

    def best_fitness(key):
        state, _ = strategies.run_strategy(key, strategy, fitness_fn, NUM_GENERATIONS)
        return state.best_fitness

    keys = jax.random.split(jax.random.key(0), num_runs)
    start = time.perf_counter()
    program = jax.jit(jax.vmap(best_fitness)).lower(keys).compile()
    compile_seconds, rates = time.perf_counter() - start, []
    program(keys).block_until_ready()
    for _ in range(num_times):
        start = time.perf_counter()
        program(keys).block_until_ready()
        rates.append(num_runs / (time.perf_counter() - start))
    return {
        "num_runs": num_runs,
        "compile_seconds": compile_seconds,
        "runs_per_second": records.spread(rates),
    }


def make_table(rows):
    """Returns the rows as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("strategy", "runs/s", "compiled in s"):
        table.add_column(name, justify="left" if name == "strategy" else "right")
    for row in rows:
        rate = row["runs_per_second"]["median"]
        table.add_row(row["strategy"], f"{rate:,.0f}", f"{row['compile_seconds']:.1f}")
    return table
