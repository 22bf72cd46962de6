"""What describes a network: hyperparameters, one row of a table each.

A network is a dict of values by name. Here such dicts are checked and completed, and
given the identity that its random draws depend on.
"""

import hashlib
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.errors import MOST_COUNT, InputError, check_names, did_you_mean, is_number
from vecevo.training.lanes import activations, optimizers, schedules, threefry
from vecevo.training.lanes.widths import LAYER_WIDTHS, widths_of

Value = float | str | Callable[[Mapping], float] | None  # or of the others' values


class Hyperparameter(NamedTuple):
    """One row: what a value must be, and what it is where it is left out."""

    name: str
    is_right: Callable[[Any], bool]
    words: str  # what a right value is
    kind: Callable[[Any], Any]  # int, float or str; the rates of lanes are floats
    default: Value = None  # None: it is required
    idle: Value = None  # that at which it does nothing; None: there is none
    names: tuple[str, ...] = ()  # of right values that are texts


def _whole(least: int, most: float) -> Callable[[Any], bool]:
    return lambda x: is_number(x) and x % 1 == 0 and least <= x <= most


def _from(least: float, most: float = sys.float_info.max) -> Callable[[Any], bool]:
    return lambda x: is_number(x) and least <= x <= most


def _one_of(names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "is_right": lambda x: isinstance(x, str) and x in names,
        "words": f"one of {', '.join(names)}",
        "kind": str,
        "names": names,
    }


def _of_optimizer(name: str) -> Callable[[Mapping], float]:
    """What an optimizer has by default; 0 where it has none."""
    return lambda values: getattr(optimizers.row_of(values["optimizer"]), name) or 0.0


def _share(
    name: str, default: Value, idle: Value, *, most: float = 0.999
) -> Hyperparameter:
    words = f"a number from 0 to {most}"
    return Hyperparameter(name, _from(0, most), words, float, default, idle)


def _idle(value: str) -> dict[str, Any]:
    return {"default": value, "idle": value}


def _layer_width(layer: int) -> Hyperparameter:
    """The row of the units of a hidden layer, counted from 1; 0 asks for `width`."""

    def as_width(values: Mapping[str, Any]) -> float:
        return values["width"] if layer <= values["depth"] else 0

    return Hyperparameter(
        LAYER_WIDTHS[layer - 1],
        *(_whole(0, MOST_COUNT), f"a whole number from 0 to {MOST_COUNT}", int),
        *(as_width, as_width),
    )


NORMS = ("none", "layer")
SKIPS = ("none", "identity")
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
        _of_optimizer("learning_rate"),
    ),
    _share("dropout_rate", 0.2, idle=0.0),
    Hyperparameter("weight_decay", _from(0), "a number from 0 up", float, 0.0, 0.0),
    Hyperparameter("schedule", **_one_of(schedules.NAMES), **_idle("constant")),
    _share("warmup", 0.0, idle=0.0),
    _share("momentum", *[_of_optimizer("momentum")] * 2),
    _share("beta_2", *[_of_optimizer("beta_2")] * 2, most=0.9999),
    _share("label_smoothing", 0.0, idle=0.0),
    Hyperparameter("gradient_clip", _from(0), "a number from 0 up", float, 0.0, 0.0),
    _share("averaging", 0.0, idle=0.0),
    Hyperparameter(
        "init_gain", _from(0, 1000), "a number from 0 to 1000", float, 1.0, 1.0
    ),
    Hyperparameter("norm", **_one_of(NORMS), **_idle("none")),
    Hyperparameter("skip", **_one_of(SKIPS), **_idle("none")),
    *(_layer_width(layer) for layer in range(1, len(LAYER_WIDTHS) + 1)),
)
NAMES = tuple(row.name for row in TABLE)
REQUIRED = tuple(row.name for row in TABLE if row.default is None)
RATES = tuple(row.name for row in TABLE if row.kind is float)
# That may have no say beside others, which networks that are the same may differ in.
CONDITIONAL = ("warmup", "momentum", "beta_2", "skip", *LAYER_WIDTHS)
# All of these are part of a network's identity; of later ones, what is not the default.
ALWAYS_IDENTIFY = (
    *("activation", "depth", "dropout_rate", "learning_rate", "optimizer"),
    *("weight_decay", "width"),
)


