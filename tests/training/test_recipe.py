"""Every piece of a recipe against reference.py, and the names of networks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.training.test_epochs import (
    BATCH_SIZE,
    assert_lanes_equal_reference,
    make_data,
)
from vecevo.training import recipe
from vecevo.training.lanes import schedules, stopping

RULE = stopping.StoppingRule(
    patience=jnp.array(1000), max_epochs=jnp.array(5), keeps_last=jnp.array(False)
)
BASE = {"width": 9, "depth": 3, "activation": "relu", "optimizer": "adam"}
BASE |= {"learning_rate": 0.01, "dropout_rate": 0.1}
# Lanes that have several pieces each, and every piece at least once.
MIXED = [
    {"schedule": "cosine", "optimizer": "sgd", "momentum": 0.95},
    {"schedule": "linear", "warmup": 0.33, "label_smoothing": 0.2, "beta_2": 0.7},
    {"schedule": "one_cycle", "warmup": 0.5, "norm": "layer", "weight_decay": 0.1},
    {"warmup": 0.3, "skip": "identity", "optimizer": "nadam", "beta_2": 0.7},
    {"gradient_clip": 0.1, "optimizer": "nesterov", "momentum": 0.5, "depth": 1},
    {"averaging": 0.6, "optimizer": "rmsprop", "beta_2": 0.7, "activation": "silu"},
    {"init_gain": 0.3, "optimizer": "adamax", "beta_2": 0.7, "activation": "selu"},
    {
        **{"width_1": 12, "width_2": 3, "width_3": 3, "width_4": 7, "depth": 5},
        **{"skip": "identity", "norm": "layer", "width": 7},
    },
    {
        **{"schedule": "cosine", "warmup": 0.2, "label_smoothing": 0.1},
        **{"gradient_clip": 0.5, "averaging": 0.8, "init_gain": 1.4, "width": 16},
        **{"norm": "layer", "skip": "identity", "activation": "leaky_relu"},
    },
]


@pytest.mark.slow
def test_every_piece_equals_the_reference_alone_and_beside_all_others():
    """In float64, all in one cohort, which has lanes without each of them."""
    descriptions = [
        {**BASE, "width": 5 + n, "depth": 2 + n % 3, **pieces}
        for n, pieces in enumerate([*MIXED, {}])
    ]
    names = {
        name for row in recipe.TABLE if row.idle is not None for name in [row.name]
    }
    assert names <= {name for pieces in [BASE, *MIXED] for name in pieces}
    assert {d.get("schedule", "constant") for d in descriptions} == set(schedules.NAMES)
    with jax.enable_x64(True):
        data = make_data(num_train=4 * BATCH_SIZE, dtype=np.float64)
        shape = {"width": 16, "depth": 5, "num_epochs": 5}
        assert_lanes_equal_reference(descriptions, data, RULE, **shape)


def test_networks_that_are_the_same_have_the_same_values():
    same = [
        ({"momentum": 0.9}, {}),
        ({"optimizer": "sgd", "beta_2": 0.9}, {"optimizer": "sgd"}),
        ({"schedule": "one_cycle", "warmup": 0.2}, {"schedule": "one_cycle"}),
        ({"skip": "identity", "depth": 1}, {"depth": 1}),
        ({"optimizer": "nesterov", "momentum": 0.0}, {"optimizer": "sgd"}),
        ({"optimizer": "nesterov", "momentum": 0.9}, {"optimizer": "nesterov"}),
    ]
    for one, other in same:
        one, other = (
            recipe.complete({**BASE, **one}),
            recipe.complete({**BASE, **other}),
        )
        assert one == other and recipe.identity(one) == recipe.identity(other)
    others = [{"warmup": 0.2}, {"skip": "identity"}, {"beta_2": 0.9}]
    identities = [
        recipe.identity(recipe.complete({**BASE, **o})) for o in [{}, *others]
    ]
    assert len(set(identities)) == len(identities)


def test_what_is_new_leaves_old_identities():
    """A hash of before there were schedules and the like."""
    assert recipe.identity(recipe.complete(BASE)) == (957808356, 1201707590)
