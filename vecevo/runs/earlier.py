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
from vecevo.runs.report.verdict import counted
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
    goes_on: bool,
) -> np.ndarray:
    """Returns a first generation int[P, G].

    Args:
      start_from: a .json file with genomes, or the folder of an earlier run, whose
        best networks start, and random ones beside them.
      space, fixed: of the run that starts.
      console: to say what starts.
      population_size: P.
      seed: of the random ones.
      goes_on: whether a run goes on; that one began without any is then no mistake.

    Raises:
      InputError: for what cannot be read, or has no network of the space.
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
    networks = read_networks(path)
    known = find_known(networks, space, fixed)[:population_size]
    if not known and not goes_on:
        raise InputError(
            f"start_from={start_from!r}: none of its "
            f"{counted(len(networks), 'network')} is in this space: give choices that "
            "it had, as its config.toml has them, or leave it out."
        )
    num_random = population_size - len(known)
    console.print(
        f"start: the best {counted(len(known), 'network')} of {start_from} in this "
        f"space{f', and {num_random} random' * (num_random > 0)}"
    )
    fresh = operators.random_population(
        split_run_key(seed).start, space.num_choices, population_size=population_size
    )
    return np.concatenate([*(g[None] for g in known), fresh])[:population_size]


def read_networks(path: pathlib.Path) -> list[dict[str, Any]]:
    """Reads the hyperparams of a run's networks, the best first.

    Raises:
      InputError: where there is no run, or it has no network.
    """
    file = path / "run.sqlite" if path.is_dir() else path
    if not file.exists():
        raise InputError(
            f"start_from={str(path)!r} has no run.sqlite: give the folder of a run, or "
            "a .json file with genomes."
        )
    networks = queries.read_best(file)
    if not networks:
        raise InputError(
            f"start_from={str(path)!r} has no network that was trained: give another "
            "run, or leave it out."
        )
    return networks


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
