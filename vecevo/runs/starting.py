"""First generations that a configuration names."""

import json
import pathlib

import numpy as np

from vecevo import operators
from vecevo.runs import journal
from vecevo.runs.loop import check_population
from vecevo.space import decode, encode
from vecevo.training import sessions
from vecevo.training.recipe import complete


def start_population(config, space, fixed, console):
    """Returns the first generation int[P, G] that the configuration names, or None."""
    if config.start_from is None:
        return None
    path = pathlib.Path(config.start_from)
    if path.suffix == ".json":
        genomes = read_genomes(path)
        try:
            check_population(genomes, space, config.population_size)
        except ValueError as error:
            raise ValueError(f"start_from={config.start_from!r}: {error}") from error
        return genomes
    path = path / "run.sqlite" if path.is_dir() else path
    known = []
    for values in journal.read_best(path):
        if all(values[name] in choices for name, choices in space.genes):
            genome = encode(space, values)
            if complete({**fixed, **decode(space, genome)}) == values:
                known.append(genome)
    known = known[: config.population_size]
    console.print(
        f"start: the best {len(known)} networks of {path}, and "
        f"{config.population_size - len(known)} random ones"
    )
    key = sessions.split_run_key(config.seed).start
    fresh = operators.random_population(
        key, space.num_choices, population_size=config.population_size
    )
    return np.concatenate([*(g[None] for g in known), fresh])[: config.population_size]


def read_genomes(path):
    """Reads a JSON list of genomes."""
    try:
        return np.array(json.loads(path.read_text()))
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"start_from={str(path)!r} cannot be read ({reason}): give a JSON list of "
            "genomes of one length, or the folder of a run."
        ) from error
