"""Joins the towers: trains a list of networks, packed into cohorts."""

import hashlib
import json
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo import networks, packing, training, update_rules

CLASS_WIDTHS = (64, 128, 256, 512, 768, 1024)
MEMORY_BYTES = 4 << 30
DEFAULTS = {"dropout_rate": 0.2, "weight_decay": 0.0}


class NetworkResult(NamedTuple):
    """What training one network gave."""

    hyperparams: dict
    num_params: int
    validation_accuracy: float  # at the epoch of the lowest validation loss
    validation_loss: float
    num_epochs: int
    failed_epoch: int | None  # the epoch whose loss was not finite
    params: dict  # of the best epoch, without padding


def complete(hyperparams):
    """Fills in what a dict of hyperparameters leaves out."""
    rate = update_rules.DEFAULT_LEARNING_RATES[hyperparams["optimizer"]]
    return {**DEFAULTS, "learning_rate": rate, **hyperparams}


def network_key(run_key, hyperparams):
    """Folds a network's identity, a hash of its hyperparams, into a key."""
    text = json.dumps(hyperparams, sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    for word in (digest[:4], digest[4:8]):
        run_key = jax.random.fold_in(run_key, int.from_bytes(word, "big"))
    return run_key


def train_networks(
    hyperparams, dataset, *, seed=0, batch_size=64, max_epochs=50, patience=5
):
    """Trains networks, those of one width class together.

    Args:
      hyperparams: list of dicts with width, depth, activation, optimizer and, where
        not the default, learning_rate, dropout_rate and weight_decay.
      dataset: datasets.Dataset.
      seed: of initial weights, dropout and the order of examples.
      batch_size: B.
      max_epochs: cap on the epochs of a network.
      patience: epochs in a row without a lower validation loss before it stops.

    Yields:
      (individuals, results) for each cohort: rows of the list, NetworkResults.
    """
    hyperparams = [complete(h) for h in hyperparams]
    shapes = [
        (h["width"], h["depth"], h["optimizer"] == "adadelta") for h in hyperparams
    ]
    cohorts = packing.plan(
        shapes,
        class_widths=CLASS_WIDTHS,
        num_features=dataset.x_train.shape[1],
        steps_per_epoch=-(-len(dataset.x_train) // batch_size),
        memory_bytes=MEMORY_BYTES,
    )
    data = training.TrainingData(
        x_train=jnp.asarray(dataset.x_train),
        y_train=jnp.asarray(dataset.y_train),
        x_validation=jnp.asarray(dataset.x_validation),
        y_validation=jnp.asarray(dataset.y_validation),
    )
    rule = training.StoppingRule(
        patience=jnp.array(patience),
        max_epochs=jnp.array(max_epochs),
        keeps_last=jnp.array(False),
    )
    network_root, order_key = jax.random.split(jax.random.key(seed))
    for cohort in cohorts:
        lanes = make_lanes(network_root, cohort, hyperparams)
        network = networks.PaddedMLP(cohort.width, cohort.depth, dataset.num_classes)
        state, reports = train_cohort(lanes, data, rule, order_key, network, batch_size)
        members = [i for i in cohort.individuals if i >= 0]
        results = [
            _result(hyperparams[individual], lane, state, reports, dataset)
            for lane, individual in enumerate(members)
        ]
        yield members, results


def make_lanes(network_root, cohort, hyperparams):
    """Returns the Lanes of a cohort; empty lanes repeat its first network."""
    first = cohort.individuals[0]
    rows = [hyperparams[i if i >= 0 else first] for i in cohort.individuals]
    activation = [networks.ACTIVATIONS.index(h["activation"]) for h in rows]
    optimizer = [update_rules.OPTIMIZERS.index(h["optimizer"]) for h in rows]
    return training.Lanes(
        key=jnp.stack([network_key(network_root, h) for h in rows]),
        architecture=networks.Architecture(
            width=jnp.array([h["width"] for h in rows]),
            depth=jnp.array([h["depth"] for h in rows]),
            activation=jnp.array(activation),
        ),
        optimizer=jnp.array(optimizer),
        learning_rate=jnp.array([float(h["learning_rate"]) for h in rows]),
        dropout_rate=jnp.array([float(h["dropout_rate"]) for h in rows]),
        weight_decay=jnp.array([float(h["weight_decay"]) for h in rows]),
    )


def train_cohort(lanes, data, rule, order_key, network, batch_size):
    """Trains until the last lane stops; returns its state and reports by epoch."""
    state = training.init_lanes(
        lanes, network=network, num_features=data.x_train.shape[1]
    )
    reports = []
    while not reports or reports[-1].is_active.any():
        state, report = training.train_epoch(
            state,
            lanes,
            data,
            rule,
            jnp.array(len(reports)),
            order_key,
            network=network,
            batch_size=batch_size,
        )
        reports.append(jax.device_get(report))
    return state, reports


def _result(hyperparams, lane, state, reports, dataset):
    num_epochs = 1 + sum(bool(report.is_active[lane]) for report in reports[:-1])
    last = reports[num_epochs - 1]
    failed = not np.isfinite(last.validation_loss[lane] + last.train_loss[lane])
    best = [report for report in reports[:num_epochs] if report.is_best[lane]]
    width, depth = hyperparams["width"], hyperparams["depth"]
    params = jax.tree.map(lambda leaf: leaf[lane], state.kept_params)
    return NetworkResult(
        hyperparams=hyperparams,
        num_params=networks.count_params(
            width,
            depth,
            num_features=dataset.x_train.shape[1],
            num_classes=dataset.num_classes,
        ),
        validation_accuracy=-np.inf if failed else best[-1].validation_accuracy[lane],
        validation_loss=np.nan if failed else best[-1].validation_loss[lane],
        num_epochs=num_epochs,
        failed_epoch=num_epochs - 1 if failed else None,
        params=networks.crop(params, width=width, depth=depth),
    )
