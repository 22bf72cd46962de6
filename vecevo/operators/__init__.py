"""Pure genetic operators on integer genomes: arrays in, arrays out."""

from vecevo.operators.crossover import uniform_crossover
from vecevo.operators.initialization import random_population
from vecevo.operators.mutation import one_gene_mutation
from vecevo.operators.survival import random_count_survival, random_rate_survival

__all__ = [
    "one_gene_mutation",
    "random_count_survival",
    "random_population",
    "random_rate_survival",
    "uniform_crossover",
]
