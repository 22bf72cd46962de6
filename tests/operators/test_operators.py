"""Operators against exact probabilities and properties, edges first."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vecevo import operators

spaces = st.sampled_from([(1,), (3,), (2, 1, 5), (4, 6, 4, 7)])
sizes, seeds = st.sampled_from([1, 2, 5]), st.integers(0, 2**31)
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


@FEW
@given(num_choices=spaces, size=sizes, seed=seeds)
def test_more_operators_stay_legal(num_choices, size, seed):
    keys = jax.random.split(jax.random.key(seed), 4)
    num_choices = np.array(num_choices)
    population = operators.stratified_population(
        keys[0], num_choices, population_size=size
    )
    assert_legal(population, num_choices)
    for gene, num in enumerate(num_choices):
        counts = np.bincount(population[:, gene], minlength=num)
        assert counts.max() - counts.min() <= 1
    reset = operators.reset_mutation(
        keys[1], population, num_choices, mutation_rate=1.0
    )
    assert_legal(reset, num_choices)
    assert ((reset != population) == (num_choices > 1)).all()
    crept = operators.creep_mutation(
        keys[2], population, num_choices, mutation_rate=1.0
    )
    assert_legal(crept, num_choices)
    assert (abs(crept - population) == (num_choices > 1)).all()
    for num_points in (0, 1, 2):
        offspring = operators.k_point_crossover(
            keys[3], population, reset, num_points=num_points
        )
        assert_legal(offspring, num_choices)
        assert (offspring[:, 0] == population[:, 0]).all()


def test_k_points_are_every_set_of_places_between_genes():
    zeros, ones = jnp.zeros((12_000, 4), int), jnp.ones((12_000, 4), int)
    for num_points, offspring in {
        1: [0b0001, 0b0011, 0b0111],
        2: [0b0010, 0b0100, 0b0110],
        3: [0b0101],
        9: [0b0101],
    }.items():
        born = operators.k_point_crossover(
            jax.random.key(4), zeros, ones, num_points=num_points
        )
        counts = np.bincount(np.asarray(born @ jnp.array([8, 4, 2, 1])), minlength=16)
        law = np.zeros(16)
        law[offspring] = 1 / len(offspring)
        assert_shares(counts, law)


def test_reset_mutation_reaches_every_other_choice_at_rates_of_its_own():
    population = jnp.full((30_000, 2), 1)
    mutants = operators.reset_mutation(
        jax.random.key(5), population, [4, 2], mutation_rate=jnp.array([0.3, 0.0])
    )
    assert (mutants[:, 1] == 1).all()
    assert_shares(np.bincount(mutants[:, 0], minlength=4), [0.1, 0.7, 0.1, 0.1])


def test_creep_mutation_goes_both_ways():
    population = jnp.full((10_000, 1), 1)
    mutants = operators.creep_mutation(
        jax.random.key(6), population, [3], mutation_rate=0.8
    )
    assert_shares(np.bincount(mutants[:, 0], minlength=3), [0.4, 0.2, 0.4])


def test_self_adaptive_rates_take_normal_steps_of_their_logit():
    rates = jnp.full(20_000, 0.1)
    adapted = operators.self_adaptive_rates(jax.random.key(7), rates, spread=0.2)
    assert ((adapted > 0) & (adapted < 1)).all()
    steps = np.log(adapted / (1 - adapted)) - np.log(0.1 / 0.9)
    assert abs(steps.mean()) < 5 * 0.2 / np.sqrt(20_000)
    np.testing.assert_allclose(steps.std(), 0.2, rtol=0.03)


@pytest.mark.parametrize("num_choices", [(2, 3), (1,), (40, 50, 60, 70)])
def test_distinct_genomes_are_distinct_and_every_one_can_come(num_choices):
    size = min(operators.initialization.count_genomes(num_choices), 500)
    population = operators.distinct_population(
        jax.random.key(8), num_choices, population_size=size
    )
    assert_legal(population, num_choices)
    assert len(np.unique(population, axis=0)) == size
    with pytest.raises(ValueError, match="population_size=9000000 is more than"):
        operators.distinct_population(
            jax.random.key(8), num_choices, population_size=9_000_000
        )


def test_grid_population_lists_genomes_from_any_place():
    everyone = operators.grid_population([2, 1, 3], start=4, population_size=6)
    expected = [[1, 0, 1], [1, 0, 2], [0, 0, 0], [0, 0, 1], [0, 0, 2], [1, 0, 0]]
    assert everyone.tolist() == expected
