"""Evolution in which individuals carry the rates that they mutate by."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from vecevo import operators
from vecevo.operators.checks import (
    NumChoices,
    check_num_choices,
    check_numbers,
    check_whole,
)
from vecevo.operators.mutation import check_spread
from vecevo.strategies.protocol import (
    EvolutionState,
    GenerationInfo,
    Strategy,
    conclude,
    make_init,
)
from vecevo.strategies.variation import (
    check_num_parents,
    cross_and_reset,
    default_rate,
)


class CarriedRates(NamedTuple):
    """What `self_adaptive` carries beside the genomes."""

    rates: jax.Array  # float32[P], the mutation rates of the population
    seed: jax.Array  # uint32[2], of the draws that ask and tell must share


def self_adaptive(
    num_choices: NumChoices,
    *,
    population_size: int,
    num_parents: int | None = None,
    start_rate: float | None = None,
    spread: ArrayLike = 0.22,
) -> Strategy:
    """(mu, lambda) evolution in which each individual has a mutation rate of its own.

    Each of the P offspring is a uniform crossover of two of the mu fittest of the
    last generation; it has the rate of the first of these after a normal step of its
    logit, with which each of its genes is reset to another choice. Good rates live on
    with the genomes that they made. See Baeck & Schuetz, "Intelligent mutation rate
    control in canonical genetic algorithms", 1996, whose mu is 15 of 100 and whose
    spread 0.22.

    Args:
      num_choices: int32[G].
      population_size: P or lambda, asked in each generation.
      num_parents: mu, from 1 to P; None is 15 % of P.
      start_rate: of the first population, above 0 and below 1; None is 1 / G, or 0.5
        for one gene.
      spread: standard deviation of the step, may be traced.

    Raises:
      InputError: for a num_parents, start_rate or spread out of range.
    """
    check_num_choices(num_choices)
    check_whole(1, population_size=population_size)
    if num_parents is None:
        num_parents = max(1, round(0.15 * population_size))
    check_num_parents(num_parents, population_size)
    if start_rate is None:
        start_rate = min(0.5, default_rate(num_choices))
    check_numbers(
        lambda rate: (rate > 0) & (rate < 1),
        "above 0 and below 1",
        num_axes=0,
        start_rate=start_rate,
    )
    check_spread(spread)

    def start(key: jax.Array, population: jax.Array) -> CarriedRates:
        seed = jax.random.key_data(jax.random.fold_in(key, 1))
        return CarriedRates(jnp.full(len(population), start_rate), seed)

    def conceive(state: EvolutionState) -> tuple[jax.Array, jax.Array]:
        """Draws parents int32[P, 2], and the rates of their offspring.

        `tell` has no key, so that these draws come from the state's own.
        """
        key = jax.random.wrap_key_data(state.memory.seed)
        key = jax.random.fold_in(key, state.generation)
        parents_key, rates_key = jax.random.split(key)
        parents = operators.truncation_selection(
            parents_key,
            state.fitness,
            num_parents=2 * population_size,
            num_best=num_parents,
        )
        rates = state.memory.rates
        adapted = operators.self_adaptive_rates(
            rates_key, rates[parents[:population_size]], spread=spread
        )
        return parents, jnp.where(state.generation == 0, rates, adapted)

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        parents, rates = conceive(state)
        offspring = cross_and_reset(
            key,
            state.population[parents],
            num_choices,
            mutation_rate=rates[:, None],
        )
        return jnp.where(state.generation == 0, state.population, offspring)

    def tell(
        state: EvolutionState, offspring: jax.Array, fitness: jax.Array
    ) -> tuple[EvolutionState, GenerationInfo]:
        _, rates = conceive(state)
        memory = state.memory._replace(rates=rates)
        return conclude(state, offspring, fitness, memory=memory)

    init = make_init(num_choices, population_size, memory_fn=start)
    return Strategy(init=init, ask=ask, tell=tell, share_new=0.8)
