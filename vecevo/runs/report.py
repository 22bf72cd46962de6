"""What a run shows and leaves: progress, the table of winners, result.json."""

import importlib.metadata
import math
import platform
import time
from collections import Counter

import jax
import numpy as np
from rich.table import Table

from vecevo.runs.evolve import accuracy_on

QUIET_SECONDS = 30  # between lines about cohorts, where there is no status line
PACKAGES = ("vecevo", "jax", "jaxlib", "flax", "optax", "numpy")


def progress_line(progress, num_generations):
    """Returns the line that a generation ends with."""
    failed = f" ({progress.num_failed} failed)" if progress.num_failed else ""
    return (
        f"generation {progress.generation + 1}/{num_generations}: "
        f"best {progress.best_accuracy:.4f}, mean {progress.mean_accuracy:.4f}, "
        f"{progress.num_trained} distinct networks trained{failed}, "
        f"{progress.networks_per_hour:,.0f} networks/h, "
        f"{duration(progress.seconds_left)} left"
    )


def make_cohort_shower(console, status, config):
    """Returns a function that says, after a cohort, how far the generation is.

    It updates the status line of a terminal; elsewhere it prints now and then.
    """
    last_seconds, num_trained = time.monotonic(), Counter()

    def show(generation, results):
        nonlocal last_seconds
        num_trained[generation] += len(results)
        best = max(result.validation_accuracy for result in results)
        line = (
            f"generation {generation + 1}/{config.num_generations}: "
            f"{num_trained[generation]} new networks trained, the latest {best:.4f}"
        )
        status.update(line)
        if not console.is_terminal and time.monotonic() - last_seconds > QUIET_SECONDS:
            console.print(line)
            last_seconds = time.monotonic()

    return show


def duration(seconds):
    """Returns seconds as h:mm:ss or m:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{seconds:02}"
    return f"{minutes}:{seconds:02}"


def result_dict(result, dataset, config, precision, space):
    """Returns the dict of result.json from a SearchResult.

    The test part is used here, once, for the winners alone.
    """
    top = [
        {
            **_network(genome, network),
            "test_accuracy": accuracy_on(
                network, dataset.x_test, dataset.y_test, num_classes=dataset.num_classes
            ),
        }
        for genome, network in result.top
    ]
    return {
        **_common_dict(result, config, space, top),
        "protocol": "article" if dataset.is_article else "validation",
        "plan": [c._asdict() for c in result.classes],
        "precision": precision,
        "memory_gib": config.memory_gib,
        "dataset": {
            "name": dataset.name,
            "num_train": len(dataset.y_train),
            "num_validation": len(dataset.y_validation),
            "num_test": len(dataset.y_test),
            "num_features": dataset.x_train.shape[1],
            "num_classes": dataset.num_classes,
            "scaling": dataset.scaling,
        },
    }


def replay_dict(result, table, config):
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


def _common_dict(result, config, space, top):
    total = result.time_seconds["total"]
    return {
        "best": top[0] if top else None,
        "top": top,
        "objectives": list(config.objectives),
        "front": [_network(genome, network) for genome, network in result.front],
        "num_generations": len(result.progress),
        "generations": [
            {
                name: _finite_or_none(getattr(progress, name))
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
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in PACKAGES},
        },
        "seed": config.seed,
    }


def _network(genome, network):
    return {
        "genome": list(genome),
        "hyperparams": network.hyperparams,
        "num_params": network.num_params,
        "num_epochs": network.num_epochs,
        "validation_accuracy": network.validation_accuracy,
    }


def _finite_or_none(number):
    return number if math.isfinite(number) else None


def plan_table(rows):
    """Returns ClassForecasts as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("width", "depth", "lanes", "networks", "cohorts", "programs"):
        table.add_column(name, justify="right")
    table.add_column("MiB a cohort", justify="right")
    table.add_column("time", justify="right")
    for row in rows:
        cohort_class = row.cohort_class
        table.add_row(
            f"to {cohort_class.width}",
            f"to {cohort_class.depth}",
            ", ".join(map(str, cohort_class.lane_counts)),
            f"{row.num_networks:.3g}",
            f"{row.num_cohorts:.3g}",
            str(row.num_programs),
            f"{row.cohort_bytes / 2**20:,.0f}",
            duration(row.seconds),
        )
    return table


def plan_line(rows, job):
    """Returns what a run is expected to take, in one line."""
    num_programs = sum(row.num_programs for row in rows)
    seconds = sum(row.seconds for row in rows)
    compiling = num_programs * job.costs.compile_seconds
    return (
        f"plan: {sum(row.num_networks for row in rows):,.0f} new networks in "
        f"{sum(row.num_cohorts for row in rows):,.0f} cohorts, {job.num_workers} at "
        f"once; at most {num_programs} programs; about {duration(seconds)}, and "
        f"{duration(compiling)} to compile what is not cached"
    )


def networks_table(rows, names):
    """Returns networks of a result.json dict as a table for the console.

    Of the hyperparams it shows those with the given names.
    """
    accuracies = {
        "validation_accuracy": "validation",
        "test_accuracy": "test",
        "mean_accuracy": "mean of replicates",
    }
    shown = [name for name in accuracies if name in rows[0]]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name.replace("_", " "))
    for name in ("parameters", *(accuracies[name] for name in shown)):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            *(str(row["hyperparams"][name]) for name in names),
            f"{row['num_params']:,}",
            *(f"{row[name]:.4f}" for name in shown),
        )
    return table


def show_result(summary, genes, folder, console):
    """Prints the winners and the sum of the run."""
    seconds = summary["time_seconds"]
    if summary["best"]:
        console.print(networks_table(summary["top"], genes))
    else:
        console.print("no network was trained to its end: give the run more time")
    if summary["front"]:
        console.print("the Pareto front of accuracy and parameters:")
        console.print(networks_table(summary["front"], genes))
    if summary["num_trained"] == summary["num_genomes"]:
        console.print("these are all networks of the space: there is no other")
    console.print(
        f"{summary['num_trained']} distinct networks trained for "
        f"{summary['num_evaluated']} asked, in {duration(seconds['total'])}, "
        f"{duration(seconds['compile'])} of it waiting for "
        f"{summary['num_programs']} compiled programs; results in {folder}"
    )
