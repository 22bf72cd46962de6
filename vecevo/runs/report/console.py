"""What a run shows: progress, its plan, the table of winners."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table

from vecevo.results import NetworkResult, Progress
from vecevo.training.forecast import ClassForecast
from vecevo.training.planning import Job

QUIET_SECONDS = 30  # between lines about cohorts, where there is no status line


def progress_line(progress: Progress, num_generations: int) -> str:
    """Returns the line that a generation ends with."""
    failed = f" ({progress.num_failed} failed)" if progress.num_failed else ""
    return (
        f"generation {progress.generation + 1}/{num_generations}: "
        f"best {progress.best_accuracy:.4f}, mean {progress.mean_accuracy:.4f}, "
        f"{progress.num_trained} distinct networks trained{failed}, "
        f"{progress.networks_per_hour:,.0f} networks/h, "
        f"{duration(progress.seconds_left)} left"
    )


def make_cohort_shower(
    console: Console, status: Status, num_generations: int
) -> Callable[[int, Sequence[NetworkResult]], None]:
    """Returns a function that says, after a cohort, how far the generation is.

    It updates the status line of a terminal; elsewhere it prints now and then.
    """
    last_seconds, num_trained = time.monotonic(), Counter()

    def show(generation: int, results: Sequence[NetworkResult]) -> None:
        nonlocal last_seconds
        num_trained[generation] += len(results)
        best = max(result.validation_accuracy for result in results)
        line = (
            f"generation {generation + 1}/{num_generations}: "
            f"{num_trained[generation]} new networks trained, the latest {best:.4f}"
        )
        status.update(line)
        if not console.is_terminal and time.monotonic() - last_seconds > QUIET_SECONDS:
            console.print(line)
            last_seconds = time.monotonic()

    return show


def duration(seconds: float) -> str:
    """Returns seconds as h:mm:ss or m:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{seconds:02}"
    return f"{minutes}:{seconds:02}"


def plan_table(rows: Sequence[ClassForecast]) -> Table:
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


def plan_line(rows: Sequence[ClassForecast], job: Job) -> str:
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


def networks_table(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> Table:
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


def ensemble_line(facts: dict[str, Any]) -> str:
    """Returns what an ensemble is worth, beside the best network alone."""
    held_out, best = facts["held_out_accuracy"], facts["held_out_best"]
    verdict = "no better" if held_out <= best else "better"
    return (
        f"ensemble of {facts['num_networks']} networks, {facts['num_picks']} picks: "
        f"validation {facts['validation_accuracy']:.4f}, test "
        f"{facts['test_accuracy']:.4f}; chosen by half of the validation part it is "
        f"{verdict} on the other than the best network, {held_out:.4f} against "
        f"{best:.4f}"
    )


def show_result(
    summary: dict[str, Any], genes: Sequence[str], folder: Any, console: Console
) -> None:
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
