"""Who breeds, who lives on: exact laws, edges, and jit = eager = vmap."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import operators
from vecevo.operators import draws, ranking, survival

SELECTIONS = {
    "truncation": functools.partial(operators.truncation_selection, num_best=1),
    "tournament": functools.partial(operators.tournament_selection, tournament_size=2),
    "roulette": operators.roulette_selection,
    "universal": operators.stochastic_universal_selection,
    "linear": functools.partial(operators.linear_rank_selection, pressure=1.7),
    "exponential": functools.partial(operators.exponential_rank_selection, base=0.6),
}
FITNESS = jnp.array([0.2, 0.9, -jnp.inf, 0.4, 0.5])
RANK = np.array([1, 4, 0, 2, 3])
LAWS = {
    "truncation": np.array([0, 1, 0, 0, 0]),
    "tournament": ((RANK + 1) ** 2 - RANK**2) / 25,
    "roulette": np.array([0.2, 0.9, 0, 0.4, 0.5]) / 2,
    "universal": np.array([0.2, 0.9, 0, 0.4, 0.5]) / 2,
    "linear": (0.3 + 2 * RANK * 0.7 / 4) / 5,
    "exponential": 0.6 ** (4 - RANK) / (0.6 ** np.arange(5)).sum(),
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_selection_follows_its_law(name):
    num_parents = 20_000
    parents = SELECTIONS[name](jax.random.key(1), FITNESS, num_parents=num_parents)
    assert parents.dtype == jnp.int32 and parents.shape == (num_parents,)
    share = np.bincount(parents, minlength=5) / num_parents
    law = LAWS[name]
    assert law.sum() == pytest.approx(1)
    five_sigma = 5 * np.sqrt(law * (1 - law) / num_parents)
    if name == "universal":  # an expected number is met to less than one parent
        five_sigma = np.full(5, 1 / num_parents)
    assert (abs(share - law) <= five_sigma + 1e-6).all()


@pytest.mark.parametrize("name", [name for name in SELECTIONS if name != "truncation"])
def test_selection_takes_any_population(name):
    select = functools.partial(SELECTIONS[name], num_parents=600)
    keys = jax.random.split(jax.random.key(2), 3)
    select_all = jax.jit(jax.vmap(select, (0, None)))
    for fitness in ([0.3], [-np.inf] * 3, [0.7] * 3, [-2.0, -1.0, -1.0]):
        fitness = jnp.array(fitness)
        parents = select_all(keys, fitness)
        counts = np.bincount(parents.ravel(), minlength=len(fitness))
        assert len(counts) == len(fitness) and counts.min() > 0
        if len(set(fitness.tolist())) == 1:  # equal fitness, equal chances
            assert counts.max() - counts.min() < 6 * np.sqrt(counts.sum())
    np.testing.assert_array_equal(parents[1], select(keys[1], fitness))


def test_universal_selection_mixes_the_order_of_parents():
    parents = operators.stochastic_universal_selection(
        jax.random.key(0), jnp.ones(50), num_parents=50
    )
    assert sorted(parents.tolist()) == list(range(50)) != parents.tolist()


def test_textbook_survivors():
    fitness = jnp.array([0.5, 0.9, 0.1, 0.5, 0.8, -jnp.inf, 0.2])
    assert operators.plus_survival(fitness, num_survivors=4).tolist() == [1, 4, 0, 3]
    comma = operators.comma_survival(fitness, num_parents=3, num_survivors=4)
    assert comma.tolist() == [4, 3, 6, 5]
    elitist = operators.elitist_survival(
        fitness, num_parents=3, num_elites=1, num_survivors=3
    )
    assert elitist.tolist() == [1, 4, 3]
    young = operators.aging_survival(jnp.array([0, 3, 1, 1, 2]), num_survivors=3)
    assert young.tolist() == [1, 3, 4]


def fronts_by_peeling(fitness):
    """Non-dominated fronts by the definition, in plain Python."""
    left, fronts, number = set(range(len(fitness))), {}, 0
    while left:
        front = {
            i
            for i in left
            if not any(
                (fitness[j] >= fitness[i]).all() and (fitness[j] > fitness[i]).any()
                for j in left
            )
        }
        fronts |= dict.fromkeys(front, number)
        left, number = left - front, number + 1
    return [fronts[i] for i in range(len(fitness))]


def crowding_by_definition(fitness, front):
    """Crowding distances one individual at a time, for distinct values."""
    distance = np.zeros(len(fitness))
    for i in range(len(fitness)):
        members = [j for j in range(len(fitness)) if front[j] == front[i]]
        for values in fitness.T:
            ordered = sorted(values[members])
            place = ordered.index(values[i])
            if place in (0, len(ordered) - 1):
                distance[i] = np.inf
            else:
                span = ordered[-1] - ordered[0]
                distance[i] += (ordered[place + 1] - ordered[place - 1]) / span
    return distance


@pytest.mark.parametrize("num_objectives", [1, 3])
@pytest.mark.parametrize("size", [1, 17])
def test_nsga2_equals_its_definition(size, num_objectives):
    rng = np.random.default_rng(size)
    fitness = rng.normal(size=(size, num_objectives)).astype(np.float32)
    front = survival.non_dominated_front(jnp.array(fitness))
    assert front.tolist() == fronts_by_peeling(fitness)
    distance = survival.crowding_distance(jnp.array(fitness), front)
    expected = crowding_by_definition(fitness, front.tolist())
    np.testing.assert_allclose(distance, expected, rtol=1e-5)
    survivors = jax.jit(
        functools.partial(operators.nsga2_survival, num_survivors=size)
    )(jnp.array(fitness))
    assert sorted(survivors.tolist()) == list(range(size))
    ranks = [(front[i].item(), -expected[i]) for i in survivors.tolist()]
    np.testing.assert_allclose(ranks, sorted(ranks), rtol=1e-5)


def test_nsga2_takes_equal_and_failed_individuals():
    fitness = jnp.array([[1.0, 1.0], [1.0, 1.0], [-jnp.inf, -jnp.inf], [-jnp.inf, 2.0]])
    front = survival.non_dominated_front(fitness)
    assert front.tolist() == [0, 0, 1, 0]
    assert not jnp.isnan(survival.crowding_distance(fitness, front)).any()
    survivors = operators.nsga2_survival(fitness, num_survivors=3)
    assert sorted(survivors.tolist()) == [0, 1, 3]


@pytest.mark.parametrize(("size", "num_choices"), [(1, [1]), (4, [2, 5, 1])])
def test_operators_are_the_same_eager_compiled_and_mapped(size, num_choices):
    fitness = jnp.linspace(0, 1, size)

    def draw_all(key):
        population = operators.random_population(key, num_choices, population_size=size)
        others = operators.stratified_population(key, num_choices, population_size=size)
        variation = [
            *(
                mutate(key, population, num_choices, mutation_rate=0.6)
                for mutate in (
                    operators.one_gene_mutation,
                    operators.reset_mutation,
                    operators.creep_mutation,
                )
            ),
            operators.uniform_crossover(key, population, others),
            operators.one_point_crossover(key, population, others),
            operators.k_point_crossover(key, population, others, num_points=2),
        ]
        count = operators.random_count_survival(
            key, fitness, num_best=1, num_random=size - 1
        )
        rate = operators.random_rate_survival(key, fitness, num_best=1, random_rate=0.5)
        both = jnp.stack([fitness, -fitness], axis=1)
        survivors = [
            operators.plus_survival(fitness, num_survivors=size),
            operators.aging_survival(population[:, 0], num_survivors=size),
            operators.nsga2_survival(both, num_survivors=size),
        ]
        return population, others, variation, count, rate, survivors

    keys = jax.random.split(jax.random.key(0), 2)
    mapped = jax.tree.map(lambda leaf: leaf[1], jax.jit(jax.vmap(draw_all))(keys))
    for ours, theirs in zip(
        jax.tree.leaves(mapped), jax.tree.leaves(draw_all(keys[1])), strict=True
    ):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("size", [7, ranking.MOST_COMPARED + 1])
def test_orders_of_few_and_of_many_are_numpys(size):
    values = np.random.default_rng(0).choice([-np.inf, 0.1, 0.2, 0.3], size)
    order = np.argsort(-values, stable=True)
    np.testing.assert_array_equal(ranking.best_first(jnp.array(values)), order)
    np.testing.assert_array_equal(
        ranking.rank(jnp.array(values)), np.argsort(order, stable=True)
    )


def test_draws_are_those_of_jax_in_the_shape():
    key, shape, high = jax.random.key(3), (5, 3), jnp.array([2, 1, 9])
    np.testing.assert_array_equal(
        draws.uniform(key, shape), jax.random.uniform(key, shape)
    )
    np.testing.assert_array_equal(
        draws.bernoulli(key, 0.3, shape), jax.random.bernoulli(key, 0.3, shape)
    )
    np.testing.assert_array_equal(
        draws.randint(key, shape, 0, high), jax.random.randint(key, shape, 0, high)
    )
