"""Whole jobs from the first line to the last: a search, and a list of 24 networks.

The search is the article's genetic algorithm on digits, as `make run` runs it, in a
process of its own, with an empty compilation cache and then with a full one. The list
has a network of every width and depth, activations and optimizers in rotation; all
sides train it to the article's stopping rule, and start cold (nothing compiled) or warm
(all in the cache).
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import jax.numpy as jnp
import numpy as np
from rich.table import Table

from bench.harness import machine, records
from bench.training import sides
from vecevo import article_space, decode, load_dataset, train_networks
from vecevo.keys import split_run_key
from vecevo.runs.evolve import expected_networks
from vecevo.runs.files import queries
from vecevo.training import forecast, memory, recipe, sessions, settings

BATCH_SIZE, PATIENCE, MAX_EPOCHS = 64, 5, 25
SHAPE = ("width", "depth")
PROJECTED = {"672 networks": (672, 1), "20 + 9 x 12 networks": (128 / 10, 10)}
CIFAR_SHAPE, CIFAR_EPOCHS = (50_000, 3072), 25


def measure(console, *, smoke, full, data_dir):
    """Runs the jobs, and writes the record."""
    sides.say_if_absent(console, "jobs")
    names = ["digits", "fashion_mnist"] if full else ["digits"]
    ceilings = machine.measure_ceilings()
    rows = [run_search(console, ceilings, smoke)]
    rows += [run_list(console, name, data_dir, ceilings, smoke) for name in names]
    rows += [project(name) for name in PROJECTED]
    console.print(make_table(rows))
    if not smoke:
        records.write("jobs", rows, command=records.command("jobs", full=full))


def stratified_list():
    """A network of every width and depth, with activations and optimizers in turn."""
    genes = dict(article_space().genes)
    activations, optimizers = genes["activation"], genes["optimizer"]
    shapes = [(width, depth) for width in genes["width"] for depth in genes["depth"]]
    return [
        recipe.complete(
            {
                "width": width,
                "depth": depth,
                # Each depth meets all activations over the widths.
                "activation": activations[(number + number // 4) % len(activations)],
                "optimizer": optimizers[number % len(optimizers)],
            }
        )
        for number, (width, depth) in enumerate(shapes)
    ]


def run_search(console, ceilings, smoke):
    """Runs the search cold and warm; returns a row of the record."""
    small = ["--width", "16", "--max-epochs", "1", "--num-generations", "1"]
    row: dict = {"job": "search", "dataset": "digits"}
    rungs = ["--rungs", "5", "25"]
    args = ["--strategy", "genetic", "--confirm", "0", *(small if smoke else rungs)]
    measured = run_cold_and_warm(args)
    for start, (seconds, result) in measured.items():
        row[start] = {
            "seconds": seconds,
            "compile_seconds": result["time_seconds"]["compile"],
            "num_programs": result["num_programs"],
            "num_networks": result["num_trained"],
            "useful_work_ratio": result["useful_work_ratio"],
        }
        console.print(f"jobs: search, {start}: {seconds:.0f} s")
    trained = [
        (*map(decode(article_space(), n["genome"]).get, SHAPE), n["num_epochs"])
        for n in measured["warm"][1]["networks"]
    ]
    dataset = load_dataset("digits")
    row["least_seconds"] = machine.least_seconds(trained, dataset, BATCH_SIZE, ceilings)
    return row


def run_cold_and_warm(args):
    """Runs the command line with an empty compilation cache, then with a full one.

    Returns:
      A dict of `cold` and `warm`, each the seconds of the process and its result.json,
      to which the trained `networks` are added.
    """
    measured = {}
    with tempfile.TemporaryDirectory() as folder:
        for start in ("cold", "warm"):
            output = pathlib.Path(folder) / start
            places = ["--output-dir", str(output), "--cache-dir", f"{folder}/cache"]
            begin = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "vecevo.run", *args, *places],
                check=True,
                capture_output=True,
            )
            seconds = time.perf_counter() - begin
            result = json.loads((output / "result.json").read_text())
            result["networks"] = queries.read_networks(output / "run.sqlite")
            measured[start] = (seconds, result)
    return measured


def run_list(console, name, data_dir, ceilings, smoke):
    """Trains the list on every side, cold and warm; returns a row of the record."""
    row = {"job": "list", "dataset": name}
    present = ["vecevo", "reference"]
    present += ["keras"] if sides.import_keras() is not None else []
    for side in present:
        row[side] = {}
        with tempfile.TemporaryDirectory() as folder:
            for start in ("cold", "warm"):
                row[side][start] = train_in_a_process(
                    [side, name, data_dir or "", "2" if smoke else "24"], folder
                )
                seconds = row[side][start]["seconds"]
                console.print(f"jobs: list on {name}, {side}, {start}: {seconds:.0f} s")
    trained = [
        (*map(values.get, SHAPE), num_epochs)
        for values, num_epochs in zip(
            stratified_list(), row["vecevo"]["warm"]["num_epochs"], strict=False
        )
    ]
    dataset = load_dataset(name, data_dir=data_dir)
    row["least_seconds"] = machine.least_seconds(trained, dataset, BATCH_SIZE, ceilings)
    return row


def train_in_a_process(args, cache_dir):
    """Runs `train_side` in a fresh process that keeps compiled programs in a folder."""
    environment = os.environ | caching_in(cache_dir)
    command = [sys.executable, "-m", "bench.training.jobs", *args]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    )
    return json.loads(done.stdout.splitlines()[-1])


def caching_in(folder):
    """Environment of a process that keeps all that it compiles in a folder."""
    return {
        "JAX_COMPILATION_CACHE_DIR": folder,
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def train_side(side, name, data_dir, num_networks):
    """Trains the first networks of the list on one side; returns what it took."""
    described = stratified_list()[: int(num_networks)]
    dataset = load_dataset(
        name,
        data_dir=data_dir or None,
        limit_train=None if len(described) == 24 else 100,
    )
    trains = {
        "vecevo": train_vecevo,
        "reference": train_reference,
        "keras": train_keras,
    }
    begin = time.perf_counter()
    num_epochs = trains[side](described, dataset)
    seconds = time.perf_counter() - begin
    return {
        "seconds": seconds,
        "num_networks": len(described),
        "num_epochs": num_epochs,
        "networks_per_hour": 3600 * len(described) / seconds,
    }


def train_vecevo(described, dataset):
    """Returns the number of epochs that each network took."""
    results = train_networks(
        described,
        dataset,
        batch_size=BATCH_SIZE,
        max_epochs=MAX_EPOCHS,
        patience=PATIENCE,
    )
    return [result.num_epochs for result in results]


def train_reference(described, dataset):
    """Trains one after the other with the plain version and the patience rule."""
    keys, num_epochs = split_run_key(0), []
    x, y = jnp.asarray(dataset.x_train), jnp.asarray(dataset.y_train)
    for values in described:
        trainer, state, dropout_key = sides.start_reference(
            values, dataset, network_root=keys.network, batch_size=BATCH_SIZE
        )
        losses = []
        for epoch in range(MAX_EPOCHS):
            state, _ = trainer.train_epoch(state, dropout_key, epoch, keys.order, x, y)
            loss, _ = trainer.evaluate(
                state.params, dataset.x_validation, dataset.y_validation
            )
            losses.append(float(loss))
            if epoch - np.argmin(losses) >= PATIENCE:
                break
        num_epochs.append(len(losses))
    return num_epochs


def train_keras(described, dataset):
    """Trains one after the other with `fit` and EarlyStopping."""
    keras = sides.import_keras()
    if keras is None:
        return []
    arrays, num_epochs = sides.keras_arrays(dataset), []
    for values in described:
        stop = keras.callbacks.EarlyStopping(
            patience=PATIENCE, restore_best_weights=True
        )
        model = sides.keras_model(keras, values, dataset)
        history = sides.keras_fit(
            model, arrays, BATCH_SIZE, num_epochs=MAX_EPOCHS, callbacks=[stop]
        )
        num_epochs.append(len(history.epoch))
    return num_epochs


def project(name):
    """Expects the time of one of the article's jobs from the planner's constants."""
    list_size, num_lists = PROJECTED[name]
    expected = expected_networks(
        article_space(), {}, list_size=list_size, num_lists=num_lists
    )
    given = settings.TrainingSettings(
        batch_size=BATCH_SIZE,
        max_epochs=CIFAR_EPOCHS,
        memory_bytes=memory.free_memory(),
    )
    job, classes = sessions.make_plan((*CIFAR_SHAPE, 10, 10_000), expected, given)
    rows = forecast.forecast(
        expected.shapes, classes, job, list_size=list_size, num_lists=num_lists
    )
    return {
        "job": "projection",
        "dataset": "cifar10",
        "name": name,
        "num_epochs": CIFAR_EPOCHS,
        "hours": sum(row.seconds for row in rows) / 3600,
    }


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("job", "data set", "side"):
        table.add_column(name)
    for name in ("cold s", "warm s", "networks/h, warm", "vecevo: cold", "warm"):
        table.add_column(name, justify="right")
    for row in rows:
        if row["job"] == "search":
            times = (f"{row[start]['seconds']:.0f}" for start in ("cold", "warm"))
            table.add_row("search", row["dataset"], "vecevo", *times)
        elif row["job"] == "projection":
            hours = f"{row['hours']:.1f} h"
            table.add_row(f"PROJECTED: {row['name']}", row["dataset"], "vecevo", hours)
        else:
            for side in list_sides(row):
                table.add_row("24 networks", row["dataset"], *side)
    return table


def list_sides(row):
    """Yields the side, its times, its rate and vecevo's gain over it, as texts."""
    for side in ("vecevo", "reference", "keras"):
        if side in row:
            cold, warm = row[side]["cold"], row[side]["warm"]
            gains = (
                row[side][start]["seconds"] / row["vecevo"][start]["seconds"]
                for start in ("cold", "warm")
            )
            yield (
                side,
                f"{cold['seconds']:.1f}",
                f"{warm['seconds']:.1f}",
                f"{warm['networks_per_hour']:,.0f}",
                *(f"{gain:.2f}" for gain in gains),
            )


if __name__ == "__main__":
    print(json.dumps(train_side(*sys.argv[1:])))
