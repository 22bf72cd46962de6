"""Strategies on tables, edges first."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import operators, strategies

NUM_CHOICES = np.array([4, 6, 4, 7])


@pytest.mark.parametrize("population_size", [1, 2, 3, 4, 20])
def test_genetic_search_stays_legal_and_keeps_its_best(population_size):
    survive = functools.partial(
        operators.random_count_survival, num_best=1, num_random=0
    )
    strategy = strategies.genetic(
        NUM_CHOICES, survive_fn=survive, mutation_rate=0.2, mutates_survivors=False
    )
    state = strategy.init(
        operators.random_population(
            jax.random.key(0), NUM_CHOICES, population_size=population_size
        )
    )
    best = -np.inf
    for generation in range(6):
        offspring = strategy.ask(jax.random.key(generation), state)
        assert offspring.shape == (population_size, 4)
        assert ((offspring >= 0) & (offspring < NUM_CHOICES)).all()
        state, info = strategy.tell(state, offspring, offspring.sum(1) * 1.0)
        assert info.best_fitness >= best
        best = info.best_fitness


def test_grid_visits_every_genome_once():
    strategy = strategies.grid(NUM_CHOICES)
    state = strategy.init(np.zeros((96, 4), int))
    seen = []
    for _ in range(7):
        offspring = strategy.ask(jax.random.key(0), state)
        seen += [tuple(genome) for genome in offspring.tolist()]
        state, _ = strategy.tell(state, offspring, jnp.zeros(96))
    assert len(seen) == len(set(seen)) == 672


def test_survival_keeps_the_best_and_an_exact_number_of_others():
    fitness = jnp.array([0.1, 0.9, -jnp.inf, 0.5, 0.7, 0.2])
    counts = np.zeros(6)
    for seed in range(200):
        survives = operators.random_count_survival(
            jax.random.key(seed), fitness, num_best=2, num_random=1
        )
        assert survives.sum() == 3
        counts += np.asarray(survives)
    assert counts[1] == counts[4] == 200
    # Each of the other four has probability 1/4; five sigma of 200 draws.
    np.testing.assert_allclose(counts[[0, 2, 3, 5]], 50, atol=5 * np.sqrt(200 * 3 / 16))
