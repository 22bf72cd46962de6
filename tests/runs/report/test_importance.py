"""Importances of genes, against Optuna's PED-ANOVA."""

import itertools
import warnings

import numpy as np
import optuna
import pytest
from optuna.importance import PedAnovaImportanceEvaluator

from vecevo.runs.report.importance import gene_importances

NUM_CHOICES = np.array([4, 3, 5])
GENOMES = np.array(list(itertools.product(*map(range, NUM_CHOICES))))


def optuna_importances(genomes, fitness, num_choices):
    """What Optuna's evaluator says of the same networks, not divided by the sum."""
    distributions = {
        str(gene): optuna.distributions.CategoricalDistribution(list(range(count)))
        for gene, count in enumerate(num_choices)
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is experimental
        evaluator = PedAnovaImportanceEvaluator()
        study = optuna.create_study(direction="maximize")
    for genome, value in zip(genomes.tolist(), fitness.tolist(), strict=True):
        params = {str(gene): choice for gene, choice in enumerate(genome)}
        study.add_trial(
            optuna.trial.create_trial(
                params=params, distributions=distributions, value=value
            )
        )
    importances = evaluator.evaluate(study)
    return np.array([importances[str(gene)] for gene in range(len(num_choices))])


def kept_share(num_choices, num_seen):
    """How much of a choice's count Optuna's kernel leaves with that choice.

    Each of its kernels spreads a weight of 1 / (seen + 1) over each choice, where we
    spread none: (1 + e) / (1 + C e) of a count stays, e / (1 + C e) goes to each other.
    """
    spread = 1 / (num_seen + 1)
    return 1 / (1 + num_choices * spread)


def test_on_a_whole_grid_they_are_optunas_but_for_its_smoothing():
    rng = np.random.default_rng(0)
    fitness = GENOMES @ [1.0, 0.3, 0.01] + 0.2 * rng.normal(size=len(GENOMES))
    best = GENOMES[np.argsort(-fitness)[:6]]  # the best tenth of 60
    # On a whole grid all choices are equally frequent, smoothed or not, so that
    # smoothing moves the best alone towards them: by one factor for each gene.
    num_seen = [len(set(best[:, gene])) for gene in range(3)]
    kept = kept_share(NUM_CHOICES, np.array(num_seen))
    expected = optuna_importances(GENOMES, fitness, NUM_CHOICES) / kept**2
    actual = gene_importances(GENOMES, fitness, NUM_CHOICES)
    np.testing.assert_allclose(actual, expected / expected.sum(), rtol=1e-9)
    assert actual.argmax() == 0 and actual.sum() == pytest.approx(1)


def test_failed_networks_count_to_all_and_never_to_the_best():
    fitness = np.where(GENOMES[:, 1] == 2, -np.inf, 0.5 + 0.1 * GENOMES[:, 0])
    importances = gene_importances(GENOMES, fitness, NUM_CHOICES)
    whole = np.isfinite(fitness)
    without = gene_importances(GENOMES[whole], fitness[whole], NUM_CHOICES)
    assert importances[1] > 0.1 > 3 * without[1]


def test_of_few_that_did_not_fail_these_are_the_best():
    fitness = np.where((GENOMES == 0).all(axis=1), 0.5, -np.inf)
    importances = gene_importances(GENOMES, fitness, NUM_CHOICES)
    np.testing.assert_allclose(importances.sum(), 1)


@pytest.mark.parametrize("value", [0.5, -np.inf])
def test_where_none_is_better_there_are_none(value):
    fitness = np.full(len(GENOMES), value)
    assert not gene_importances(GENOMES, fitness, NUM_CHOICES).any()


def test_a_gene_with_one_choice_has_none():
    genomes = np.column_stack([GENOMES, np.zeros(len(GENOMES), int)])
    importances = gene_importances(
        genomes, GENOMES[:, 0] * 1.0, np.array([*NUM_CHOICES, 1])
    )
    assert importances[3] == 0 and importances[0] > 0.9
