"""Orders of individuals; of equals the earlier ranks higher."""

import jax
import jax.numpy as jnp

MOST_COMPARED = 64  # individuals: comparing all pairs is faster than sorting so few


def rank(values: jax.Array) -> jax.Array:
    """Returns int32[P], how many of values[P], without NaN, rank higher: 0 is best."""
    if len(values) > MOST_COMPARED:
        return jnp.argsort(best_first(values)).astype(jnp.int32)
    is_earlier = jnp.tri(len(values), k=-1, dtype=bool)
    is_higher = values > values[:, None]
    is_higher |= (values == values[:, None]) & is_earlier
    return is_higher.sum(axis=1, dtype=jnp.int32)


def best_first(values: jax.Array) -> jax.Array:
    """Returns int32[P], the individuals in the order of their rank."""
    if len(values) > MOST_COMPARED:
        return jnp.argsort(-values, stable=True).astype(jnp.int32)
    individuals = jnp.arange(len(values), dtype=jnp.int32)
    is_there = rank(values) == individuals[:, None]
    return jnp.where(is_there, individuals, 0).sum(axis=1, dtype=jnp.int32)
