"""Sizes, and settings of one operator alone, that operators refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import operators
from vecevo.errors import InputError

KEY, FITNESS = jax.random.key(0), jnp.arange(5.0)
POPULATION, NUM_CHOICES = jnp.zeros((5, 3), int), (2, 1, 4)


def draw(num_choices, *, name="random_population", size=4):
    return getattr(operators, name)(KEY, num_choices, population_size=size)


def cross(parents_1, parents_2, *, name="uniform_crossover", **settings):
    return getattr(operators, name)(KEY, parents_1, parents_2, **settings)


def select(name, *, fitness=FITNESS, num_parents=4, **settings):
    return getattr(operators, name)(KEY, fitness, num_parents=num_parents, **settings)


def survive(name, *, fitness=FITNESS, **settings):
    return getattr(operators, name)(fitness, **settings)


def survive_at_random(name, *, fitness=FITNESS, **settings):
    return getattr(operators, name)(KEY, fitness, **settings)


POPULATIONS = ("random_population", "distinct_population", "stratified_population")


@pytest.mark.parametrize("size", [0, -1, 2.0, True, None, [3]])
def test_sizes_that_are_none_are_refused(size):
    def grid():
        operators.grid_population(NUM_CHOICES, start=0, population_size=size)

    by_fitness = {
        "truncation_selection": {"num_best": 1},
        "tournament_selection": {"tournament_size": 1},
        "roulette_selection": {},
        "stochastic_universal_selection": {},
        "linear_rank_selection": {"pressure": 1.5},
        "exponential_rank_selection": {"base": 0.5},
    }
    refusals = [("population_size", grid)]
    for name in POPULATIONS:
        refusals.append(
            (
                "population_size",
                lambda name=name: draw(NUM_CHOICES, name=name, size=size),
            )
        )
    for name, settings in by_fitness.items():
        refusals.append(
            (
                "num_parents",
                lambda name=name, settings=settings: select(
                    name, num_parents=size, **settings
                ),
            )
        )
    for name in ("plus_survival", "aging_survival"):
        refusals.append(
            ("num_survivors", lambda name=name: survive(name, num_survivors=size))
        )
    for setting, refuse in refusals:
        with pytest.raises(InputError, match=f"{setting}.* must be a whole number"):
            refuse()


@pytest.mark.parametrize(
    ("refuse", "words"),
    [
        (
            lambda: cross(POPULATION, POPULATION, swap_rate=-1),
            "swap_rate=-1 must be from 0 to 1",
        ),
        (lambda: cross(POPULATION, POPULATION[:4]), r"parents_2 is int32\[4, 3\]"),
        (lambda: cross(POPULATION[0], POPULATION[0]), r"parents_1 is int32\[3\]"),
        (lambda: cross(POPULATION * 0.5, POPULATION), "parents_1 is float32"),
        (
            lambda: cross(POPULATION, POPULATION[:, :2], name="one_point_crossover"),
            r"give genomes of whole numbers, int32\[5, 3\]",
        ),
        (
            lambda: cross(
                POPULATION, POPULATION, name="k_point_crossover", num_points=-1
            ),
            "num_points=-1 must be a whole number from 0 up",
        ),
        (
            lambda: cross(
                POPULATION, POPULATION, name="k_point_crossover", num_points=1.5
            ),
            r"num_points=1\.5",
        ),
        (
            lambda: select("truncation_selection", num_best=6),
            "num_best=6 must be a whole number from 1 to 5, the size of the population",
        ),
        (lambda: select("truncation_selection", num_best=0), "num_best=0"),
        (
            lambda: select("tournament_selection", tournament_size=0),
            "tournament_size=0 must be a whole number from 1 up",
        ),
        (
            lambda: select("linear_rank_selection", pressure=2.1),
            r"pressure=2\.1 must be from 1 to 2",
        ),
        (lambda: select("linear_rank_selection", pressure=0.9), "pressure="),
        (
            lambda: select("exponential_rank_selection", base=0),
            "base=0 must be above 0 and at most 1",
        ),
        (lambda: select("exponential_rank_selection", base=1.1), "base="),
        (
            lambda: select("roulette_selection", fitness=FITNESS[:, None]),
            r"fitness is float32\[5, 1\]: give one number for each individual",
        ),
        (
            lambda: select("roulette_selection", fitness=FITNESS[:0]),
            r"fitness is float32\[0\]",
        ),
        (
            lambda: survive_at_random(
                "random_count_survival", num_best=3, num_random=3
            ),
            "num_best . num_random=6 must be a whole number from 1 to 5",
        ),
        (
            lambda: survive_at_random(
                "random_count_survival", num_best=0, num_random=0
            ),
            "num_best . num_random=0",
        ),
        (
            lambda: survive_at_random(
                "random_count_survival", num_best=3, num_random=-1
            ),
            "num_random=-1",
        ),
        (
            lambda: survive_at_random(
                "random_rate_survival", num_best=6, random_rate=0.5
            ),
            "num_best=6",
        ),
        (
            lambda: survive_at_random(
                "random_rate_survival", num_best=1, random_rate=-0.5
            ),
            "random_rate=-0.5 must be from 0 to 1",
        ),
        (lambda: survive("plus_survival", num_survivors=6), "num_survivors=6"),
        (lambda: survive("aging_survival", num_survivors=6), "num_survivors=6"),
        (
            lambda: survive("aging_survival", fitness=POPULATION, num_survivors=2),
            r"birth is int32\[5, 3\]",
        ),
        (
            lambda: survive("comma_survival", num_parents=3, num_survivors=3),
            "num_survivors=3 must be a whole number from 1 to 2, the number of off",
        ),
        (
            lambda: survive("comma_survival", num_parents=5, num_survivors=1),
            "num_parents=5 must be a whole number from 1 to 4",
        ),
        (
            lambda: survive(
                "elitist_survival", num_parents=2, num_elites=3, num_survivors=3
            ),
            "num_elites=3 must be a whole number from 0 to 2, the number of parents",
        ),
        (
            lambda: survive(
                "elitist_survival", num_parents=3, num_elites=2, num_survivors=1
            ),
            "num_survivors=1 must be a whole number from 2 to 4",
        ),
        (
            lambda: survive(
                "elitist_survival", num_parents=3, num_elites=1, num_survivors=4
            ),
            "num_survivors=4",
        ),
        (
            lambda: survive("nsga2_survival", num_survivors=2),
            r"fitness is float32\[5\]: give one row for each individual",
        ),
        (
            lambda: survive(
                "nsga2_survival", fitness=FITNESS[:, None], num_survivors=6
            ),
            "num_survivors=6",
        ),
        (
            lambda: operators.self_adaptive_rates(KEY, FITNESS / 5, spread=-0.1),
            "spread=-0.1 must be 0 or more",
        ),
        (
            lambda: operators.self_adaptive_rates(KEY, FITNESS / 5, spread=np.nan),
            "spread=nan",
        ),
        (
            lambda: operators.self_adaptive_rates(KEY, FITNESS, spread=0.1),
            r"rates has 2\.0, and must be from 0 to 1",
        ),
        (
            lambda: operators.grid_population([1000] * 4, start=0, population_size=2),
            "num_choices has 1000000000000 genomes, more than the 2147483647",
        ),
        (
            lambda: operators.grid_population([2], start=0.5, population_size=2),
            r"start=0\.5 must be a whole number",
        ),
    ],
)
def test_other_bad_settings_are_refused(refuse, words):
    with pytest.raises(InputError, match=words) as caught:
        refuse()
    assert "\n" not in str(caught.value)
