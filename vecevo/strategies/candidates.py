"""Where a model looks: random genomes, and those bred by what it says of them."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from vecevo import operators
from vecevo.operators.checks import NumChoices
from vecevo.operators.initialization import repeats
from vecevo.strategies.variation import (
    cross_and_reset,
    default_rate,
    reset_one_gene,
)

NUM_ELITES = 32  # told genomes that breed candidates
NUM_ROUNDS = 8  # in which candidates breed candidates

MeritFn = Callable[[jax.Array], jax.Array]  # int32[C, G] -> float32[C]; -inf: no use


def draw_candidates(
    key: jax.Array,
    genomes: jax.Array,
    fitness: jax.Array,
    num_told: jax.Array,
    num_choices: NumChoices,
    *,
    num_candidates: int,
) -> jax.Array:
    """Returns int32[C, G], half bred from the fittest told, half random.

    Of `genomes` int32[N, G] and `fitness` float32[N], -inf in places not told.
    """
    random_key, parents_key, vary_key = jax.random.split(key, 3)
    num_bred = num_candidates // 2
    fresh = operators.random_population(
        random_key, num_choices, population_size=num_candidates - num_bred
    )
    fittest = jnp.argsort(-fitness)[:NUM_ELITES]
    num_fittest = jnp.clip(num_told, 1, len(fittest))
    parents = jax.random.randint(parents_key, (2 * num_bred,), 0, num_fittest)
    bred = cross_and_reset(
        vary_key,
        genomes[fittest[parents]],
        num_choices,
        mutation_rate=default_rate(num_choices),
    )
    return jnp.concatenate([bred, fresh])


def breed_candidates(
    key: jax.Array, candidates: jax.Array, merit_fn: MeritFn, num_choices: NumChoices
) -> jax.Array:
    """Lets candidates evolve by their merit.

    In each of some rounds the best eighth has half as many offspring as there are
    candidates: half of these differ from a parent in one gene, half are crossed and
    reset. The best of all stay, each genome once as long as there are others.

    Args:
      key: random key, consumed.
      candidates: int32[C, G].
      merit_fn: what is to be as high as possible.
      num_choices: int32[G], static.

    Returns:
      int32[C, G], the best first.
    """
    num_candidates = len(candidates)
    num_near = num_far = max(1, num_candidates // 4)
    num_parents = max(1, num_candidates // 8)

    def best_of(candidates: jax.Array, merit: jax.Array) -> tuple[jax.Array, jax.Array]:
        merit = jnp.where(repeats(candidates), -jnp.inf, merit)
        best = jnp.argsort(-merit)[:num_candidates]
        return candidates[best], merit[best]

    def breed(
        number: jax.Array, carry: tuple[jax.Array, jax.Array]
    ) -> tuple[jax.Array, jax.Array]:
        candidates, merit = carry
        keys = jax.random.split(jax.random.fold_in(key, number), 3)
        parents = candidates[
            jax.random.randint(keys[0], (num_near + 2 * num_far,), 0, num_parents)
        ]
        near = reset_one_gene(keys[1], parents[:num_near], num_choices)
        far = cross_and_reset(
            *(keys[2], parents[num_near:], num_choices),
            mutation_rate=default_rate(num_choices),
        )
        offspring = jnp.concatenate([near, far])
        return best_of(
            jnp.concatenate([candidates, offspring]),
            jnp.concatenate([merit, merit_fn(offspring)]),
        )

    start = best_of(candidates, merit_fn(candidates))
    candidates, _ = jax.lax.fori_loop(0, NUM_ROUNDS, breed, start)
    return candidates
