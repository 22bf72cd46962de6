"""What recipes are worth: the article's best network on Fashion-MNIST, piece by piece.

Two searches of as many networks, one of the article's space and one of `recipe`, on a
part of the examples; their winners by validation, and what lies between them, are then
trained on all examples but those that validate, for as many epochs, over several seeds,
the record written anew after each. The test part is asked once for each training, and
chooses nothing.
"""

from typing import Any

import numpy as np
from rich.table import Table

import vecevo
from bench.harness import drawing, markdown, records
from vecevo.runs import environment
from vecevo.training import recipe

EPOCHS, SEEDS = 20, (1, 2, 3, 4, 5)
SEARCH: dict[str, Any] = {"num_generations": 10, "population_size": 20, "confirm": 3}
SMOKE: dict[str, Any] = {"num_generations": 1, "population_size": 3, "confirm": 2}
LIMIT_TRAIN = 10_000  # of the searches
WIDTHS, NUM_MEMBERS = (64, 128, 256, 512), 5
CHANGED = ("flip", "shift")  # images, where they are
# What is added to the article's best network, one after the other.
STEPS = (
    ("schedule", {"schedule": "cosine", "warmup": 0.05}),
    ("weight decay", {"weight_decay": 0.05}),
    ("norm, skip", {"norm": "layer", "skip": "identity"}),
    ("smoothing", {"label_smoothing": 0.1}),
    ("averaging", {"averaging": 0.5}),
    ("flip, shift", {}),
)
WITH_CHANGES = ("flip, shift",)
PICTURE = records.FOLDER / "ladder.svg"
SMALL = {"depth": (1,), "width": (8,), "optimizer": ("adam",)}
BAR = {"color": "#0072b2", "height": 0.6}


def measure(console, *, smoke, full, data_dir):
    """Searches, trains every step of the ladder, and writes record and picture."""
    del full
    environment.set_up_cache(None)
    name = "digits" if smoke else "fashion_mnist"
    part, whole = (
        vecevo.load_dataset(name, data_dir=data_dir, limit_train=limit)
        for limit in (200 if smoke else LIMIT_TRAIN, 200 if smoke else None)
    )
    spaces = {
        "article": narrow(vecevo.article_space(), smoke),
        "recipe": narrow(vecevo.recipe_space(), smoke),
    }
    winners = {space: search(part, genes, smoke) for space, genes in spaces.items()}
    for space, networks in winners.items():
        console.print(f"ladder: best of {space}: {networks[0]}")
    rows = [
        start_row(
            *(step, networks, whole),
            augment=() if smoke else changes_of(step),
            max_epochs=2 if smoke else EPOCHS,
        )
        for step, networks in steps(winners).items()
    ]
    climb(console, "ladder", rows, whole, smoke)
    if not smoke:
        draw(rows, PICTURE)


def start_row(step, networks, dataset, *, augment, max_epochs):
    """Returns the row of a step before any training."""
    return {
        "step": step,
        "networks": networks,
        "augment": list(augment),
        "max_epochs": max_epochs,
        "num_train": len(dataset.x_train),
        "test_accuracies": [],
    }


def climb(console, name, rows, dataset, smoke):
    """Trains the networks of rows seed by seed, and writes the record after each."""
    for seed in SEEDS[: 2 if smoke else None]:
        add_seed(rows, dataset, seed)
        console.print(make_table(rows))
        if not smoke:
            records.write(name, rows, command=records.command(name))


def changes_of(step):
    """Returns the changes of images that a step trains with."""
    return CHANGED if step in WITH_CHANGES else ()


def narrow(space, smoke):
    """Returns the genes of a space, of widths that both have."""
    genes = dict(space.genes) | {"width": WIDTHS}
    return genes | SMALL if smoke else genes


def search(dataset, genes, smoke):
    """Returns the hyperparams of the best networks, the winner first."""
    result = vecevo.search(
        vecevo.SearchSpace(genes),
        dataset,
        strategy="recommended",
        max_epochs=2 if smoke else EPOCHS,
        ensemble=0,
        **(SMOKE if smoke else SEARCH),
    )
    first = [row.hyperparams for row in result.confirmation]
    others = [network.hyperparams for _, network in result.top]
    return first + [values for values in others if values not in first]


