"""Joins the towers: trains lists of networks, and so gives genomes their fitness."""

import collections
import hashlib
import json
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.space import decode
from vecevo.training import epochs, networks, optimizers, planning
from vecevo.training.recipe import complete
from vecevo.training.scheduling import train_plan
from vecevo.training.sessions import start_session


class NetworkResult(NamedTuple):
    """What training one network gave; curves have one entry an epoch."""

    hyperparams: dict
    num_params: int
    validation_accuracy: float  # at the epoch whose weights are kept
    validation_loss: float  # at that epoch
    num_epochs: int
    failed_epoch: int | None  # the epoch, from 0, whose loss was not finite
    curves: dict  # train_loss, validation_loss, validation_accuracy: float32[epochs]
    params: dict  # of the kept epoch, NumPy, kernels [out, in], without padding


class Work(NamedTuple):
    """What training took; work is epochs of lanes times parameters of lanes."""

    needed: int = 0  # by the true parameters and epochs of the networks
    executed: int = 0  # by the padded parameters of all lanes, empty or stopped too
    train_seconds: float = 0.0  # of all workers together
    wait_seconds: float = 0.0  # of all workers, for programs to be compiled


def add_work(work, more):
    """Returns the sum of two Works."""
    return Work(*[a + b for a, b in zip(work, more, strict=True)])


def train_list(session, hyperparams, *, expected_epochs=None):
    """Trains a list of networks, cohort by cohort, the large ones first.

    Args:
      session: sessions.Session.
      hyperparams: list of completed dicts.
      expected_epochs: optimizer -> epochs its networks trained for so far, on average.

    Yields:
      (individuals, results, work) of each cohort: rows of the list, NetworkResults
      and Work. When the time is up, the cohorts that are left out are not yielded.
    """
    described = [
        planning.Network(
            width=h["width"],
            depth=h["depth"],
            update_level=optimizers.update_level(h["optimizer"]),
            num_epochs=(expected_epochs or {}).get(h["optimizer"], 0.0),
        )
        for h in hyperparams
    ]

    def make_lanes_fn(cohort):
        return make_lanes(session.network_root, cohort, hyperparams)

    plan = planning.plan(described, session.classes)[::-1]
    for cohort, trained, seconds in train_plan(session, plan, make_lanes_fn):
        cohort_class, individuals = cohort
        members = [individual for individual in individuals if individual >= 0]
        results = [
            _network_result(hyperparams[individual], lane_result, session.dataset)
            for individual, lane_result in zip(
                members, trained.lane_results, strict=False
            )
        ]
        padded = _num_params(session.dataset, cohort_class.width, cohort_class.depth)
        work = Work(
            needed=sum(result.num_epochs * result.num_params for result in results),
            executed=trained.num_lane_epochs * padded,
            train_seconds=seconds - trained.wait_seconds,
            wait_seconds=trained.wait_seconds,
        )
        yield members, results, work


def train_networks(hyperparams, dataset, **settings):
    """Trains a list of different networks on a data set.

    Args:
      hyperparams: list of dicts with `width`, `depth`, `activation`, `optimizer` and,
        where not the default, `learning_rate`, `dropout_rate`, `weight_decay`.
      dataset: making.Dataset, from `load_dataset` or `make_dataset`.
      **settings: `seed`, `batch_size`, `max_epochs`, `patience` and `memory_bytes` of
        `start_session`.

    Returns:
      A list of NetworkResults in the order of `hyperparams`. Equal networks train
      once and share a result.

    Raises:
      ValueError: naming a hyperparameter that cannot be trained with.
    """
    completed = [complete(h) for h in hyperparams]
    texts = [json.dumps(h, sort_keys=True) for h in completed]
    distinct = dict(zip(texts, completed, strict=True))
    if not distinct:
        return []
    shapes = [(h["width"], h["depth"]) for h in distinct.values()]
    session = start_session(dataset, shapes, list_size=len(distinct), **settings)
    results = {}
    try:
        for individuals, trained, _ in train_list(session, list(distinct.values())):
            results.update(zip(individuals, trained, strict=True))
    finally:
        session.setup.programs.close()
    rows = {text: row for row, text in enumerate(distinct)}
    return [results[rows[text]] for text in texts]


