"""Spaces: how they are given, and genomes there and back."""

import numpy as np
import pytest

import vecevo

SPACE = vecevo.SearchSpace({"depth": (1, 2), "activation": ("relu", "tanh", "elu")})


def test_a_space_is_given_by_a_dict_or_by_pairs():
    pairs = (("depth", [1, 2]), ("activation", ("relu", "tanh", "elu")))
    assert vecevo.SearchSpace(pairs) == SPACE == vecevo.SearchSpace(list(pairs))
    assert hash(vecevo.SearchSpace(pairs)) == hash(SPACE)
    assert SPACE.genes == (("depth", (1, 2)), ("activation", ("relu", "tanh", "elu")))
    space = vecevo.SearchSpace({"width": np.array([8, 16]), "depth": range(1, 4)})
    assert space.genes == (("width", (8, 16)), ("depth", (1, 2, 3)))
    assert type(space.genes[0][1][0]) is int


@pytest.mark.parametrize(
    ("genes", "words"),
    [
        ({}, "must name one gene or more"),
        (3, "genes=3"),
        ("depth", "genes='depth' must be a dict"),
        ((("depth", (1,)), ("depth", (2,))), "each once"),
        ({1: (1, 2)}, "must name one gene"),
        ({"depth": ()}, r"depth=\(\) has no choice"),
        ({"depth": 3}, "depth=3 must be a list of choices"),
        ({"activation": "relu"}, "activation='relu' must be a list of choices"),
        ({"depth": np.array(3)}, r"depth=array\(3\) must be a list"),
        ({"depth": np.ones((2, 2))}, "neither numbers nor texts"),
        ({"depth": (1, 1)}, r"depth=\(1, 1\) repeats a choice"),
        ({"depth": ([1], [2])}, "neither numbers nor texts"),
    ],
)
def test_what_is_no_space_is_refused(genes, words):
    with pytest.raises(vecevo.InputError, match=words):
        vecevo.SearchSpace(genes)


@pytest.mark.parametrize("genome", [(0, 0), (1, 2), np.array([1, 1])])
def test_genomes_there_and_back(genome):
    values = vecevo.decode(SPACE, genome)
    assert vecevo.encode(SPACE, values).tolist() == list(genome)
    assert vecevo.encode(SPACE, values).dtype == np.int32


@pytest.mark.parametrize(
    ("genome", "words"),
    [
        ((0,), "must be 2 whole numbers"),
        ((0, 0, 0), "must be 2 whole numbers"),
        ((0.0, 1.0), "must be 2 whole numbers"),
        ((-1, 0), "the index -1 for depth, which has choices 0 to 1"),
        ((0, 3), "the index 3 for activation"),
    ],
)
def test_what_is_no_genome_is_refused(genome, words):
    with pytest.raises(vecevo.InputError, match=words):
        vecevo.decode(SPACE, genome)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"depth": 1}, "values has no activation"),
        ({"depth": 3, "activation": "relu"}, r"depth=3 must be one of \(1, 2\)"),
        ({"depth": 1, "activation": "relu", "lr": 1}, "'lr' is no gene of the space"),
    ],
)
def test_values_that_no_genome_has_are_refused(values, words):
    with pytest.raises(vecevo.InputError, match=words):
        vecevo.encode(SPACE, values)
