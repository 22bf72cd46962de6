"""Offspring as several strategies make them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from vecevo import operators
from vecevo.operators.checks import NumChoices, check_whole


def default_rate(num_choices: NumChoices) -> float:
    """Returns the rate by which one gene mutates in the mean."""
    return 1 / len(num_choices)


def cross_and_reset(
    key: jax.Array,
    parents: jax.Array,
    num_choices: NumChoices,
    *,
    mutation_rate: ArrayLike,
) -> jax.Array:
    """Crosses pairs of parents uniformly, and resets genes to another choice.

    Args:
      key: random key, consumed.
      parents: int32[2 S, G]; the first half breeds with the second.
      num_choices: int32[G].
      mutation_rate: as for `operators.reset_mutation`.

    Returns:
      int32[S, G].
    """
    cross_key, mutate_key = jax.random.split(key)
    parents_1, parents_2 = jnp.split(parents, 2)
    offspring = operators.uniform_crossover(cross_key, parents_1, parents_2)
    return operators.reset_mutation(
        mutate_key, offspring, num_choices, mutation_rate=mutation_rate
    )


def reset_one_gene(
    key: jax.Array, population: jax.Array, num_choices: NumChoices
) -> jax.Array:
    """Resets one gene of each genome to another choice, if one has more than one.

    The gene is uniform among those with more than one choice, then the choice is.

    Args:
      key: random key, consumed.
      population: int32[P, G].
      num_choices: int32[G], static.

    Returns:
      int32[P, G].
    """
    gene_key, reset_key = jax.random.split(key)
    free = np.flatnonzero(np.asarray(num_choices) > 1)
    if not free.size:
        return population
    gene = jax.random.choice(gene_key, free, (len(population), 1))
    is_reset = gene == jnp.arange(population.shape[1])
    return operators.reset_mutation(
        reset_key, population, num_choices, mutation_rate=is_reset.astype(float)
    )


def check_num_parents(num_parents: int, population_size: int) -> None:
    """Refuses a number of parents that is not from 1 to the population_size."""
    check_whole(1, population_size=population_size)
    check_whole(1, population_size, "the population_size", num_parents=num_parents)
