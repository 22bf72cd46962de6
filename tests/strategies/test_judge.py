"""What a model expects of networks, against a plain computation, and against luck."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import landscapes, strategies
from vecevo.strategies import surrogate

NUM_CHOICES = np.array([6, 6])
GENOMES = np.array([[a, b] for a in range(6) for b in range(6)], np.int32)


def told_strategy(fitness, **settings):
    strategy = strategies.gaussian_process(
        NUM_CHOICES, population_size=36, num_candidates=36, capacity=40, **settings
    )
    state = strategy.init(jax.random.key(0), GENOMES)
    state, _ = strategy.tell(state, jnp.asarray(GENOMES), jnp.asarray(fitness))
    return strategy, state


def noisy_slope(seed, noise):
    truth = -((GENOMES - 3) ** 2).sum(axis=1) / 10
    rng = np.random.default_rng(seed)
    return truth, (truth + noise * rng.normal(size=36)).astype(np.float32)


def test_it_is_the_mean_of_the_process_of_the_upper_half():
    _, fitness = noisy_slope(0, 0.5)
    fitness[7] = -np.inf
    strategy, state = told_strategy(fitness)
    expected = np.asarray(strategy.judge(state, jnp.asarray(GENOMES)), np.float64)

    kept = np.maximum(fitness, np.median(np.delete(fitness, 7))).astype(np.float64)
    scores = (kept - kept.mean()) / kept.std()
    prior = surrogate.Scales(
        jnp.full(2, np.log(3 / 2)), jnp.full(2, np.log(9 / 2)), jnp.log(0.1)
    )
    model = state.memory._replace(scales=prior)
    padded = jnp.pad(jnp.asarray(scores, jnp.float32), (0, 4))
    scales = surrogate.fit(model, padded, prior, NUM_CHOICES, num_steps=60)
    apart = GENOMES[:, None] - GENOMES[None]
    exponent = np.exp(scales.differs) * (apart != 0)
    exponent = exponent + np.exp(scales.distance) * (apart / 5) ** 2
    covariance = np.exp(-exponent.sum(axis=2))
    noise = np.exp(float(scales.noise)) + surrogate.JITTER
    told = covariance + noise * np.eye(36)
    mean = covariance @ np.linalg.solve(told, scores)
    np.testing.assert_allclose(expected, (mean + scores) / 2, atol=2e-4)


def test_of_a_network_it_was_not_told_it_expects_the_mean_of_the_process():
    setting = {"population_size": 4, "capacity": 8, "num_candidates": 8}
    strategy = strategies.gaussian_process(NUM_CHOICES, **setting)
    state = strategy.init(jax.random.key(0), GENOMES[[0, 0, 7, 35]])
    state, _ = strategy.tell(state, state.population, jnp.array([3.0, 3, 1, 1]))
    twice, other, near = strategy.judge(state, GENOMES[[0, 7, 8]])
    assert twice > 0 > near > other


def test_it_finds_better_networks_than_the_luckiest_result():
    num_choices = np.full(5, 3)
    genomes = np.array(list(np.ndindex(*num_choices)), np.int32)
    sizes = dict.fromkeys(("population_size", "capacity", "num_candidates"), 243)
    strategy = strategies.gaussian_process(num_choices, **sizes)
    first = strategy.init(jax.random.key(0), genomes)
    tell, judge, regrets = jax.jit(strategy.tell), jax.jit(strategy.judge), []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        truth = genomes @ rng.normal(size=5)
        fitness = truth + truth.std() / 2 * rng.normal(size=243)
        state, _ = tell(first, genomes, fitness.astype(np.float32))
        chosen = [fitness.argmax(), np.argmax(judge(state, genomes))]
        regrets.append((truth.max() - truth[chosen]) / truth.std())
    luckiest, judged = np.mean(regrets, axis=0)
    assert luckiest > 0.2
    assert judged < luckiest / 2


@pytest.mark.parametrize("unit", [1e-3, 1e4])
def test_the_unit_of_fitness_does_not_matter(unit):
    _, fitness = noisy_slope(1, 0.5)
    strategy, state = told_strategy(fitness)
    _, scaled = told_strategy(fitness * np.float32(unit) + np.float32(unit))
    order, other = (np.argsort(strategy.judge(s, GENOMES)) for s in (state, scaled))
    assert order.tolist() == other.tolist()


def test_equal_results_are_no_reason_to_expect_anything():
    strategy, state = told_strategy(np.full(36, 0.25, np.float32))
    assert (strategy.judge(state, jnp.asarray(GENOMES)) == 0).all()


def test_where_all_failed_it_says_nothing():
    strategy, state = told_strategy(np.full(36, -np.inf, np.float32))
    assert jnp.isnan(strategy.judge(state, jnp.asarray(GENOMES))).all()


def test_without_repeats_passes_it_on():
    setting = {"population_size": 4, "capacity": 16, "num_candidates": 16}
    plain = strategies.gaussian_process(NUM_CHOICES, **setting)
    wrapped = strategies.without_repeats(plain, NUM_CHOICES)
    fitness_fn = landscapes.nk(jax.random.key(1), NUM_CHOICES, num_neighbours=1)
    state, _ = strategies.run_strategy(jax.random.key(2), wrapped, fitness_fn, 3)
    inner = state._replace(memory=state.memory.inner)
    np.testing.assert_array_equal(
        wrapped.judge(state, GENOMES), plain.judge(inner, GENOMES)
    )
    genetic = strategies.random(NUM_CHOICES, population_size=4)
    assert strategies.without_repeats(genetic, NUM_CHOICES).judge is None