def steps(winners):
    """Returns the networks of each step, by its name."""
    values = winners["article"][0]
    ladder = {"article's best": [values]}
    for name, more in STEPS:
        values = {**values, **more}
        ladder[name] = [values]
    found = winners["recipe"]
    return ladder | {"search": found[:1], "ensemble": found[:NUM_MEMBERS]}


def add_seed(rows, dataset, seed):
    """Trains the networks of all steps, and adds to each its accuracy on the test part.

    Those of the same changes train together, each of them once.
    """
    for changes in {tuple(row["augment"]) for row in rows}:
        alike = [row for row in rows if tuple(row["augment"]) == changes]
        distinct = []
        for values in (values for row in alike for values in row["networks"]):
            if values not in distinct:
                distinct.append(values)
        epochs = alike[0]["max_epochs"]
        results = vecevo.train_networks(
            distinct,
            dataset,
            seed=seed,
            max_epochs=epochs,
            patience=epochs,
            augment=changes,
        )
        for row in alike:
            places = [distinct.index(values) for values in row["networks"]]
            members = tuple(results[place].network for place in places)
            row["test_accuracies"].append(test_accuracy(members, dataset))


def test_accuracy(members, dataset):
    """Returns the share of the test part that networks get right by a vote.

    Those that failed have none; where all did, nothing is right.
    """
    members = tuple(member for member in members if member is not None)
    if not members:
        return 0.0
    voting = vecevo.Ensemble(members, picks=(1,) * len(members))
    said = voting.predict_proba(dataset.raw_x_test).argmax(axis=1)
    return float(np.mean(said == dataset.y_test))


def make_table(rows):
    """Returns rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("step", "test accuracy"):
        table.add_column(name)
    for row in rows:
        table.add_row(row["step"], accuracy_text(row))
    return table


def accuracy_text(row):
    """Mean and standard deviation over seeds, in per cent."""
    mean, deviation = _summary(row)
    is_one = len(row["test_accuracies"]) == 1
    return f"{mean:.2f}" if is_one else f"{mean:.2f} ± {deviation:.2f}"


def _summary(row):
    percents = 100 * np.asarray(row["test_accuracies"])
    return percents.mean(), percents.std(ddof=1) if len(percents) > 1 else 0.0


def ladder_table(record):
    """The record, a line for each step, for the report."""
    lines = markdown.head(("with, too", "test accuracy, %", "hyperparameters"), ())
    before = {}
    for row in record["rows"]:
        values = recipe.telling(recipe.complete(row["networks"][0]))
        values |= {"augment": " and ".join(row["augment"])} if row["augment"] else {}
        new = {k: v for k, v in values.items() if before.get(k) != v}
        said = ", ".join(f"{name} {value}" for name, value in new.items())
        is_one = len(row["networks"]) == 1
        shown = said if is_one else f"{len(row['networks'])} networks, a mean"
        lines.append(markdown.row([row["step"], accuracy_text(row), shown]))
        before = values
    first = record["rows"][0]
    how = (
        f"Means ± standard deviations of {len(first['test_accuracies'])} trainings on "
        f"{first['num_train']:,} examples, {first['max_epochs']} epochs each"
    )
    return markdown.finish(lines, record, how)


def draw(rows, path):
    """Draws a bar for each step, with its deviation.

    Raises:
      ValueError: where Matplotlib is absent.
    """
    with drawing.new_picture(path) as pyplot:
        figure = pyplot.figure(figsize=(7, 3.2), layout="constrained")
        panel = figure.subplots()
        means, errors = zip(*map(_summary, rows), strict=True)
        panel.barh(range(len(rows)), means, xerr=errors, **BAR)
        panel.set_yticks(range(len(rows)), [row["step"] for row in rows])
        panel.invert_yaxis()
        panel.set_xlim(np.floor(min(means) - 1), np.ceil(max(means)))
        panel.set_xlabel("test accuracy on Fashion-MNIST, %")
