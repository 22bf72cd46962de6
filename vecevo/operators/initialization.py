"""Populations to start from."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from vecevo.errors import InputError
from vecevo.operators import draws
from vecevo.operators.checks import (
    NumChoices,
    check_num_choices,
    check_numbers,
    check_whole,
)

MOST_NUMBERED = 2**31 - 1  # genomes: their numbers are int32
MOST_LISTED = 1 << 20  # genomes: a space is listed to draw from it without repeats


def random_population(
    key: jax.Array, num_choices: NumChoices, *, population_size: int
) -> jax.Array:
    """Draws every gene of every individual uniformly from its choices.

    Args:
      key: random key, consumed.
      num_choices: int32[G], at least 1 each.
      population_size: P, static.

    Returns:
      int32[P, G]; genomes may repeat.

    Raises:
      InputError: for numbers of choices, or a population_size, below 1.
    """
    _check_setting(num_choices, population_size)
    num_choices = jnp.asarray(num_choices)
    shape = (population_size, num_choices.shape[0])
    return draws.randint(key, shape, 0, num_choices)


def distinct_population(
    key: jax.Array, num_choices: NumChoices, *, population_size: int
) -> jax.Array:
    """Draws different genomes, every set of them equally likely.

    Args:
      key: random key, consumed.
      num_choices: int32[G], static (NumPy or a tuple).
      population_size: P, static; at most the number of genomes.

    Returns:
      int32[P, G]; no genome repeats.

    Raises:
      InputError: if there are not so many genomes; for numbers of choices, or a
        population_size, below 1.
    """
    _check_setting(num_choices, population_size)
    num_genomes = count_genomes(num_choices)
    if population_size > num_genomes:
        raise InputError(
            f"population_size={population_size} is more than the {num_genomes} genomes "
            "of the space: ask for fewer."
        )
    if num_genomes <= max(MOST_LISTED, 4 * population_size):
        numbers = jax.random.permutation(key, num_genomes)[:population_size]
        return genomes_of_numbers(numbers, num_choices)

    def redraw(
        carry: tuple[jax.Array, jax.Array, jax.Array],
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        key, population, _ = carry
        key, fresh_key = jax.random.split(key)
        fresh = random_population(
            fresh_key, num_choices, population_size=population_size
        )
        population = jnp.where(repeats(population)[:, None], fresh, population)
        return key, population, repeats(population).any()

    first_key, key = jax.random.split(key)
    start = random_population(first_key, num_choices, population_size=population_size)
    _, population, _ = jax.lax.while_loop(
        lambda carry: carry[2], redraw, (key, start, repeats(start).any())
    )
    return population


def grid_population(
    num_choices: NumChoices, *, start: int | jax.Array, population_size: int
) -> jax.Array:
    """Lists genomes in lexicographic order, the last gene fastest.

    Args:
      num_choices: int32[G], static (NumPy or a tuple); at most 2^31 - 1 genomes.
      start: number of the first genome; may be traced. After the last genome the
        list starts over.
      population_size: P, static.

    Returns:
      int32[P, G].

    Raises:
      InputError: for more genomes than that; for a start that is not whole; for
        numbers of choices, or a population_size, below 1.
    """
    _check_setting(num_choices, population_size)
    check_num_genomes(num_choices)
    check_numbers(
        lambda values: np.issubdtype(values.dtype, np.integer),
        "a whole number",
        start=start,
    )
    numbers = (start + jnp.arange(population_size)) % count_genomes(num_choices)
    return genomes_of_numbers(numbers, num_choices)


def stratified_population(
    key: jax.Array, num_choices: NumChoices, *, population_size: int
) -> jax.Array:
    """Draws a Latin hypercube: each gene has each of its choices equally often.

    In P individuals a choice of a gene of n occurs floor(P / n) or ceil(P / n) times;
    which choices occur once more is uniform, and genes are independent. See McKay,
    Beckman & Conover, "A comparison of three methods for selecting values of input
    variables", 1979.

    Args:
      key: random key, consumed.
      num_choices: int32[G].
      population_size: P, static.

    Returns:
      int32[P, G]; genomes may repeat.

    Raises:
      InputError: for numbers of choices, or a population_size, below 1.
    """
    _check_setting(num_choices, population_size)
    num_choices = jnp.asarray(num_choices)
    offset_key, order_key = jax.random.split(key)
    offset = jax.random.randint(offset_key, num_choices.shape, 0, num_choices)
    strata = (jnp.arange(population_size)[:, None] + offset) % num_choices
    return jax.random.permutation(order_key, strata, independent=True)


def count_genomes(num_choices: NumChoices) -> int:
    """Returns the number of different genomes."""
    return math.prod(int(number) for number in num_choices)


def check_num_genomes(num_choices: NumChoices) -> None:
    """Refuses spaces whose genomes have no number of 32 bits.

    Raises:
      InputError: naming how many genomes there are.
    """
    if (num_genomes := count_genomes(num_choices)) > MOST_NUMBERED:
        raise InputError(
            f"num_choices has {num_genomes} genomes, more than the {MOST_NUMBERED} "
            "that can be listed: draw random ones."
        )


def genomes_of_numbers(numbers: ArrayLike, num_choices: NumChoices) -> jax.Array:
    """Returns the genomes int32[P, G] at places int[P] of the lexicographic order."""
    shape = tuple(int(number) for number in num_choices)
    return jnp.stack(jnp.unravel_index(numbers, shape), axis=1).astype(jnp.int32)


def numbers_of_genomes(population: jax.Array, num_choices: NumChoices) -> jax.Array:
    """Returns int32[P], the places of genomes; the inverse of `genomes_of_numbers`."""
    factors = np.cumprod([1, *np.asarray(num_choices)[:0:-1]], dtype=np.int32)[::-1]
    return (population * factors).sum(axis=1, dtype=jnp.int32)


def repeats(population: jax.Array, *, is_late: jax.Array | None = None) -> jax.Array:
    """Returns bool[P]: an individual whose genome another one before it has.

    Those where is_late bool[P] come after the others.
    """
    late = () if is_late is None else (is_late,)
    order = jnp.lexsort((*late, *population.T[::-1]))
    ordered = population[order]
    same = (ordered[1:] == ordered[:-1]).all(axis=1)
    same = jnp.concatenate([jnp.zeros(1, bool), same])
    return jnp.zeros(population.shape[0], bool).at[order].set(same)


def _check_setting(num_choices: NumChoices, population_size: int) -> None:
    check_num_choices(num_choices)
    check_whole(1, population_size=population_size)
