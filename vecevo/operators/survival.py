"""Who lives on: the article's survivors, and those of the textbooks.

Fitness is higher for better and never NaN; -inf is a legal value, of an individual
that failed.
"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from vecevo.errors import InputError
from vecevo.operators import draws
from vecevo.operators.checks import Array, as_fitness, check_rates, check_whole
from vecevo.operators.ranking import best_first, rank

UNRANKED = 2**31 - 1  # the front of an individual that has none yet
SIZE = "the size of the population"  # as a limit


def random_count_survival(
    key: jax.Array,
    fitness: Array,
    *,
    num_best: int | jax.Array,
    num_random: int | jax.Array,
) -> jax.Array:
    """Keeps the fittest and a fixed number of the others at random.

    Args:
      key: random key, consumed.
      fitness: float32[P], higher is better, no NaN.
      num_best: number of the fittest to keep, may be traced.
      num_random: number of the others to keep, may be traced; together from 1 to P.

    Returns:
      bool[P], who survives; exactly num_best + num_random do.

    Raises:
      InputError: for numbers below 0, or that are not from 1 to P together.
    """
    fitness = as_fitness(fitness)
    check_whole(0, len(fitness), SIZE, num_best=num_best, num_random=num_random)
    together = {"num_best + num_random": num_best + num_random}
    check_whole(1, len(fitness), SIZE, **together)
    luck = jax.random.uniform(key, fitness.shape)
    luck = jnp.where(rank(fitness) < num_best, 2.0, luck)
    return rank(luck) < num_best + num_random


def random_rate_survival(
    key: jax.Array,
    fitness: Array,
    *,
    num_best: int | jax.Array,
    random_rate: ArrayLike,
) -> jax.Array:
    """Keeps the fittest, and each of the others with a probability.

    Args:
      key: random key, consumed.
      fitness: float32[P], higher is better, no NaN.
      num_best: number of the fittest to keep, from 0 to P; may be traced.
      random_rate: probability, may be traced; one for all, or [P].

    Returns:
      bool[P], who survives; at least num_best do.

    Raises:
      InputError: for a num_best out of range, or a random_rate that is none.
    """
    fitness = as_fitness(fitness)
    check_whole(0, len(fitness), SIZE, num_best=num_best)
    check_rates(shape=fitness.shape, random_rate=random_rate)
    is_lucky = draws.bernoulli(key, random_rate, fitness.shape)
    return (rank(fitness) < num_best) | is_lucky


def plus_survival(fitness: Array, *, num_survivors: int) -> jax.Array:
    """Keeps the fittest of parents and offspring together, (mu + lambda).

    Of equals the earlier survives. See Schwefel, "Numerical optimization of computer
    models", 1981.

    Args:
      fitness: float32[P], of the parents and, after them, their offspring; no NaN.
      num_survivors: S, static.

    Returns:
      int32[S], indices into what `fitness` is of, the fittest first.

    Raises:
      InputError: for a num_survivors that is not from 1 to P.
    """
    fitness = as_fitness(fitness)
    check_whole(1, len(fitness), SIZE, num_survivors=num_survivors)
    return best_first(fitness)[:num_survivors]


def comma_survival(
    fitness: Array, *, num_parents: int, num_survivors: int
) -> jax.Array:
    """Keeps the fittest of the offspring alone, (mu, lambda).

    See Schwefel, "Numerical optimization of computer models", 1981.

    Args:
      fitness: float32[P], of the parents and, after them, their offspring; no NaN.
      num_parents: number of the parents, static.
      num_survivors: S, static; at most the number of offspring.

    Returns:
      int32[S], indices into what `fitness` is of, the fittest first.

    Raises:
      InputError: for a num_parents that leaves no offspring, or a num_survivors that
        is not from 1 to their number.
    """
    fitness = as_fitness(fitness)
    num_offspring = _count_offspring(fitness, num_parents)
    check_whole(
        1, num_offspring, "the number of offspring", num_survivors=num_survivors
    )
    return num_parents + best_first(fitness[num_parents:])[:num_survivors]


def elitist_survival(
    fitness: Array, *, num_parents: int, num_elites: int, num_survivors: int
) -> jax.Array:
    """Keeps the fittest parents, the elites, and fills up with the fittest offspring.

    See De Jong, "An analysis of the behavior of a class of genetic adaptive systems",
    1975.

    Args:
      fitness: float32[P], of the parents and, after them, their offspring; no NaN.
      num_parents: number of the parents, static.
      num_elites: number of parents to keep, static; from 0 to num_parents.
      num_survivors: S, static; at least num_elites, and at most that and all
        offspring.

    Returns:
      int32[S], indices into what `fitness` is of, the elites first.

    Raises:
      InputError: for a num_parents that leaves no offspring, more elites than
        parents, or a num_survivors out of range.
    """
    fitness = as_fitness(fitness)
    num_offspring = _count_offspring(fitness, num_parents)
    check_whole(0, num_parents, "the number of parents", num_elites=num_elites)
    check_whole(
        max(1, num_elites),
        num_elites + num_offspring,
        "elites and all offspring",
        num_survivors=num_survivors,
    )
    elites = best_first(fitness[:num_parents])[:num_elites]
    others = best_first(fitness[num_parents:])[: num_survivors - num_elites]
    return jnp.concatenate([elites, num_parents + others])


def aging_survival(birth: Array, *, num_survivors: int) -> jax.Array:
    """Keeps the youngest, however fit they are.

    Of equally old ones the later survives. See Real et al., "Regularized evolution
    for image classifier architecture search", 2019.

    Args:
      birth: int32[P], the generation in which each was born.
      num_survivors: S, static.

    Returns:
      int32[S], indices in ascending order: who was first stays first.

    Raises:
      InputError: for a num_survivors that is not from 1 to P.
    """
    birth = as_fitness(birth, name="birth")
    check_whole(1, len(birth), SIZE, num_survivors=num_survivors)
    oldest_first = jnp.argsort(birth, stable=True)
    return jnp.sort(oldest_first[birth.shape[0] - num_survivors :]).astype(jnp.int32)


def nsga2_survival(fitness: Array, *, num_survivors: int) -> jax.Array:
    """Keeps the best fronts, and of the last one those with the most room.

    Individuals go by the number of their non-dominated front, then by crowding
    distance. See Deb et al., "A fast and elitist multiobjective genetic algorithm:
    NSGA-II", 2002.

    Args:
      fitness: float32[P, M], every objective higher for better; no NaN.
      num_survivors: S, static.

    Returns:
      int32[S], indices, the best first.

    Raises:
      InputError: for a fitness without objectives, or a num_survivors that is not
        from 1 to P.
    """
    fitness = jnp.asarray(fitness)
    if fitness.ndim != 2 or not fitness.size:
        raise InputError(
            f"fitness is {fitness.dtype}{list(fitness.shape)}: give one row for each "
            "individual, with one column for each objective."
        )
    check_whole(1, len(fitness), SIZE, num_survivors=num_survivors)
    front = non_dominated_front(fitness)
    distance = crowding_distance(fitness, front)
    order = jnp.lexsort((-distance, front))
    return order[:num_survivors].astype(jnp.int32)


def non_dominated_front(fitness: jax.Array) -> jax.Array:
    """Returns int32[P], the front of each individual of fitness float32[P, M].

    Front 0 is dominated by none; the next one is when those before are left out. An
    individual dominates another if it is nowhere worse and somewhere better.
    """
    nowhere_worse = (fitness[:, None] >= fitness[None]).all(-1)
    dominates = nowhere_worse & (fitness[:, None] > fitness[None]).any(-1)

    def peel(carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        front, number = carry
        is_left = front == UNRANKED
        is_dominated = (dominates & is_left[:, None]).any(0)
        return jnp.where(is_left & ~is_dominated, number, front), number + 1

    front = jnp.full(fitness.shape[0], UNRANKED)
    front, _ = jax.lax.while_loop(
        lambda carry: (carry[0] == UNRANKED).any(), peel, (front, jnp.int32(0))
    )
    return front


def crowding_distance(fitness: jax.Array, front: jax.Array) -> jax.Array:
    """Returns float32[P], the room of each individual within its front.

    For each objective it is the difference of both neighbours, relative to the
    front's range, summed; the ends of a front have infinite room.

    Args:
      fitness: float32[P, M].
      front: int32[P].
    """

    def room(values: jax.Array) -> jax.Array:
        order = jnp.lexsort((values, front))
        ordered, fronts = values[order], front[order]
        before, after = jnp.roll(ordered, 1), jnp.roll(ordered, -1)
        is_first = jnp.arange(len(order)) == 0
        is_last = jnp.arange(len(order)) == len(order) - 1
        is_first |= fronts != jnp.roll(fronts, 1)
        is_last |= fronts != jnp.roll(fronts, -1)
        low = jax.ops.segment_min(values, front, num_segments=len(order))[fronts]
        high = jax.ops.segment_max(values, front, num_segments=len(order))[fronts]
        span = jnp.where(high > low, high - low, 1.0)
        # A failed individual, at -inf, makes no room that can be measured.
        share = jnp.nan_to_num((after - before) / span, nan=0.0, posinf=0.0)
        share = jnp.where(is_first | is_last, jnp.inf, share)
        return jnp.zeros_like(values).at[order].set(share)

    return jax.vmap(room, 1)(fitness).sum(0)


def _count_offspring(fitness: jax.Array, num_parents: int) -> int:
    most_is = "which leaves one of the population as offspring"
    check_whole(1, len(fitness) - 1, most_is, num_parents=num_parents)
    return len(fitness) - num_parents
