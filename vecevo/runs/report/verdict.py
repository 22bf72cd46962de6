"""What a run found, said such that nobody need guess what it is worth."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from vecevo.errors import first_few
from vecevo.results import ACCURACY, in_metric, metric_prefix

Summary = Mapping[str, Any]  # the content of result.json

CONFIRMED = ("in the search", "validation", "test", "beside the first")
KEPT = "test: of the first training alone, whose weights are kept"  # of replicates
LARGE_SHARE = 0.5  # of networks that the cap on epochs stopped


def counted(number: float | str, noun: str) -> str:
    """Returns a number, or how it is written, and what there are so many of.

    >>> counted(1, "network"), counted(1200.0, "network"), counted("20", "cohort")
    ('1 network', '1,200 networks', '20 cohorts')
    """
    text = number if isinstance(number, str) else f"{number:,.0f}"
    return f"{text} {noun}{'s' * (text != '1')}"


def confirmation_table(summary: Summary, names: Sequence[str]) -> Table:
    """Returns the best networks, trained again, as a table for the console.

    Of the hyperparams it shows those with the given names.
    """
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name.replace("_", " "))
    *numbers, last = confirmed_header(summary)
    for name in numbers:
        table.add_column(name, justify="right")
    table.add_column(last)
    for row in confirmation_rows(summary, names):
        table.add_row(*row)
    return table


def confirmed_header(summary: Summary) -> list[str]:
    """Returns CONFIRMED, where it is no accuracy with what was measured."""
    word = metric_prefix(metric_of(summary))
    first, *measured, last = CONFIRMED
    return [first, *(f"{name} {word}".strip() for name in measured), last]


def confirmation_rows(summary: Summary, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Returns a row for each network trained again: values of `names`, CONFIRMED."""
    single = {  # of runs that did not record it beside the new trainings
        tuple(row["genome"]): row["validation_accuracy"] for row in summary["top"]
    }
    rows = []
    for place, row in enumerate(summary["confirmation"]):
        found = row.get("search_accuracy", single.get(tuple(row["genome"])))
        rows.append(
            (
                *(str(row["hyperparams"][name]) for name in names),
                "-" if found is None else f"{found:.4f}",
                spread_text(row["validation_accuracy"]),
                spread_text(row["test_accuracy"]),
                "the winner" if place == 0 else beside_text(row, summary),
            )
        )
    return rows


def spread_text(accuracies: Sequence[float | None]) -> str:
    """Returns the mean and the standard deviation of replicates; None: one failed.

    >>> spread_text([0.5, 0.7])
    '0.6000 ± 0.1414'
    """
    numbers = [math.nan if x is None else x for x in accuracies]
    if not all(map(math.isfinite, numbers)):
        return "failed"
    deviation = f" ± {np.std(numbers, ddof=1):.4f}" if len(numbers) > 1 else ""
    return f"{np.mean(numbers):.4f}{deviation}"


def beside_text(row: Mapping[str, Any], summary: Summary) -> str:
    """Returns whether a network can be told from the first, in words."""
    first = summary["confirmation"][0]
    if row["validation_accuracy"] == first["validation_accuracy"]:
        return "equal"
    if row["is_tied"] is None:
        return "not tested"
    p_value = "p < 0.001" if row["p_value"] < 0.001 else f"p {row['p_value']:.3f}"
    told = "cannot be told from it" if row["is_tied"] else "worse"
    return f"{told}, {p_value}"


def verdict_lines(summary: Summary) -> list[str]:
    """Returns what the winner was chosen by, and what speaks against trusting it."""
    lines = [chosen_line(summary)] if summary["best"] else []
    lines += [*measured_lines(summary), *saved_lines(summary)]
    lines += [*failure_lines(summary), *doubt_lines(summary)]
    lines = [in_metric(line, metric_of(summary)) for line in lines]
    return [*lines, *error_lines(summary)]


def metric_of(summary: Summary) -> str:
    """Returns what the networks of a run were compared by."""
    of_what = summary.get("dataset") or summary.get("landscape") or {}
    return of_what.get("metric", ACCURACY)


def error_lines(summary: Summary) -> list[str]:
    """Returns how far off the winner is on the test part, where it predicts numbers."""
    errors = (summary["best"] or {}).get("test_rmse")
    if not errors:
        return []
    named = first_few([f"{name} {error:.4g}" for name, error in errors.items()])
    return [f"RMSE of the winner on the test part, in the units given: {named}"]


def chosen_line(summary: Summary) -> str:
    """Returns which data chose the winner, and among how many networks."""
    part = "test" if summary["protocol"] == "article" else "validation"
    num = summary["dataset"][f"num_{part}"]
    confirmed = summary["confirmation"]
    by, num_tried = search_words(summary), summary["num_trained"]
    if confirmed:
        by = (
            f"the mean of {len(confirmed[0]['validation_accuracy'])} new trainings of "
            f"each of the best {len(confirmed)}"
        )
        by += " by a model of the search" * bool(summary.get("is_by_model"))
    return (
        f"chosen by {by}, on the {counted(num, 'example')} of the {part} part; "
        f"{counted(num_tried, 'network')} {'was' if num_tried == 1 else 'were'} tried"
    )


