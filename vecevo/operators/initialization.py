"""Populations to start from."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.operators import draws

MOST_LISTED = 1 << 20  # genomes: a space is listed to draw from it without repeats


def random_population(key, num_choices, *, population_size):
    """Draws every gene of every individual uniformly from its choices.

    Args:
      key: random key, consumed.
      num_choices: int32[G], at least 1 each.
      population_size: P, static.

    Returns:
      int32[P, G]; genomes may repeat.
    """
    num_choices = jnp.asarray(num_choices)
    shape = (population_size, num_choices.shape[0])
    return draws.randint(key, shape, 0, num_choices)


def distinct_population(key, num_choices, *, population_size):
    """Draws different genomes, every set of them equally likely.

    Args:
      key: random key, consumed.
      num_choices: int32[G], static (NumPy or a tuple).
      population_size: P, static; at most the number of genomes.

    Returns:
      int32[P, G]; no genome repeats.

    Raises:
      ValueError: if there are not so many genomes.
    """
    num_genomes = count_genomes(num_choices)
    if population_size > num_genomes:
        raise ValueError(
            f"population_size={population_size} is more than the {num_genomes} genomes "
            "of the space: ask for fewer."
        )
    if num_genomes <= max(MOST_LISTED, 4 * population_size):
        numbers = jax.random.permutation(key, num_genomes)[:population_size]
        return genomes_of_numbers(numbers, num_choices)

    def redraw(carry):
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


def grid_population(num_choices, *, start, population_size):
    """Lists genomes in lexicographic order, the last gene fastest.

    Args:
      num_choices: int32[G], static (NumPy or a tuple); at most 2^31 - 1 genomes.
      start: number of the first genome; may be traced. After the last genome the
        list starts over.
      population_size: P, static.

    Returns:
      int32[P, G].
    """
    numbers = (start + jnp.arange(population_size)) % count_genomes(num_choices)
    return genomes_of_numbers(numbers, num_choices)


def stratified_population(key, num_choices, *, population_size):
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
    """
    num_choices = jnp.asarray(num_choices)
    offset_key, order_key = jax.random.split(key)
    offset = jax.random.randint(offset_key, num_choices.shape, 0, num_choices)
    strata = (jnp.arange(population_size)[:, None] + offset) % num_choices
    return jax.random.permutation(order_key, strata, independent=True)


def count_genomes(num_choices):
    """Returns the number of different genomes, a Python int."""
    return math.prod(int(number) for number in num_choices)


def genomes_of_numbers(numbers, num_choices):
    """Returns the genomes int32[P, G] at places int[P] of the lexicographic order."""
    shape = tuple(int(number) for number in num_choices)
    return jnp.stack(jnp.unravel_index(numbers, shape), axis=1).astype(jnp.int32)


def numbers_of_genomes(population, num_choices):
    """Returns int32[P], the places of genomes; the inverse of `genomes_of_numbers`."""
    factors = np.cumprod([1, *list(num_choices)[:0:-1]], dtype=np.int32)[::-1]
    return (population * factors).sum(axis=1, dtype=jnp.int32)


def repeats(population, *, is_late=None):
    """Returns bool[P]: an individual whose genome another one before it has.

    Those where is_late bool[P] come after the others.
    """
    late = () if is_late is None else (is_late,)
    order = jnp.lexsort((*late, *population.T[::-1]))
    ordered = population[order]
    same = (ordered[1:] == ordered[:-1]).all(axis=1)
    same = jnp.concatenate([jnp.zeros(1, bool), same])
    return jnp.zeros(population.shape[0], bool).at[order].set(same)