def make_fitness_fn(session, space, fixed, *, lookup_fn, record_fn):
    """Makes a function int[P, G] -> float32[P] that trains what is not known yet.

    Args:
      session: sessions.Session.
      space: space.SearchSpace.
      fixed: dict of the hyperparams that are no genes.
      lookup_fn: genome (a tuple) -> fitness, or None if it was not trained.
      record_fn: called with the genomes, NetworkResults and Work of every cohort.

    Returns:
      The function; it returns None when the time was up before all were trained.
    """

    epochs_by_optimizer = collections.defaultdict(list)

    def fitness_fn(population):
        genomes = [tuple(genome) for genome in np.asarray(population).tolist()]
        fresh = sorted({g for g in genomes if lookup_fn(g) is None})
        hyperparams = [complete({**fixed, **decode(space, g)}) for g in fresh]
        # Of earlier generations alone, which are the same whenever this is run.
        expected = {o: np.mean(epochs) for o, epochs in epochs_by_optimizer.items()}
        trained = train_list(session, hyperparams, expected_epochs=expected)
        for individuals, results, work in trained:
            record_fn([fresh[i] for i in individuals], results, work)
            for result in results:
                optimizer = result.hyperparams["optimizer"]
                epochs_by_optimizer[optimizer].append(result.num_epochs)
        fitness = [lookup_fn(genome) for genome in genomes]
        return None if None in fitness else np.array(fitness, np.float32)

    return fitness_fn


def network_key(run_key, hyperparams):
    """Folds a network's identity, a hash of its hyperparams, into a key."""
    text = json.dumps(hyperparams, sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    for word in (digest[:4], digest[4:8]):
        run_key = jax.random.fold_in(run_key, int.from_bytes(word, "big"))
    return run_key


def make_lanes(network_root, cohort, hyperparams):
    """Returns the Lanes of a cohort; an empty lane holds its first network."""
    first = cohort.individuals[0]
    rows = [hyperparams[i if i >= 0 else first] for i in cohort.individuals]
    activation = [networks.ACTIVATIONS.index(h["activation"]) for h in rows]
    optimizer = [optimizers.OPTIMIZERS.index(h["optimizer"]) for h in rows]
    return epochs.Lanes(
        key=jnp.stack([network_key(network_root, h) for h in rows]),
        architecture=networks.Architecture(
            width=jnp.array([h["width"] for h in rows], jnp.int32),
            depth=jnp.array([h["depth"] for h in rows], jnp.int32),
            activation=jnp.array(activation, jnp.int32),
        ),
        optimizer=jnp.array(optimizer, jnp.int32),
        learning_rate=jnp.array([h["learning_rate"] for h in rows]),
        dropout_rate=jnp.array([h["dropout_rate"] for h in rows]),
        weight_decay=jnp.array([h["weight_decay"] for h in rows]),
    )


def _network_result(hyperparams, lane, dataset):
    width, depth = hyperparams["width"], hyperparams["depth"]
    num_epochs = len(lane.train_loss)
    kept = lane.kept_epoch
    accuracy, loss = lane.validation_accuracy[kept], lane.validation_loss[kept]
    curves = ("train_loss", "validation_loss", "validation_accuracy")
    return NetworkResult(
        hyperparams=hyperparams,
        num_params=_num_params(dataset, width, depth),
        validation_accuracy=-math.inf if lane.is_failed else float(accuracy),
        validation_loss=math.nan if lane.is_failed else float(loss),
        num_epochs=num_epochs,
        failed_epoch=num_epochs - 1 if lane.is_failed else None,
        curves={name: getattr(lane, name) for name in curves},
        params=jax.tree.map(
            np.array, networks.crop(lane.params, width=width, depth=depth)
        ),
    )


def _num_params(dataset, width, depth):
    return networks.count_params(
        width,
        depth,
        num_features=dataset.x_train.shape[1],
        num_classes=dataset.num_classes,
    )
