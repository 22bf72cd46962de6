"""Strategies on tables, edges first."""

import functools
import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import operators, strategies

NUM_CHOICES = np.array([4, 6, 4, 7])


def play(strategy, population, table, num_generations, seed):
    """Runs a strategy on a table; returns the populations it asked for."""
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    state, asked = strategy.init(jax.random.key(0), population), []
    for generation in range(num_generations):
        offspring = ask(jax.random.fold_in(jax.random.key(seed), generation), state)
        asked.append(np.asarray(offspring))
        fitness = jnp.asarray(table[tuple(asked[-1].T)], jnp.float32)
        state, info = tell(state, offspring, fitness)
    return asked, state, info


@pytest.mark.parametrize(
    ("population_size", "setting"),
    [
        *((size, strategies.article_setting) for size in (1, 2, 3, 4)),
        *((size, strategies.code_setting) for size in (1, 4)),
    ],
)
def test_genetic_search_runs_with_any_population(population_size, setting):
    strategy = strategies.genetic(NUM_CHOICES, **setting(population_size))
    population = operators.random_population(
        jax.random.key(0), NUM_CHOICES, population_size=population_size
    )
    table = jnp.array(np.random.default_rng(0).random(NUM_CHOICES), jnp.float32)
    asked, state, info = play(strategy, population, table, 6, seed=0)
    np.testing.assert_array_equal(asked[0], population)
    for offspring in asked:
        assert offspring.shape == (population_size, 4)
        assert ((offspring >= 0) & (offspring < NUM_CHOICES)).all()
    best = max(table[tuple(np.concatenate(asked).T)])
    assert state.best_fitness == best == table[tuple(state.best_genome)]
    assert info.num_failed == 0


def test_a_lone_survivor_breeds_with_itself_and_an_exhausted_space_goes_on():
    survive = functools.partial(
        operators.random_count_survival, num_best=1, num_random=0
    )
    strategy = strategies.genetic(
        np.array([2, 1]),
        population_size=3,
        survive_fn=survive,
        mutation_rate=0.0,
        mutates_survivors=False,
    )
    table = jnp.array([[0.0], [1.0]])
    asked, state, _ = play(strategy, np.array([[0, 0], [1, 0], [0, 0]]), table, 5, 1)
    assert (asked[-1] == [1, 0]).all() and state.best_fitness == 1


def test_two_survivors_breed_with_each_other_not_with_themselves():
    survive = functools.partial(
        operators.random_count_survival, num_best=2, num_random=0
    )
    strategy = strategies.genetic(
        np.full(8, 2),
        population_size=40,
        survive_fn=survive,
        mutation_rate=0.0,
        mutates_survivors=False,
    )
    parents = np.repeat([[0], [1]], [20, 20], axis=0) * np.ones(8, int)
    fitness = jnp.zeros(40).at[jnp.array([3, 33])].set(1.0)
    state, _ = strategy.tell(
        strategy.init(jax.random.key(0), parents), jnp.array(parents), fitness
    )
    offspring = np.asarray(strategy.ask(jax.random.key(0), state))[2:]
    # Of two different parents, only 2 in 256 offspring are copies of one.
    assert np.isin(offspring.sum(1), (0, 8)).mean() < 0.1


def test_failed_networks_are_counted_and_never_the_best():
    table = jnp.array([-jnp.inf, 0.5, -jnp.inf])
    strategy = strategies.random(np.array([3]), population_size=3)
    _, state, info = play(strategy, np.array([[0], [1], [2]]), table, 1, seed=0)
    assert (info.num_failed, info.mean_fitness, state.best_genome[0]) == (2, 0.5, 1)


def test_grid_visits_every_genome_once():
    population = np.zeros((96, 4), int)
    asked, *_ = play(
        strategies.grid(NUM_CHOICES, population_size=96),
        population,
        np.zeros(NUM_CHOICES),
        7,
        0,
    )
    assert len({tuple(genome) for genome in np.concatenate(asked).tolist()}) == 672


def articles_search(seed, table):
    """The article's search in plain Python; returns its distinct genomes, by time."""
    rng, seen, counts = random.Random(seed), set(), []

    def mutate(genome):
        genome = list(genome)
        if rng.random() < 0.2:
            gene = rng.randrange(4)
            genome[gene] = rng.randrange(NUM_CHOICES[gene])
        return tuple(genome)

    population = [tuple(rng.randrange(n) for n in NUM_CHOICES) for _ in range(20)]
    for _ in range(6):
        seen |= set(population)
        counts.append(len(seen))
        ranked = sorted(population, key=lambda genome: -table[genome])
        survivors = [mutate(g) for g in ranked[:5] + rng.sample(ranked[5:], 3)]
        offspring = []
        while len(offspring) < 12:
            pair = rng.sample(survivors, 2)
            offspring += [
                mutate(rng.choice(genes) for genes in zip(*pair, strict=True))
                for _ in range(2)
            ]
        population = survivors + offspring
    return counts


def test_the_articles_setting_explores_as_the_article_described():
    table = np.random.default_rng(5).random(NUM_CHOICES).astype(np.float32)
    strategy = strategies.genetic(NUM_CHOICES, **strategies.article_setting(20))
    ours = []
    for seed in range(40):
        population = operators.random_population(
            jax.random.key(seed), NUM_CHOICES, population_size=20
        )
        asked, *_ = play(strategy, population, jnp.array(table), 6, seed=seed + 1000)
        genomes = [tuple(genome) for genome in np.concatenate(asked).tolist()]
        ours.append([len(set(genomes[:stop])) for stop in range(20, 121, 20)])
    theirs = np.array([articles_search(seed, table) for seed in range(400)])
    # Means over runs agree to five standard errors of the smaller sample.
    error = 5 * theirs.std(0) / np.sqrt(len(ours))
    assert (abs(np.mean(ours, 0) - theirs.mean(0)) < error).all()
