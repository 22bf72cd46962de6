"""What may vary between networks: genes, their choices, genomes of indices."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """Genes and their choices, in the order of a genome's positions.

    >>> space = SearchSpace((("depth", (1, 2)), ("width", (64, 128, 256))))
    >>> space.num_genomes, space.num_choices.tolist()
    (6, [2, 3])

    Raises:
      ValueError: for a gene without a choice, or with one choice twice.
    """

    genes: tuple[tuple[str, tuple], ...]

    def __post_init__(self):
        names = [name for name, _ in self.genes]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"genes={names} must name one gene or more, each once.")
        for name, choices in self.genes:
            if not choices:
                raise ValueError(f"{name}=() has no choice: give at least one.")
            if len(set(choices)) < len(choices):
                raise ValueError(
                    f"{name}={tuple(choices)} repeats a choice: give each choice once."
                )

    @property
    def num_choices(self):
        """int32[G]."""
        return np.array([len(choices) for _, choices in self.genes], np.int32)

    @property
    def num_genomes(self):
        """Number of distinct genomes, a Python int."""
        product = 1
        for _, choices in self.genes:
            product *= len(choices)
        return product


def article_space():
    """The 672 networks of the article of 2017.

    >>> article_space().num_genomes
    672
    """
    return SearchSpace(
        (
            ("depth", (1, 2, 3, 4)),
            ("width", (64, 128, 256, 512, 768, 1024)),
            ("activation", ("relu", "elu", "tanh", "sigmoid")),
            (
                "optimizer",
                ("rmsprop", "adam", "sgd", "adagrad", "adadelta", "adamax", "nadam"),
            ),
        )
    )


def decode(space, genome):
    """Returns the values, by gene, that a genome int[G] stands for."""
    pairs = zip(space.genes, genome, strict=True)
    return {name: choices[int(index)] for (name, choices), index in pairs}


def encode(space, values):
    """Returns the genome int32[G] of values by gene; the inverse of `decode`."""
    return np.array(
        [choices.index(values[name]) for name, choices in space.genes], np.int32
    )
