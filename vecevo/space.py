"""What may vary between networks: genes, their choices, genomes of indices."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Literal, get_args

import numpy as np

from vecevo.errors import InputError, check_names, is_number, is_whole

Choices = list | tuple | range | np.ndarray


@dataclasses.dataclass(frozen=True, init=False)
class SearchSpace:
    """Genes and their choices, in the order of a genome's positions.

    Choices are a list, a tuple, a range or a NumPy array of one dimension, whose
    numbers become Python's. `genes` holds tuples alone: spaces are hashable.

    >>> space = SearchSpace({"depth": (1, 2), "width": (64, 128, 256)})
    >>> space.num_genomes, space.num_choices.tolist()
    (6, [2, 3])
    >>> space == SearchSpace((("depth", [1, 2]), ("width", [64, 128, 256])))
    True

    Args:
      genes: choices by name, or pairs of a name and its choices.

    Raises:
      InputError: for a gene without a choice, or with one choice twice; for choices
        that are no list, or not hashable; for names that are no texts.
    """

    genes: tuple[tuple[str, tuple[Any, ...]], ...]

    def __init__(
        self, genes: Mapping[str, Choices] | Iterable[tuple[str, Choices]]
    ) -> None:
        pairs = tuple(_as_gene(pair) for pair in _pairs_of(genes))
        names = [name for name, _ in pairs]
        if not names or len(set(names)) < len(names):
            raise InputError(f"genes={names} must name one gene or more, each once.")
        object.__setattr__(self, "genes", pairs)

    @property
    def num_choices(self) -> np.ndarray:
        """int32[G]."""
        return np.array([len(choices) for _, choices in self.genes], np.int32)

    @property
    def is_ordered(self) -> tuple[bool, ...]:
        """Whether the choices of a gene are numbers that rise or that fall, by gene.

        >>> SearchSpace({"width": (64, 128), "activation": ("relu", "elu")}).is_ordered
        (True, False)
        """
        return tuple(
            _rises(choices) or _rises(choices[::-1]) for _, choices in self.genes
        )

    @property
    def num_genomes(self) -> int:
        """Number of distinct genomes."""
        return math.prod(len(choices) for _, choices in self.genes)


def article_space() -> SearchSpace:
    """The 672 networks of the article of 2017.

    >>> article_space().num_genomes
    672
    """
    optimizers = ("rmsprop", "adam", "sgd", "adagrad", "adadelta", "adamax", "nadam")
    return SearchSpace(
        {
            "depth": (1, 2, 3, 4),
            "width": (64, 128, 256, 512, 768, 1024),
            "activation": ("relu", "elu", "tanh", "sigmoid"),
            "optimizer": optimizers,
        }
    )


SpaceTask = Literal["classification", "regression"]


def recipe_space(task: SpaceTask = "classification") -> SearchSpace:
    """Networks and how they are trained, by what was found since the article.

    Where numbers are predicted there are no labels to smooth: regression has a gene
    less.

    >>> len(recipe_space().genes), recipe_space().num_genomes
    (12, 4608000)
    >>> len(recipe_space("regression").genes)
    11

    Raises:
      InputError: for another task.
    """
    check_names([task], get_args(SpaceTask), of="task of a space")
    smoothing = {"label_smoothing": (0.0, 0.05, 0.1, 0.2)}
    return SearchSpace(
        {
            "depth": (1, 2, 3, 4),
            "width": (64, 128, 256, 512),
            "activation": ("relu", "elu", "gelu", "silu"),
            "optimizer": ("adam", "nadam", "nesterov"),
            "learning_rate": (0.0003, 0.001, 0.003, 0.01, 0.03),
            "dropout_rate": (0.0, 0.1, 0.2, 0.3, 0.5),
            "weight_decay": (0.0, 0.01, 0.03, 0.1, 0.3),
            "schedule": ("constant", "linear", "cosine", "one_cycle"),
            **(smoothing if task == "classification" else {}),
            "norm": ("none", "layer"),
            "skip": ("none", "identity"),
            "averaging": (0.0, 0.5, 0.8),
        }
    )


def small_space() -> SearchSpace:
    """Small networks, for tables of numbers.

    >>> small_space().num_genomes
    1080
    """
    return SearchSpace(
        {
            "depth": (1, 2, 3),
            "width": (8, 16, 32, 64, 128),
            "activation": ("relu", "tanh"),
            "optimizer": ("adam",),
            "learning_rate": (0.001, 0.003, 0.01, 0.03),
            "dropout_rate": (0.0, 0.1, 0.3),
            "weight_decay": (0.0, 0.01, 0.1),
        }
    )


SpaceName = Literal["article", "recipe", "small"]
_NAMED: dict[str, Callable[[SpaceTask], SearchSpace]] = {
    "article": lambda _: article_space(),
    "recipe": recipe_space,
    "small": lambda _: small_space(),
}


def named_space(name: str, task: SpaceTask = "classification") -> SearchSpace:
    """Returns the space of a name, as it is for a task.

    Raises:
      InputError: for another name.
    """
    check_names([name], _NAMED, of="space")
    return _NAMED[name](task)


def decode(space: SearchSpace, genome: Iterable[Any]) -> dict[str, Any]:
    """Returns the values, by gene, that a genome int[G] stands for.

    >>> decode(article_space(), [1, 0, 2, 6])
    {'depth': 2, 'width': 64, 'activation': 'tanh', 'optimizer': 'nadam'}

    Raises:
      InputError: for another number of indices, or one that is no choice's.
    """
    try:
        indices = list(np.asarray(genome) if hasattr(genome, "__array__") else genome)
    except TypeError:  # no list
        indices = None
    names = [name for name, _ in space.genes]
    if indices is None or len(indices) != len(names):
        raise InputError(
            f"genome={genome!r} must be a list of {len(names)} indices, one for each "
            f"of {', '.join(names)}."
        )
    for (name, choices), index in zip(space.genes, indices, strict=True):
        if not is_whole(index) or not 0 <= index < len(choices):
            raise InputError(
                f"genome has {index!r} for {name}, which must be a whole number from 0 "
                f"to {len(choices) - 1}: the place of one of {_shown(choices)}."
            )
    pairs = zip(space.genes, indices, strict=True)
    return {name: choices[index] for (name, choices), index in pairs}


def encode(space: SearchSpace, values: Mapping[str, Any]) -> np.ndarray:
    """Returns the genome int32[G] of values by gene; the inverse of `decode`.

    Numbers are the same choice where they are equal, whatever their types: 1, 1.0 and
    NumPy's. A truth value is the same choice as itself alone: True is not 1.

    >>> encode(article_space(), decode(article_space(), [1, 0, 2, 6])).tolist()
    [1, 0, 2, 6]

    Raises:
      InputError: for a gene without a value, a name that is no gene's, or a value
        that is no choice.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"values={values!r} must be a dictionary: a value by gene.")
    names = [name for name, _ in space.genes]
    missing = [name for name in names if name not in values]
    if missing:
        raise InputError(f"values has no {missing[0]}: give one for each gene.")
    check_names(map(str, values), names, of="gene of the space")
    return np.array(
        [_index_of(name, choices, values[name]) for name, choices in space.genes],
        np.int32,
    )


