"""The article's genetic algorithm, in its two settings."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from vecevo import operators
from vecevo.operators.checks import (
    NumChoices,
    check_num_choices,
    check_rates,
    check_whole,
)
from vecevo.operators.ranking import best_first
from vecevo.strategies.protocol import EvolutionState, Strategy, conclude, make_init


def genetic(
    num_choices: NumChoices,
    *,
    population_size: int,
    survive_fn: Callable[[jax.Array, jax.Array], jax.Array],
    mutation_rate: ArrayLike,
    mutates_survivors: bool,
) -> Strategy:
    """The article's genetic algorithm.

    The first generation asked is the initial population. Then survivors stay, and
    pairs of two different survivors have two offspring each by uniform crossover
    until the population is full. A lone survivor is paired with itself.

    Args:
      num_choices: int32[G].
      population_size: P, asked in each generation, survivors included.
      survive_fn: key, fitness[P] -> bool[P], at least one True.
      mutation_rate: probability that a genome redraws one gene.
      mutates_survivors: whether survivors mutate too, before they breed.

    Raises:
      InputError: for a population_size below 1, or a mutation_rate that is none.
    """
    check_num_choices(num_choices)
    check_rates(mutation_rate=mutation_rate)

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        survive_key, *mutate_keys, parents_key, cross_key = jax.random.split(key, 5)
        survives = survive_fn(survive_key, state.fitness)
        num_survivors = survives.sum()
        survivors = state.population[best_first(survives.astype(int))]
        mutants = _mutate(mutate_keys[0], survivors)
        survivors = mutants if mutates_survivors else survivors
        offspring = _breed(parents_key, cross_key, survivors, num_survivors)
        offspring = _mutate(mutate_keys[1], offspring)
        is_survivor = jnp.arange(len(survives)) < num_survivors
        bred = jnp.where(is_survivor[:, None], survivors, offspring)
        return jnp.where(state.generation == 0, state.population, bred)

    def _mutate(key: jax.Array, genomes: jax.Array) -> jax.Array:
        return operators.one_gene_mutation(
            key, genomes, num_choices, mutation_rate=mutation_rate
        )

    init = make_init(num_choices, population_size)
    return Strategy(init=init, ask=ask, tell=conclude, share_new=0.5)


def article_setting(population_size: int) -> dict[str, Any]:
    """The settings of `genetic` by the article's text, for any population size.

    The top 25 % survive, and 3 of 20 of the population at random; survivors mutate
    as their offspring do.
    """
    check_whole(1, population_size=population_size)
    num_best = max(1, population_size // 4)
    num_random = min(round(0.15 * population_size), population_size - num_best)
    survive_fn = functools.partial(
        operators.random_count_survival, num_best=num_best, num_random=num_random
    )
    return {
        "population_size": population_size,
        "survive_fn": survive_fn,
        "mutation_rate": 0.2,
        "mutates_survivors": True,
    }


def code_setting(population_size: int) -> dict[str, Any]:
    """The settings of `genetic` by the article's code: 0.4, 0.1 and 0.2.

    The top 40 % survive, and each of the others with probability 0.1; offspring
    alone mutate. Where the code kept none, the best one survives.
    """
    check_whole(1, population_size=population_size)
    survive_fn = functools.partial(
        operators.random_rate_survival,
        num_best=max(1, int(0.4 * population_size)),
        random_rate=0.1,
    )
    return {
        "population_size": population_size,
        "survive_fn": survive_fn,
        "mutation_rate": 0.2,
        "mutates_survivors": False,
    }


def _breed(
    parents_key: jax.Array,
    cross_key: jax.Array,
    survivors: jax.Array,
    num_survivors: jax.Array,
) -> jax.Array:
    """Returns as many offspring as there are rows; only the first rows are parents."""
    first_key, second_key = jax.random.split(parents_key)
    shape = (-(-survivors.shape[0] // 2),)
    first = jax.random.randint(first_key, shape, 0, num_survivors)
    # 1..n-1 steps round the ring of n survivors reach every other one.
    steps = jax.random.randint(second_key, shape, 1, jnp.maximum(num_survivors, 2))
    second = (first + steps) % num_survivors
    first, second = jnp.repeat(first, 2), jnp.repeat(second, 2)
    offspring = operators.uniform_crossover(
        cross_key, survivors[first], survivors[second]
    )
    return offspring[: survivors.shape[0]]
