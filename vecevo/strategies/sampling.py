"""Searches that sample: at random, in order, or from a learnt distribution."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from vecevo import operators
from vecevo.operators import initialization
from vecevo.operators.checks import (
    NumChoices,
    as_static,
    check_num_choices,
    check_numbers,
    check_whole,
)
from vecevo.strategies.protocol import (
    EvolutionState,
    GenerationInfo,
    Strategy,
    as_told,
    conclude,
    make_init,
)


def random(num_choices: NumChoices, *, population_size: int) -> Strategy:
    """Uniform random search; genomes may repeat.

    Args:
      num_choices: int32[G].
      population_size: P, asked in each generation.

    Raises:
      InputError: for a population_size below 1.
    """
    check_num_choices(num_choices)

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        fresh = operators.random_population(
            key, num_choices, population_size=population_size
        )
        return jnp.where(state.generation == 0, state.population, fresh)

    init = make_init(num_choices, population_size)
    return Strategy(init=init, ask=ask, tell=conclude, share_new=1.0)


def grid(num_choices: NumChoices, *, population_size: int) -> Strategy:
    """Every genome of the space once, P a generation, in lexicographic order.

    It begins with the first genome, whatever population it is given. After the last
    genome it starts over. Spaces of up to 2^31 - 1 genomes.

    Args:
      num_choices: int32[G], static.
      population_size: P, asked in each generation.

    Raises:
      InputError: for a larger space, or a population_size below 1.
    """
    num_choices = as_static(num_choices)
    initialization.check_num_genomes(num_choices)

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        del key  # nothing is drawn
        return operators.grid_population(
            num_choices,
            start=state.generation * population_size,
            population_size=population_size,
        )

    init = make_init(num_choices, population_size)
    return Strategy(init=init, ask=ask, tell=conclude, share_new=1.0)


class Marginals(NamedTuple):
    """What `univariate_estimation` has learnt."""

    probabilities: jax.Array  # float32[G, C], by gene, for the most choices of any


def univariate_estimation(
    num_choices: NumChoices,
    *,
    population_size: int,
    num_best: int | None = None,
    learning_rate: ArrayLike = 1.0,
    margin: float | None = None,
) -> Strategy:
    """Learns how often the fittest have each choice, and samples genes by that.

    Each generation, the probabilities of a gene of n choices move by `learning_rate`
    towards their shares among the fittest, and a choice is drawn with probability
    margin + (1 - n * margin) * its own: none is ever lost. A learning rate of 1 is
    UMDA (Muehlenbein & Paass, "From recombination of genes to the estimation of
    distributions", 1996), a lower one PBIL (Baluja, "Population-based incremental
    learning", 1994). The default margin, 1 / ((n - 1) G), is that of Ben Jedidia,
    Doerr & Krejca, "Estimation-of-distribution algorithms for multi-valued decision
    variables", 2024, but leaves half of the weight to what was learnt.

    Args:
      num_choices: int32[G], static.
      population_size: P, asked in each generation.
      num_best: how many of the fittest to learn from; None is half.
      learning_rate: above 0, at most 1; may be traced.
      margin: least probability of a choice, at most 1 / n; None is the above.

    Raises:
      InputError: for a num_best, learning_rate or margin out of range.
    """
    num_choices = as_static(num_choices)
    check_whole(1, population_size=population_size)
    check_numbers(
        lambda rate: (rate > 0) & (rate <= 1),
        "above 0 and at most 1",
        learning_rate=learning_rate,
    )
    num_best = max(1, population_size // 2) if num_best is None else num_best
    check_whole(1, population_size, "the population_size", num_best=num_best)
    least = 1 / (np.maximum(num_choices - 1, 1) * len(num_choices))
    least = np.minimum(least, 1 / (2 * num_choices))
    if margin is not None:
        check_numbers(
            lambda margin: (margin >= 0) & (margin * num_choices <= 1),
            f"from 0 to 1 over the most choices of a gene, {num_choices.max()}",
            num_axes=0,
            margin=margin,
        )
        least = margin
    is_choice = np.arange(num_choices.max()) < num_choices[:, None]
    least = np.broadcast_to(least, num_choices.shape)[:, None] * is_choice

    def start(key: jax.Array, population: jax.Array) -> Marginals:
        del key, population
        uniform = is_choice / num_choices[:, None]
        return Marginals(jnp.asarray(uniform, jnp.float32))

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        learnt = state.memory.probabilities
        law = least + (1 - num_choices[:, None] * least) * learnt
        edges = jnp.cumsum(law, axis=1)
        draws = jax.random.uniform(key, (population_size, len(num_choices), 1))
        choice = (draws >= edges).sum(axis=2)
        # Rounding may leave the last edge a little below 1.
        fresh = jnp.minimum(choice, num_choices - 1).astype(jnp.int32)
        return jnp.where(state.generation == 0, state.population, fresh)

    def tell(
        state: EvolutionState, offspring: jax.Array, fitness: jax.Array
    ) -> tuple[EvolutionState, GenerationInfo]:
        offspring, fitness = as_told(state, offspring, fitness)
        best = operators.plus_survival(fitness, num_survivors=num_best)
        is_chosen = offspring[best][:, :, None] == np.arange(num_choices.max())
        shares = jnp.mean(is_chosen, axis=0, dtype=jnp.float32)
        learnt = state.memory.probabilities
        learnt = learnt + learning_rate * (shares - learnt)
        return conclude(state, offspring, fitness, memory=Marginals(learnt))

    init = make_init(num_choices, population_size, memory_fn=start)
    return Strategy(init=init, ask=ask, tell=tell, share_new=0.8)
