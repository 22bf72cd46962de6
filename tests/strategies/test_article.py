"""Strategies on tables, edges first."""

import functools
import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import landscapes, operators, strategies
from vecevo.operators import initialization

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
        *((size, strategies.code_setting) for size in (1, 4, 100)),
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


def plain_search(seed, table, setting):
    """The article's search in plain Python, by its text or by its code.

    Returns the number of distinct genomes and the best fitness after each generation.
    """
    rng, seen, rows = random.Random(seed), set(), []
    is_text = setting == "article"

    def mutate(genome):
        genome = list(genome)
        if rng.random() < 0.2:
            gene = rng.randrange(4)
            genome[gene] = rng.randrange(NUM_CHOICES[gene])
        return tuple(genome)

    population = [tuple(rng.randrange(n) for n in NUM_CHOICES) for _ in range(20)]
    for _ in range(6):
        seen |= set(population)
        rows.append((len(seen), max(table[genome] for genome in population)))
        ranked = sorted(population, key=lambda genome: -table[genome])
        if is_text:
            survivors = [mutate(g) for g in ranked[:5] + rng.sample(ranked[5:], 3)]
        else:
            lucky = [genome for genome in ranked[8:] if rng.random() < 0.1]
            survivors = ranked[:8] + lucky
        offspring = []
        while len(offspring) < 20 - len(survivors):
            pair = rng.sample(survivors, 2)
            offspring += [
                mutate(rng.choice(genes) for genes in zip(*pair, strict=True))
                for _ in range(2)
            ]
        population = (survivors + offspring)[:20]
    return rows


@pytest.mark.parametrize("setting", ["article", "code"])
def test_genetic_searches_go_as_the_article_and_its_code_describe(setting):
    table = np.random.default_rng(5).random(NUM_CHOICES).astype(np.float32)
    make_setting = getattr(strategies, f"{setting}_setting")
    strategy = strategies.genetic(NUM_CHOICES, **make_setting(20))
    fitness_fn = landscapes.table(table.ravel(), NUM_CHOICES)
    keys = jax.random.split(jax.random.key(0), 400)
    _, trace = jax.jit(
        jax.vmap(lambda key: strategies.run_strategy(key, strategy, fitness_fn, 6))
    )(keys)
    numbers = np.asarray(
        initialization.numbers_of_genomes(trace.offspring.reshape(-1, 4), NUM_CHOICES)
    ).reshape(400, -1)
    counts = [
        [len(set(run[:stop].tolist())) for stop in range(20, 121, 20)]
        for run in numbers
    ]
    ours = np.stack([counts, trace.info.best_fitness], axis=2)
    theirs = np.array([plain_search(seed, table, setting) for seed in range(400)])
    # Means agree to five standard errors of their difference.
    error = np.sqrt((ours.var(0) + theirs.var(0)) / 400)
    assert (abs(ours.mean(0) - theirs.mean(0)) <= 5 * error + 1e-6).all()
    # The whole distributions do: a two-sample Kolmogorov-Smirnov distance at 1e-6.
    for column in range(2):
        places = np.sort(np.concatenate([ours[:, -1, column], theirs[:, -1, column]]))
        gaps = [
            np.searchsorted(np.sort(sample[:, -1, column]), places, side="right") / 400
            for sample in (ours, theirs)
        ]
        assert abs(gaps[0] - gaps[1]).max() < np.sqrt(np.log(2 / 1e-6) / 400)


def test_searches_by_a_seed_stay_what_they_were():
    table = np.random.default_rng(5).random(NUM_CHOICES).astype(np.float32)
    last = {}
    for setting in (strategies.article_setting, strategies.code_setting):
        strategy = strategies.genetic(NUM_CHOICES, **setting(20))
        _, trace = strategies.run_strategy(
            jax.random.key(3),
            strategy,
            landscapes.table(table.ravel(), NUM_CHOICES),
            num_generations=6,
        )
        last[setting.__name__] = trace.offspring[-1, :3].ravel().tolist()
    assert last == {
        "article_setting": [2, 4, 2, 0, 1, 4, 0, 0, 2, 4, 2, 0],
        "code_setting": [2, 1, 0, 6, 1, 2, 3, 4, 1, 2, 3, 4],
    }
