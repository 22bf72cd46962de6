"""Who lives on: the article's survivors, and those of the textbooks.

Fitness is higher for better and never NaN; -inf is a legal value, of an individual
that failed.
"""

import jax
import jax.numpy as jnp

from vecevo.operators.ranking import best_first, rank

UNRANKED = 2**31 - 1  # the front of an individual that has none yet


def random_count_survival(key, fitness, *, num_best, num_random):
    """Keeps the fittest and a fixed number of the others at random.

    Args:
      key: random key, consumed.
      fitness: float32[P], higher is better, no NaN.
      num_best: number of the fittest to keep, static.
      num_random: number of the others to keep, static; num_best + num_random <= P.

    Returns:
      bool[P], who survives; exactly num_best + num_random do.
    """
    draws = jax.random.uniform(key, fitness.shape)
    luck = jnp.where(rank(fitness) < num_best, 2.0, draws)
    return rank(luck) < num_best + num_random


def random_rate_survival(key, fitness, *, num_best, random_rate):
    """Keeps the fittest, and each of the others with a probability.

    Args:
      key: random key, consumed.
      fitness: float32[P], higher is better, no NaN.
      num_best: number of the fittest to keep.
      random_rate: probability, may be traced.

    Returns:
      bool[P], who survives; at least num_best do.
    """
    is_lucky = jax.random.bernoulli(key, random_rate, fitness.shape)
    return (rank(fitness) < num_best) | is_lucky


def plus_survival(fitness, *, num_survivors):
    """Keeps the fittest of parents and offspring together, (mu + lambda).

    Of equals the earlier survives. See Schwefel, "Numerical optimization of computer
    models", 1981.

    Args:
      fitness: float32[P], of the parents and, after them, their offspring; no NaN.
      num_survivors: S, static.

    Returns:
      int32[S], indices into what `fitness` is of, the fittest first.
    """
    return best_first(fitness)[:num_survivors]


def comma_survival(fitness, *, num_parents, num_survivors):
    """Keeps the fittest of the offspring alone, (mu, lambda).

    See Schwefel, "Numerical optimization of computer models", 1981.

    Args:
      fitness: float32[P], of the parents and, after them, their offspring; no NaN.
      num_parents: number of the parents, static.
      num_survivors: S, static; at most the number of offspring.

    Returns:
      int32[S], indices into what `fitness` is of, the fittest first.
    """
    survivors = plus_survival(fitness[num_parents:], num_survivors=num_survivors)
    return num_parents + survivors


def elitist_survival(fitness, *, num_parents, num_elites, num_survivors):
    """Keeps the fittest parents, the elites, and fills up with the fittest offspring.

    See De Jong, "An analysis of the behavior of a class of genetic adaptive systems",
    1975.

    Args:
      fitness: float32[P], of the parents and, after them, their offspring; no NaN.
      num_parents: number of the parents, static.
      num_elites: number of parents to keep, static.
      num_survivors: S, static.

    Returns:
      int32[S], indices into what `fitness` is of, the elites first.
    """
    elites = plus_survival(fitness[:num_parents], num_survivors=num_elites)
    others = comma_survival(
        fitness, num_parents=num_parents, num_survivors=num_survivors - num_elites
    )
    return jnp.concatenate([elites, others])


def aging_survival(birth, *, num_survivors):
    """Keeps the youngest, however fit they are.

    Of equally old ones the later survives. See Real et al., "Regularized evolution
    for image classifier architecture search", 2019.

    Args:
      birth: int32[P], the generation in which each was born.
      num_survivors: S, static.

    Returns:
      int32[S], indices in ascending order: who was first stays first.
    """
    oldest_first = jnp.argsort(birth, stable=True)
    return jnp.sort(oldest_first[birth.shape[0] - num_survivors :]).astype(jnp.int32)


def nsga2_survival(fitness, *, num_survivors):
    """Keeps the best fronts, and of the last one those with the most room.

    Individuals go by the number of their non-dominated front, then by crowding
    distance. See Deb et al., "A fast and elitist multiobjective genetic algorithm:
    NSGA-II", 2002.

    Args:
      fitness: float32[P, M], every objective higher for better; no NaN.
      num_survivors: S, static.

    Returns:
      int32[S], indices, the best first.
    """
    front = non_dominated_front(fitness)
    distance = crowding_distance(fitness, front)
    order = jnp.lexsort((-distance, front))
    return order[:num_survivors].astype(jnp.int32)


def non_dominated_front(fitness):
    """Returns int32[P], the front of each individual of fitness float32[P, M].

    Front 0 is dominated by none; the next one is when those before are left out. An
    individual dominates another if it is nowhere worse and somewhere better.
    """
    nowhere_worse = (fitness[:, None] >= fitness[None]).all(-1)
    dominates = nowhere_worse & (fitness[:, None] > fitness[None]).any(-1)

    def peel(carry):
        front, number = carry
        is_left = front == UNRANKED
        is_dominated = (dominates & is_left[:, None]).any(0)
        return jnp.where(is_left & ~is_dominated, number, front), number + 1

    front = jnp.full(fitness.shape[0], UNRANKED)
    front, _ = jax.lax.while_loop(
        lambda carry: (carry[0] == UNRANKED).any(), peel, (front, jnp.int32(0))
    )
    return front


def crowding_distance(fitness, front):
    """Returns float32[P], the room of each individual within its front.

    For each objective it is the difference of both neighbours, relative to the
    front's range, summed; the ends of a front have infinite room.

    Args:
      fitness: float32[P, M].
      front: int32[P].
    """

    def room(values):
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
