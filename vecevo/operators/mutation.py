"""Random changes of genomes."""

import jax
import jax.numpy as jnp


def one_gene_mutation(key, population, num_choices, *, mutation_rate):
    """Redraws one random gene of each mutating genome from all its choices.

    A genome mutates with probability `mutation_rate`. The gene is uniform among
    those with more than one choice; redrawn, a gene of n choices stays what it was
    with probability 1 / n, as in the article's code.

    Args:
      key: random key, consumed.
      population: int32[P, G].
      num_choices: int32[G].
      mutation_rate: probability, may be traced.

    Returns:
      int32[P, G].
    """
    mutates_key, gene_key, choice_key = jax.random.split(key, 3)
    num_individuals = population.shape[0]
    mutates = jax.random.bernoulli(mutates_key, mutation_rate, (num_individuals, 1))
    num_choices = jnp.asarray(num_choices)
    is_free = num_choices > 1
    place = jnp.cumsum(is_free) - 1  # of a free gene among the free ones
    num_free = jnp.maximum(is_free.sum(), 1)
    gene = jax.random.randint(gene_key, (num_individuals, 1), 0, num_free)
    choice = jax.random.randint(choice_key, population.shape, 0, num_choices)
    is_redrawn = mutates & is_free & (place == gene)
    return jnp.where(is_redrawn, choice, population)
