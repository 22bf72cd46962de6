"""What a run leaves in result.json, and says of itself in its journal."""

import pathlib
import shlex
import sys
from typing import Any

import numpy as np

from vecevo.datasets.making import Dataset
from vecevo.results import Confirmed, Genome, NetworkResult, SearchResult
from vecevo.runs.configuration import RunConfig
from vecevo.runs.environment import versions
from vecevo.runs.files.journal import finite_or_none, status_of
from vecevo.runs.files.tables import Table, metric_of
from vecevo.space import SearchSpace
from vecevo.training.devices import training_device
from vecevo.training.lanes import metrics
from vecevo.training.settings import precision_name


def result_dict(
    result: SearchResult, dataset: Dataset, config: RunConfig, space: SearchSpace
) -> dict[str, Any]:
    """Returns the dict of result.json from a SearchResult."""
    top = [
        {
            **_network(genome, network),
            "test_accuracy": network.test_accuracy,
            **_errors(network),
            "status": status_of(network),
        }
        for genome, network in result.top
    ]
    return {
        **_common_dict(result, config, space, top),
        "protocol": "article" if dataset.is_article else "validation",
        "confirmation": [_confirmed(row) for row in result.confirmation],
        "unconfirmed_seconds": result.unconfirmed_seconds,
        "is_by_model": result.is_by_model,
        "replicates": config.replicates,
        "max_epochs": config.max_epochs,
        "num_capped": result.num_capped,
        "saved": result.saved._asdict() if result.saved else None,
        "stopped_by": result.stopped_by,
        "resume": resume_command(config) if result.stopped_by else None,
        "plan": [c._asdict() for c in result.classes],
        "ensemble": dict(result.ensemble.facts) if result.ensemble else None,
        "precision": precision_name(config.precision),
        "memory_gib": config.memory_gib,
        "dataset": {
            "name": dataset.name,
            "num_train": len(dataset.y_train),
            "num_validation": len(dataset.y_validation),
            "num_test": len(dataset.y_test),
            "num_features": dataset.x_train.shape[1],
            "num_classes": dataset.num_classes,
            "classes": list(dataset.classes),
            "targets": list(dataset.targets.names) if dataset.targets else [],
            "metric": metrics.row_of(str(config.metric)).word,
            "scaling": dataset.scaling,
        },
    }


def replay_dict(
    result: SearchResult, table: Table, config: RunConfig
) -> dict[str, Any]:
    """Returns the dict of result.json from a SearchResult on a recorded table.

    For the winners it says what the run did not see: the mean of all replicates, None
    where one of them failed.
    """
    means = table.validation_accuracy.mean(axis=1)
    num_choices = table.space.num_choices
    top = [
        {
            **_network(genome, network),
            "mean_accuracy": finite_or_none(
                means[np.ravel_multi_index(genome, num_choices)]
            ),
        }
        for genome, network in result.top
    ]
    return {
        **_common_dict(result, config, table.space, top),
        "landscape": {
            "source": table.source,
            "metric": metric_of(table),
            "num_replicates": table.validation_accuracy.shape[1],
            "best_mean_accuracy": finite_or_none(means.max()),
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
            | {"num_new": progress.num_new, "num_new_failed": progress.num_new_failed}
            for progress in result.progress
        ],
        "num_genomes": space.num_genomes,
        "num_evaluated": result.num_evaluated,
        "num_trained": result.num_trained,
        "num_failed": result.num_failed,
        "failed_epochs": list(result.failed_epochs),
        "num_programs": result.num_programs,
        "time_seconds": result.time_seconds,
        "networks_per_hour": 3600 * result.num_trained / total,
        "useful_work_ratio": result.useful_work_ratio,
        "device": training_device().kind,
        "versions": versions(),
        "seed": config.seed,
    }


def _confirmed(row: Confirmed) -> dict[str, Any]:
    accuracies = {
        name: [finite_or_none(number) for number in getattr(row, name).tolist()]
        for name in ("validation_accuracy", "test_accuracy")
    }
    return {
        "genome": list(row.genome),
        "hyperparams": row.hyperparams,
        **accuracies,
        "p_value": row.p_value,
        "is_tied": row.is_tied,
        "search_accuracy": row.search_accuracy,
    }


def resume_command(config: RunConfig) -> str:
    """Returns the command that goes on with a run, as this one was called."""
    name = pathlib.Path(sys.argv[0]).name
    program = (
        [sys.argv[0]] if name == "vecevo" else [sys.executable, "-m", "vecevo.run"]
    )
    return shlex.join([*program, "--resume", str(config.output_dir)])


def _errors(network: NetworkResult) -> dict[str, Any]:
    """Where numbers are predicted, the errors on the test part in their units."""
    facts = network.network.facts if network.network is not None else {}
    return {"test_rmse": facts["test_rmse"]} if "test_rmse" in facts else {}


def _network(genome: Genome, network: NetworkResult) -> dict[str, Any]:
    return {
        "genome": list(genome),
        "hyperparams": network.hyperparams,
        "num_params": network.num_params,
        "num_epochs": network.num_epochs,
        "validation_accuracy": network.validation_accuracy,
    }
