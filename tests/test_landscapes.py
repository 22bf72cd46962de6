"""Landscapes against plain Python, and their edges."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import landscapes, operators
from vecevo.errors import InputError
from vecevo.operators import initialization

NUM_CHOICES = (2, 3, 1, 4)
EVERY = np.array(list(itertools.product(*map(range, NUM_CHOICES))), np.int32)
LAST = np.array(NUM_CHOICES) - 1


def leading(genome):
    return sum(1 for _ in itertools.takewhile(bool, genome == LAST))


def trapped(genome, block_size):
    blocks = np.split(genome == LAST, len(LAST) // block_size)
    counts = [int(block.sum()) for block in blocks]
    return sum(block_size if u == block_size else block_size - 1 - u for u in counts)


@pytest.mark.parametrize(
    ("landscape", "plain"),
    [
        (landscapes.onemax(NUM_CHOICES), lambda g: (g == LAST).sum()),
        (landscapes.leading_ones(NUM_CHOICES), leading),
        (landscapes.trap(NUM_CHOICES, block_size=2), lambda g: trapped(g, 2)),
        (landscapes.trap(NUM_CHOICES, block_size=4), lambda g: trapped(g, 4)),
    ],
)
def test_landscapes_equal_their_definitions(landscape, plain):
    fitness = jax.jit(landscape)(EVERY)
    assert fitness.dtype == jnp.float32
    np.testing.assert_array_equal(fitness, [plain(genome) for genome in EVERY])


@pytest.mark.parametrize("is_adjacent", [True, False])
def test_nk_contributions_depend_on_their_genes_alone(is_adjacent):
    num_choices = np.array([3, 2, 4, 2])
    keys = jax.random.split(jax.random.key(0), 300)

    def fitness_of(key, population, num_neighbours):
        return landscapes.nk(
            key, num_choices, num_neighbours=num_neighbours, is_adjacent=is_adjacent
        )(population)

    # A gene that changes, at K neighbours, changes its own contribution and those of
    # the genes that depend on it: G * (change in fitness) has K + 1 of G in the mean.
    population = jnp.array([[0, 0, 0, 0], [2, 0, 0, 0]])
    for num_neighbours in (0, 1, 3):
        fitness = jax.vmap(fitness_of, (0, None, None))(
            keys, population, num_neighbours
        )
        assert ((fitness >= 0) & (fitness < 1)).all()
        # A difference of two uniform numbers has variance 1/6.
        variance = np.var(4 * np.diff(np.asarray(fitness)), ddof=1)
        np.testing.assert_allclose(variance, (num_neighbours + 1) / 6, rtol=0.35)
    # Without neighbours, genes add up.
    pairs = jnp.array([[0, 0, 0, 0], [2, 0, 0, 0], [0, 1, 3, 0], [2, 1, 3, 0]])
    fitness = fitness_of(keys[0], pairs, 0)
    np.testing.assert_allclose(fitness[0] + fitness[3], fitness[1] + fitness[2], 1e-5)


def test_tables_are_looked_up_in_the_order_of_a_grid():
    values = np.arange(48, dtype=np.float32).reshape(24, 2)
    values[3] = -np.inf
    grid = operators.grid_population(NUM_CHOICES, start=0, population_size=24)
    np.testing.assert_array_equal(grid, EVERY)
    numbers = initialization.numbers_of_genomes(grid, NUM_CHOICES)
    assert numbers.tolist() == list(range(24))
    look_up = landscapes.table(values[:, 1], NUM_CHOICES)
    np.testing.assert_array_equal(look_up(EVERY), values[:, 1])
    replicate = np.arange(24) % 2
    look_up = landscapes.table(values, NUM_CHOICES, replicate=replicate)
    np.testing.assert_array_equal(look_up(EVERY), values[np.arange(24), replicate])
    by_run = jax.vmap(
        lambda r: landscapes.table(values, NUM_CHOICES, replicate=r)(EVERY)
    )(jnp.arange(2))
    np.testing.assert_array_equal(by_run, values.T)
    objectives = landscapes.table(values, NUM_CHOICES, replicate=None)
    np.testing.assert_array_equal(objectives(EVERY[::-1]), values[::-1])


ONE, TWO = np.zeros(24), np.zeros((24, 2))


def nk(num_choices=NUM_CHOICES, *, num_neighbours=1):
    return landscapes.nk(jax.random.key(0), num_choices, num_neighbours=num_neighbours)


def trap(num_choices=NUM_CHOICES, *, block_size=2):
    return landscapes.trap(num_choices, block_size=block_size)


def table(num_choices=NUM_CHOICES, *, values=ONE, **settings):
    return landscapes.table(values, num_choices, **settings)


LANDSCAPES = (landscapes.onemax, landscapes.leading_ones, trap, nk, table)


@pytest.mark.parametrize(
    ("make", "settings", "words"),
    [
        (trap, {"block_size": 3}, "block_size=3 must divide the 4 genes"),
        (trap, {"block_size": 8}, "block_size=8 must divide"),
        (trap, {"block_size": 0}, "block_size=0 must be a whole number from 1"),
        (trap, {"block_size": 2.0}, r"block_size=2\.0 must be a whole number"),
        (nk, {"num_neighbours": 4}, "num_neighbours=4 must be a whole .* from 0 to 3"),
        (nk, {"num_neighbours": -1}, "num_neighbours=-1"),
        (nk, {"num_neighbours": 1.5}, r"num_neighbours=1\.5"),
        (nk, {"num_choices": [10] * 9, "num_neighbours": 8}, "give fewer"),
        (table, {"values": np.zeros(23)}, "24 genomes"),
        (table, {"values": np.zeros(())}, "24 genomes"),
        (table, {"values": np.full(24, np.nan)}, "NaN"),
        (table, {"values": TWO, "replicate": 2}, "replicate=2 must be .* from 0 to 1"),
        (table, {"values": TWO, "replicate": -1}, "replicate=-1"),
        (table, {"values": TWO, "replicate": 0.5}, r"replicate=0\.5"),
    ],
)
def test_bad_settings_are_refused(make, settings, words):
    with pytest.raises(InputError, match=words):
        make(**settings)


@pytest.mark.parametrize("make", LANDSCAPES)
def test_other_spaces_are_refused(make):
    for num_choices in ((2, 0, 1, 4), (2.5, 1, 1, 1), 3):
        with pytest.raises(InputError, match="num_choices"):
            make(num_choices)
    for population in (EVERY[:, :3], EVERY[0], EVERY / 2):
        with pytest.raises(InputError, match=r"population is .* int32\[P, 4\]"):
            make(NUM_CHOICES)(population)
