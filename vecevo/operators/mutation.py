"""Random changes of genomes."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from vecevo.operators import draws
from vecevo.operators.checks import (
    Array,
    NumChoices,
    as_fitness,
    as_population,
    check_numbers,
    check_rates,
)


def one_gene_mutation(
    key: jax.Array,
    population: Array,
    num_choices: NumChoices,
    *,
    mutation_rate: ArrayLike,
) -> jax.Array:
    """Redraws one random gene of each mutating genome from all its choices.

    A genome mutates with probability `mutation_rate`. The gene is uniform among
    those with more than one choice; redrawn, a gene of n choices stays what it was
    with probability 1 / n, as in the article's code.

    Args:
      key: random key, consumed.
      population: int32[P, G].
      num_choices: int32[G].
      mutation_rate: probability, may be traced; one for all, or [P, 1].

    Returns:
      int32[P, G].

    Raises:
      InputError: for genomes of other genes, or a mutation_rate that is none.
    """
    population = as_population(population, num_choices)
    num_individuals = population.shape[0]
    check_rates(shape=(num_individuals, 1), mutation_rate=mutation_rate)
    mutates_key, gene_key, choice_key = jax.random.split(key, 3)
    mutates = draws.bernoulli(mutates_key, mutation_rate, (num_individuals, 1))
    num_choices = jnp.asarray(num_choices)
    is_free = num_choices > 1
    place = jnp.cumsum(is_free) - 1  # of a free gene among the free ones
    num_free = jnp.maximum(is_free.sum(), 1)
    gene = draws.randint(gene_key, (num_individuals, 1), 0, num_free)
    choice = draws.randint(choice_key, population.shape, 0, num_choices)
    is_redrawn = mutates & is_free & (place == gene)
    return jnp.where(is_redrawn, choice, population)


def reset_mutation(
    key: jax.Array,
    population: Array,
    num_choices: NumChoices,
    *,
    mutation_rate: ArrayLike,
) -> jax.Array:
    """Resets genes to any *other* of their choices, each equally likely.

    Every gene mutates on its own with its rate; one with a single choice stays.

    Args:
      key: random key, consumed.
      population: int32[P, G].
      num_choices: int32[G].
      mutation_rate: probability, may be traced; one for all, or an array that
        broadcasts to [P, G], as [G] by gene and [P, 1] by individual.

    Returns:
      int32[P, G].

    Raises:
      InputError: for genomes of other genes, or a mutation_rate that is none.
    """
    population = as_population(population, num_choices)
    check_rates(shape=population.shape, mutation_rate=mutation_rate)
    where_key, step_key = jax.random.split(key)
    mutates = draws.bernoulli(where_key, mutation_rate, population.shape)
    # 1..n-1 steps round the ring of n choices reach every other one; a gene with one
    # choice steps 1 mod 1 and stays.
    num_choices = jnp.asarray(num_choices)
    step = draws.randint(step_key, population.shape, 1, jnp.maximum(num_choices, 2))
    return jnp.where(mutates, (population + step) % num_choices, population)


def creep_mutation(
    key: jax.Array,
    population: Array,
    num_choices: NumChoices,
    *,
    mutation_rate: ArrayLike,
) -> jax.Array:
    """Moves genes to a neighbouring choice, for genes whose choices are ordered.

    Down and up are equally likely; from an end there is only one way. See Davis,
    "Handbook of genetic algorithms", 1991.

    Args:
      key: random key, consumed.
      population: int32[P, G].
      num_choices: int32[G].
      mutation_rate: probability, may be traced, as for `reset_mutation`.

    Returns:
      int32[P, G].

    Raises:
      InputError: for genomes of other genes, or a mutation_rate that is none.
    """
    population = as_population(population, num_choices)
    check_rates(shape=population.shape, mutation_rate=mutation_rate)
    where_key, way_key = jax.random.split(key)
    mutates = draws.bernoulli(where_key, mutation_rate, population.shape)
    goes_up = draws.bernoulli(way_key, 0.5, population.shape)
    last = jnp.asarray(num_choices) - 1
    goes_up = (goes_up | (population == 0)) & (population < last)
    moved = jnp.maximum(population + jnp.where(goes_up, 1, -1), 0)
    return jnp.where(mutates, moved, population)


def self_adaptive_rates(
    key: jax.Array, rates: Array, *, spread: ArrayLike
) -> jax.Array:
    """Mutates mutation rates that individuals carry beside their genomes.

    A rate p becomes 1 / (1 + (1 - p) / p * exp(-spread * N(0, 1))): its logit takes a
    normal step, so that it stays between 0 and 1. See Baeck, "Self-adaptation in
    genetic algorithms", 1992.

    Args:
      key: random key, consumed.
      rates: float32[P], probabilities.
      spread: standard deviation of the step, may be traced; about 0.2.

    Returns:
      float32[P], above 0 and below 1.

    Raises:
      InputError: for rates that are none, or a negative spread.
    """
    rates = as_fitness(rates, name="rates")
    check_rates(rates=rates)
    check_spread(spread)
    step = spread * jax.random.normal(key, rates.shape)
    logits = jnp.log(rates) - jnp.log1p(-rates)
    # Rounding must not turn a small rate into 0, from which there is no way back.
    return jnp.clip(jax.nn.sigmoid(logits + step), 1e-6, 1 - 1e-6)


def check_spread(spread: ArrayLike) -> None:
    """Refuses a standard deviation that is negative, infinite or NaN.

    Raises:
      InputError: naming it.
    """
    check_numbers(
        lambda values: (values >= 0) & np.isfinite(values), "0 or more", spread=spread
    )
