"""The random keys of a run: one domain for each kind of draw."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.errors import check_seed

IMPLEMENTATION = "threefry2x32"  # as `training.lanes.threefry` draws from


class RunKeys(NamedTuple):
    """The domains of a run's random draws, which never meet."""

    search: jax.Array  # generation g draws from a fold with g
    network: jax.Array  # a network folds its identity into it
    order: jax.Array  # of examples; epoch e draws from a fold with e
    start: jax.Array  # the initial population


def split_run_key(seed: int) -> RunKeys:
    """Returns the RunKeys of a seed from 0 to 2^64 - 1.

    Below 2^32 they are those of `jax.random.key(seed)`, which drops the higher bits.

    Raises:
      InputError: for another seed.
    """
    check_seed(seed)
    words = np.array(divmod(int(seed), 2**32), np.uint32)
    return split_key(jax.random.wrap_key_data(jnp.asarray(words), impl=IMPLEMENTATION))


def order_key_of(order_key: jax.Array, replicate: int) -> jax.Array:
    """Returns the key of the order of examples of a replicate; of 0 the run's own."""
    if not replicate:
        return order_key
    # No epoch folds this number in.
    return jax.random.fold_in(jax.random.fold_in(order_key, 2**32 - 1), replicate)


def split_key(key: jax.Array) -> RunKeys:
    """Returns the RunKeys that a key, consumed, splits into."""
    return RunKeys(*jax.random.split(key, len(RunKeys._fields)))
