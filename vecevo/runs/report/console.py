"""What a run shows: progress, its plan, the table of winners."""

import json
import math
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from vecevo.networks import saving
from vecevo.results import ACCURACY, Progress, in_metric, metric_prefix
from vecevo.runs.budget import BudgetPlan, Proposal, is_short
from vecevo.runs.files.queries import read_rows
from vecevo.runs.report import verdict
from vecevo.runs.report.verdict import counted
from vecevo.space import SearchSpace
from vecevo.training.forecast import ClassForecast
from vecevo.training.lanes.widths import have_own
from vecevo.training.recipe import telling


def progress_line(
    progress: Progress, num_generations: int, word: str = "", *, is_trained: bool = True
) -> str:
    """Returns the line that a generation ends with; `word` is before its accuracies.

    Networks that were not trained were looked up, and how fast that was says nothing.
    """
    done = "trained" if is_trained else "looked up"
    speed = f"{progress.networks_per_hour:,.0f} networks/h, " if is_trained else ""
    failed = f" ({progress.num_failed} failed)" if progress.num_failed else ""
    return (
        f"generation {progress.generation + 1}/{num_generations}: "
        f"best {word}{progress.best_accuracy:.4f}, "
        f"mean {word}{progress.mean_accuracy:.4f}, "
        f"{counted(progress.num_trained, 'distinct network')} {done}{failed}, {speed}"
        f"{duration(progress.seconds_left)} left"
    )


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


def plan_lines(
    rows: Sequence[ClassForecast], planned: BudgetPlan, proposals: Sequence[Proposal]
) -> list[str]:
    """Returns what a run is expected to take, and what its time allows of it.

    Args:
      rows: of the whole run.
      planned: of the run.
      proposals: where less than one generation is allowed.
    """
    num_programs = sum(row.num_programs for row in rows)
    num_networks = sum(row.num_networks for row in rows)
    seconds, job = sum(row.seconds for row in rows), planned.job
    compiling = num_programs * job.costs.compile_seconds
    line = (
        f"plan: {counted(num_networks, 'new network')} in "
        f"{counted(sum(row.num_cohorts for row in rows), 'cohort')}, {job.num_workers} "
        f"at once; at most {counted(num_programs, 'program')}; about "
        f"{duration(seconds)}, and {duration(compiling)} to compile what is not cached"
    )
    if math.isinf(planned.max_seconds):
        return [line]
    if is_short(planned.in_time):
        return [f"{line}; {allowed(planned)}", short_line(planned, proposals)]
    is_whole = round(planned.in_time.num_networks) >= round(num_networks)
    return [f"{line}; {allowed(planned, of_all=is_whole)}"]


def allowed(planned: BudgetPlan, *, of_all: bool = False) -> str:
    """Returns how many networks the time allows."""
    words = f"about {counted(roughly(planned.in_time.num_networks), 'network')}"
    words = "all of them" if of_all else words
    return f"max_seconds {planned.max_seconds:g} allows {words}"


def short_line(planned: BudgetPlan, proposals: Sequence[Proposal]) -> str:
    """Returns what would allow more networks, where no generation ends in time."""
    line = (
        f"{allowed(planned)}, less than one generation of "
        f"{planned.in_time.num_first:,}, which takes "
        f"{duration(planned.generation_seconds)}"
    )
    if not proposals:
        return line
    first, *rest = [
        (one.setting, roughly(one.in_time.num_networks)) for one in proposals
    ]
    words = [f"{first[0]} would allow about {first[1]}"]
    words += [f"{setting} about {num}" for setting, num in rest]
    return f"{line}: {', '.join(words)}"


def roughly(number: float) -> str:
    """Returns a number in two digits.

    >>> roughly(1372.2), roughly(7.6)
    ('1,400', '8')
    """
    return f"{float(f'{round(number):.2g}'):,.0f}"


def networks_table(
    rows: Sequence[dict[str, Any]], names: Sequence[str], metric: str = ACCURACY
) -> Table:
    """Returns networks of a result.json dict as a table for the console.

    Of the hyperparams it shows those with the given names.
    """
    word = metric_prefix(metric).strip()
    accuracies = {
        "validation_accuracy": f"validation {word}".strip(),
        "test_accuracy": f"test {word}".strip(),
        "mean_accuracy": "mean of replicates",
    }
    if all(row.get("test_accuracy") is None for row in rows):  # not measured yet
        del accuracies["test_accuracy"]
    shown = [name for name in accuracies if name in rows[0]]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name.replace("_", " "))
    is_partial = any(row.get("status") == "partial" for row in rows)
    for name in ("parameters", *(accuracies[name] for name in shown)):
        table.add_column(name, justify="right")
    if is_partial:
        table.add_column("training")
    for row in rows:
        table.add_row(
            *(str(row["hyperparams"][name]) for name in names),
            f"{row['num_params']:,}",
            *("-" if row[name] is None else f"{row[name]:.4f}" for name in shown),
            *([epochs_text(row)] if is_partial else []),
        )
    return table


