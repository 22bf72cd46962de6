"""What a run leaves in result.json, and says of itself in its journal."""

import importlib.metadata
import platform
from typing import Any

import jax
import numpy as np

from vecevo.datasets.making import Dataset
from vecevo.results import Genome, NetworkResult, SearchResult
from vecevo.runs.configuration import RunConfig
from vecevo.runs.files.journal import finite_or_none
from vecevo.runs.files.tables import Table
from vecevo.space import SearchSpace
from vecevo.training.programs import is_on_cpu

PACKAGES = ("vecevo", "jax", "jaxlib", "flax", "optax", "numpy")


def result_dict(
    result: SearchResult, dataset: Dataset, config: RunConfig, space: SearchSpace
) -> dict[str, Any]:
    """Returns the dict of result.json from a SearchResult."""
    top = [
        {**_network(genome, network), "test_accuracy": network.test_accuracy}
        for genome, network in result.top
    ]
    return {
        **_common_dict(result, config, space, top),
        "protocol": "article" if dataset.is_article else "validation",
        "plan": [c._asdict() for c in result.classes],
        "ensemble": dict(result.ensemble.facts) if result.ensemble else None,
        "precision": precision_name(config),
        "memory_gib": config.memory_gib,
        "dataset": {
            "name": dataset.name,
            "num_train": len(dataset.y_train),
            "num_validation": len(dataset.y_validation),
            "num_test": len(dataset.y_test),
            "num_features": dataset.x_train.shape[1],
            "num_classes": dataset.num_classes,
            "classes": list(dataset.classes),
            "scaling": dataset.scaling,
        },
    }


def replay_dict(
    result: SearchResult, table: Table, config: RunConfig
) -> dict[str, Any]:
    """Returns the dict of result.json from a SearchResult on a recorded table.

    For the winners it says what the run did not see: the mean of all replicates.
    """
    means = table.validation_accuracy.mean(axis=1)
    num_choices = table.space.num_choices
    top = [
        {
            **_network(genome, network),
            "mean_accuracy": float(means[np.ravel_multi_index(genome, num_choices)]),
        }
        for genome, network in result.top
    ]
    return {
        **_common_dict(result, config, table.space, top),
        "landscape": {
            "source": table.source,
            "num_replicates": table.validation_accuracy.shape[1],
            "best_mean_accuracy": float(means.max()),
        },
    }


def _common_dict(
    result: SearchResult,
    config: RunConfig,
    space: SearchSpace,
    top: list[dict[str, Any]],
) -> dict[str, Any]:
    total = result.time_seconds["total"]
    return {
        "best": top[0] if top else None,
        "top": top,
        "objectives": list(config.objectives),
        "front": [_network(genome, network) for genome, network in result.front],
        "num_generations": len(result.progress),
        "generations": [
            {
                name: finite_or_none(getattr(progress, name))
                for name in ("best_accuracy", "mean_accuracy", "median_accuracy")
            }
            for progress in result.progress
        ],
        "num_genomes": space.num_genomes,
        "num_evaluated": result.num_evaluated,
        "num_trained": result.num_trained,
        "num_failed": result.num_failed,
        "num_programs": result.num_programs,
        "time_seconds": result.time_seconds,
        "networks_per_hour": 3600 * result.num_trained / total,
        "useful_work_ratio": result.useful_work_ratio,
        "device": jax.devices()[0].device_kind,
        "versions": versions(),
        "seed": config.seed,
    }


def _network(genome: Genome, network: NetworkResult) -> dict[str, Any]:
    return {
        "genome": list(genome),
        "hyperparams": network.hyperparams,
        "num_params": network.num_params,
        "num_epochs": network.num_epochs,
        "validation_accuracy": network.validation_accuracy,
    }


def precision_name(config: RunConfig) -> str:
    """What products were computed in, for the record."""
    return config.precision or ("float32" if is_on_cpu() else "default")


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that a result depends on."""
    of_packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **of_packages}
