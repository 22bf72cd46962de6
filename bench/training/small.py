"""A thousand small networks, by vecevo and by the packages that one would use.

All on digits, with adam, for the same number of epochs, and all cores for each side:
the others train one network after the other in a process a core, some of the thousand.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from typing import Any

import numpy as np
from rich.table import Table

from bench.harness import records
from bench.training import jobs, sides
from vecevo import load_dataset, train_networks
from vecevo.training import memory, recipe

NUM_NETWORKS, NUM_EPOCHS, BATCH_SIZE = 1000, 20, 64
WIDTHS, DEPTHS, LEARNING_RATES = range(16, 65, 8), (1, 2), (1e-4, 1e-2)
NUM_TIMES = 3
OTHERS = {"sklearn": 200, "torch": 100, "keras": 20}  # by module, networks of each
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def measure(console, *, smoke, full, data_dir):
    """Runs every side that is there, and writes the record."""
    del full, data_dir
    num_networks = 4 if smoke else NUM_NETWORKS
    rows = [run_ours(num_networks, 1 if smoke else NUM_TIMES)]
    for side, num in OTHERS.items():
        if importlib.util.find_spec(side) is None:
            console.print(f"small: {side} is absent, and left out")
        else:
            rows.append(run_other(side, memory.num_cores() if smoke else num))
    console.print(make_table(rows))
    if not smoke:
        records.write("small", rows, command=records.command("small"))


def describe_networks(num_networks):
    """Networks of random widths, depths and learning rates, the same each time."""
    rng = np.random.default_rng(0)
    least, most = np.log(LEARNING_RATES)
    return [
        recipe.complete(
            {
                "width": int(rng.choice(WIDTHS)),
                "depth": int(rng.choice(DEPTHS)),
                "activation": "relu",
                "optimizer": "adam",
                "learning_rate": float(np.exp(rng.uniform(least, most))),
                "dropout_rate": 0.0,
            }
        )
        for _ in range(num_networks)
    ]


def run_ours(num_networks, num_times):
    """Trains all, with nothing compiled and then with all in the cache."""
    row = {"side": "vecevo", "num_networks": num_networks, "num_epochs": NUM_EPOCHS}
    runs = {"cold": [], "warm": []}
    for _ in range(num_times):
        with tempfile.TemporaryDirectory() as folder:
            for start in runs:
                runs[start].append(run_in_processes("vecevo", [num_networks], folder))
    for start, of_start in runs.items():
        row[f"{start}_seconds"] = records.spread([run["seconds"] for run in of_start])
    return row | {"accuracy": runs["warm"][-1]["accuracy"]}


def run_other(side, num_networks):
    """Trains some, in a process a core."""
    cores = memory.num_cores()
    shares = [num_networks // cores] * cores
    run = run_in_processes(side, shares, None)
    return {
        "side": side,
        "num_networks": sum(shares),
        "num_epochs": NUM_EPOCHS,
        "seconds": run["seconds"] * NUM_NETWORKS / sum(shares),
        "accuracy": run["accuracy"],
    }


def run_in_processes(side, shares, cache_dir):
    """Trains a share of networks in each process; the seconds are the longest's."""
    environment = os.environ | (ONE_THREAD if len(shares) > 1 else {})
    if cache_dir is not None:
        environment |= jobs.caching_in(cache_dir)
    started, first = [], 0
    for share in shares:
        command = [sys.executable, "-m", "bench.training.small", side]
        command += [str(first), str(first + share)]
        started.append(
            subprocess.Popen(
                command, env=environment, text=True, stdout=subprocess.PIPE
            )
        )
        first += share
    outputs = [process.communicate()[0] for process in started]
    for process in started:
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
    ended = [json.loads(output.splitlines()[-1]) for output in outputs]
    return {
        "seconds": max(part["seconds"] for part in ended),
        "accuracy": float(np.mean([part["accuracy"] for part in ended])),
    }


def train_side(side, first, last):
    """Trains networks of the list; returns seconds without imports, and accuracy."""
    described = describe_networks(last)[first:]
    train = TRAIN[side]()
    dataset = load_dataset("digits")
    begin = time.perf_counter()
    accuracies = train(described, dataset)
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, "accuracy": float(np.mean(accuracies))}