def epochs_text(row: Mapping[str, Any]) -> str:
    """Returns whether a network was trained to its end, and for how many epochs."""
    is_partial = row["status"] == "partial"
    num_epochs = counted(row["num_epochs"], "epoch")
    return f"{'stopped after' if is_partial else 'whole,'} {num_epochs}"


def values_line(hyperparams: Mapping[str, Any]) -> str:
    """Returns hyperparams by name, in one line.

    >>> values_line({"depth": 2, "weight_decay": 0.0})
    'depth 2, weight_decay 0'
    """
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in hyperparams.items()
    )


def fixed_line(fixed: Mapping[str, Any], genes: Sequence[str]) -> str:
    """Returns what is the same for all networks, in one line.

    A learning rate that is neither fixed nor a gene is the default of each optimizer.
    """
    parts = [values_line(fixed)] if fixed else []
    if "learning_rate" not in {*fixed, *genes}:
        parts.append("learning rate by optimizer")
    return "; ".join(parts)


def common_hyperparams(
    rows: Sequence[dict[str, Any]], genes: Sequence[str]
) -> dict[str, Any]:
    """Returns the hyperparams that are no genes, the same in all rows, and telling."""
    first = rows[0]["hyperparams"]
    left_out = {*genes}
    if have_own([row["hyperparams"] for row in rows], genes):
        left_out.add("width")
    names = [name for name in first if name in telling(first) and name not in left_out]
    return {
        name: first[name]
        for name in names
        if all(row["hyperparams"][name] == first[name] for row in rows)
    }


def failure_line(num_failed: int, epochs: Sequence[int]) -> str:
    """Returns why no network of a run was trained to its end, and what to try.

    Args:
      num_failed: networks.
      epochs: at which they failed, from 0; empty where that is not known.
    """
    where = f" in {verdict.epochs_in_words(epochs)}" if epochs else ""
    return (
        f"no network was trained to its end: {num_failed} failed, as their loss was no "
        f"longer finite{where}; try lower learning rates"
    )


def failed_epochs(folder: pathlib.Path) -> list[int]:
    """Returns the epochs, from 0, at which networks of a run failed, if it has any."""
    path = folder / "run.sqlite"
    rows = read_rows(path) if path.exists() else []
    return [row["failed_epoch"] for row in rows if row["failed_epoch"] is not None]


def leave_result(
    summary: dict[str, Any], space: SearchSpace, folder: pathlib.Path, console: Console
) -> None:
    """Writes result.json, and shows what is in it."""
    content = json.dumps(summary, indent=2) + "\n"
    saving.write_whole(folder / "result.json", content.encode())
    show_result(summary, [name for name, _ in space.genes], folder, console)
    if summary.get("ensemble"):
        word = metric_prefix(verdict.metric_of(summary))
        console.print(verdict.ensemble_line(summary["ensemble"], word))


def show_result(
    summary: dict[str, Any],
    genes: Sequence[str],
    folder: pathlib.Path,
    console: Console,
) -> None:
    """Prints the winners and the sum of the run."""
    rows, metric = [*summary["top"], *summary["front"]], verdict.metric_of(summary)
    if summary.get("confirmation"):
        console.print(verdict.confirmation_table(summary, genes))
    elif summary["best"]:
        console.print(networks_table(summary["top"], genes, metric))
    elif summary["num_failed"]:
        console.print(failure_line(summary["num_failed"], failed_epochs(folder)))
    else:
        console.print("no network is ready yet: give the run more time")
    if summary["front"]:
        said = "the Pareto front of accuracy and parameters:"
        console.print(in_metric(said, metric))
        console.print(networks_table(summary["front"], genes, metric))
    if "stopped_by" in summary:  # networks were trained
        for line in verdict.verdict_lines(summary):
            console.print(line)
    if rows and (line := fixed_line(common_hyperparams(rows, genes), genes)):
        console.print(f"all: {line}", style="dim")
    show_sum(summary, folder, console)


def show_sum(summary: dict[str, Any], folder: pathlib.Path, console: Console) -> None:
    """Prints what a run trained, in what time, and where it is."""
    seconds = summary["time_seconds"]
    if summary["num_trained"] == summary["num_genomes"]:
        console.print("these are all networks of the space: there is no other")
    num_trained, num_asked = summary["num_trained"], summary["num_evaluated"]
    # A generation that was not trained to its end has not been asked for.
    asked = f" for {num_asked} asked" if num_asked >= num_trained else ""
    waiting = f", {duration(seconds['compile'])} of it waiting for compiled programs"
    done = "looked up" if "landscape" in summary else "trained"
    console.print(
        f"{counted(num_trained, 'distinct network')} {done}{asked}, "
        f"in {duration(seconds['total'])}{waiting * (seconds['compile'] > 0)}; "
        f"results in {folder}"
    )
    if summary.get("stopped_by"):
        console.print(
            f"stopped by {summary['stopped_by']} after "
            f"{counted(summary['num_generations'], 'generation')}; "
            f"to go on: {summary['resume']}"
        )
        if summary["best"] and summary["best"]["test_accuracy"] is None:
            said = "test accuracies come with the end of the run"
            console.print(in_metric(said, verdict.metric_of(summary)))
