"""A network of a recorded run, found and trained again."""

from typing import Any

from vecevo.datasets.loading import load_dataset
from vecevo.datasets.making import Dataset
from vecevo.errors import InputError
from vecevo.results import NetworkResult, genome_text
from vecevo.runs import environment, resolving
from vecevo.runs.configuration import RunConfig
from vecevo.runs.files.reading import RecordedNetwork, Run, ranked
from vecevo.runs.parsing import from_recorded
from vecevo.training.library import train_networks


def find_network(run: Run, *, rank: int | None, genome: str | None) -> RecordedNetwork:
    """Returns a network that a run has trained, by its rank from 1, or its genome.

    Raises:
      InputError: for one that it has not.
    """
    networks = [n for n in run.networks if n.purpose == "search" and not n.replicate]
    trained = ranked(run, [n for n in networks if n.status == "trained"])
    if genome is not None:
        found = [n for n in networks if genome_text(n.genome) == genome]
        if not found:
            best = [f", such as {genome_text(n.genome)}, the best" for n in trained[:1]]
            raise InputError(
                f"genome={genome!r} was not trained in {run.folder}: give one that "
                f"was{''.join(best)}, or --rank."
            )
        if found[0].status != "trained":
            raise InputError(
                f"genome={genome!r} is a network that {found[0].status}, and has no "
                "weights to keep: give another."
            )
        return found[0]
    if rank is None or not 1 <= rank <= len(trained):
        raise InputError(
            f"rank={rank} must be from 1 to {len(trained)}, the networks of "
            f"{run.folder} that were trained to their end."
        )
    return trained[rank - 1]


def train_again(run: Run, network: RecordedNetwork) -> NetworkResult:
    """Trains a network as the run did, alone.

    Raises:
      InputError: for a run that did not record its settings, or whose data set is not
        there.
    """
    config = recorded_config(run)
    environment.select_device(config.device)
    cache_dir = environment.set_up_cache(config.cache_dir)
    (result,) = train_networks(
        [network.hyperparams],
        dataset_of(config, cache_dir and cache_dir / "datasets"),
        seed=config.seed,
        **resolving.training_settings(config),
    )
    return result


def recorded_config(run: Run) -> RunConfig:
    """Returns the configuration of a run, resolved.

    Raises:
      InputError: for a run that did not record it.
    """
    if not run.config:
        raise InputError(
            f"run={str(run.folder)!r} did not record its settings: give a later one."
        )
    return from_recorded(run.config)


def dataset_of(config: RunConfig, cache_dir: Any = None) -> Dataset:
    """Loads the data set of a configuration."""
    return load_dataset(
        config.dataset,
        target=config.target,
        weight=config.weight,
        task=config.task,
        inputs=config.inputs,
        data_dir=config.data_dir,
        cache_dir=cache_dir,
        seed=config.seed,
        limit_train=config.limit_train,
        is_article=config.protocol == "article",
    )
