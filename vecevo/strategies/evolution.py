"""Evolution with the survivors of the textbooks."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from vecevo import operators
from vecevo.operators.checks import (
    NumChoices,
    as_static,
    check_num_choices,
    check_rates,
    check_whole,
)
from vecevo.strategies.protocol import (
    EvolutionState,
    GenerationInfo,
    Strategy,
    TellFn,
    as_told,
    conclude,
    make_init,
)
from vecevo.strategies.variation import (
    check_num_parents,
    cross_and_reset,
    default_rate,
    reset_one_gene,
)


def evolution_plus(
    num_choices: NumChoices,
    *,
    population_size: int,
    num_parents: int | None = None,
    tournament_size: int = 2,
    mutation_rate: ArrayLike | None = None,
) -> Strategy:
    """(mu + lambda) evolution: the fittest of all so far breed by tournaments.

    Each of the P offspring is a uniform crossover of two parents, each the winner of
    a tournament among the mu fittest individuals so far, with every gene reset to
    another choice with the mutation rate. See Schwefel, "Numerical optimization of
    computer models", 1981. The defaults are the usual ones: binary tournaments
    (Goldberg & Deb, 1991), one mutated gene in the mean (Muehlenbein, "How genetic
    algorithms really work", 1992).

    Args:
      num_choices: int32[G].
      population_size: P or lambda, asked in each generation.
      num_parents: mu, from 1 to P; None is P.
      tournament_size: contestants per parent, static.
      mutation_rate: probability per gene, may be traced; None is 1 / G.

    Raises:
      InputError: for a num_parents out of range.
    """
    check_num_choices(num_choices)
    num_parents = population_size if num_parents is None else num_parents
    rate = default_rate(num_choices) if mutation_rate is None else mutation_rate
    check_num_parents(num_parents, population_size)
    check_whole(1, tournament_size=tournament_size)
    check_rates(mutation_rate=rate)

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        parents_key, vary_key = jax.random.split(key)
        parents = operators.tournament_selection(
            parents_key,
            state.fitness[:num_parents],
            num_parents=2 * population_size,
            tournament_size=tournament_size,
        )
        offspring = cross_and_reset(
            vary_key, state.population[parents], num_choices, mutation_rate=rate
        )
        return jnp.where(state.generation == 0, state.population, offspring)

    init = make_init(num_choices, population_size)
    tell = _tell_by(operators.plus_survival)  # the fittest first: mu are parents
    return Strategy(init=init, ask=ask, tell=tell, share_new=0.8)


class Living(NamedTuple):
    """The individuals of `regularized_evolution`, the youngest first."""

    genomes: jax.Array  # int32[A, G]
    fitness: jax.Array  # float32[A]; those past the generations told do not live yet


def regularized_evolution(
    num_choices: NumChoices,
    *,
    population_size: int,
    lifetime: int | None = None,
    tournament_size: int = 25,
) -> Strategy:
    """Aging evolution: offspring of winners, until they die of age.

    Each of the P offspring is the winner of a tournament among all that live, with
    one gene reset to another choice. An individual lives for `lifetime` generations,
    however fit it is. See Real et al., "Regularized evolution for image classifier
    architecture search", 2019, where one is born at a time, 100 live, and 25 compete.

    Args:
      num_choices: int32[G], static.
      population_size: P, asked in each generation.
      lifetime: generations, static; None is as many as it takes for 100 to live, and
        at least 2.
      tournament_size: contestants, static.

    Raises:
      InputError: for a lifetime below 1.
    """
    num_choices = as_static(num_choices)
    check_whole(1, population_size=population_size, tournament_size=tournament_size)
    lifetime = max(2, -(-100 // population_size)) if lifetime is None else lifetime
    check_whole(1, lifetime=lifetime)

    def start(key: jax.Array, population: jax.Array) -> Living:
        del key
        fitness = jnp.full(lifetime * population_size, -jnp.inf, jnp.float32)
        return Living(jnp.tile(population, (lifetime, 1)), fitness)

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        contest_key, mutate_key = jax.random.split(key)
        num_living = jnp.clip(state.generation, 1, lifetime) * population_size
        contestants = jax.random.randint(
            contest_key, (population_size, tournament_size), 0, num_living
        )
        winner = jnp.argmax(state.memory.fitness[contestants], axis=1, keepdims=True)
        parents = jnp.take_along_axis(contestants, winner, axis=1)[:, 0]
        offspring = reset_one_gene(
            mutate_key, state.memory.genomes[parents], num_choices
        )
        return jnp.where(state.generation == 0, state.population, offspring)

    def tell(
        state: EvolutionState, offspring: jax.Array, fitness: jax.Array
    ) -> tuple[EvolutionState, GenerationInfo]:
        offspring, fitness = as_told(state, offspring, fitness)
        older = jax.tree.map(lambda leaf: leaf[:-population_size], state.memory)
        memory = Living(
            jnp.concatenate([offspring, older.genomes]),
            jnp.concatenate([fitness, older.fitness]),
        )
        return conclude(state, offspring, fitness, memory=memory)

    init = make_init(num_choices, population_size, memory_fn=start)
    return Strategy(init=init, ask=ask, tell=tell, share_new=0.8)


def nsga2(
    num_choices: NumChoices,
    *,
    population_size: int,
    num_objectives: int,
    mutation_rate: ArrayLike | None = None,
) -> Strategy:
    """NSGA-II: evolves towards the whole front between several objectives.

    The P best of parents and offspring survive, by non-dominated front and then by
    crowding distance; parents win binary tournaments by the same order. Offspring are
    uniform crossovers with every gene reset to another choice with the mutation rate.
    See Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II",
    2002; a mutated gene in the mean is its default.

    The state's population is sorted, the first front first. Objectives are float32
    [P, M], each higher for better; a failed individual is -inf in all of them.

    Args:
      num_choices: int32[G].
      population_size: P, asked in each generation.
      num_objectives: M, static.
      mutation_rate: probability per gene, may be traced; None is 1 / G.

    Raises:
      InputError: for a num_objectives below 1.
    """
    check_num_choices(num_choices)
    check_whole(1, num_objectives=num_objectives)
    rate = default_rate(num_choices) if mutation_rate is None else mutation_rate
    check_rates(mutation_rate=rate)

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        parents_key, vary_key = jax.random.split(key)
        parents = operators.tournament_selection(
            parents_key,
            -jnp.arange(population_size, dtype=jnp.float32),
            num_parents=2 * population_size,
            tournament_size=2,
        )
        offspring = cross_and_reset(
            vary_key, state.population[parents], num_choices, mutation_rate=rate
        )
        return jnp.where(state.generation == 0, state.population, offspring)

    init = make_init(num_choices, population_size, num_objectives=num_objectives)
    tell = _tell_by(operators.nsga2_survival)
    return Strategy(init=init, ask=ask, tell=tell, share_new=0.8)


def _tell_by(survival_fn: Callable[..., jax.Array]) -> TellFn:
    """Makes a tell by which the best of population and offspring survive, sorted."""

    def tell(
        state: EvolutionState, offspring: jax.Array, fitness: jax.Array
    ) -> tuple[EvolutionState, GenerationInfo]:
        offspring, fitness = as_told(state, offspring, fitness)
        genomes = jnp.concatenate([state.population, offspring])
        values = jnp.concatenate([state.fitness, fitness])
        best = survival_fn(values, num_survivors=len(offspring))
        return conclude(
            state, offspring, fitness, population=genomes[best], fitness=values[best]
        )

    return tell
