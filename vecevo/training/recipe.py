"""What describes a network: hyperparameters, one row of a table each.

A network is a dict of values by name. Here such dicts are checked and completed, and
given the identity that its random draws depend on.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.errors import MOST_COUNT, InputError, check_names, is_number
from vecevo.training.lanes import activations, optimizers, threefry


class Hyperparameter(NamedTuple):
    """One row: what a value must be, and what it is where it is left out."""

    name: str
    is_right: Callable[[Any], bool]
    words: str  # what a right value is
    kind: Callable[[Any], Any]  # int, float or str; the rates of lanes are floats
    default: float | Callable[[Mapping], float] | None = None  # None: it is required


def _whole(least: int, most: float) -> Callable[[Any], bool]:
    return lambda x: is_number(x) and x % 1 == 0 and least <= x <= most


def _from(least: float, most: float = sys.float_info.max) -> Callable[[Any], bool]:
    return lambda x: is_number(x) and least <= x <= most


def _one_of(names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "is_right": lambda x: isinstance(x, str) and x in names,
        "words": f"one of {', '.join(names)}",
        "kind": str,
    }


def _default_learning_rate(values: Mapping) -> float:
    return optimizers.row_of(values["optimizer"]).learning_rate


TABLE = (
    Hyperparameter("depth", _whole(1, 1000), "a whole number from 1 to 1000", int),
    Hyperparameter(
        "width", _whole(1, MOST_COUNT), f"a whole number from 1 to {MOST_COUNT}", int
    ),
    Hyperparameter("activation", **_one_of(activations.NAMES)),
    Hyperparameter("optimizer", **_one_of(optimizers.NAMES)),
    Hyperparameter(
        "learning_rate",
        lambda x: _from(0)(x) and x > 0,
        "a number above 0",
        float,
        _default_learning_rate,
    ),
    Hyperparameter(
        "dropout_rate", _from(0, 0.999), "a number from 0 to 0.999", float, 0.2
    ),
    Hyperparameter("weight_decay", _from(0), "a number from 0 up", float, 0.0),
)
NAMES = tuple(row.name for row in TABLE)
REQUIRED = tuple(row.name for row in TABLE if row.default is None)
RATES = tuple(row.name for row in TABLE if row.kind is float)
# All of these are part of a network's identity; of later ones, what is not the default.
ALWAYS_IDENTIFY = (
    *("activation", "depth", "dropout_rate", "learning_rate", "optimizer"),
    *("weight_decay", "width"),
)


def complete(hyperparams: Mapping[str, Any]) -> dict[str, Any]:
    """Fills in what a dict of hyperparameters leaves out.

    Raises:
      InputError: naming what no network can be built or trained with.
    """
    if not isinstance(hyperparams, Mapping):
        raise InputError(
            f"hyperparams={hyperparams!r} must be a dict of values by name, with "
            f"{', '.join(REQUIRED)}."
        )
    check_names(hyperparams, NAMES, of="hyperparameter")
    completed: dict[str, Any] = {}
    for row in sorted(TABLE, key=lambda row: callable(row.default)):
        if row.name in hyperparams:
            check_choice(row.name, hyperparams[row.name])
            completed[row.name] = row.kind(hyperparams[row.name])
        elif row.default is None:
            raise InputError(f"a network has no {row.name}: give it one.")
        else:
            completed[row.name] = default_of(row, completed)
    return {name: completed[name] for name in NAMES}


def default_of(row: Hyperparameter, values: Mapping[str, Any]) -> float | None:
    """The default of a hyperparameter beside the others; None where it has none."""
    return row.default(values) if callable(row.default) else row.default


def check_choice(name: str, value: Any) -> None:
    """Refuses a value that a hyperparameter cannot have.

    Raises:
      InputError: naming it, its value and what it must be.
    """
    check_names([name], NAMES, of="hyperparameter")
    row = TABLE[NAMES.index(name)]
    if not row.is_right(value):
        raise InputError(f"{name}={value!r} must be {row.words}.")


def network_key(
    key: jax.Array, hyperparams: Mapping[str, Any], replicate: int = 0
) -> jax.Array:
    """Folds a network's identity into a key."""
    (words,) = key_words(key, [hyperparams], replicate)
    return jax.random.wrap_key_data(jnp.asarray(words), impl=jax.random.key_impl(key))


def key_words(
    key: jax.Array, hyperparams: Sequence[Mapping[str, Any]], replicate: int = 0
) -> np.ndarray:
    """Folds the identities of networks into a key: the words uint32[n, 2] of theirs.

    On the host: calls of the device for each network would take far longer.
    """
    identities = np.array([identity(h, replicate) for h in hyperparams], np.uint32)
    words = np.broadcast_to(jax.random.key_data(key), identities.shape)
    for numbers in identities.T:
        words = threefry.fold_in(words, numbers)
    return words


def identity(hyperparams: Mapping[str, Any], replicate: int = 0) -> tuple[int, int]:
    """Returns two words of 32 bits, a hash of a network's completed hyperparams.

    A hyperparameter that is new, and at its default, leaves the identity as it was,
    and so does the replicate 0.
    """
    values: dict[str, Any] = {
        row.name: hyperparams[row.name]
        for row in TABLE
        if row.name in ALWAYS_IDENTIFY
        or hyperparams[row.name] != default_of(row, hyperparams)
    }
    if replicate:
        values["replicate"] = replicate
    text = json.dumps(values, sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big")
