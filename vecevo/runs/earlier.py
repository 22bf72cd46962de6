"""First generations taken from a file of genomes, or from an earlier run."""

import itertools
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from rich.console import Console

from vecevo import operators
from vecevo.errors import InputError, check_paths
from vecevo.keys import split_run_key
from vecevo.runs.files import queries
from vecevo.runs.starting import check_population
from vecevo.space import SearchSpace, decode, encode
from vecevo.training.lanes.widths import LAYER_WIDTHS, widths_of
from vecevo.training.recipe import CONDITIONAL, NAMES, complete

# Genes of a network that may have another choice than it says.
MAY_DIFFER = {"optimizer", "width", *CONDITIONAL} - set(LAYER_WIDTHS)


def start_population(
    start_from: str,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    console: Console,
    *,
    population_size: int,
    seed: int,
) -> np.ndarray:
    """Returns a first generation int[P, G].

    Args:
      start_from: a .json file with genomes, or the folder of an earlier run, whose
        best networks start, and random ones beside them.
      space, fixed: of the run that starts.
      console: to say what starts.
      population_size: P.
      seed: of the random ones.

    Raises:
      InputError: for what cannot be read, or genomes that are none of the space.
    """
    check_paths(start_from=start_from)
    path = pathlib.Path(start_from)
    if path.suffix == ".json":
        genomes = read_genomes(path)
        try:
            check_population(genomes, space, population_size)
        except InputError as error:
            raise InputError(f"start_from={start_from!r}: {error}") from error
        return genomes
    path = path / "run.sqlite" if path.is_dir() else path
    known = find_known(queries.read_best(path), space, fixed)[:population_size]
    if not known:
        console.print(f"start: none of the networks of {path} is in this space")
    console.print(
        f"start: the best {len(known)} networks of {path}, and "
        f"{population_size - len(known)} random ones"
    )
    fresh = operators.random_population(
        split_run_key(seed).start, space.num_choices, population_size=population_size
    )
    return np.concatenate([*(g[None] for g in known), fresh])[:population_size]


def find_known(
    networks: list[dict[str, Any]], space: SearchSpace, fixed: Mapping[str, Any]
) -> list[np.ndarray]:
    """Returns the genomes int32[G] of the networks that a space has, in their order.

    A network of an earlier run may lack hyperparameters that are newer than the run:
    they had no say then, as they have by default.
    """
    known = []
    for values in networks:
        if not set(values) <= set(NAMES):
            continue
        whole = complete(values)
        for genome in _candidates(whole, space):
            if complete({**fixed, **decode(space, genome)}) == whole:
                known.append(genome)
                break
    return known


def _candidates(whole: Mapping[str, Any], space: SearchSpace) -> Iterator[np.ndarray]:
    """Yields genomes that may be of a network, by the choices that each gene may have.

    A gene of which it has no choice may have no say beside the others, or, as the
    optimizer sgd, be another's name; its `width` is that of the widest layer.
    """
    is_even = len(set(widths_of(whole))) == 1
    by_name = {}
    for name, choices in space.genes:
        if name in LAYER_WIDTHS and not whole[name]:  # beyond its depth
            by_name[name] = choices[:1]
        elif whole[name] in choices and (name != "width" or is_even):
            by_name[name] = (whole[name],)
        elif name in MAY_DIFFER:
            by_name[name] = choices
        else:
            return
    for values in itertools.product(*by_name.values()):
        yield encode(space, dict(zip(by_name, values, strict=True)))


def read_genomes(path: pathlib.Path) -> np.ndarray:
    """Reads a JSON list of genomes."""
    try:
        return np.array(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"start_from={str(path)!r} cannot be read ({reason}): give a JSON list of "
            "genomes of one length, or the folder of a run."
        ) from error
