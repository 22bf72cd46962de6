"""One search as the article's, generation by generation, and its picture.

The article's genetic algorithm on the embedded digits, 20 networks x 10 generations, as
`make run` does it. Kept are the accuracies and the genomes of every generation:
validation accuracies, by which networks are selected. Nothing is timed.
"""

from collections import Counter

import jax
import numpy as np
from rich.table import Table

from bench.harness import markdown, records
from bench.searching import evolution_picture, summary
from vecevo import (
    SearchSpace,
    article_space,
    decode,
    load_dataset,
    search,
    strategies,
)

POPULATION_SIZE, NUM_GENERATIONS, MAX_EPOCHS, SEED = 20, 10, 25, 0
SMALL = SearchSpace(
    (
        *(("depth", (1, 2)), ("width", (16,)), ("activation", ("relu",))),
        ("optimizer", ("adam", "sgd")),
    )
)
HEAD = ("generation", "best so far", "mean", "networks trained so far")
PICTURE = records.FOLDER / "evolution.svg"


def measure(console, *, smoke, full, data_dir):
    """Runs the search, and writes record and picture."""
    del full, data_dir
    sizes = {"population_size": 4, "num_generations": 2, "max_epochs": 1}
    rows = evolve(SMALL, **sizes) if smoke else evolve(article_space())
    console.print(make_table(rows))
    if not smoke:
        records.write("evolution", rows, command=records.command("evolution"))
        evolution_picture.draw(rows, PICTURE)


def evolve(
    space,
    *,
    population_size=POPULATION_SIZE,
    num_generations=NUM_GENERATIONS,
    max_epochs=MAX_EPOCHS,
):
    """Returns a row for each generation; the last has the winner's test accuracy."""
    dataset, told = load_dataset("digits"), []
    setting = strategies.article_setting(population_size)
    strategy = strategies.genetic(space.num_choices, **setting)
    result = search(
        space,
        dataset,
        strategy=watch(strategy, lambda *seen: told.append(seen)),
        num_generations=num_generations,
        max_epochs=max_epochs,
        seed=SEED,
        confirm=0,
    )
    jax.effects_barrier()
    rows = [
        {
            "generation": progress.generation,
            "best_accuracy": progress.best_accuracy,
            "best_network": decode(space, best_genome),
            "mean_accuracy": progress.mean_accuracy,
            "num_trained": progress.num_trained,
            "accuracies": [summary.round_to(value) for value in fitness],
            "choices": count_choices(space, genomes),
        }
        for progress, (genomes, fitness, best_genome) in zip(
            result.progress, told, strict=True
        )
    ]
    rows[-1]["test_accuracy"] = result.top[0][1].test_accuracy
    return rows


def watch(strategy, see_fn):
    """The same strategy, which shows each generation as it is told.

    `see_fn` is called with genomes int[P, G], fitness float[P], and the best genome of
    all told int[G].
    """

    def see(*arrays):
        see_fn(*(np.array(array) for array in arrays))

    def tell(state, offspring, fitness):
        state, info = strategy.tell(state, offspring, fitness)
        jax.debug.callback(see, offspring, fitness, state.best_genome, ordered=True)
        return state, info

    return strategy._replace(tell=tell)


def count_choices(space, genomes):
    """Returns how often each choice of each gene is in a population."""
    counts = {}
    for (name, choices), column in zip(space.genes, np.transpose(genomes), strict=True):
        of_gene = Counter(np.asarray(column).tolist())
        counts[name] = {str(c): of_gene[place] for place, c in enumerate(choices)}
    return counts


def make_table(rows):
    """Returns the rows as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in HEAD:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*texts(row))
    return table


def texts(row):
    """The numbers of a row, as texts."""
    accuracies = (f"{100 * row[f'{name}_accuracy']:.2f} %" for name in ("best", "mean"))
    return [str(row["generation"]), *accuracies, str(row["num_trained"])]


def evolution_table(record):
    """Accuracies and the best network by generation, for bench/README.md."""
    genes = ", ".join(record["rows"][0]["best_network"])
    lines = markdown.head((*HEAD, f"the best network's {genes}"))
    for row in record["rows"]:
        best = ", ".join(map(str, row["best_network"].values()))
        lines.append(markdown.row([*texts(row), best]))
    last = record["rows"][-1]
    how = (
        "Validation accuracies, by which networks are selected; test accuracy of the "
        f"last row's best: {100 * last['test_accuracy']:.2f} %"
    )
    return markdown.finish(lines, record, how)
