"""A Gaussian process of fitness over integer genomes."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.scipy.linalg import cho_solve, solve_triangular
from jax.scipy.special import ndtri

NUM_STEPS, STEP_SIZE = 15, 0.15  # of fitting, each generation, from the last one on
JITTER = 1e-4  # keeps factorisations positive in float32


class Scales(NamedTuple):
    """Logarithms of what the covariance has as parameters."""

    differs: jax.Array  # float32[G], a gene with another choice
    distance: jax.Array  # float32[G], the squared distance of choices
    noise: jax.Array  # float32[], variance


class Model(NamedTuple):
    """What `gaussian_process` was told, and how it explains that."""

    genomes: jax.Array  # int32[N, G]
    fitness: jax.Array  # float32[N]
    num_told: jax.Array  # int32[], of all generations
    scales: Scales


def covariance(scales, genomes_1, genomes_2, num_choices):
    """Returns float32[A, B], the covariance of genomes; 1 of equal ones."""
    distance = jnp.zeros((len(genomes_1), len(genomes_2)))
    differs, weight = jnp.exp(scales.differs), jnp.exp(scales.distance)
    for gene, number in enumerate(num_choices):
        apart = genomes_1[:, gene, None] - genomes_2[None, :, gene]
        share = apart / max(number - 1, 1)
        distance += differs[gene] * (apart != 0) + weight[gene] * share**2
    return jnp.exp(-distance)


def normal_scores(fitness, is_told):
    """Returns float32[N]: the normal quantiles of ranks; 0 where nothing was told."""
    is_lower = (fitness[None, :] < fitness[:, None]) & is_told
    is_equal = (fitness[None, :] == fitness[:, None]) & is_told
    rank = is_lower.sum(axis=1) + is_equal.sum(axis=1) / 2  # ties share theirs
    share = rank / jnp.maximum(is_told.sum(), 1)
    return jnp.where(is_told, ndtri(jnp.clip(share, 1e-4, 1 - 1e-4)), 0.0)


def told_covariance(scales, genomes, is_told, num_choices):
    """Returns float32[N, N], noise included; those not told are independent."""
    both = is_told[:, None] & is_told
    smooth = jnp.where(both, covariance(scales, genomes, genomes, num_choices), 0.0)
    noise = jnp.where(is_told, jnp.exp(scales.noise) + JITTER, 1.0)
    return smooth + jnp.diag(noise)


def predict(model, is_told, candidates, num_choices):
    """Returns the mean of candidates, and what they share with those told.

    Returns:
      Mean float32[C]; float32[N, C], whose columns' squared lengths are how much less
      than 1 the variances are; and bool[C], whether a candidate was told.
    """
    scores = normal_scores(model.fitness, is_told)
    told = told_covariance(model.scales, model.genomes, is_told, num_choices)
    lower = jnp.linalg.cholesky(told)
    shared = covariance(model.scales, model.genomes, candidates, num_choices)
    shared = jnp.where(is_told[:, None], shared, 0.0)
    mean = cho_solve((lower, True), scores) @ shared
    is_same = jnp.ones(shared.shape, bool)
    for gene, told_gene in zip(candidates.T, model.genomes.T, strict=True):
        is_same &= told_gene[:, None] == gene
    is_known = (is_same & is_told[:, None]).any(axis=0)
    return mean, solve_triangular(lower, shared, lower=True), is_known


def fit(model, prior, num_choices):
    """Returns Scales a few steps up the posterior density.

    The logarithms have normal priors round those of `prior`, of deviation 1.
    """
    is_told = jnp.arange(len(model.fitness)) < model.num_told
    scores = normal_scores(model.fitness, is_told)
    optimizer = optax.adam(STEP_SIZE, b1=0.8, b2=0.9)

    def slope(scales):
        def told(scales):
            return told_covariance(scales, model.genomes, is_told, num_choices)

        matrix, pull_back = jax.vjp(told, scales)
        lower = jnp.linalg.cholesky(matrix)
        inverse = cho_solve((lower, True), jnp.eye(len(scores)))
        solved = inverse @ scores
        # The likelihood's slope by the covariance: Rasmussen & Williams, 2006, (5.9).
        (rise,) = pull_back((jnp.outer(solved, solved) - inverse) / 2)
        return jax.tree.map(lambda r, s, p: s - p - r, rise, scales, prior)

    def step(carry, _):
        scales, moments = carry
        updates, moments = optimizer.update(slope(scales), moments)
        return (optax.apply_updates(scales, updates), moments), None

    start = (model.scales, optimizer.init(model.scales))
    (scales, _), _ = jax.lax.scan(step, start, length=NUM_STEPS)
    return scales
