"""Search among the neighbours of one genome, with restarts."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo import operators
from vecevo.operators.checks import NumChoices, as_static
from vecevo.strategies.protocol import (
    EvolutionState,
    GenerationInfo,
    Strategy,
    as_told,
    conclude,
    make_init,
)


class Climb(NamedTuple):
    """Where `local_search` stands."""

    incumbent: jax.Array  # int32[G]
    fitness: jax.Array  # float32[], of the incumbent
    is_tried: jax.Array  # bool[N], which of its neighbours were asked


def local_search(num_choices: NumChoices, *, population_size: int) -> Strategy:
    """Climbs to the best neighbour found, and restarts where none is better.

    Neighbours differ in one gene. Each generation asks P of the incumbent's untried
    neighbours in random order and, where fewer are left, random genomes. The best
    told becomes the incumbent if it is better: the first one found for a P of 1, the
    steepest ascent for a P of all neighbours. Once all are tried, the best of P
    random genomes is the next incumbent. See Aarts & Lenstra, "Local search in
    combinatorial optimization", 1997.

    Args:
      num_choices: int32[G], static.
      population_size: P, asked in each generation.

    Raises:
      InputError: for a population_size below 1.
    """
    num_choices = as_static(num_choices)
    # Neighbour n has gene[n] moved step[n] places round its ring of choices.
    gene = np.repeat(np.arange(len(num_choices)), num_choices - 1)
    first = np.cumsum(num_choices - 1) - (num_choices - 1)
    step = np.arange(len(gene)) - first[gene] + 1
    moves = np.zeros((len(gene), len(num_choices)), np.int32)
    moves[np.arange(len(gene)), gene] = step

    def start(key: jax.Array, population: jax.Array) -> Climb:
        del key
        is_tried = jnp.ones(len(gene), bool)
        return Climb(population[0], jnp.full((), -jnp.inf, jnp.float32), is_tried)

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        order_key, fresh_key = jax.random.split(key)
        climb = state.memory
        draws = jax.random.uniform(order_key, climb.is_tried.shape) + climb.is_tried
        untried_first = jnp.argsort(draws)[:population_size]
        neighbours = (climb.incumbent + jnp.asarray(moves)[untried_first]) % num_choices
        offspring = operators.random_population(
            fresh_key, num_choices, population_size=population_size
        )
        is_untried = ~climb.is_tried[untried_first]
        offspring = offspring.at[: len(neighbours)].set(
            jnp.where(is_untried[:, None], neighbours, offspring[: len(neighbours)])
        )
        return jnp.where(state.generation == 0, state.population, offspring)

    def tell(
        state: EvolutionState, offspring: jax.Array, fitness: jax.Array
    ) -> tuple[EvolutionState, GenerationInfo]:
        offspring, fitness = as_told(state, offspring, fitness)
        climb = state.memory
        steps = (offspring - climb.incumbent) % num_choices
        is_tried = (steps[:, None] == moves).all(axis=2).any(axis=0) | climb.is_tried
        best = jnp.argmax(fitness)
        # Where all neighbours had been tried, the offspring are a new start.
        moves_on = (fitness[best] > climb.fitness) | climb.is_tried.all()
        climb = Climb(
            incumbent=jnp.where(moves_on, offspring[best], climb.incumbent),
            fitness=jnp.where(moves_on, fitness[best], climb.fitness),
            is_tried=is_tried & ~moves_on,
        )
        return conclude(state, offspring, fitness, memory=climb)

    init = make_init(num_choices, population_size, memory_fn=start)
    return Strategy(init=init, ask=ask, tell=tell, share_new=0.8)
