"""Mistakes at the library's door: one line that names argument, value and way out."""

import math
import pathlib

import numpy as np
import pytest

import vecevo
from vecevo import strategies
from vecevo.training import settings

SPACE = vecevo.SearchSpace(
    {
        "depth": (1, 2),
        "width": (4, 8),
        "activation": ("relu", "tanh"),
        "optimizer": ("adam",),
    }
)
NETWORK = {"depth": 1, "width": 4, "activation": "relu", "optimizer": "adam"}


@pytest.fixture(scope="module")
def dataset():
    rng = np.random.default_rng(0)
    return vecevo.make_dataset(
        x_train=rng.random((60, 5)),
        y_train=np.arange(60) % 3,
        x_test=rng.random((12, 5)),
        y_test=np.arange(12) % 3,
    )


def search(dataset, space=SPACE, **changes):
    given = {"population_size": 2, "num_generations": 1, "max_epochs": 1}
    return vecevo.search(space, dataset, **(given | changes))


def test_names_and_paths_do(tmp_path, dataset):
    names = ("x_train", "y_train", "x_test", "y_test")
    arrays = {name: getattr(dataset, name) for name in names}
    np.savez(tmp_path / "my.npz", **arrays)
    assert vecevo.load_dataset(pathlib.Path(tmp_path / "my.npz")).name == "my"
    result = search(tmp_path / "my.npz", strategy="genetic", max_seconds=math.inf)
    assert result.num_trained


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rates": 0.1}, "'learning_rates' is no setting of training: use"),
        ({"batch_size": 0}, "batch_size=0 must be a whole number"),
        ({"batch_size": 2.5}, "batch_size=2.5 must be a whole number"),
        ({"patience": None}, "patience=None must be a whole number"),
        ({"max_epochs": True}, "max_epochs=True must be a whole number"),
        ({"memory_bytes": -1}, "memory_bytes=-1 must be a number above 0"),
        ({"precision": "half"}, "precision='half' must be one of float32"),
        ({"seed": -1}, "seed=-1 must be a whole number from 0"),
        ({"seed": 2**64}, "seed=18446744073709551616"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"max_seconds": 0}, "max_seconds=0 must be a number above 0"),
        ({"max_seconds": -3}, "max_seconds=-3"),
        ({"max_seconds": math.nan}, "max_seconds=nan"),
        ({"max_seconds": "1"}, "max_seconds='1'"),
        ({"num_generations": 0}, "num_generations=0"),
        ({"population_size": 1.5}, "population_size=1.5"),
        ({"objectives": "accuracy"}, "objectives='accuracy' is a lone name"),
        ({"objectives": ("speed",)}, r"objectives=\('speed',\)"),
        ({"strategy": "best"}, "'best' is no strategy: use"),
        ({"strategy": 3}, "strategy=3 is no strategy"),
        ({"fixed": {"lr": 0.1}}, "'lr' is no hyperparameter: use activation"),
        ({"fixed": {"dropout_rate": 2}}, "dropout_rate=2 must be a number from 0"),
        ({"fixed": {"width": 4}}, "fixed has width=4, which is a gene"),
        ({"initial_population": [[0, 0]]}, "initial_population is int64"),
        ({"initial_population": [[9, 0, 0, 0]] * 2}, "an index that is no choice"),
        ({"fixed": [1]}, r"fixed=\[1\] must be a dict"),
        ({"record_fn": 3}, "record_fn=3 must be a function"),
        ({"memory_bytes": math.inf}, "memory_bytes=inf must be finite"),
        ({"max_epochs": 10**10}, "max_epochs=10000000000 must be at most"),
        ({"space": {"depth": (1,)}}, "is no search space: give vecevo.SearchSpace"),
        ({"space": vecevo.SearchSpace({"lr": (1, 2)})}, "'lr' is no hyperparameter"),
        ({"space": vecevo.SearchSpace({"depth": (1, 2)})}, "no gene width"),
    ],
)
def test_searches_that_cannot_be_are_refused(dataset, changes, words):
    with pytest.raises(vecevo.InputError, match=words) as caught:
        search(dataset, **changes)
    assert "\n" not in str(caught.value)


def test_strategies_of_another_space_are_refused(dataset):
    other = strategies.random([2, 2, 2], population_size=2)
    with pytest.raises(vecevo.InputError, match="genomes of 3 genes, and the space 4"):
        search(dataset, strategy=other)
    other = strategies.random([9, 9, 9, 9], population_size=20)
    with pytest.raises(vecevo.InputError, match=r"num_choices, \[2, 2, 2, 1\]"):
        search(dataset, strategy=other, population_size=None)


@pytest.mark.parametrize(
    ("hyperparams", "words"),
    [
        (NETWORK, "is one network: give a list of dicts"),
        (["relu"], "hyperparams='relu' must be a dict"),
        ([{**NETWORK, "colour": 1}], "'colour' is no hyperparameter"),
        ([{"width": 4}], "a network has no depth: give it one"),
        (None, "hyperparams=None must be a list of dicts"),
    ],
)
def test_lists_that_cannot_be_trained_are_refused(dataset, hyperparams, words):
    with pytest.raises(vecevo.InputError, match=words):
        vecevo.train_networks(hyperparams, dataset)


@pytest.mark.parametrize("given", [3, None, np.zeros((99, 9)), (np.zeros(500),)])
def test_what_is_no_data_set_is_refused(given):
    with pytest.raises(vecevo.InputError, match="is no name of a data set") as caught:
        vecevo.train_networks([NETWORK], given)
    assert "\n" not in str(caught.value)


def test_what_is_no_table_is_refused():
    with pytest.raises(vecevo.InputError, match="table='digits' must be a Table"):
        vecevo.replay("digits")
    with pytest.raises(vecevo.InputError, match=r"tables=\[\] must be one table"):
        vecevo.merge_tables([], source="")


def test_settings_default_to_those_of_the_data_set(dataset):
    digits = settings.resolve({}, vecevo.load_dataset("digits"))
    assert (digits.batch_size, digits.max_epochs, digits.patience) == (64, 25, 5)
    plain = settings.resolve({"batch_size": 7}, dataset)
    assert (plain.batch_size, plain.max_epochs) == (7, 50)
    assert plain.memory_bytes > 0 and plain.precision is None


def test_the_winners_have_weights_and_are_measured_on_the_test_part(dataset):
    result = search(dataset, population_size=8)
    assert len(result.top) == 5 and result.num_trained == 8
    x, y = dataset.raw_x_test, dataset.raw_y_test
    for _, trained in result.top:
        assert trained.test_accuracy == trained.network.score(x, y)
        assert trained.network.facts["test_accuracy"] == trained.test_accuracy
    assert result.best is result.top[0][1].network
    nothing = result._replace(top=[])
    with pytest.raises(vecevo.InputError, match="there is no best network"):
        nothing.best  # noqa: B018
    with pytest.raises(vecevo.InputError, match="end before SIGINT stopped the search"):
        nothing._replace(stopped_by="SIGINT").best  # noqa: B018
