"""What operators refuse, in which words, and what they must not look at."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import operators
from vecevo.errors import InputError

KEY, FITNESS = jax.random.key(0), jnp.arange(5.0)
POPULATION, NUM_CHOICES = jnp.zeros((5, 3), int), (2, 1, 4)


def mutate(rate, *, name="reset_mutation", population=POPULATION, space=NUM_CHOICES):
    return getattr(operators, name)(KEY, population, space, mutation_rate=rate)


def draw(num_choices, *, name="random_population", size=4):
    return getattr(operators, name)(KEY, num_choices, population_size=size)


def cross(parents_1, parents_2, *, name="uniform_crossover", **settings):
    return getattr(operators, name)(KEY, parents_1, parents_2, **settings)


def select(name, *, fitness=FITNESS, num_parents=4, **settings):
    return getattr(operators, name)(KEY, fitness, num_parents=num_parents, **settings)


def survive(name, *, fitness=FITNESS, **settings):
    return getattr(operators, name)(fitness, **settings)


def survive_at_random(name, *, fitness=FITNESS, **settings):
    return getattr(operators, name)(KEY, fitness, **settings)


MUTATIONS = ("one_gene_mutation", "reset_mutation", "creep_mutation")
POPULATIONS = ("random_population", "distinct_population", "stratified_population")


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (1.5, r"mutation_rate=1\.5 must be from 0 to 1"),
        (-0.1, r"mutation_rate=-0\.1 must be"),
        (np.nan, "mutation_rate=nan must be"),
        (jnp.float32(2), r"mutation_rate=2\.0 must be"),
        (True, "mutation_rate=True must be"),
        ("a", "mutation_rate='a' must be"),
        (None, "mutation_rate=None must be"),
        (np.array([[0.1], [7.0], [0], [0], [0]]), r"mutation_rate has 7\.0, and must"),
        ([[0.1], [0.2, 0.3]], "mutation_rate is object"),
        (jnp.zeros(4), r"mutation_rate has the shape \[4\]: give .* broadcasts to \[5"),
        (jnp.zeros((2, 5, 3)), "mutation_rate has the shape"),
    ],
)
def test_rates_that_are_none_are_refused(name, rate, words):
    with pytest.raises(InputError, match=words):
        mutate(rate, name=name)


@pytest.mark.parametrize("name", (*POPULATIONS, *MUTATIONS))
@pytest.mark.parametrize(
    ("num_choices", "words"),
    [
        ((2, 0, 4), "num_choices has 0, and must be whole numbers from 1"),
        ((2, -3, 4), "num_choices has -3"),
        ((2.0, 1.0, 4.5), r"num_choices has 2\.0"),
        (jnp.array([2, 1, 0]), "num_choices has 0"),
        ((2**31, 1, 1), "num_choices has 2147483648"),
        (np.ones((3, 3), int), r"num_choices is int64\[3, 3\]"),
        (3, "num_choices=3 must be"),
        ("abc", "num_choices='abc' must be"),
        ((), r"num_choices=\[\] must be"),
    ],
)
def test_numbers_of_choices_that_are_none_are_refused(name, num_choices, words):
    with pytest.raises(InputError, match=words):
        if name in MUTATIONS:
            mutate(0.1, name=name, space=num_choices)
        else:
            draw(num_choices, name=name)


@pytest.mark.parametrize("name", MUTATIONS)
def test_genomes_of_other_genes_are_refused(name):
    with pytest.raises(InputError, match=r"is int32\[5, 3\]: .* int32\[P, 2\]"):
        mutate(0.1, name=name, space=(2, 4))
    with pytest.raises(InputError, match=r"is int32\[5, 3\]: .* int32\[P, 2\]"):
        jax.jit(lambda space: mutate(0.1, name=name, space=space))(jnp.array([2, 4]))
    for population in (POPULATION.astype(float), POPULATION[0]):
        with pytest.raises(InputError, match="population is"):
            mutate(0.1, name=name, population=population)


def test_traced_settings_are_not_looked_at():
    @jax.jit
    @jax.vmap
    def all_of(rate, number, num_choices):
        survivors = survive_at_random(
            "random_count_survival", num_best=number, num_random=number
        )
        return (
            mutate(rate, space=num_choices),
            mutate(rate, space=[number, number, 4]),
            mutate(rate[None, None], name="one_gene_mutation"),
            cross(POPULATION, POPULATION, swap_rate=rate),
            cross(POPULATION, POPULATION, name="k_point_crossover", num_points=number),
            select("truncation_selection", num_best=number),
            select("linear_rank_selection", pressure=rate),
            select("exponential_rank_selection", base=rate),
            operators.self_adaptive_rates(KEY, FITNESS * rate, spread=rate),
            survivors,
        )

    # Even bad ones go through: what they draw is not defined.
    rates, numbers = jnp.array([0.5, 7.0]), jnp.array([2, 0])
    spaces = jnp.array([[2, 1, 4], [0, 1, 4]])
    mutants, *_, survivors = all_of(rates, numbers, spaces)
    np.testing.assert_array_equal(mutants[0], mutate(0.5))
    assert survivors.sum(axis=1).tolist() == [4, 0]


def test_lists_do_as_well_as_arrays():
    mutants = mutate([0.5, 0, 1], population=POPULATION.tolist())
    np.testing.assert_array_equal(mutants, mutate(jnp.array([0.5, 0, 1])))
    assert survive("plus_survival", fitness=[1, 3, 2], num_survivors=2).tolist() == [
        1,
        2,
    ]
    is_kept = survive_at_random(
        "random_rate_survival", num_best=0, random_rate=[0, 1, 0, 1, 0]
    )
    assert is_kept.tolist() == [False, True, False, True, False]
