"""Operators against exact probabilities and properties, edges first."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vecevo import operators

spaces = st.lists(st.integers(1, 5), min_size=1, max_size=4)
sizes, seeds = st.integers(1, 5), st.integers(0, 2**31)
FEW = settings(max_examples=10, deadline=None)  # every new shape compiles anew


def assert_legal(population, num_choices):
    assert population.dtype == jnp.int32
    assert ((population >= 0) & (population < np.array(num_choices))).all()


@FEW
@given(num_choices=spaces, size=sizes, seed=seeds)
def test_populations_stay_legal(num_choices, size, seed):
    keys = jax.random.split(jax.random.key(seed), 3)
    num_choices = np.array(num_choices)
    population = operators.random_population(keys[0], num_choices, population_size=size)
    assert population.shape == (size, len(num_choices))
    assert_legal(population, num_choices)
    mutants = operators.one_gene_mutation(
        keys[1], population, num_choices, mutation_rate=1.0
    )
    assert_legal(mutants, num_choices)
    assert ((mutants != population).sum(1) <= 1).all()
    offspring = operators.uniform_crossover(keys[2], population, mutants)
    assert_legal(offspring, num_choices)
    assert ((offspring == population) | (offspring == mutants)).all()


@FEW
@given(
    fitness=st.lists(
        st.sampled_from([-np.inf, 0.0, 0.5, 0.5, 1.0]), min_size=1, max_size=6
    ),
    seed=seeds,
    data=st.data(),
)
def test_survivors_are_as_many_as_asked_and_hold_the_best(fitness, seed, data):
    num_best = data.draw(st.integers(1, len(fitness)))
    num_random = data.draw(st.integers(0, len(fitness) - num_best))
    fitness, key = jnp.array(fitness), jax.random.key(seed)
    survives = operators.random_count_survival(
        key, fitness, num_best=num_best, num_random=num_random
    )
    assert survives.sum() == num_best + num_random
    others = operators.random_rate_survival(
        key, fitness, num_best=num_best, random_rate=0.0
    )
    assert others.sum() == num_best
    for survivors in (survives, others):
        lowest = np.sort(np.asarray(fitness))[-num_best]
        assert (survivors | (fitness <= lowest)).all()
    everyone = operators.random_rate_survival(key, fitness, num_best=1, random_rate=1.0)
    assert everyone.all()


def assert_shares(counts, probabilities):
    """Compares counts with a multinomial law, to five standard deviations."""
    total, probabilities = counts.sum(), np.asarray(probabilities)
    tolerance = 5 * np.sqrt(probabilities * (1 - probabilities) / total) + 1e-12
    np.testing.assert_array_less(abs(counts / total - probabilities), tolerance + 1e-9)


def test_random_genes_are_uniform():
    population = operators.random_population(
        jax.random.key(0), [3, 1, 5], population_size=20_000
    )
    for gene, num in enumerate([3, 1, 5]):
        counts = np.bincount(population[:, gene], minlength=num)
        assert_shares(counts, np.full(num, 1 / num))


@pytest.mark.parametrize("swap_rate", [0.0, 0.3, 1.0])
def test_crossover_swaps_each_gene_with_its_rate(swap_rate):
    zeros, ones = jnp.zeros((10_000, 2), int), jnp.ones((10_000, 2), int)
    offspring = operators.uniform_crossover(
        jax.random.key(1), zeros, ones, swap_rate=swap_rate
    )
    pairs = np.asarray(offspring[:, 0] * 2 + offspring[:, 1])
    p, q = swap_rate, 1 - swap_rate
    assert_shares(np.bincount(pairs, minlength=4), [q * q, q * p, p * q, p * p])


def test_mutation_redraws_one_free_gene():
    num_choices, rate = np.array([2, 1, 4]), 0.6
    population = jnp.zeros((40_000, 3), jnp.int32)
    mutants = operators.one_gene_mutation(
        jax.random.key(2), population, num_choices, mutation_rate=rate
    )
    assert not mutants[:, 1].any()
    counts = np.bincount(np.asarray(mutants[:, 0] * 4 + mutants[:, 2]), minlength=8)
    # Half of the mutations redraw the first gene, half the third; 0 may come again.
    first, third = rate / 2 / 2, rate / 2 / 4
    stays = 1 - first - 3 * third
    assert_shares(counts, [stays, third, third, third, first, 0, 0, 0])


def test_random_survivors_are_uniform_among_the_rest():
    fitness = jnp.array([0.1, 0.9, -jnp.inf, 0.5, 0.7, 0.2])
    keys = jax.random.split(jax.random.key(3), 4000)

    def survive_both_ways(key):
        fixed = operators.random_count_survival(key, fitness, num_best=2, num_random=1)
        return fixed, operators.random_rate_survival(
            key, fitness, num_best=2, random_rate=0.3
        )

    fixed, varying = jax.vmap(survive_both_ways)(keys)
    assert fixed[:, [1, 4]].all() and varying[:, [1, 4]].all()
    rest = np.array([0, 2, 3, 5])
    assert_shares(np.asarray(fixed[:, rest].sum(0)), np.full(4, 1 / 4))
    np.testing.assert_allclose(
        varying[:, rest].mean(0), 0.3, atol=5 * np.sqrt(0.21 / 4000)
    )
