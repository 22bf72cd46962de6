"""What describes a network: a dict of values by name, checked and completed."""

import math

import numpy as np

from vecevo.training import networks, optimizers

REQUIRED = ("depth", "width", "activation", "optimizer")
DEFAULTS = {"dropout_rate": 0.2, "weight_decay": 0.0}
NUMBERS = {  # what holds for a number, and its words
    "depth": (lambda x: 1 <= x <= 1000 and x % 1 == 0, "a whole number from 1 to 1000"),
    "width": (lambda x: x >= 1 and x % 1 == 0, "a whole number from 1 up"),
    "learning_rate": (lambda x: 0 < x < math.inf, "a number above 0"),
    "dropout_rate": (lambda x: 0 <= x <= 0.999, "a number from 0 to 0.999"),
    "weight_decay": (lambda x: 0 <= x < math.inf, "a number from 0 up"),
}


def complete(hyperparams):
    """Fills in what a dict of hyperparameters leaves out.

    Raises:
      ValueError: naming what no network can be built or trained with.
    """
    unknown = set(hyperparams) - {*REQUIRED, "learning_rate", *DEFAULTS}
    if unknown:
        raise ValueError(f"{min(unknown)!r} is no hyperparameter: leave it out.")
    for name in REQUIRED:
        if name not in hyperparams:
            raise ValueError(f"a network has no {name}: give it one.")
        check_choice(name, hyperparams[name])
    rate = optimizers.DEFAULT_LEARNING_RATES[hyperparams["optimizer"]]
    completed = {**DEFAULTS, "learning_rate": rate, **hyperparams}
    for name in ("learning_rate", *DEFAULTS):
        check_choice(name, completed[name])
        completed[name] = float(completed[name])
    for name in ("width", "depth"):
        completed[name] = int(completed[name])
    return completed


def check_choice(name, value):
    """Raises ValueError for a value that a hyperparameter cannot have."""
    names = {"activation": networks.ACTIVATIONS, "optimizer": optimizers.OPTIMIZERS}
    if name in names:
        is_right, words = value in names[name], f"one of {', '.join(names[name])}"
    elif isinstance(value, bool) or not isinstance(value, int | float | np.number):
        is_right, words = False, "a number"
    else:
        condition, words = NUMBERS[name]
        is_right = condition(value)
    if not is_right:
        raise ValueError(f"{name}={value!r} must be {words}.")


def check_counts(**counts):
    """Raises ValueError for a setting that is no whole number from 1 up."""
    for name, count in counts.items():
        if not isinstance(count, int | np.integer) or count < 1:
            raise ValueError(f"{name}={count!r} must be a whole number from 1 up.")
