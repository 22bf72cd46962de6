"""Candidates that evolve by what a model says of them, and genes with an order."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import catalogue, operators, strategies
from vecevo.errors import InputError
from vecevo.runs.starting import start_search
from vecevo.space import SearchSpace
from vecevo.strategies import surrogate
from vecevo.strategies.candidates import breed_candidates

NUM_CHOICES = np.array([4] * 10)  # a million genomes


def slope(genomes):
    """Highest at the last choices; useless where the first two genes are both at 3."""
    merit = jnp.asarray(genomes.sum(axis=1), jnp.float32)
    return jnp.where((genomes[:, :2] == 3).all(axis=1), -jnp.inf, merit)


def test_candidates_climb_to_the_best_that_are_of_use():
    breed = jax.jit(lambda key, given: breed_candidates(key, given, slope, NUM_CHOICES))
    for seed in range(3):
        keys = jax.random.split(jax.random.key(seed))
        given = operators.random_population(keys[0], NUM_CHOICES, population_size=256)
        given = given.at[7].set(given[9])
        bred = np.asarray(breed(keys[1], given))
        assert bred.shape == (256, 10)
        assert len(np.unique(bred, axis=0)) == 256
        merit = np.asarray(slope(bred))
        assert np.isfinite(merit).all() and (np.diff(merit) <= 0).all()
        assert np.asarray(slope(given)).max() < 27 <= merit[0] == 29
        # Those that were given stay where no offspring is better.
        kept = {tuple(one) for one in np.asarray(given)[slope(given) > merit[-1]]}
        assert kept <= {tuple(one) for one in bred}


def test_a_space_of_fewer_genomes_than_candidates_is_all_there():
    num_choices = (2, 3)
    given = jnp.zeros((16, 2), jnp.int32)
    bred = breed_candidates(jax.random.key(0), given, slope, num_choices)
    assert len(np.unique(bred, axis=0)) == len(np.unique(bred[:6], axis=0)) == 6
    alone = breed_candidates(jax.random.key(0), given[:1], slope, num_choices)
    assert alone.shape == (1, 2) and slope(alone)[0] > 0


def test_known_genes_have_distance_where_they_are_ordered_and_else_difference():
    prior = surrogate.make_prior(4, (True, False, True, False))
    genomes = jnp.array([[0, 0, 0, 0], [1, 0, 0, 0], [3, 0, 0, 0], [0, 3, 0, 0]])
    found = surrogate.covariance(prior, genomes[:1], genomes, (4,) * 4)[0]
    shares = np.array([0, 1, 3]) / 3
    expected = [*np.exp(-9 / 4 * shares**2), np.exp(-3 / 4)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    both = surrogate.make_prior(4, None)
    found = surrogate.covariance(both, genomes[:1], genomes, (4,) * 4)[0]
    expected = np.exp(
        -(3 / 4) * np.array([0, 1, 1, 1]) - 9 / 4 * shares[[0, 1, 2, 2]] ** 2
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_fitting_does_not_bring_back_what_a_gene_does_not_have():
    rng = np.random.default_rng(0)
    genomes = jnp.array(rng.integers(0, 5, (24, 2)), jnp.int32)
    prior = surrogate.make_prior(2, (True, False))
    scores = jnp.array(rng.normal(size=24), jnp.float32)
    model = surrogate.Model(genomes, scores, jnp.array(24), prior)
    scales = surrogate.fit(model, scores, prior, (5, 5), num_steps=60)
    weights = jnp.exp(jnp.stack([scales.differs[0], scales.distance[1]]))
    assert (weights < 1e-5).all()
    kept = jnp.stack([scales.distance[0], scales.differs[1]])
    assert (
        jnp.abs(kept - jnp.stack([prior.distance[0], prior.differs[1]])) > 0.1
    ).any()


@pytest.mark.parametrize("name", ["recommended", "gaussian_process"])
@pytest.mark.parametrize("is_ordered", [(True,), (1, 0), True, ((True, False),)])
def test_an_order_of_other_genes_is_refused(name, is_ordered):
    make = getattr(strategies, name)
    with pytest.raises(InputError, match="must be a list of 2 truth values, one for"):
        make((3, 4), population_size=4, is_ordered=is_ordered)


def test_a_search_is_told_which_genes_of_its_space_are_ordered():
    space = SearchSpace(
        {"width": (4, 8, 16, 32), "activation": ("relu", "elu", "tanh")}
    )
    settings = {"population_size": 2, "num_generations": 3}
    by_name = start_search(
        *("recommended", jax.random.key(0), space),
        **settings,
        initial_population=None,
        objectives=("accuracy",),
    )
    made = catalogue.make_strategy(
        "recommended", space.num_choices, **settings, is_ordered=space.is_ordered
    )
    for state in (by_name.state, made.init(jax.random.key(0))):
        scales = state.memory.inner.scales
        np.testing.assert_allclose(jnp.exp(scales.differs), [0, 1.5], atol=1e-5)
        np.testing.assert_allclose(jnp.exp(scales.distance), [4.5, 0], atol=1e-5)
