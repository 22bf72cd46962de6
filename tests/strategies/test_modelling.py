"""The model-based strategy against a plain computation of its formulas."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import landscapes, strategies
from vecevo.strategies import surrogate

NUM_CHOICES = np.array([3, 4, 1, 5])
CAPACITY, NUM_TOLD = 12, 9


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    genomes = np.unique(rng.integers(0, NUM_CHOICES, (40, 4)), axis=0)
    genomes = rng.permutation(genomes)[:CAPACITY].astype(np.int32)
    fitness = rng.normal(size=CAPACITY).astype(np.float32)
    fitness[3], fitness[5] = -np.inf, fitness[4]  # one failed; two are equal
    fitness[NUM_TOLD:] = -np.inf
    draws = rng.normal(size=9).astype(np.float32) / 2
    scales = surrogate.Scales(jnp.array(draws[:4]), jnp.array(draws[4:8]), draws[8] - 2)
    return surrogate.Model(
        jnp.array(genomes), jnp.array(fitness), jnp.array(NUM_TOLD), scales
    )


def scores_of(model):
    return surrogate.normal_scores(model.fitness, surrogate.told_in(model))


def fit(model, prior):
    return surrogate.fit(model, scores_of(model), prior, NUM_CHOICES, num_steps=15)


def plain_covariance(scales, genomes_1, genomes_2):
    """The covariance, gene by gene in float64."""
    values = np.zeros((len(genomes_1), len(genomes_2)))
    for row, one in enumerate(np.asarray(genomes_1)):
        for column, two in enumerate(np.asarray(genomes_2)):
            for gene, number in enumerate(NUM_CHOICES):
                if one[gene] != two[gene]:
                    share = (one[gene] - two[gene]) / (number - 1)
                    values[row, column] -= np.exp(float(scales.differs[gene]))
                    values[row, column] -= (
                        np.exp(float(scales.distance[gene])) * share**2
                    )
    return np.exp(values)


def plain_told(scales, genomes):
    noise = np.exp(float(scales.noise)) + surrogate.JITTER
    return plain_covariance(scales, genomes, genomes) + noise * np.eye(len(genomes))


def plain_scores(model):
    fitness = np.asarray(model.fitness)[:NUM_TOLD]
    lower = (fitness[None] < fitness[:, None]).sum(axis=1)
    equal = (fitness[None] == fitness[:, None]).sum(axis=1)
    return np.array(jax.scipy.special.ndtri((lower + equal / 2) / NUM_TOLD))


def test_mean_and_variance_are_those_of_the_process(model):
    candidates = np.array([[0, 1, 0, 2], [2, 3, 0, 4], [1, 0, 0, 0]], np.int32)
    candidates = np.concatenate([candidates, model.genomes[2:3], model.genomes[-1:]])
    predict = jax.jit(lambda *args: surrogate.predict(*args, num_choices=NUM_CHOICES))
    mean, pull, is_known = predict(model, scores_of(model), candidates)
    genomes = np.asarray(model.genomes)[:NUM_TOLD]
    weights = np.linalg.inv(plain_told(model.scales, genomes))
    shared = plain_covariance(model.scales, genomes, candidates)
    scores = plain_scores(model)
    np.testing.assert_allclose(mean, shared.T @ weights @ scores, atol=1e-4)
    explained = np.einsum("nc,nm,mc->c", shared, weights, shared)
    np.testing.assert_allclose((pull**2).sum(axis=0), explained, atol=1e-4)
    told = {tuple(genome) for genome in genomes.tolist()}
    assert is_known.tolist() == [tuple(c) in told for c in candidates.tolist()]
    assert is_known[3] and not is_known[4]


def test_fitting_climbs_the_density_of_the_scales(model):
    prior = model.scales._replace(noise=jnp.float32(-2.3))
    genomes, scores = np.asarray(model.genomes)[:NUM_TOLD], plain_scores(model)

    def density(scales):
        told = plain_told(scales, genomes)
        fit = -scores @ np.linalg.inv(told) @ scores / 2
        fit -= np.linalg.slogdet(told)[1] / 2
        apart = jax.tree.map(lambda s, p: ((s - p) ** 2).sum(), scales, prior)
        return fit - sum(jax.tree.leaves(apart)) / 2

    fitted = jax.jit(fit)(model, prior)
    before, after = density(model.scales), density(fitted)
    assert after > before
    # Near the top: no single step along an axis is much better.
    for name in ("differs", "distance"):
        for gene in range(4):
            for move in (-0.5, 0.5):
                moved = getattr(fitted, name).at[gene].add(move)
                assert density(fitted._replace(**{name: moved})) < after + 0.05


# The timid one would repeat the best, were it not held back.
@pytest.mark.parametrize("boldness", [0.1, 1.5])
def test_a_batch_is_chosen_one_by_one_as_if_its_means_were_told(
    model, monkeypatch, boldness
):
    population_size = 4
    rng = np.random.default_rng(1)
    candidates = rng.integers(0, NUM_CHOICES, (30, 4)).astype(np.int32)
    candidates = np.concatenate([candidates, model.genomes])
    module = sys.modules["vecevo.strategies.modelling"]
    given = jnp.array(candidates)
    monkeypatch.setattr(module, "draw_candidates", lambda *args, **kwargs: given)
    monkeypatch.setattr(module, "breed_candidates", lambda key, given, *args: given)
    strategy = strategies.gaussian_process(
        NUM_CHOICES,
        population_size=population_size,
        capacity=CAPACITY,
        boldness=boldness,
    )
    state = strategy.init(jax.random.key(0))
    state = state._replace(memory=model, generation=jnp.array(1))
    asked = np.asarray(strategy.ask(jax.random.key(1), state)).tolist()
    told = np.asarray(model.genomes)[:NUM_TOLD].tolist()
    scores, expected = plain_scores(model), []
    weights = np.linalg.inv(plain_told(model.scales, np.array(told)))
    mean = plain_covariance(model.scales, candidates, told) @ weights @ scores
    for _ in range(population_size):
        known = told + expected
        weights = np.linalg.inv(plain_told(model.scales, np.array(known)))
        shared = plain_covariance(model.scales, candidates, known)
        variance = 1 - np.einsum("cn,nm,cm->c", shared, weights, shared)
        bound = mean + boldness * np.sqrt(np.maximum(variance, surrogate.JITTER))
        bound[[c in known for c in candidates.tolist()]] = -np.inf
        expected.append(candidates[bound.argmax()].tolist())
    assert asked == expected


def test_the_recommended_finds_the_best_of_a_rugged_landscape_without_repeats():
    num_choices = (4, 3, 5, 3)  # 180 genomes
    fitness_fn = landscapes.nk(jax.random.key(3), num_choices, num_neighbours=1)
    genomes = jnp.stack(jnp.unravel_index(jnp.arange(180), num_choices), axis=1)
    strategy = strategies.recommended(num_choices, population_size=12, capacity=60)
    ask, tell = jax.jit(strategy.ask), jax.jit(strategy.tell)
    num_found = 0
    for seed in range(5):
        key = jax.random.key(seed)
        state, asked = strategy.init(key), []
        for generation in range(5):
            asked.append(ask(jax.random.fold_in(key, generation), state))
            state, _ = tell(state, asked[-1], fitness_fn(asked[-1]))
            # States of NumPy arrays, as loaded ones, do as well.
            state = jax.tree.map(np.asarray, state)
        assert len(np.unique(np.concatenate(asked), axis=0)) == 60
        assert (np.bincount(asked[0][:, 0]) == 3).all()  # a Latin hypercube
        num_found += state.best_fitness == fitness_fn(genomes).max()
    assert num_found >= 4  # random search: one in three runs


def test_too_small_a_memory_is_refused():
    with pytest.raises(ValueError, match="capacity=3 must be at least the population"):
        strategies.gaussian_process(NUM_CHOICES, population_size=4, capacity=3)
    with pytest.raises(ValueError, match="num_candidates=2 must be"):
        strategies.gaussian_process(NUM_CHOICES, population_size=4, num_candidates=2)


@pytest.mark.parametrize("part", ["ask", "tell"])
def test_the_model_is_exact_whatever_precision_products_have(part):
    strategy = strategies.gaussian_process(
        NUM_CHOICES, population_size=4, capacity=8, num_candidates=16
    )
    state = strategy.init(jax.random.key(0))
    call, given = strategy.ask, (jax.random.key(1), state)
    if part == "tell":
        call, given = strategy.tell, (state, state.population, jnp.zeros(4))
    with jax.default_matmul_precision("bfloat16"):
        text = jax.jit(call).lower(*given).as_text()
    products = [line for line in text.splitlines() if "dot_general" in line]
    assert products
    assert all("[HIGHEST, HIGHEST]" in line for line in products)


def test_scales_that_are_not_finite_do_not_stay(model):
    broken = model._replace(
        scales=jax.tree.map(lambda leaf: jnp.full_like(leaf, jnp.nan), model.scales)
    )
    jax.tree.map(
        np.testing.assert_array_equal,
        fit(broken, model.scales),
        fit(model, model.scales),
    )
    candidates, scores = model.genomes[:5], scores_of(model)
    mean, pull, _ = surrogate.predict(broken, scores, candidates, NUM_CHOICES)
    assert (mean == 0).all() and (pull == 0).all()


def test_a_search_goes_on_from_a_state_whose_scales_were_lost(model):
    strategy = strategies.gaussian_process(
        NUM_CHOICES, population_size=4, capacity=CAPACITY, num_candidates=16
    )
    state = strategy.init(jax.random.key(0))
    lost = jax.tree.map(lambda leaf: jnp.full_like(leaf, jnp.nan), model.scales)
    state = state._replace(
        memory=model._replace(scales=lost), generation=jnp.array(3, jnp.int32)
    )
    asked = strategy.ask(jax.random.key(1), state)
    assert len({tuple(genome) for genome in asked.tolist()}) == 4
    state, _ = strategy.tell(state, asked, jnp.arange(4.0))
    assert all(jnp.isfinite(s).all() for s in jax.tree.leaves(state.memory.scales))


def test_a_covariance_that_cannot_be_factored_gives_the_prior(model, monkeypatch):
    monkeypatch.setattr(surrogate, "JITTER", -2.0)  # no longer positive definite
    candidates, scores = model.genomes[:5], scores_of(model)
    mean, pull, _ = surrogate.predict(model, scores, candidates, NUM_CHOICES)
    assert (mean == 0).all() and (pull == 0).all()
    prior = jax.tree.map(lambda leaf: leaf + 1, model.scales)
    jax.tree.map(np.testing.assert_array_equal, fit(model, prior), prior)


def test_a_search_by_a_seed_stays_what_it_was():
    num_choices = (4, 3, 5, 3)
    fitness_fn = landscapes.nk(jax.random.key(3), num_choices, num_neighbours=1)
    strategy = strategies.recommended(num_choices, population_size=4, capacity=16)
    run = jax.jit(lambda key: strategies.run_strategy(key, strategy, fitness_fn, 4)[1])
    offspring = np.asarray(run(jax.random.key(1)).offspring).reshape(16, 4)
    asked = ["".join(map(str, genome)) for genome in offspring]
    assert asked == [
        *("2221", "1210", "0002", "3142", "2211", "1221", "2231", "3221"),
        *("3231", "3220", "3121", "3222", "2121", "3131", "3021", "3101"),
    ]
