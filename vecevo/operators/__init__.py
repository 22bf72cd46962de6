"""Pure genetic operators on integer genomes: arrays in, arrays out."""

from vecevo.operators.crossover import (
    k_point_crossover,
    one_point_crossover,
    uniform_crossover,
)
from vecevo.operators.initialization import (
    distinct_population,
    grid_population,
    random_population,
    stratified_population,
)
from vecevo.operators.mutation import (
    creep_mutation,
    one_gene_mutation,
    reset_mutation,
    self_adaptive_rates,
)
from vecevo.operators.selection import (
    exponential_rank_selection,
    linear_rank_selection,
    roulette_selection,
    stochastic_universal_selection,
    tournament_selection,
    truncation_selection,
)
from vecevo.operators.survival import (
    aging_survival,
    comma_survival,
    elitist_survival,
    nsga2_survival,
    plus_survival,
    random_count_survival,
    random_rate_survival,
)

__all__ = [
    "aging_survival",
    "comma_survival",
    "creep_mutation",
    "distinct_population",
    "elitist_survival",
    "exponential_rank_selection",
    "grid_population",
    "k_point_crossover",
    "linear_rank_selection",
    "nsga2_survival",
    "one_gene_mutation",
    "one_point_crossover",
    "plus_survival",
    "random_count_survival",
    "random_population",
    "random_rate_survival",
    "reset_mutation",
    "roulette_selection",
    "self_adaptive_rates",
    "stochastic_universal_selection",
    "stratified_population",
    "tournament_selection",
    "truncation_selection",
    "uniform_crossover",
]