def _pairs_of(genes: Any) -> Iterable[Any]:
    """Returns pairs of names and choices, of a mapping or as they are."""
    if isinstance(genes, Mapping):
        return genes.items()
    if isinstance(genes, str) or not isinstance(genes, Iterable):
        raise InputError(f"genes={genes!r} must be a dictionary: choices by name.")
    return genes


def _as_gene(pair: Any) -> tuple[str, tuple[Any, ...]]:
    """Returns a name and its choices, of which there are some, each once."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InputError(f"genes has {pair!r}: give a pair of a name and its choices.")
    name, choices = pair
    if not isinstance(name, str):
        raise InputError(f"genes has the name {name!r}: give a text.")
    is_array = isinstance(choices, np.ndarray)
    if not isinstance(choices, Choices) or (is_array and choices.ndim != 1):
        raise InputError(f"{name}={choices!r} must be a list of choices.")
    choices = tuple(
        choice.item() if isinstance(choice, np.generic) else choice
        for choice in (choices.tolist() if is_array else choices)
    )
    if not choices:
        raise InputError(f"{name}=() has no choice: give at least one.")
    for choice in choices:
        _check_hashable(name, choice)
    if len(set(choices)) < len(choices):
        raise InputError(f"{name}={choices} repeats a choice: give each choice once.")
    return name, choices


def _rises(choices: tuple[Any, ...]) -> bool:
    are_numbers = all(map(is_number, choices))
    return are_numbers and all(a < b for a, b in itertools.pairwise(choices))


def _check_hashable(name: str, choice: Any) -> None:
    try:
        hash(choice)
    except TypeError:
        raise InputError(
            f"{name} has the choice {choice!r}, which cannot be hashed: give numbers, "
            "texts or tuples."
        ) from None


def _index_of(name: str, choices: tuple[Any, ...], value: Any) -> int:
    if isinstance(value, np.generic):
        value = value.item()
    for index, choice in enumerate(choices):
        is_same_kind = isinstance(choice, bool) == isinstance(value, bool)
        if isinstance(value, Hashable) and is_same_kind and choice == value:
            return index
    raise InputError(f"{name}={value!r} is no choice: use one of {_shown(choices)}.")


def _shown(choices: tuple[Any, ...]) -> str:
    return ", ".join(map(repr, choices))