def measured_lines(summary: Summary) -> list[str]:
    """Returns what the accuracies of a table are of, if not of one training each."""
    num, confirmed = summary.get("replicates", 1), summary["confirmation"]
    if confirmed:
        again = len(confirmed[0]["validation_accuracy"])
        line = (
            f"validation and test: mean ± standard deviation of {again} new trainings"
        )
        if any(row["p_value"] is not None for row in confirmed):
            line += "; p: that it is as good as the winner, adjusted by Holm"
        if num > 1:
            line += f"; in the search: the mean of {num} trainings"
        return [line]
    if num == 1 or not summary["best"]:
        return []
    is_measured = summary["best"]["test_accuracy"] is not None
    tested = f"; {KEPT}" if is_measured else ""
    return [f"validation: the mean of {num} trainings{tested}"]


def rungs_line(rungs: Sequence[int]) -> str:
    """Returns what rungs do with a generation.

    >>> print(rungs_line((3, 9, 25)))
    rungs: after epochs 3 and 9 of 25 the best third trains on; --rungs none: all do
    """
    *earlier, last = rungs
    epochs = f"epoch{'s' * (len(earlier) > 1)} {' and '.join(map(str, earlier))}"
    best = "the best third trains on; --rungs none: all do"
    return f"rungs: after {epochs} of {last} {best}"


def saved_lines(summary: Summary) -> list[str]:
    """Returns how many networks stopped at which rung, and what that saved."""
    saved = summary.get("saved")
    if not saved:
        return []
    stopped = [
        f"{counted(num, 'network')} at epoch {rung}"
        for num, rung in zip(saved["num_stopped"], saved["rungs"], strict=False)
    ]
    share = 1 - saved["num_epochs"] / saved["num_without"]
    return [
        f"rungs stopped {' and '.join(stopped)}, which saved about {share:.0%} of the "
        f"epochs: {saved['num_epochs']:,} were trained, about "
        f"{saved['num_without']:,.0f} without rungs"
    ]


def search_words(summary: Summary) -> str:
    """Returns what the search ranked networks by.

    >>> search_words({"replicates": 3, "is_by_model": False})
    'the mean of 3 trainings each'
    """
    num = summary.get("replicates", 1)
    trainings = "one training each" if num == 1 else f"the mean of {num} trainings each"
    if summary.get("is_by_model"):
        return f"what a model of the search expects from {trainings}"
    return trainings


def epochs_in_words(epochs: Sequence[int]) -> str:
    """Returns the first and the last of some epochs, which count from 0, from 1.

    >>> epochs_in_words([0, 3])
    'epochs 1 to 4'
    """
    first, last = min(epochs) + 1, max(epochs) + 1
    return f"epoch {first}" if first == last else f"epochs {first} to {last}"


def failure_lines(summary: Summary) -> list[str]:
    """Returns how many networks failed, and when."""
    epochs, num_failed = summary["failed_epochs"], summary["num_failed"]
    if not num_failed or not summary["best"]:
        return []
    where = epochs_in_words(epochs)
    lines = [f"{num_failed:,} of them failed: a loss was not finite, in {where}"]
    lost = [
        str(number)
        for number, row in enumerate(summary["generations"], start=1)
        if row["num_new"] and row["num_new_failed"] == row["num_new"]
    ]
    if lost:
        lines.append(
            f"every new network failed in generation {', '.join(lost)}: try lower "
            "learning rates"
        )
    return lines


def doubt_lines(summary: Summary) -> list[str]:
    """Returns why the first of the table may not be the best."""
    lines, confirmed = [], summary["confirmation"]
    if summary.get("unconfirmed_seconds") is not None:
        lines.append(
            "no network was confirmed, as that was expected to take "
            f"{summary['unconfirmed_seconds']:.2g} s, for which max_seconds did not "
            "suffice: give more"
        )
    tied = [row for row in confirmed[1:] if row["is_tied"]]
    if confirmed and len(confirmed) > 1 and confirmed[1]["is_tied"] is None:
        lines.append(
            "two trainings of each are too few to tell them apart: means alone"
        )
    if tied:
        lines.append(
            f"within noise: {len(tied)} of the other {len(confirmed) - 1} cannot be "
            "told from the winner (paired t-test by replicate, Holm's correction, "
            "5 %, and a little more as the same accuracies chose the winner)"
        )
    num_capped, num_trained = summary["num_capped"], summary["num_trained"]
    if num_trained and num_capped > LARGE_SHARE * num_trained:
        lines.append(
            f"{num_capped:,} of {counted(num_trained, 'network')} trained to the cap "
            f"of {counted(summary['max_epochs'], 'epoch')}, and might do better with "
            "more: --max-epochs"
        )
    return lines


def ensemble_line(facts: Mapping[str, Any], word: str = "") -> str:
    """Returns what an ensemble is worth, beside the best network alone.

    The word is before its accuracies.
    """
    held_out, best = facts["held_out_accuracy"], facts["held_out_best"]
    line = (
        f"ensemble of {counted(facts['num_networks'], 'network')}, "
        f"{counted(facts['num_picks'], 'pick')}: "
        f"validation {word}{facts['validation_accuracy']:.4f}, test {word}"
        f"{facts['test_accuracy']:.4f}"
    )
    if held_out is None or best is None or facts["num_networks"] == 1:
        return line
    verdict = "no better" if held_out <= best else "better"
    return (
        f"{line}; chosen by half of the validation part it is {verdict} on the other "
        f"than the best network, {word}{held_out:.4f} against {best:.4f}"
    )
