"""Spaces in the ways that they are written, and what is refused of them."""

import copy
import dataclasses
import pickle

import jax.numpy as jnp
import numpy as np
import pytest

from vecevo.errors import InputError
from vecevo.space import SearchSpace, article_space, decode, encode

SPACE = SearchSpace({"depth": [1, 2], "width": (4, 8, 16), "gated": (False, True)})


@pytest.mark.parametrize(
    "genes",
    [
        {"depth": [1, 2], "width": (4, 8, 16), "gated": [False, True]},
        [["depth", range(1, 3)], ("width", [4, 8, 16]), ("gated", (False, True))],
        (
            ("depth", np.array([1, 2])),
            ("width", [np.int64(4), 8, np.int32(16)]),
            ("gated", np.array([False, True])),
        ),
        iter(SPACE.genes),
    ],
)
def test_the_ways_to_write_a_space_are_the_same(genes):
    space = SearchSpace(genes)
    assert space == SPACE and hash(space) == hash(SPACE)
    assert repr(space) == repr(SPACE)  # Python's numbers, and tuples alone
    assert space.num_choices.tolist() == [2, 3, 2]
    assert space.num_choices.dtype == np.int32 and space.num_genomes == 12


def test_genes_are_ordered_whose_numbers_rise_or_fall():
    choices = {
        **{"rising": (1, 2.5, 10), "falling": [0.1, 0.01], "one": (3,)},
        **{"turning": (1, 3, 2), "texts": ("1", "2"), "truths": (False, True)},
        **{"mixed": (1, "auto"), "pairs": ((1, 2), (3, 4)), "array": np.arange(3.0)},
    }
    space = SearchSpace(choices)
    ordered = dict(zip(choices, space.is_ordered, strict=True))
    assert [name for name, is_so in ordered.items() if is_so] == [
        *("rising", "falling", "one", "array")
    ]
    assert all(type(is_so) is bool for is_so in space.is_ordered)


def test_spaces_are_values():
    for twin in (
        copy.deepcopy(SPACE),
        pickle.loads(pickle.dumps(SPACE)),
        dataclasses.replace(SPACE),
    ):
        assert twin == SPACE != article_space()
    with pytest.raises(dataclasses.FrozenInstanceError):
        SPACE.genes = ()


@pytest.mark.parametrize(
    ("genes", "words"),
    [
        ({}, r"genes=\[\] must name one gene or more"),
        ([("depth", (1,)), ("depth", (2,))], "each once"),
        ({"depth": ()}, r"depth=\(\) has no choice"),
        ({"depth": 3}, "depth=3 must be a list of choices"),
        ({"activation": "relu"}, "activation='relu' must be a list of choices"),
        ({"depth": {1, 2}}, r"depth=\{1, 2\} must be a list"),
        ({"depth": None}, "depth=None must be a list"),
        ({"depth": np.array(3)}, r"depth=array\(3\) must be a list"),
        ({"depth": np.ones((2, 2))}, "must be a list of choices"),
        ({"depth": [1, 2, 1]}, r"depth=\(1, 2, 1\) repeats a choice"),
        ({"depth": [1, True]}, "repeats a choice"),
        ({"layers": [[4, 8], [8]]}, r"layers has the choice \[4, 8\], which cannot be"),
        ({3: [1, 2]}, "genes has the name 3: give a text"),
        ([("depth", 1, 2)], r"genes has \('depth', 1, 2\): give a pair"),
        ("depth", "genes='depth' must be a dictionary"),
        (("depth", (1, 2)), "genes has 'depth': give a pair"),
        (3, "genes=3 must be a dictionary"),
    ],
)
def test_what_is_no_space_is_refused(genes, words):
    with pytest.raises(InputError, match=words):
        SearchSpace(genes)


def test_genomes_of_any_integers_decode_and_encode():
    values = {"depth": 2, "width": 4, "gated": True}
    for genome in ([1, 0, 1], (1, 0, 1), np.array([1, 0, 1]), jnp.array([1, 0, 1])):
        assert decode(SPACE, genome) == values
    encoded = encode(SPACE, dict(reversed(values.items())))
    assert encoded.tolist() == [1, 0, 1] and encoded.dtype == np.int32


@pytest.mark.parametrize(
    ("genome", "words"),
    [
        (
            [1, 0],
            r"genome=\[1, 0\] must be a list of 3 indices, .* depth, width, gated",
        ),
        ([1, 0, 1, 0], "must be a list of 3 indices"),
        (1, "genome=1 must be a list"),
        (np.array(1), "must be a list"),
        (np.zeros((1, 3), int), "must be a list"),
        ([1, -1, 0], "genome has -1 for width, .* from 0 to 2: .* 4, 8, 16"),
        ([2, 0, 0], "genome has 2 for depth"),
        ([1.0, 0, 0], r"genome has 1\.0 for depth"),
        ([True, 0, 0], "genome has True for depth"),
        (np.zeros(3), "for depth"),
        ("110", "genome has '1' for depth"),
    ],
)
def test_what_is_no_genome_is_refused(genome, words):
    with pytest.raises(InputError, match=words):
        decode(SPACE, genome)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 5}, "width=5 is no choice: use one of 4, 8, 16"),
        ({"width": "4"}, "width='4' is no choice"),
        ({"width": [4]}, r"width=\[4\] is no choice"),
        ({"depth": True}, "depth=True is no choice"),
        ({"gated": 1}, "gated=1 is no choice: use one of False, True"),
        ({"height": 3}, "'height' is no gene of the space: use depth, gated, width"),
    ],
)
def test_values_that_are_none_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        encode(SPACE, {"depth": 1, "width": 4, "gated": False, **changes})


def test_a_gene_without_a_value_is_refused():
    with pytest.raises(InputError, match="values has no width: give one"):
        encode(SPACE, {"depth": 1, "gated": False})
    with pytest.raises(InputError, match=r"values=\[1\] must be a dictionary"):
        encode(SPACE, [1])


@pytest.mark.parametrize("depth", [1, 1.0, np.int64(1), np.float32(1)])
@pytest.mark.parametrize("gated", [True, np.bool_(True)])
def test_equal_numbers_are_one_choice(depth, gated):
    values = {"depth": depth, "width": 4, "gated": gated}
    assert encode(SPACE, values).tolist() == [0, 0, 1]
