"""Search by a model: asks where a Gaussian process promises the most."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from vecevo import operators
from vecevo.errors import InputError
from vecevo.operators.checks import NumChoices, as_static, check_numbers, check_whole
from vecevo.strategies import surrogate
from vecevo.strategies.candidates import breed_candidates, draw_candidates
from vecevo.strategies.protocol import (
    EvolutionState,
    GenerationInfo,
    Strategy,
    as_told,
    conclude,
    make_init,
)
from vecevo.strategies.repeats import without_repeats

NUM_STEPS = 15  # of fitting, each generation, from the last one on
NUM_STEPS_OF_JUDGE = 60  # from the prior on, once
MOST_MODELLED = 1024  # genomes, of `recommended`; a generation takes the cube of that


def gaussian_process(
    num_choices: NumChoices,
    *,
    population_size: int,
    capacity: int = 640,
    num_candidates: int = 1024,
    boldness: ArrayLike = 1.0,
    is_ordered: Sequence[bool] | None = None,
) -> Strategy:
    """Asks for the genomes of the highest upper confidence bound under a model.

    The ranks of the fitness told, as normal scores (Salinas, Shen & Perrone, "A
    quantile-based approach for hyperparameter transfer learning", 2020), are a
    Gaussian process of the genome. The logarithm of the covariance falls by an amount
    for each gene with another choice, and by another one times the square of how far
    apart the choices are in the gene's list. Where it is known which genes are ordered,
    these have the second amount alone, and the others the first. The amounts, and the
    noise, are fitted every generation to the posterior density.

    Candidates are crossed and reset genomes of the fittest told, and as many random
    ones, which then evolve for some rounds by their bounds. The offspring maximise
    mean + boldness * deviation one after the other; each narrows the deviation of
    those like it as if its mean had been told, which makes the batch diverse (GP-BUCB:
    Desautels, Krause & Burdick, "Parallelizing exploration-exploitation tradeoffs in
    Gaussian process bandit optimization", 2014). The first population is a Latin
    hypercube.

    The results of networks are noisy, and the best of many is the luckiest. `judge`
    fits the same model once more, to fitness itself with all below the median at it,
    and returns in deviations what is to be expected of a genome: the posterior mean,
    and half of what it was told beyond that. One result cannot say how much of that
    was luck, and how much the network's own.

    A generation costs time as the cube of the capacity: a second or less for 640.

    Args:
      num_choices: int32[G], static.
      population_size: P, asked in each generation.
      capacity: N, genomes the model knows, static; the oldest are forgotten.
      num_candidates: among which offspring are chosen, static.
      boldness: 0 or more, may be traced.
      is_ordered: by gene, whether its choices have an order, as numbers have
        (`SearchSpace.is_ordered`), static; None where that is not known.

    Raises:
      InputError: for a capacity or num_candidates below population_size, a negative
        boldness, or an is_ordered of other genes.
    """
    num_choices = as_static(num_choices)
    check_whole(1, population_size=population_size)
    num_genes = len(num_choices)
    _check_room(population_size, capacity=capacity, num_candidates=num_candidates)
    check_numbers(
        lambda boldness: (boldness >= 0) & np.isfinite(boldness),
        "0 or more",
        boldness=boldness,
    )
    prior = surrogate.make_prior(num_genes, is_ordered)

    def start(key: jax.Array, population: jax.Array) -> surrogate.Model:
        del key
        return surrogate.Model(
            genomes=jnp.zeros((capacity, num_genes), jnp.int32),
            fitness=jnp.full(capacity, -jnp.inf, jnp.float32),
            num_told=jnp.zeros((), jnp.int32),
            scales=prior,
        )

    plain_init = make_init(num_choices, population_size, memory_fn=start)

    def init(key: jax.Array, population: ArrayLike | None = None) -> EvolutionState:
        if population is None:
            population = operators.stratified_population(
                key, num_choices, population_size=population_size
            )
        return plain_init(key, population)

    def ask(key: jax.Array, state: EvolutionState) -> jax.Array:
        model = state.memory
        model = model._replace(scales=surrogate.finite_or(model.scales, prior))
        fresh = next_batch(
            *(key, model, num_choices),
            population_size=population_size,
            num_candidates=num_candidates,
            boldness=boldness,
        )
        return jnp.where(state.generation == 0, state.population, fresh)

    def tell(
        state: EvolutionState, offspring: jax.Array, fitness: jax.Array
    ) -> tuple[EvolutionState, GenerationInfo]:
        offspring, fitness = as_told(state, offspring, fitness)
        model = jax.tree.map(jnp.asarray, state.memory)  # it may have been loaded
        places = (model.num_told + jnp.arange(population_size)) % capacity
        model = model._replace(
            genomes=model.genomes.at[places].set(offspring),
            fitness=model.fitness.at[places].set(fitness),
            num_told=model.num_told + population_size,
        )
        scores = surrogate.normal_scores(model.fitness, surrogate.told_in(model))
        scales = surrogate.fit(model, scores, prior, num_choices, num_steps=NUM_STEPS)
        memory = model._replace(scales=scales)
        return conclude(state, offspring, fitness, memory=memory)

    def judge(state: EvolutionState, genomes: jax.Array) -> jax.Array:
        model = jax.tree.map(jnp.asarray, state.memory)._replace(scales=prior)
        scores = surrogate.upper_scores(model.fitness, surrogate.told_in(model))
        scales = surrogate.fit(
            *(model, scores, prior, num_choices), num_steps=NUM_STEPS_OF_JUDGE
        )
        model = model._replace(scales=scales)
        mean, _, is_known = surrogate.predict(model, scores, genomes, num_choices)
        is_own = surrogate.is_told_of(model, genomes)
        told = scores @ is_own / jnp.maximum(is_own.sum(axis=0), 1)
        return jnp.where(is_known, (mean + told) / 2, mean)

    return Strategy(init=init, ask=ask, tell=tell, share_new=1.0, judge=judge)


def recommended(
    num_choices: NumChoices,
    *,
    population_size: int,
    capacity: int = 640,
    is_ordered: Sequence[bool] | None = None,
) -> Strategy:
    """The strategy to take where nothing speaks for another one.

    `gaussian_process`, which asks for no genome twice. It was chosen among the others
    on NK landscapes and recorded tables (`python -m bench search_choice`), and then
    compared with other packages on other tables (`python -m bench search`).

    Args:
      num_choices: int32[G], static.
      population_size: P, asked in each generation.
      capacity: genomes that will be told; may be less, then the oldest are forgotten.
        The model takes the latest 1024 at most.
      is_ordered: by gene, whether its choices have an order; None where that is not
        known.

    Raises:
      InputError: for a population_size or capacity below 1, or an is_ordered of other
        genes.
    """
    check_whole(1, population_size=population_size, capacity=capacity)
    modelled = max(population_size, min(capacity, MOST_MODELLED))
    strategy = gaussian_process(
        num_choices,
        population_size=population_size,
        capacity=modelled,
        num_candidates=max(1024, 4 * population_size),
        is_ordered=is_ordered,
    )
    return without_repeats(
        strategy, num_choices, capacity=max(capacity, population_size)
    )


def next_batch(
    key: jax.Array,
    model: surrogate.Model,
    num_choices: NumChoices,
    *,
    population_size: int,
    num_candidates: int,
    boldness: ArrayLike,
) -> jax.Array:
    """Returns int32[P, G], chosen among candidates that have evolved by their bound."""
    draw_key, breed_key = jax.random.split(key)
    scores = surrogate.normal_scores(model.fitness, surrogate.told_in(model))
    posterior = surrogate.condition(model, scores, num_choices)

    def bound(genomes: jax.Array) -> jax.Array:
        mean, pull, is_known = surrogate.expect(posterior, genomes, num_choices)
        deviation = jnp.sqrt(surrogate.variance_of(pull))
        return jnp.where(is_known, -jnp.inf, mean + boldness * deviation)

    drawn = draw_candidates(
        *(draw_key, model.genomes, model.fitness, model.num_told, num_choices),
        num_candidates=num_candidates,
    )
    candidates = breed_candidates(breed_key, drawn, bound, num_choices)
    chosen = choose_batch(
        candidates,
        *surrogate.expect(posterior, candidates, num_choices),
        model.scales,
        num_choices,
        population_size=population_size,
        boldness=boldness,
    )
    return candidates[chosen]


@surrogate.exactly
def choose_batch(
    candidates: jax.Array,
    mean: jax.Array,
    pull: jax.Array,
    is_known: jax.Array,
    scales: surrogate.Scales,
    num_choices: NumChoices,
    *,
    population_size: int,
    boldness: ArrayLike,
) -> jax.Array:
    """Returns int32[P], the candidates of the highest bounds, chosen one by one.

    `mean`, `pull` and `is_known` are those of `surrogate.predict`; P is static.
    """
    num_told, noise = len(pull), jnp.exp(scales.noise)

    def choose(
        carry: tuple[jax.Array, ...], row: jax.Array
    ) -> tuple[tuple[jax.Array, ...], jax.Array]:
        pull, variance, is_taken = carry
        bound = mean + boldness * jnp.sqrt(variance)
        best = jnp.argmax(jnp.where(is_taken, -jnp.inf, bound))
        to_best = surrogate.covariance(
            scales, candidates[best][None], candidates, num_choices
        )[0]
        shared = (to_best - pull[:, best] @ pull) / jnp.sqrt(variance[best] + noise)
        variance = jnp.maximum(variance - shared**2, surrogate.JITTER)
        is_same = (candidates == candidates[best]).all(axis=1)
        return (pull.at[row].set(shared), variance, is_taken | is_same), best

    variance = surrogate.variance_of(pull)
    pull = jnp.pad(pull, ((0, population_size), (0, 0)))
    rows = num_told + jnp.arange(population_size)
    _, chosen = jax.lax.scan(choose, (pull, variance, is_known), rows)
    return chosen


def _check_room(population_size: int, **numbers: int) -> None:
    check_whole(1, None, "", **numbers)
    for name, number in numbers.items():
        if number < population_size:
            raise InputError(
                f"{name}={number} must be at least the population_size, "
                f"{population_size}."
            )
