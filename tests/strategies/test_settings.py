"""What strategies refuse, in which words, and what they must not look at."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import landscapes, strategies
from vecevo.errors import InputError

NUM_CHOICES, KEY = (3, 1, 4, 2), jax.random.key(0)
NAMES = (
    *("recommended", "gaussian_process", "evolution_plus", "regularized_evolution"),
    *("self_adaptive", "nsga2", "univariate_estimation", "local_search", "random"),
    *("grid", "genetic"),
)


def make(name, *, num_choices=NUM_CHOICES, population_size=4, **settings):
    settings["population_size"] = population_size
    if name == "nsga2":
        settings = {"num_objectives": 2, **settings}
    if name == "genetic":
        settings = strategies.article_setting(4) | settings
    return getattr(strategies, name)(num_choices, **settings)


@pytest.mark.parametrize("name", NAMES)
def test_sizes_and_spaces_that_are_none_are_refused(name):
    for size in (0, -1, 2.0, True, None):
        with pytest.raises(InputError, match=f"population_size={size} must be a whole"):
            make(name, population_size=size)
    for num_choices in ((2, 0), (2.5, 2), 3, ()):
        with pytest.raises(InputError, match="num_choices"):
            make(name, num_choices=num_choices)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        *(("evolution_plus", "num_parents", value) for value in (0, 5, 1.5)),
        ("evolution_plus", "tournament_size", 0),
        *(("evolution_plus", "mutation_rate", value) for value in (1.5, -1, np.nan)),
        *(("regularized_evolution", "lifetime", value) for value in (0, 1.5)),
        ("regularized_evolution", "tournament_size", 0),
        ("self_adaptive", "num_parents", 5),
        *(("self_adaptive", "start_rate", value) for value in (0, 1.0, np.nan, "a")),
        *(("self_adaptive", "spread", value) for value in (-0.1, np.nan)),
        *(("nsga2", "num_objectives", value) for value in (0, 1.5)),
        ("nsga2", "mutation_rate", 2),
        ("genetic", "mutation_rate", -0.5),
        *(("univariate_estimation", "num_best", value) for value in (0, 5)),
        *(("univariate_estimation", "learning_rate", value) for value in (0, 1.1)),
        *(("univariate_estimation", "margin", value) for value in (-1, 0.3, np.nan)),
        *(("gaussian_process", "capacity", value) for value in (3, 8.5)),
        *(("gaussian_process", "num_candidates", value) for value in (2, "a")),
        *(("gaussian_process", "boldness", value) for value in (-1, np.nan, np.inf)),
        *(("recommended", "capacity", value) for value in (0, 8.5)),
    ],
)
def test_settings_out_of_range_are_refused_by_name(name, setting, value):
    with pytest.raises(InputError, match=f"{setting}={value!r} must be") as caught:
        make(name, **{setting: value})
    assert "\n" not in str(caught.value)


def test_spaces_too_large_to_list_are_no_grid():
    with pytest.raises(InputError, match="1000000000000 genomes, more than"):
        make("grid", num_choices=(1000,) * 4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("population", "words"),
    [
        (np.zeros((4, 3), int), r"population is int\d+\[4, 3\]: .* int32\[4, 4\]"),
        (np.zeros((3, 4), int), r"population is int\d+\[3, 4\]"),
        (np.zeros((4, 4)), "population is float32"),
        (np.full((4, 4), 3), r"population has 3, .* genes have \[3, 1, 4, 2\] choices"),
        (np.full((4, 4), -1), "population has -1"),
    ],
)
def test_populations_of_another_space_are_refused(name, population, words):
    with pytest.raises(InputError, match=words):
        make(name).init(KEY, population)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_told_in_another_shape_is_refused(name):
    strategy = make(name)
    state = strategy.init(KEY)
    with pytest.raises(InputError, match=r"fitness is float32\[3\]: give float32\[4"):
        strategy.tell(state, state.population, jnp.zeros(3))
    with pytest.raises(InputError, match=r"offspring is int32\[4, 3\]"):
        strategy.tell(state, state.population[:, :3], state.fitness)
    with pytest.raises(InputError, match="offspring is float32"):
        strategy.tell(state, np.zeros((4, 4)), state.fitness)


def test_repeats_are_avoided_in_the_strategys_own_space_alone():
    plain = make("random")
    with pytest.raises(InputError, match="has 3 genes, and the strategy 4"):
        strategies.without_repeats(plain, NUM_CHOICES[:3]).init(KEY)
    for capacity in (0, 1.5):
        with pytest.raises(InputError, match=f"capacity={capacity} must be a whole"):
            strategies.without_repeats(plain, NUM_CHOICES, capacity=capacity)


@pytest.mark.parametrize("num_generations", [0, 1.5])
def test_runs_of_no_generations_are_refused(num_generations):
    fitness_fn = landscapes.onemax(NUM_CHOICES)
    with pytest.raises(InputError, match=r"num_generations=.* must be a whole"):
        strategies.run_strategy(KEY, make("random"), fitness_fn, num_generations)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        *(("random", None), ("genetic", "mutation_rate"), ("nsga2", "mutation_rate")),
        *(("evolution_plus", "mutation_rate"), ("self_adaptive", "spread")),
    ],
)
def test_numbers_of_choices_and_rates_may_be_traced(name, setting):
    def ask(num_choices, rate):
        settings = {setting: rate} if setting else {}
        strategy = make(name, num_choices=num_choices, **settings)
        state = strategy.init(KEY)
        state, _ = strategy.tell(state, state.population, state.fitness)
        return strategy.ask(KEY, state)

    num_choices = jnp.array(NUM_CHOICES)
    traced = jax.jit(jax.vmap(ask, (None, 0)))(num_choices, jnp.array([0.3, 0.6]))
    np.testing.assert_array_equal(traced[1], ask(NUM_CHOICES, 0.6))


def test_a_generation_that_failed_has_the_mean_of_one_that_failed():
    strategy = make("random")
    state = strategy.init(KEY)
    _, info = strategy.tell(state, state.population, jnp.full(4, -jnp.inf))
    assert info.mean_fitness == info.best_fitness == -jnp.inf and info.num_failed == 4
    strategy = make("nsga2")
    state = strategy.init(KEY)
    fitness = jnp.array([[-jnp.inf, 1.0], [-jnp.inf, 3.0]] * 2)
    _, info = strategy.tell(state, state.population, fitness)
    assert info.mean_fitness.tolist() == [-np.inf, 2.0]
