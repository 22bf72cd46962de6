"""A Gaussian process of fitness over integer genomes.

It is computed exactly, whatever precision products have elsewhere: rounded ones make
factorisations fail. Where one fails all the same, the prior stands.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.scipy.linalg import cho_solve, solve_triangular
from jax.scipy.special import ndtri

from vecevo.errors import InputError
from vecevo.operators.checks import NumChoices

STEP_SIZE = 0.15  # of fitting
ABSENT = np.log(1e-6)  # of an amount that a gene does not have
JITTER = 1e-4  # keeps factorisations positive in float32


class Scales(NamedTuple):
    """Logarithms of what the covariance has as parameters."""

    differs: jax.Array  # float32[G], a gene with another choice
    distance: jax.Array  # float32[G], the squared distance of choices
    noise: jax.Array  # float32[], variance


def make_prior(num_genes: int, is_ordered: Sequence[bool] | None) -> Scales:
    """Returns the Scales that are the most likely beforehand.

    Args:
      num_genes: G.
      is_ordered: by gene; None where that is not known, and genes may be both.

    Raises:
      InputError: for an is_ordered of other genes.
    """
    differs = np.full(num_genes, np.log(3 / num_genes))
    distance = np.full(num_genes, np.log(9 / num_genes))
    if is_ordered is not None:
        order = np.asarray(is_ordered)
        if order.shape != (num_genes,) or order.dtype != bool:
            raise InputError(
                f"is_ordered={order.tolist()} must be a list of {num_genes} truth "
                "values, one for each gene."
            )
        differs = np.where(order, ABSENT, differs)
        distance = np.where(order, distance, ABSENT)
    return Scales(
        differs=jnp.asarray(differs, jnp.float32),
        distance=jnp.asarray(distance, jnp.float32),
        noise=jnp.full((), np.log(0.1), jnp.float32),
    )


class Model(NamedTuple):
    """What `gaussian_process` was told, and how it explains that."""

    genomes: jax.Array  # int32[N, G]
    fitness: jax.Array  # float32[N]
    num_told: jax.Array  # int32[], of all generations
    scales: Scales


def told_in(model: Model) -> jax.Array:
    """Returns bool[N], the places that were told."""
    return jnp.arange(len(model.fitness)) < model.num_told


def is_told_of(model: Model, candidates: jax.Array) -> jax.Array:
    """Returns bool[N, C], whether a place was told of a candidate."""
    is_same = jnp.ones((len(model.genomes), len(candidates)), bool)
    for gene, told_gene in zip(candidates.T, model.genomes.T, strict=True):
        is_same &= told_gene[:, None] == gene
    return is_same & told_in(model)[:, None]


def exactly[**Params, Returned](
    fn: Callable[Params, Returned],
) -> Callable[Params, Returned]:
    """Lets the products of a function have all the precision there is."""

    @functools.wraps(fn)
    def call(*args: Params.args, **kwargs: Params.kwargs) -> Returned:
        with jax.default_matmul_precision("highest"):
            return fn(*args, **kwargs)

    return call


def finite_or(scales: Scales, prior: Scales) -> Scales:
    """Returns the scales, or the prior's where one of them is not finite."""
    leaves = jax.tree.leaves(scales)
    is_finite = jnp.stack([jnp.isfinite(leaf).all() for leaf in leaves]).all()
    return jax.tree.map(lambda s, p: jnp.where(is_finite, s, p), scales, prior)


def covariance(
    scales: Scales,
    genomes_1: jax.Array,
    genomes_2: jax.Array,
    num_choices: NumChoices,
) -> jax.Array:
    """Returns float32[A, B], the covariance of genomes; 1 of equal ones."""
    distance = jnp.zeros((len(genomes_1), len(genomes_2)))
    differs, weight = jnp.exp(scales.differs), jnp.exp(scales.distance)
    for gene, number in enumerate(num_choices):
        apart = genomes_1[:, gene, None] - genomes_2[None, :, gene]
        share = apart / max(number - 1, 1)
        distance += differs[gene] * (apart != 0) + weight[gene] * share**2
    return jnp.exp(-distance)


def normal_scores(fitness: jax.Array, is_told: jax.Array) -> jax.Array:
    """Returns float32[N]: the normal quantiles of ranks; 0 where nothing was told."""
    is_lower = (fitness[None, :] < fitness[:, None]) & is_told
    is_equal = (fitness[None, :] == fitness[:, None]) & is_told
    rank = is_lower.sum(axis=1) + is_equal.sum(axis=1) / 2  # ties share theirs
    share = rank / jnp.maximum(is_told.sum(), 1)
    return jnp.where(is_told, ndtri(jnp.clip(share, 1e-4, 1 - 1e-4)), 0.0)


