"""No genome twice, and what happens when there is none left."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import landscapes, operators, strategies
from vecevo.operators import initialization
from vecevo.strategies import archives

SPACE = np.array([2, 1, 3])


def run(strategy, num_choices, num_generations, key):
    fitness_fn = landscapes.onemax(num_choices)
    return jax.jit(
        lambda key: strategies.run_strategy(key, strategy, fitness_fn, num_generations)
    )(key)


@pytest.mark.parametrize("name", ["grid", "local_search", "self_adaptive"])
def test_every_genome_comes_once_and_then_exhaustion_is_said(name):
    strategy = getattr(strategies, name)(SPACE, population_size=4)
    strategy = strategies.without_repeats(strategy, SPACE)
    _, trace = run(strategy, SPACE, 3, jax.random.key(1))
    assert trace.info.is_exhausted.tolist() == [False, True, True]
    genomes = np.asarray(trace.offspring)
    assert ((genomes >= 0) & (genomes < SPACE)).all()
    first, second, _ = map(np.asarray, trace.offspring)
    told = {tuple(genome) for genome in first.tolist()}
    assert len(told) == 4
    new = {tuple(genome) for genome in second.tolist()} - told
    assert len(new) == 2  # all that there are; the rest is the strategy's own
    if name == "grid":
        own = [
            operators.grid_population(SPACE, start=4 * generation, population_size=4)
            for generation in range(3)
        ]
        np.testing.assert_array_equal(trace.offspring, own)


def test_the_strategys_own_offspring_stand_where_they_are_new():
    num_choices = np.array([4, 6, 4, 7])
    plain = strategies.evolution_plus(num_choices, population_size=30)
    strategy = strategies.without_repeats(plain, num_choices)
    state = strategy.init(jax.random.key(2))
    inner_state = plain.init(jax.random.key(2))
    offspring = np.asarray(strategy.ask(jax.random.key(3), state))
    asked = np.asarray(inner_state.population)
    _, first = np.unique(asked, axis=0, return_index=True)
    is_first = np.isin(np.arange(30), first)
    assert 0 < (~is_first).sum() < 5
    np.testing.assert_array_equal(offspring[is_first], asked[is_first])
    assert len(np.unique(offspring, axis=0)) == 30
    # A repeat is replaced by a neighbour, where that is new.
    assert ((offspring != asked).sum(axis=1)[~is_first] == 1).all()


def test_long_searches_of_a_large_space_repeat_nothing():
    num_choices = np.full(12, 4)  # 16.8 million genomes
    stuck = strategies.genetic(
        num_choices,
        population_size=8,
        survive_fn=lambda key, fitness: jnp.arange(8) < 1,
        mutation_rate=0.0,
        mutates_survivors=False,
    )
    with pytest.raises(ValueError, match="give the number of genomes"):
        strategies.without_repeats(stuck, num_choices)
    strategy = strategies.without_repeats(stuck, num_choices, capacity=80)
    state, trace = run(strategy, num_choices, 10, jax.random.key(4))
    genomes = np.asarray(trace.offspring).reshape(80, 12)
    assert len(np.unique(genomes, axis=0)) == 80
    assert state.memory.told.num_told == 80 and not trace.info.is_exhausted.any()


@pytest.mark.parametrize("make", ["map", "list"])
def test_fresh_genomes_are_new_and_equally_likely(make):
    space = np.array([2, 5])
    archive = (
        archives.map_archive(space)
        if make == "map"
        else archives.list_archive(space, 4)
    )
    every = initialization.genomes_of_numbers(jnp.arange(10), space)
    told = archive.add(archive.start(), every[:4])
    assert archive.has(told, every).tolist() == [True] * 4 + [False] * 6
    genomes = every[jnp.array([4, 0, 1])]
    is_missing = jnp.array([False, True, True])
    keys = jax.random.split(jax.random.key(5), 3000)
    filled, still = jax.jit(jax.vmap(archive.fill, (0, None, None, None)))(
        keys, told, genomes, is_missing
    )
    assert not still.any() and (filled[:, 0] == every[4]).all()
    numbers = np.asarray(initialization.numbers_of_genomes(filled[:, 1], space))
    others = np.asarray(initialization.numbers_of_genomes(filled[:, 2], space))
    assert (numbers != others).all()
    for drawn in (numbers, others):
        counts = np.bincount(drawn, minlength=10)
        assert not counts[:5].any()
        assert abs(counts[5:] / 3000 - 0.2).max() < 5 * np.sqrt(0.16 / 3000)


def test_a_list_forgets_the_oldest():
    archive = archives.list_archive(np.array([9]), 3)
    told = archive.start()
    for genomes in ([[0], [1]], [[2], [3]]):
        told = archive.add(told, jnp.array(genomes))
    assert archive.has(told, jnp.arange(4)[:, None]).tolist() == [False] + [True] * 3
