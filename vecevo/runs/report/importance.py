"""How much each gene matters for being among the best: PED-ANOVA.

Watanabe, Bansal & Hutter, "PED-ANOVA: efficiently quantifying hyperparameter
importance in arbitrary subspaces", IJCAI 2023. Gene g has the importance

    v_g = (gamma' / gamma)^2 sum_c q_g(c) (p_g(c) / q_g(c) - 1)^2

where p_g(c) is the probability of choice c among the best gamma' of the networks, and
q_g(c) that among the best gamma of them, here all, gamma = 1. It is 0 where the best
have each choice as often as all have, whatever the other genes are.
"""

import math

import numpy as np

TARGET_QUANTILE = 0.1  # gamma'
LEAST_TARGETS = 5  # fewer say nothing


def gene_importances(
    genomes: np.ndarray, fitness: np.ndarray, num_choices: np.ndarray
) -> np.ndarray:
    """Returns the importance of each gene, as shares of their sum.

    Probabilities are counts with a uniform prior of the weight of one network,
    p(c) = (n_c + 1 / C) / (n + 1) for C choices, so that no q is 0.

    Args:
      genomes: int[N, G].
      fitness: float[N]; those that failed, -inf, count to all, and never to the best.
      num_choices: int[G].

    Returns:
      float64[G] with the sum 1; all 0 where the best cannot be told from the rest.
    """
    num_targets = max(math.ceil(TARGET_QUANTILE * len(fitness)), LEAST_TARGETS)
    cutoff = np.sort(fitness)[-num_targets:][:1]
    is_best = np.isfinite(fitness) & (fitness >= cutoff)
    if not is_best.any():
        return np.zeros(len(num_choices))
    divergences = [
        _pearson_divergence(
            _probabilities(genomes[is_best, gene], count),
            _probabilities(genomes[:, gene], count),
        )
        for gene, count in enumerate(num_choices)
    ]
    # (gamma' / gamma)^2 is the same for all genes, and goes out with the sum.
    return np.array(divergences) / max(sum(divergences), np.finfo(float).tiny)


def _probabilities(choices: np.ndarray, num_choices: int) -> np.ndarray:
    counts = np.bincount(choices, minlength=num_choices)
    return (counts + 1 / num_choices) / (len(choices) + 1)


def _pearson_divergence(p: np.ndarray, q: np.ndarray) -> float:
    return float((q * (p / q - 1) ** 2).sum())
