"""Accuracy of vecevo and of Keras on the same files with the same settings.

The article's network (two layers of 512 elu units, adamax, dropout 0.2, batches of
64) by the article's protocol: trained on the whole training part, measured on the
test part after the last epoch.
"""

import time

from bench.harness import records
from bench.training import sides
from vecevo import load_dataset, train_networks
from vecevo.errors import InputError
from vecevo.folders import default_cache_dir
from vecevo.training.recipe import complete

NETWORK = {"depth": 2, "width": 512, "activation": "elu", "optimizer": "adamax"}
JOBS = {"fashion_mnist": 5, "cifar10": 20}  # epochs
SEEDS = (0, 1, 2)


def measure(console, *, smoke, full, data_dir):
    """Trains both sides on every data set and seed, and writes the record."""
    del full
    keras = sides.import_keras()
    if keras is None:
        raise InputError("parity needs Keras: pip install 'vecevo[bench]'.")
    rows = []
    for name, num_epochs in JOBS.items():
        num_epochs = 1 if smoke else num_epochs
        dataset = load_dataset(
            name,
            data_dir=data_dir,
            cache_dir=default_cache_dir() / "datasets",
            limit_train=1000 if smoke else None,
            is_article=True,
        )
        row = {"dataset": name, "num_epochs": num_epochs}
        trains = {"vecevo": train_vecevo, "keras": train_keras}
        for side in trains:
            row |= {f"{side}_accuracy": [], f"{side}_seconds": []}
        for seed in SEEDS[:1] if smoke else SEEDS:
            for side, train in trains.items():
                start = time.perf_counter()
                accuracy = train(keras, dataset, num_epochs, seed)
                seconds = time.perf_counter() - start
                row[f"{side}_accuracy"].append(accuracy)
                row[f"{side}_seconds"].append(seconds)
                console.print(
                    f"parity: {name}, seed {seed}, {side}: {accuracy:.4f} in "
                    f"{seconds:.0f} s"
                )
        rows.append(row)
    if not smoke:
        records.write("parity", rows, command="python -m bench parity")


def train_vecevo(keras, dataset, num_epochs, seed):
    """Returns the accuracy after the last epoch."""
    del keras
    results = train_networks(
        [NETWORK],
        dataset,
        seed=seed,
        batch_size=64,
        max_epochs=num_epochs,
        patience=num_epochs,
    )
    return results[0].validation_accuracy


def train_keras(keras, dataset, num_epochs, seed):
    """Returns the accuracy after the last epoch."""
    keras.utils.set_random_seed(seed)
    model = sides.keras_model(keras, complete(NETWORK), dataset)
    # By the article's protocol, the part validated on is the test part.
    arrays = sides.keras_arrays(dataset)
    history = sides.keras_fit(model, arrays, batch_size=64, num_epochs=num_epochs)
    return history.history["val_accuracy"][-1]
