"""How far padded, batched training is from the plain reference, epoch by epoch.

The list of 24 networks is trained for a few epochs by vecevo, in the cohorts of its
plan, and one by one by `reference.py`, in float64 and in float32. Rounding differs,
so float32 drifts apart as training goes on; float64 shows that nothing else does.
"""

import concurrent.futures

import jax
import jax.numpy as jnp
import numpy as np
from rich.table import Table

from bench.harness import records
from bench.training import jobs, sides
from vecevo import load_dataset, train_networks
from vecevo.keys import split_run_key
from vecevo.training import memory, programs

NUM_EPOCHS, BATCH_SIZE, SEED = 5, 64, 0


def measure(console, *, smoke, full, data_dir):
    """Compares both precisions, and writes the record."""
    del full, data_dir
    described = jobs.stratified_list()[:2] if smoke else jobs.stratified_list()
    num_epochs = 1 if smoke else NUM_EPOCHS
    dataset = load_dataset("digits", limit_train=200 if smoke else None)
    rows = []
    for precision in ("float64", "float32"):
        with jax.enable_x64(precision == "float64"):
            row = compare(described, dataset, num_epochs)
        rows.append({"precision": precision, "num_networks": len(described), **row})
    console.print(make_table(rows))
    if not smoke:
        records.write("equivalence", rows, command=records.command("equivalence"))


def compare(described, dataset, num_epochs):
    """Returns the largest differences over all networks, by epoch."""
    results = train_networks(
        described,
        dataset,
        seed=SEED,
        batch_size=BATCH_SIZE,
        max_epochs=num_epochs,
        patience=num_epochs,
    )

    @programs.with_settings_of_this_thread
    def train(values):
        return train_reference(values, dataset, num_epochs)

    losses, accuracies = [], []
    with concurrent.futures.ThreadPoolExecutor(memory.num_cores()) as executor:
        plain = list(executor.map(train, described))
    for (loss, accuracy), result in zip(plain, results, strict=True):
        losses.append(np.abs(result.curves["validation_loss"] - loss))
        accuracies.append(np.abs(result.curves["validation_accuracy"] - accuracy))
    return {
        "loss_difference": np.max(losses, axis=0).tolist(),
        "accuracy_difference": np.max(accuracies, axis=0).tolist(),
    }


def train_reference(values, dataset, num_epochs):
    """Returns validation losses and accuracies by epoch, of the plain version."""
    keys = split_run_key(SEED)
    trainer, state, dropout_key = sides.start_reference(
        values, dataset, network_root=keys.network, batch_size=BATCH_SIZE
    )
    curves = []
    x, y = jnp.asarray(dataset.x_train), jnp.asarray(dataset.y_train)
    for epoch in range(num_epochs):
        state, _ = trainer.train_epoch(state, dropout_key, epoch, keys.order, x, y)
        measured = trainer.evaluate(
            state.params, dataset.x_validation, dataset.y_validation
        )
        curves.append(measured)
    loss, accuracy = np.array(curves).T
    return loss, accuracy


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("precision", "largest difference of"):
        table.add_column(name)
    for epoch in range(len(rows[0]["loss_difference"])):
        table.add_column(f"epoch {epoch + 1}", justify="right")
    for row in rows:
        for name in ("loss", "accuracy"):
            values = (f"{value:.1e}" for value in row[f"{name}_difference"])
            table.add_row(row["precision"], name, *values)
    return table
