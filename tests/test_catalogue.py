"""The table of strategies by name."""

import numpy as np
import pytest

import vecevo
import vecevo.keys
from vecevo import catalogue, strategies

NUM_CHOICES = (2, 3, 4)


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_every_name_makes_a_strategy_of_its_size(name):
    strategy = catalogue.make_strategy(
        name, NUM_CHOICES, population_size=4, num_generations=3, num_objectives=2
    )
    assert isinstance(strategy, strategies.Strategy)
    assert getattr(strategies, name).__doc__
    state = strategy.init(vecevo.keys.split_run_key(0).start)
    assert state.population.shape == (4, 3)
    assert state.fitness.shape == ((4, 2) if name == "nsga2" else (4,))


def test_settings_go_where_they_have_a_say():
    size = {"population_size": 4, "num_generations": 3}
    text, code = (
        catalogue.make_strategy("genetic", NUM_CHOICES, genetic_setting=name, **size)
        for name in ("article", "code")
    )
    key = vecevo.keys.split_run_key(0).start
    fitness = np.arange(4, dtype=np.float32)
    asked = []
    for strategy in (text, code):
        state = strategy.init(key)
        state, _ = strategy.tell(state, state.population, fitness)
        asked.append(np.asarray(strategy.ask(key, state)).tolist())
    assert asked[0] != asked[1]
    never_twice = catalogue.make_strategy(
        "random", NUM_CHOICES, without_repeats=True, **size
    )
    assert hasattr(never_twice.init(key).memory, "told")
    with pytest.raises(vecevo.InputError, match="'best' is no strategy: use"):
        catalogue.make_strategy("best", NUM_CHOICES, **size)
