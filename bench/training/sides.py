"""The sides of a comparison: the same networks, trained by vecevo and by others.

Each `prepare_*` compiles for a list of networks and returns a Side. The sides see the
same data, batch size, dropout, weight decay and update rules.
"""

import concurrent.futures
import importlib
import os
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from vecevo import article_space
from vecevo.training import (
    batches,
    epochs,
    planning,
    programs,
    recipe,
    reference,
    sessions,
)

GENES = dict(article_space().genes)
OPTIMIZERS, ACTIVATIONS = GENES["optimizer"], GENES["activation"]
KERAS_EPOCHS = 2  # a call of fit, so that what it takes to start does not decide


class Side(NamedTuple):
    """One way to train some networks."""

    train: Callable  # epoch -> None; trains all its networks, and waits for them
    num_networks: int
    num_epochs: int  # that one call trains for
    compile_seconds: float


def describe_networks(width, depths, num_networks):
    """Optimizers, activations and depths in turn; one of each optimizer is enough."""
    described = []
    for number in range(num_networks):
        turn = number % len(OPTIMIZERS)
        values = {
            "width": width,
            "depth": depths[turn % len(depths)],
            "activation": ACTIVATIONS[turn % len(ACTIVATIONS)],
            "optimizer": OPTIMIZERS[turn],
            "dropout_rate": 0.1 + 0.01 * (number % 20),
            "weight_decay": 1e-4 * (1 + number),
        }
        values = recipe.complete(values)
        values["learning_rate"] *= 0.1 + 0.01 * (number % 10)
        described.append(values)
    return described


def prepare_lanes(session, described):
    """Vecevo: mixed cohorts, optimizers as they come, all workers busy."""
    start = time.perf_counter()
    # A plan sorts by the update; of equals, cohorts are mixed as the list is.
    plan = planning.plan(
        [planning.Trainee(h["width"], h["depth"], update_level=0) for h in described],
        session.classes,
    )
    setup, runs = session.setup, []
    for cohort in plan:
        module = sessions.padded_module(session, cohort.cohort_class)
        num_lanes = len(cohort.individuals)
        init, train_epochs = setup.programs.get(module, num_lanes)
        lanes = batches.make_lanes(session.network_root, cohort, described)
        runs.append([init(lanes), lanes, train_epochs])
    compile_seconds = time.perf_counter() - start
    executor = concurrent.futures.ThreadPoolExecutor(session.job.num_workers)

    def train(epoch):
        @programs.with_settings_of_this_thread
        def train_cohort(run):
            state, lanes, train_epochs = run
            call = epochs.Call(*map(jnp.array, (epoch, 1, 0)))
            run[0], *reports = train_epochs(
                state, lanes, setup.data, setup.rule, call, setup.order_key
            )
            jax.block_until_ready(reports)

        list(executor.map(train_cohort, runs))

    return Side(train, len(described), 1, compile_seconds)


def prepare_reference(session, described):
    """One network after the other, an epoch in one jitted `lax.scan`."""
    data, runs = session.setup.data, []
    start = time.perf_counter()
    for values in described:
        trainer, state, dropout_key = _start_in_session(session, values)
        first = (state, dropout_key, jnp.array(0), session.setup.order_key)
        train_epoch = trainer.train_epoch.lower(*first, data.x_train, data.y_train)
        evaluate = trainer.evaluate.lower(
            state.params, data.x_validation, data.y_validation
        )
        runs.append([state, dropout_key, train_epoch.compile(), evaluate.compile()])
    compile_seconds = time.perf_counter() - start

    def train(epoch):
        for run in runs:
            state, dropout_key, train_epoch, evaluate = run
            run[0], loss = train_epoch(
                state,
                dropout_key,
                epoch,
                session.setup.order_key,
                data.x_train,
                data.y_train,
            )
            measured = evaluate(run[0].params, data.x_validation, data.y_validation)
            jax.block_until_ready((loss, measured))

    return Side(train, len(described), 1, compile_seconds)


