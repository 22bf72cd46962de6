"""Searches as pure functions: ask for offspring, tell their fitness."""

from vecevo.strategies.adaptation import self_adaptive
from vecevo.strategies.article import article_setting, code_setting, genetic
from vecevo.strategies.climbing import local_search
from vecevo.strategies.evolution import (
    evolution_plus,
    nsga2,
    regularized_evolution,
)
from vecevo.strategies.modelling import gaussian_process, recommended
from vecevo.strategies.protocol import (
    EvolutionState,
    GenerationInfo,
    Strategy,
    conclude,
    make_init,
)
from vecevo.strategies.repeats import without_repeats
from vecevo.strategies.running import Trace, run_strategy
from vecevo.strategies.sampling import grid, random, univariate_estimation

__all__ = [
    "EvolutionState",
    "GenerationInfo",
    "Strategy",
    "Trace",
    "article_setting",
    "code_setting",
    "conclude",
    "evolution_plus",
    "gaussian_process",
    "genetic",
    "grid",
    "local_search",
    "make_init",
    "nsga2",
    "random",
    "recommended",
    "regularized_evolution",
    "run_strategy",
    "self_adaptive",
    "univariate_estimation",
    "without_repeats",
]