def told_covariance(
    scales: Scales, genomes: jax.Array, is_told: jax.Array, num_choices: NumChoices
) -> jax.Array:
    """Returns float32[N, N], noise included; those not told are independent."""
    both = is_told[:, None] & is_told
    smooth = jnp.where(both, covariance(scales, genomes, genomes, num_choices), 0.0)
    noise = jnp.where(is_told, jnp.exp(scales.noise) + JITTER, 1.0)
    return smooth + jnp.diag(noise)


def upper_scores(fitness: jax.Array, is_told: jax.Array) -> jax.Array:
    """Returns float32[N]: fitness in deviations, with all below the median at it.

    Unlike ranks, it does not pull apart what is nearly equal, and it has no eye for how
    bad the worse half is. The median is that of those that did not fail. 0 where
    nothing was told; NaN where all failed.
    """
    is_finite = is_told & jnp.isfinite(fitness)
    median = jnp.nanmedian(jnp.where(is_finite, fitness, jnp.nan))
    kept = jnp.maximum(fitness, median)
    mean = jnp.mean(kept, where=is_told)
    deviation = jnp.std(kept, where=is_told)
    scaled = (kept - mean) / jnp.where(deviation > 0, deviation, 1.0)
    return jnp.where(is_told, scaled, 0.0)


class Posterior(NamedTuple):
    """A model with all that does not depend on what is asked of it."""

    model: Model
    lower: jax.Array  # float32[N, N], the factor of the covariance of those told
    weights: jax.Array  # float32[N], of covariances with them, in a mean


@exactly
def condition(model: Model, scores: jax.Array, num_choices: NumChoices) -> Posterior:
    """Lets a model know scores float32[N], about 0, of its genomes."""
    told = told_covariance(model.scales, model.genomes, told_in(model), num_choices)
    lower = jnp.linalg.cholesky(told)
    return Posterior(model, lower, cho_solve((lower, True), scores))


@exactly
def expect(
    posterior: Posterior, candidates: jax.Array, num_choices: NumChoices
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns the mean of candidates, and what they share with those told.

    Args:
      posterior: Posterior.
      candidates: int32[C, G].
      num_choices: int32[G], static.

    Returns:
      Mean float32[C]; float32[N, C], of which `variance_of` makes variances; and
      bool[C], whether a candidate was told. Where the covariance could not be
      factored, the first two are those of the prior: 0.
    """
    model, lower, weights = posterior
    shared = covariance(model.scales, model.genomes, candidates, num_choices)
    shared = jnp.where(told_in(model)[:, None], shared, 0.0)
    is_factored = jnp.isfinite(lower).all()
    mean = jnp.where(is_factored, weights @ shared, 0.0)
    pull = jnp.where(is_factored, solve_triangular(lower, shared, lower=True), 0.0)
    return mean, pull, is_told_of(model, candidates).any(axis=0)


def variance_of(pull: jax.Array) -> jax.Array:
    """Returns float32[C]: 1, less the squared lengths of the columns."""
    return jnp.maximum(1 - (pull**2).sum(axis=0), JITTER)


def predict(
    model: Model, scores: jax.Array, candidates: jax.Array, num_choices: NumChoices
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Conditions a model on scores, and returns what it expects of candidates."""
    return expect(condition(model, scores, num_choices), candidates, num_choices)


@exactly
def fit(
    model: Model,
    scores: jax.Array,
    prior: Scales,
    num_choices: NumChoices,
    *,
    num_steps: int,
) -> Scales:
    """Returns Scales a few steps from the model's up the posterior density.

    The logarithms have normal priors round those of `prior`, of deviation 1. Steps that
    lead to what is not finite end at the prior.
    """
    is_told = told_in(model)
    optimizer = optax.adam(STEP_SIZE, b1=0.8, b2=0.9)

    def slope(scales: Scales) -> Scales:
        def told(scales: Scales) -> jax.Array:
            return told_covariance(scales, model.genomes, is_told, num_choices)

        matrix, pull_back = jax.vjp(told, scales)
        lower = jnp.linalg.cholesky(matrix)
        inverse = cho_solve((lower, True), jnp.eye(len(scores)))
        solved = inverse @ scores
        # The likelihood's slope by the covariance: Rasmussen & Williams, 2006, (5.9).
        (rise,) = pull_back((jnp.outer(solved, solved) - inverse) / 2)
        return jax.tree.map(lambda r, s, p: s - p - r, rise, scales, prior)

    def step(
        carry: tuple[Scales, optax.OptState], _: None
    ) -> tuple[tuple[Scales, optax.OptState], None]:
        scales, moments = carry
        updates, moments = optimizer.update(slope(scales), moments)
        moved: Any = optax.apply_updates(scales, updates)
        return (moved, moments), None

    first = finite_or(model.scales, prior)
    start = (first, optimizer.init(first))
    (scales, _), _ = jax.lax.scan(step, start, length=num_steps)
    return finite_or(scales, prior)