def prepare_loop(session, described):
    """One network after the other, a Python loop over jitted steps."""
    data, batch_size, runs = session.setup.data, session.job.batch_size, []
    start = time.perf_counter()

    for values in described:
        trainer, state, dropout_key = _start_in_session(session, values)

        @jax.jit
        def step(state, dropout_key, step, x, y, train_step=trainer.train_step):
            return train_step(state, dropout_key, step, reference.scale(x), y)

        batch = (data.x_train[:batch_size], data.y_train[:batch_size])
        jax.block_until_ready(step(state, dropout_key, 0, *batch))
        evaluate = trainer.evaluate.lower(
            state.params, data.x_validation, data.y_validation
        )
        runs.append([state, dropout_key, step, evaluate.compile()])
    compile_seconds = time.perf_counter() - start

    def train(epoch):
        num_steps = len(data.y_train) // batch_size
        for run in runs:
            state, dropout_key, step, evaluate = run
            for number in range(num_steps):
                part = slice(number * batch_size, (number + 1) * batch_size)
                state, _ = step(
                    state,
                    dropout_key,
                    epoch * num_steps + number,
                    data.x_train[part],
                    data.y_train[part],
                )
            run[0] = state
            jax.block_until_ready(
                evaluate(state.params, data.x_validation, data.y_validation)
            )

    return Side(train, len(described), 1, compile_seconds)


def start_reference(values, dataset, *, network_root, batch_size):
    """Returns the plain trainer of a network, its first state and its dropout key."""
    trainer = reference.make_trainer(
        recipe.complete(values),
        num_features=dataset.x_train.shape[1],
        num_classes=dataset.num_classes,
        batch_size=batch_size,
    )
    key = recipe.network_key(network_root, values)
    init_key, dropout_key = reference.split_network_key(key)
    return trainer, trainer.init(init_key), dropout_key


def _start_in_session(session, values):
    return start_reference(
        values,
        session.dataset,
        network_root=session.network_root,
        batch_size=session.job.batch_size,
    )


def prepare_keras(session, described):
    """One network after the other by `fit` of Keras on JAX; None without Keras."""
    keras = import_keras()
    if keras is None:
        return None
    dataset, batch_size = session.dataset, session.job.batch_size
    arrays = keras_arrays(dataset)
    start = time.perf_counter()
    models = [keras_model(keras, values, dataset) for values in described]
    for model in models:
        keras_fit(model, arrays, batch_size, num_epochs=1)
    compile_seconds = time.perf_counter() - start

    def train(epoch):
        del epoch
        for model in models:
            keras_fit(model, arrays, batch_size, num_epochs=KERAS_EPOCHS)

    return Side(train, len(described), KERAS_EPOCHS, compile_seconds)


def import_keras():
    """Imports Keras 3 on its JAX backend, or returns None where it is not installed."""
    os.environ["KERAS_BACKEND"] = "jax"
    try:
        return importlib.import_module("keras")
    except ImportError:
        return None


def say_if_absent(console, name):
    """Prints that a benchmark does without Keras, where it is not installed."""
    if import_keras() is None:
        console.print(f"{name}: Keras is absent; vecevo's extra bench has it")


def keras_arrays(dataset):
    """Returns x, y to train on and x, y to validate on, scaled."""
    x, x_validation = (
        x.astype("float32") / 255 if x.dtype == "uint8" else x
        for x in (dataset.x_train, dataset.x_validation)
    )
    return x, dataset.y_train, x_validation, dataset.y_validation


def keras_model(keras, values, dataset):
    """Returns the compiled Keras model that hyperparams describe."""
    layers = [keras.layers.Input((dataset.x_train.shape[1],))]
    for _ in range(values["depth"]):
        layers.append(keras.layers.Dense(values["width"], values["activation"]))
        layers.append(keras.layers.Dropout(values["dropout_rate"]))
    layers.append(keras.layers.Dense(dataset.num_classes, "softmax"))
    model = keras.Sequential(layers)
    rule = {"class_name": values["optimizer"], "config": {}}
    optimizer = keras.optimizers.deserialize(rule)
    optimizer.learning_rate = values["learning_rate"]
    optimizer.weight_decay = values["weight_decay"] or None
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def keras_fit(model, arrays, batch_size, *, num_epochs, callbacks=()):
    """Calls fit, validating after every epoch; returns its history."""
    x, y, x_validation, y_validation = arrays
    return model.fit(
        x,
        y,
        batch_size=batch_size,
        epochs=num_epochs,
        validation_data=(x_validation, y_validation),
        callbacks=list(callbacks),
        verbose=0,
    )