def complete(hyperparams: Mapping[str, Any]) -> dict[str, Any]:
    """Fills in what a dict of hyperparameters leaves out, and what has no say.

    Networks that are the same have the same values then: a `warmup` before a schedule
    that has its own, `skip` where no layer is as wide as the one before, `momentum` and
    `beta_2` of optimizers without them are at their defaults, and `nesterov` without
    momentum is `sgd`. `width_1` to `width_4` hold the units of these layers, 0 beyond
    the last, and `width` may be left out where each layer has its own: it is the
    widest's.

    Raises:
      InputError: naming what no network can be built or trained with.
    """
    if not isinstance(hyperparams, Mapping):
        raise InputError(
            f"hyperparams={hyperparams!r} must be a dict of values by name, with "
            f"{', '.join(REQUIRED)}."
        )
    check_names(hyperparams, NAMES, of="hyperparameter")
    for name, value in hyperparams.items():
        check_choice(name, value)
    choices = {name: (value,) for name, value in hyperparams.items()}
    for name in absent(choices):
        more = " that is of all layers, or one of each" if name == "width" else ""
        raise InputError(f"a network has no {name}: give it one{more}.")
    if "width" not in hyperparams:  # any: no layer has it
        hyperparams = {**hyperparams, "width": hyperparams["width_1"]}
    completed: dict[str, Any] = {}
    for row in sorted(TABLE, key=lambda row: callable(row.default)):
        if row.name in hyperparams:
            completed[row.name] = row.kind(hyperparams[row.name])
        else:
            completed[row.name] = default_of(row, completed)
    return _canonical({name: completed[name] for name in NAMES})


def absent(choices: Mapping[str, Iterable[Any]]) -> list[str]:
    """Returns what networks of some choices lack, of what has no default."""
    has = set(choices) | ({"width"} if needs_no_width(choices) else set())
    return [name for name in REQUIRED if name not in has]


def needs_no_width(choices: Mapping[str, Iterable[Any]]) -> bool:
    """Whether every hidden layer of networks of some choices has its own units."""
    depth = max(choices.get("depth", ()), default=0)
    return 0 < depth <= len(LAYER_WIDTHS) and all(
        any(own := choices.get(name, ())) and all(own)
        for name in LAYER_WIDTHS[: int(depth)]
    )


def default_of(row: Hyperparameter, values: Mapping[str, Any]) -> Any:
    """The default of a hyperparameter beside the others; None where it has none."""
    return row.default(values) if callable(row.default) else row.default


def idle_of(row: Hyperparameter, values: Mapping[str, Any]) -> Any:
    """The value at which it does nothing beside the others; None: there is none."""
    return row.idle(values) if callable(row.idle) else row.idle


def _canonical(values: dict[str, Any]) -> dict[str, Any]:
    """Gives networks that are the same the same values.

    What has no say beside the other values has its default, and Nesterov's momentum of
    0 is plain descent.
    """
    if values["optimizer"] == "nesterov" and not values["momentum"]:
        values["optimizer"] = "sgd"
    row = optimizers.row_of(values["optimizer"])
    values |= {name: 0.0 for name in optimizers.KNOBS if getattr(row, name) is None}
    if not schedules.row_of(values["schedule"]).has_warmup:
        values["warmup"] = 0.0
    own = LAYER_WIDTHS[: values["depth"]]
    for name in LAYER_WIDTHS:
        values[name] = (values[name] or values["width"]) if name in own else 0
    if values["depth"] <= len(own):
        values["width"] = max(values[name] for name in own)
    if not any(a == b for a, b in itertools.pairwise(widths_of(values))):
        values["skip"] = "none"
    return values


def check_choices(name: str, choices: Iterable[Any]) -> None:
    """Refuses a choice that no network of a space can have.

    Raises:
      InputError: naming the hyperparameter, the choice and what it must be.
    """
    for choice in choices:
        check_choice(name, choice)
        if name in LAYER_WIDTHS and not choice:
            raise InputError(
                f"{name}={choice} must be 1 or more: leave it out where that layer "
                "has the units of width."
            )


def check_choice(name: str, value: Any) -> None:
    """Refuses a value that a hyperparameter cannot have.

    Raises:
      InputError: naming it, its value and what it must be.
    """
    check_names([name], NAMES, of="hyperparameter")
    row = TABLE[NAMES.index(name)]
    if not row.is_right(value):
        near = did_you_mean(value, row.names)
        raise InputError(f"{name}={value!r}{near} must be {row.words}.")


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


def telling(hyperparams: Mapping[str, Any]) -> dict[str, Any]:
    """Returns those of a network's hyperparams that tell it from another."""
    return {
        row.name: hyperparams[row.name]
        for row in TABLE
        if row.name in hyperparams
        and (
            row.name in ALWAYS_IDENTIFY
            or hyperparams[row.name] != default_of(row, hyperparams)
        )
    }


def identity(hyperparams: Mapping[str, Any], replicate: int = 0) -> tuple[int, int]:
    """Returns two words of 32 bits, a hash of a network's completed hyperparams.

    A hyperparameter that is new, and at its default, leaves the identity as it was,
    and so does the replicate 0.
    """
    values = telling(hyperparams)
    if replicate:
        values["replicate"] = replicate
    text = json.dumps(values, sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:4], "big"), int.from_bytes(digest[4:8], "big")
