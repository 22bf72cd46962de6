"""Who breeds: indices of parents, drawn by fitness.

Fitness is higher for better and never NaN; -inf is a legal value, of an individual
that failed, and individuals of equal fitness have equal chances.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from vecevo.operators import draws
from vecevo.operators.checks import Array, as_fitness, check_numbers, check_whole
from vecevo.operators.ranking import best_first


def truncation_selection(
    key: jax.Array, fitness: Array, *, num_parents: int, num_best: int | jax.Array
) -> jax.Array:
    """Picks each parent uniformly among the fittest.

    Of individuals of equal fitness on the border, those that come first are in.
    See Muehlenbein & Schlierkamp-Voosen, "Predictive models for the breeder genetic
    algorithm", 1993.

    Args:
      key: random key, consumed.
      fitness: float32[P].
      num_parents: S, static. Parents may repeat.
      num_best: how many of the fittest may breed, from 1 to P; may be traced.

    Returns:
      int32[S], indices into the population.

    Raises:
      InputError: for a num_best that is not from 1 to P, or a num_parents below 1.
    """
    fitness = as_fitness(fitness)
    check_whole(1, num_parents=num_parents)
    check_whole(1, len(fitness), "the size of the population", num_best=num_best)
    return best_first(fitness)[jax.random.randint(key, (num_parents,), 0, num_best)]


def tournament_selection(
    key: jax.Array, fitness: Array, *, num_parents: int, tournament_size: int
) -> jax.Array:
    """Picks each parent as the fittest of a few random contestants.

    A parent of rank r (0 = worst) among P distinct fitnesses wins with probability
    ((r + 1)^k - r^k) / P^k, where k = tournament_size. See Goldberg & Deb, "A
    comparative analysis of selection schemes used in genetic algorithms", 1991.

    Args:
      key: random key, consumed.
      fitness: float32[P].
      num_parents: S, static. Parents may repeat.
      tournament_size: contestants per parent, static; 1 is a uniform choice.

    Returns:
      int32[S], indices into the population.

    Raises:
      InputError: for a num_parents or tournament_size below 1.
    """
    fitness = as_fitness(fitness)
    check_whole(1, num_parents=num_parents, tournament_size=tournament_size)
    shape = (num_parents, tournament_size)
    contestants = draws.randint(key, shape, 0, fitness.shape[0])
    winner = jnp.argmax(fitness[contestants], axis=1, keepdims=True)
    return jnp.take_along_axis(contestants, winner, axis=1)[:, 0]


def roulette_selection(
    key: jax.Array, fitness: Array, *, num_parents: int
) -> jax.Array:
    """Picks each parent with a probability proportional to its fitness.

    Fitness below 0, -inf included, has no share; where no fitness is above 0, all
    have the same. See Holland, "Adaptation in natural and artificial systems", 1975.

    Args:
      key: random key, consumed.
      fitness: float32[P].
      num_parents: S, static. Parents may repeat.

    Returns:
      int32[S], indices into the population.

    Raises:
      InputError: for a num_parents below 1.
    """
    fitness = as_fitness(fitness)
    check_whole(1, num_parents=num_parents)
    spins = jax.random.uniform(key, (num_parents,))
    return _on_the_wheel(_shares(fitness), spins)


def stochastic_universal_selection(
    key: jax.Array, fitness: Array, *, num_parents: int
) -> jax.Array:
    """Picks all parents by one spin of a wheel with S evenly spaced pointers.

    Probabilities are those of `roulette_selection`, but an individual that expects n
    parents gets floor(n) or ceil(n). Parents come in random order, so that
    neighbours can breed. See Baker, "Reducing bias and inefficiency in the selection
    algorithm", 1987.

    Args:
      key: random key, consumed.
      fitness: float32[P].
      num_parents: S, static. Parents may repeat.

    Returns:
      int32[S], indices into the population.

    Raises:
      InputError: for a num_parents below 1.
    """
    fitness = as_fitness(fitness)
    check_whole(1, num_parents=num_parents)
    spin_key, order_key = jax.random.split(key)
    spins = (jnp.arange(num_parents) + jax.random.uniform(spin_key)) / num_parents
    parents = _on_the_wheel(_shares(fitness), spins)
    return jax.random.permutation(order_key, parents)


def linear_rank_selection(
    key: jax.Array, fitness: Array, *, num_parents: int, pressure: ArrayLike
) -> jax.Array:
    """Picks parents with a probability that grows linearly with their rank.

    An individual of rank r (0 = worst) among P has probability
    (2 - s + 2 r (s - 1) / (P - 1)) / P, where s = pressure; equal fitnesses share
    their ranks' mean. See Baker, "Adaptive selection methods for genetic
    algorithms", 1985.

    Args:
      key: random key, consumed.
      fitness: float32[P].
      num_parents: S, static. Parents may repeat.
      pressure: offspring that the best one expects, from 1 (uniform) to 2; may be
        traced.

    Returns:
      int32[S], indices into the population.

    Raises:
      InputError: for a pressure that is not from 1 to 2, or a num_parents below 1.
    """
    fitness = as_fitness(fitness)
    check_whole(1, num_parents=num_parents)
    check_numbers(lambda s: (s >= 1) & (s <= 2), "from 1 to 2", pressure=pressure)
    size = fitness.shape[0]
    shares = 2 - pressure + 2 * mean_rank(fitness) * (pressure - 1) / max(size - 1, 1)
    shares = jnp.where(size == 1, 1.0, shares)
    return _on_the_wheel(shares, jax.random.uniform(key, (num_parents,)))


def exponential_rank_selection(
    key: jax.Array, fitness: Array, *, num_parents: int, base: ArrayLike
) -> jax.Array:
    """Picks parents with a probability that shrinks by a factor from rank to rank.

    An individual of rank r (0 = worst) among P has a probability proportional to
    base^(P - 1 - r); equal fitnesses share their ranks' mean. See Blickle & Thiele,
    "A comparison of selection schemes used in evolutionary algorithms", 1996.

    Args:
      key: random key, consumed.
      fitness: float32[P].
      num_parents: S, static. Parents may repeat.
      base: above 0 and at most 1 (uniform); may be traced.

    Returns:
      int32[S], indices into the population.

    Raises:
      InputError: for a base that is not above 0 and at most 1, or a num_parents
        below 1.
    """
    fitness = as_fitness(fitness)
    check_whole(1, num_parents=num_parents)
    check_numbers(lambda b: (b > 0) & (b <= 1), "above 0 and at most 1", base=base)
    shares = jnp.power(base, fitness.shape[0] - 1 - mean_rank(fitness))
    return _on_the_wheel(shares, jax.random.uniform(key, (num_parents,)))


def mean_rank(fitness: jax.Array) -> jax.Array:
    """Returns float32[P]: 0 for the worst; equals share the mean of their ranks."""
    ascending = jnp.sort(fitness)
    below = jnp.searchsorted(ascending, fitness, side="left")
    up_to = jnp.searchsorted(ascending, fitness, side="right")
    return (below + up_to - 1) / 2


def _shares(fitness: jax.Array) -> jax.Array:
    shares = jnp.maximum(fitness, 0)
    return jnp.where(shares.sum() > 0, shares, 1.0)


def _on_the_wheel(shares: jax.Array, spins: jax.Array) -> jax.Array:
    """Returns int32, the individuals that spins in [0, 1) point at."""
    edges = jnp.cumsum(shares)
    places = jnp.searchsorted(edges, spins * edges[-1], side="right")
    # Rounding may carry a spin past the last edge, or onto one without a share.
    last = jnp.max(jnp.where(shares > 0, jnp.arange(shares.shape[0]), 0))
    return jnp.minimum(places, last).astype(jnp.int32)