def prepare_vecevo():
    """Returns the function that trains a list."""
    how: dict[str, Any] = {"batch_size": BATCH_SIZE, "max_epochs": NUM_EPOCHS}
    how["patience"] = NUM_EPOCHS

    def train(described, dataset):
        results = train_networks(described, dataset, **how)
        return [result.curves["validation_accuracy"][-1] for result in results]

    return train


def prepare_sklearn():
    """Imports scikit-learn; its classifier stops at no loss."""
    from sklearn.neural_network import MLPClassifier

    warnings.filterwarnings("ignore", module="sklearn")  # it has not converged
    how: dict[str, Any] = {"batch_size": BATCH_SIZE, "alpha": 0.0, "random_state": 0}
    how |= {"max_iter": NUM_EPOCHS, "n_iter_no_change": NUM_EPOCHS + 1}

    def train(described, dataset):
        x, y, x_validation, y_validation = sides.keras_arrays(dataset)
        accuracies = []
        for values in described:
            rate = {"learning_rate_init": values["learning_rate"]}
            model = MLPClassifier((values["width"],) * values["depth"], **rate, **how)
            accuracies.append(model.fit(x, y).score(x_validation, y_validation))
        return accuracies

    return train


def prepare_pytorch():
    """Imports PyTorch, with a thread a process."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.manual_seed(0)

    def train_one(values, x, y):
        layers, num_in = [], x.shape[1]
        for _ in range(values["depth"]):
            layers += [torch.nn.Linear(num_in, values["width"]), torch.nn.ReLU()]
            num_in = values["width"]
        model = torch.nn.Sequential(*layers, torch.nn.Linear(num_in, 10))
        optimizer = torch.optim.Adam(model.parameters(), values["learning_rate"])
        for _ in range(NUM_EPOCHS):
            for rows in torch.randperm(len(x)).split(BATCH_SIZE):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
                loss.backward()
                optimizer.step()
        return model

    def train(described, dataset):
        arrays = map(torch.as_tensor, sides.keras_arrays(dataset))
        x, y, x_validation, y_validation = (
            a.float() if a.is_floating_point() else a.long() for a in arrays
        )
        accuracies = []
        for values in described:
            predicted = train_one(values, x, y)(x_validation).argmax(1)
            accuracies.append((predicted == y_validation).float().mean().item())
        return accuracies

    return train


def prepare_keras():
    """Imports Keras on JAX."""
    keras = sides.import_keras()

    def train(described, dataset):
        arrays, accuracies = sides.keras_arrays(dataset), []
        for values in described:
            model = sides.keras_model(keras, values, dataset)
            history = sides.keras_fit(model, arrays, BATCH_SIZE, num_epochs=NUM_EPOCHS)
            accuracies.append(history.history["val_accuracy"][-1])
        return accuracies

    return train


TRAIN = {
    "vecevo": prepare_vecevo,
    "sklearn": prepare_sklearn,
    "torch": prepare_pytorch,
    "keras": prepare_keras,
}


def gains(rows):
    """Yields a row's cells: side, networks, seconds, and vecevo's gains over it."""
    ours, *others = rows
    cold, warm = (ours[f"{start}_seconds"]["median"] for start in ("cold", "warm"))
    accuracy = f"{100 * ours['accuracy']:.1f} %"
    yield ("vecevo, cold", ours["num_networks"], f"{cold:.1f}", accuracy, "", "")
    yield ("vecevo, warm", ours["num_networks"], f"{warm:.1f}", accuracy, "", "")
    for row in others:
        yield (
            *(TITLES[row["side"]], row["num_networks"], f"{row['seconds']:.0f}"),
            f"{100 * row['accuracy']:.1f} %",
            *(f"{row['seconds'] / seconds:.1f}" for seconds in (cold, warm)),
        )


TITLES = {"sklearn": "scikit-learn", "torch": "PyTorch", "keras": "Keras"}
COLUMNS = ("side", "networks", "s for 1,000", "accuracy", "gain, cold", "gain, warm")


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "side" else "right")
    for cells in gains(rows):
        table.add_row(*map(str, cells))
    return table


if __name__ == "__main__":
    name, first, last = sys.argv[1:]
    print(json.dumps(train_side(name, int(first), int(last))))
