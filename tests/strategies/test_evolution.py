"""Each strategy against what it promises, computed apart."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import landscapes, strategies

NUM_CHOICES = np.array([3, 1, 4, 2])
NUM_NEIGHBOURS = 2 + 3 + 1
NAMES = (
    *("evolution_plus", "regularized_evolution", "self_adaptive", "nsga2", "genetic"),
    *("univariate_estimation", "local_search", "random", "grid"),
)


def make(name, num_choices, size):
    if name == "genetic":
        return strategies.genetic(num_choices, **strategies.article_setting(size))
    settings = {"num_objectives": 2} if name == "nsga2" else {}
    return getattr(strategies, name)(num_choices, population_size=size, **settings)


def tell(strategy, state, fitness_fn, key):
    """Plays one generation; returns what was asked, too."""
    offspring = strategy.ask(key, state)
    state, _ = strategy.tell(state, offspring, fitness_fn(offspring))
    return np.asarray(offspring), state


def distance(genomes, genome):
    return (np.asarray(genomes) != np.asarray(genome)).sum(axis=1)


@pytest.mark.parametrize("name", NAMES)
def test_states_save_and_load_with_numpy_and_edges_are_taken(name, tmp_path):
    for num_choices, size in ((np.array([1]), 1), (NUM_CHOICES, 3)):
        strategy = make(name, num_choices, size)
        objectives = (2,) if name == "nsga2" else ()

        def fail(population, objectives=objectives):
            return jnp.full((len(population), *objectives), -jnp.inf)

        state, trace = strategies.run_strategy(
            jax.random.key(0), strategy, fail, num_generations=3
        )
        assert (trace.info.num_failed == size).all()
        assert (trace.offspring >= 0).all() and (trace.offspring < num_choices).all()
        assert trace.offspring.dtype == jnp.int32
        leaves, structure = jax.tree.flatten(state)
        np.savez(tmp_path / "state.npz", *leaves)
        with np.load(tmp_path / "state.npz") as file:
            loaded = jax.tree.unflatten(structure, list(file.values()))
        key = jax.random.key(1)
        np.testing.assert_array_equal(
            strategy.ask(key, state), strategy.ask(key, loaded)
        )
        assert jax.tree.structure(strategy.init(key)) == structure


def test_a_run_is_asking_and_telling_with_the_keys_of_a_search():
    strategy = strategies.regularized_evolution(NUM_CHOICES, population_size=5)
    fitness_fn = landscapes.onemax(NUM_CHOICES)
    run = jax.jit(
        jax.vmap(lambda key: strategies.run_strategy(key, strategy, fitness_fn, 3))
    )
    last, trace = run(jnp.stack([jax.random.key(7), jax.random.key(8)]))
    search_key, _, _, start_key = jax.random.split(jax.random.key(8), 4)
    state = strategy.init(start_key)
    for generation in range(3):
        key = jax.random.fold_in(search_key, generation)
        offspring, state = tell(strategy, state, fitness_fn, key)
        np.testing.assert_array_equal(trace.offspring[1, generation], offspring)
    for ours, theirs in zip(jax.tree.leaves(last), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(ours[1], theirs)
    start = jnp.zeros((5, 4), int)
    _, trace = strategies.run_strategy(
        jax.random.key(0), strategy, fitness_fn, 1, population=start
    )
    np.testing.assert_array_equal(trace.offspring[0], start)


def test_the_best_is_that_of_all_generations():
    strategy = strategies.random(NUM_CHOICES, population_size=2)
    values = np.random.default_rng(0).random(24).astype(np.float32)
    look_up = landscapes.table(values, NUM_CHOICES)
    state, trace = strategies.run_strategy(jax.random.key(2), strategy, look_up, 9)
    assert trace.fitness.max() > trace.fitness[-1].max()
    assert state.best_fitness == trace.fitness.max() == look_up(state.best_genome[None])
    best = trace.info.best_fitness
    np.testing.assert_array_equal(best, trace.fitness.max(axis=1))
    np.testing.assert_allclose(trace.info.mean_fitness, trace.fitness.mean(axis=1))


def test_plus_keeps_the_fittest_and_breeds_from_the_parents():
    strategy = strategies.evolution_plus(
        NUM_CHOICES, population_size=8, num_parents=2, mutation_rate=0.0
    )
    values = np.random.default_rng(0).random(24).astype(np.float32)
    look_up = landscapes.table(values, NUM_CHOICES)
    state, told = strategy.init(jax.random.key(0)), []
    for generation in range(3):
        parents = np.asarray(state.population[:2])
        offspring, state = tell(strategy, state, look_up, jax.random.key(generation))
        if generation:
            assert ((offspring == parents[0]) | (offspring == parents[1])).all()
        told += look_up(offspring).tolist()
        best = np.sort(np.array(told, np.float32))[::-1][:8]
        np.testing.assert_array_equal(state.fitness, best)
        np.testing.assert_array_equal(look_up(state.population), best)
        assert state.best_fitness == best[0]


def test_individuals_age_and_die_however_fit():
    strategy = strategies.regularized_evolution(
        np.full(9, 2), population_size=6, lifetime=2, tournament_size=200
    )
    state = strategy.init(jax.random.key(0), np.zeros((6, 9), int))
    star = np.repeat([0, 1], [5, 1])  # of each generation, the last is the fittest
    ages = []
    for generation in range(4):
        offspring = np.asarray(strategy.ask(jax.random.key(generation), state))
        if generation:  # 200 contestants surely hold the fittest of the living
            assert (distance(offspring, ages[max(0, generation - 2)]) == 1).all()
        # The later, the less fit: the fittest living one is the oldest.
        fitness = jnp.asarray(star - generation / 10.0, jnp.float32)
        state, _ = strategy.tell(state, offspring, fitness)
        ages.append(offspring[-1])


def test_those_that_do_not_live_yet_do_not_compete():
    strategy = strategies.regularized_evolution(
        np.full(9, 2), population_size=2, lifetime=5, tournament_size=2
    )
    genomes = np.repeat([[0], [1]], 9, axis=1)
    state = strategy.init(jax.random.key(0), genomes)
    state, _ = strategy.tell(state, genomes, jnp.array([1.0, 0.0]))
    asks = jax.vmap(strategy.ask, (0, None))
    offspring = asks(jax.random.split(jax.random.key(1), 1000), state)
    share = (offspring.sum(axis=2) == 1).mean()  # of the fitter one
    assert abs(share - 3 / 4) < 5 * np.sqrt(3 / 16 / 2000)


def test_rates_live_on_with_the_genomes_that_they_made():
    strategy = strategies.self_adaptive(
        np.full(20, 2), population_size=16, num_parents=2, spread=0.0
    )
    state = strategy.init(jax.random.key(0), np.zeros((16, 20), int))
    offspring, state = tell(
        strategy, state, lambda p: jnp.arange(len(p)) * 1.0, jax.random.key(0)
    )
    assert not offspring.any()
    np.testing.assert_allclose(state.memory.rates, 1 / 20, rtol=1e-6)
    # The two fittest come last; one never mutates and one always does.
    rates = state.memory.rates.at[-2:].set(jnp.array([1e-6, 1 - 1e-6]))
    state = state._replace(memory=state.memory._replace(rates=rates))
    offspring, state = tell(
        strategy, state, lambda p: jnp.zeros(len(p)), jax.random.key(1)
    )
    is_changed = offspring.any(axis=1)
    assert 0 < is_changed.sum() < 16 and offspring[is_changed].all()
    np.testing.assert_array_equal(state.memory.rates > 0.5, is_changed)


def test_marginals_are_those_of_the_fittest_and_the_law_of_the_offspring():
    size, margin = 20_000, 0.05
    strategy = strategies.univariate_estimation(
        NUM_CHOICES, population_size=size, num_best=4, learning_rate=0.5, margin=margin
    )
    best = np.array([[2, 0, 0, 1], [2, 0, 1, 1], [1, 0, 3, 1], [2, 0, 3, 1]])
    population = np.concatenate([np.zeros((size - 4, 4), int), best])
    state = strategy.init(jax.random.key(0), population)
    fitness_fn = landscapes.onemax(NUM_CHOICES)
    np.testing.assert_array_equal(strategy.ask(jax.random.key(1), state), population)
    state, _ = strategy.tell(state, population, jnp.arange(size) * 1.0)
    offspring, _ = tell(strategy, state, fitness_fn, jax.random.key(1))
    for gene, num in enumerate(NUM_CHOICES):
        learnt = 0.5 / num + 0.5 * np.bincount(best[:, gene], minlength=num) / 4
        np.testing.assert_allclose(
            state.memory.probabilities[gene, :num], learnt, atol=1e-6
        )
        law = margin + (1 - num * margin) * learnt
        share = np.bincount(offspring[:, gene], minlength=num) / size
        five_sigma = 5 * np.sqrt(law * (1 - law) / size)
        assert (abs(share - law) <= five_sigma + 1e-6).all()


def test_local_search_takes_the_steepest_way_up_and_restarts():
    strategy = strategies.local_search(NUM_CHOICES, population_size=8)
    values = np.random.default_rng(3).random(24).astype(np.float32)
    look_up = landscapes.table(values, NUM_CHOICES)
    state = strategy.init(jax.random.key(0))
    _, state = tell(strategy, state, look_up, jax.random.key(0))
    num_restarts = 0
    for generation in range(1, 12):
        climb = state.memory
        asked, state = tell(strategy, state, look_up, jax.random.key(generation))
        best = look_up(asked).max()
        if climb.is_tried.all():
            num_restarts += 1
            assert state.memory.fitness == best
            continue
        # All neighbours once, and 2 random genomes.
        neighbours = asked[:NUM_NEIGHBOURS]
        assert (distance(neighbours, climb.incumbent) == 1).all()
        assert len(np.unique(neighbours, axis=0)) == NUM_NEIGHBOURS
        assert state.memory.fitness == max(best, climb.fitness)
        is_optimum = best <= climb.fitness
        assert state.memory.is_tried.all() == is_optimum
    assert num_restarts >= 2


def test_local_search_with_one_offspring_tries_each_neighbour_once():
    strategy = strategies.local_search(NUM_CHOICES, population_size=1)
    state = strategy.init(jax.random.key(0))
    _, state = tell(strategy, state, lambda p: jnp.ones(1), jax.random.key(0))
    asked = []
    for generation in range(NUM_NEIGHBOURS):
        offspring, state = tell(
            strategy, state, lambda p: jnp.zeros(1), jax.random.key(generation)
        )
        asked += offspring.tolist()
    assert (distance(asked, state.memory.incumbent) == 1).all()
    assert len(np.unique(asked, axis=0)) == NUM_NEIGHBOURS
    assert state.memory.is_tried.all()


def test_nsga2_finds_the_whole_front_of_a_small_space():
    values = np.random.default_rng(1).random((24, 2)).astype(np.float32)
    values[0] = -np.inf
    strategy = strategies.nsga2(NUM_CHOICES, population_size=16, num_objectives=2)
    look_up = landscapes.table(values, NUM_CHOICES, replicate=None)
    state, trace = strategies.run_strategy(jax.random.key(2), strategy, look_up, 30)
    front = {
        tuple(row)
        for row in values.tolist()
        if not any((other >= row).all() and (other > row).any() for other in values)
    }
    assert {tuple(row) for row in state.fitness.tolist()} >= front
    assert len(front) > 2
    assert state.best_fitness[0] == values[:, 0].max()
    np.testing.assert_array_equal(trace.info.best_fitness, trace.fitness.max(axis=1))
