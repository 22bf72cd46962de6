"""Fitness without training: functions population int32[P, G] -> float32[P].

All are pure, and run under `jax.jit` and `jax.vmap`; higher is better.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from vecevo.errors import InputError
from vecevo.operators import initialization
from vecevo.operators.checks import (
    NumChoices,
    as_population,
    check_num_choices,
    check_numbers,
    check_whole,
)

FitnessFn = Callable[[jax.Array], jax.Array]  # int32[P, G] -> float32[P] or [P, R]
MOST_ENTRIES = 1 << 26  # of the tables of `nk`


def onemax(num_choices: NumChoices) -> FitnessFn:
    """The number of genes at their last choice.

    See Schaffer & Eshelman, "On crossover as an evolutionarily viable strategy", 1991.

    Args:
      num_choices: int32[G].

    Raises:
      InputError: for numbers of choices below 1; the landscape, for other genomes.
    """
    check_num_choices(num_choices)
    return lambda population: _is_last(population, num_choices).sum(
        axis=1, dtype=jnp.float32
    )


def leading_ones(num_choices: NumChoices) -> FitnessFn:
    """The number of genes at their last choice before the first that is not.

    See Rudolph, "Convergence properties of evolutionary algorithms", 1997.

    Args:
      num_choices: int32[G].

    Raises:
      InputError: for numbers of choices below 1; the landscape, for other genomes.
    """
    check_num_choices(num_choices)
    return lambda population: jnp.cumprod(
        _is_last(population, num_choices), axis=1
    ).sum(axis=1, dtype=jnp.float32)


def trap(num_choices: NumChoices, *, block_size: int) -> FitnessFn:
    """Deceptive traps: blocks of genes that lead away from their best.

    Of a block of k genes with u at their last choice, fitness is k where u = k, and
    k - 1 - u elsewhere; that of a genome is the sum. See Deb & Goldberg, "Analyzing
    deception in trap functions", 1993.

    Args:
      num_choices: int32[G].
      block_size: k, of consecutive genes; a divisor of G.

    Raises:
      InputError: for a block_size that does not divide G.
    """
    check_num_choices(num_choices)
    check_whole(1, block_size=block_size)
    num_genes = len(num_choices)
    if num_genes % block_size:
        raise InputError(f"block_size={block_size} must divide the {num_genes} genes.")

    def fitness_fn(population: jax.Array) -> jax.Array:
        is_last = _is_last(population, num_choices)
        num_last = is_last.reshape(len(population), -1, block_size).sum(axis=2)
        blocks = jnp.where(
            num_last == block_size, block_size, block_size - 1 - num_last
        )
        return blocks.sum(axis=1, dtype=jnp.float32)

    return fitness_fn


def nk(
    key: jax.Array,
    num_choices: NumChoices,
    *,
    num_neighbours: int,
    is_adjacent: bool = False,
) -> FitnessFn:
    """Kauffman's NK landscape, from smooth to rugged as genes interact with more.

    Each gene contributes a number that depends on its choice and on those of its K
    neighbours, uniform in [0, 1) for each combination; fitness is the mean over the
    genes. See Kauffman & Weinberger, "The NK model of rugged fitness landscapes and
    its application to maturation of the immune response", 1989.

    Args:
      key: random key, consumed; the landscapes of different keys are independent.
      num_choices: int32[G], static.
      num_neighbours: K, from 0 to G - 1, static.
      is_adjacent: whether neighbours are the K genes that follow, round the ring, or
        K others at random.

    Raises:
      InputError: for a num_neighbours out of range, or one that takes tables of more
        than 67 million numbers.
    """
    check_num_choices(num_choices)
    num_genes, most = len(num_choices), int(max(num_choices))
    check_whole(
        0, num_genes - 1, "the number of other genes", num_neighbours=num_neighbours
    )
    num_combinations = most ** (num_neighbours + 1)
    if num_genes * num_combinations > MOST_ENTRIES:
        raise InputError(
            f"num_neighbours={num_neighbours} takes {num_genes} tables of "
            f"{num_combinations} numbers: give fewer."
        )
    neighbours_key, table_key = jax.random.split(key)
    order = jnp.tile(jnp.arange(1, num_genes), (num_genes, 1))
    if not is_adjacent:
        order = jax.random.permutation(neighbours_key, order, axis=1, independent=True)
    order = jnp.pad(order, ((0, 0), (1, 0)))[:, : num_neighbours + 1]
    genes = (jnp.arange(num_genes)[:, None] + order) % num_genes  # [G, K + 1]
    tables = jax.random.uniform(table_key, (num_genes, num_combinations))
    factors = most ** np.arange(num_neighbours + 1)

    def fitness_fn(population: jax.Array) -> jax.Array:
        population = as_population(population, num_choices)
        combination = (population[:, genes] * factors).sum(axis=2)  # [P, G]
        return tables[jnp.arange(num_genes), combination].mean(axis=1)

    return fitness_fn


def table(
    values: jax.Array | np.ndarray,
    num_choices: NumChoices,
    *,
    replicate: jax.typing.ArrayLike | None = 0,
) -> FitnessFn:
    """A fitness looked up by genome, in the order of `operators.grid_population`.

    Args:
      values: float32[number of genomes], or [number of genomes, R] for R columns;
        -inf is failed, never NaN.
      num_choices: int32[G], static.
      replicate: the column observed, or one for each genome; may be traced. None
        gives all columns, float32[P, R], as objectives.

    Raises:
      InputError: for a table of another length, or with NaN, or a replicate that is
        none of its columns.
    """
    check_num_choices(num_choices)
    num_genomes = initialization.count_genomes(num_choices)
    if values.ndim not in (1, 2) or values.shape[0] != num_genomes:
        raise InputError(
            f"values has shape {values.shape}: give one row for each of the "
            f"{num_genomes} genomes."
        )
    if not isinstance(values, Tracer) and np.isnan(values).any():
        raise InputError("values has NaN: give -inf for a genome that failed.")
    values = jnp.asarray(values, jnp.float32)
    if values.ndim == 2 and replicate is not None:
        _check_replicate(replicate, values.shape[1])

    def fitness_fn(population: jax.Array) -> jax.Array:
        population = as_population(population, num_choices)
        rows = initialization.numbers_of_genomes(population, num_choices)
        if values.ndim == 1 or replicate is None:
            return values[rows]
        columns = jnp.broadcast_to(replicate, (num_genomes,))
        return values[rows, columns[rows]]

    return fitness_fn


def _check_replicate(replicate: jax.typing.ArrayLike, num_columns: int) -> None:
    check_numbers(
        lambda r: np.issubdtype(r.dtype, np.integer) & (r >= 0) & (r < num_columns),
        f"a whole number from 0 to {num_columns - 1}, a column of values",
        replicate=replicate,
    )


def _is_last(population: jax.Array, num_choices: NumChoices) -> jax.Array:
    return as_population(population, num_choices) == jnp.asarray(num_choices) - 1
