"""What a report says of a run, in numbers and in words."""

import math
import os
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from vecevo.errors import InputError, is_number
from vecevo.results import ACCURACY, R2, Genome
from vecevo.runs.files.reading import RecordedNetwork, Run, ranked
from vecevo.runs.ledger import NUM_TOP

MOST_LETTERS = 18  # of a value in a picture
LEAST_R2 = -0.1  # on a scale, where the best is above 0


def searched_networks(run: Run) -> list[RecordedNetwork]:
    """Returns what the search trained, in the order of the run.

    Of a network that was trained on, rung by rung, it is the last; of several
    replicates the first, with the mean of all. Confirmations are left out, and, as in
    the run, networks that were stopped before all their trainings ended.
    """
    last: dict[Any, dict[int, RecordedNetwork]] = {}
    for network in run.networks:
        if network.purpose != "search" or network.status == "partial":
            continue
        found = last.get(network.genome, {})
        before = found.get(network.replicate)
        if before is None or network.rung >= before.rung:
            last.pop(network.genome, None)
            last[network.genome] = found | {network.replicate: network}
    num_replicates = run.config.get("replicates", 1)
    return [
        mean_of(list(found.values()))
        for found in last.values()
        if len(found) >= num_replicates
    ]


def mean_of(replicates: Sequence[RecordedNetwork]) -> RecordedNetwork:
    """Returns the first replicate with the mean accuracy and loss of all."""
    first = min(replicates, key=lambda n: n.replicate)
    if len(replicates) == 1:
        return first
    return first._replace(
        validation_accuracy=float(np.mean([n.validation_accuracy for n in replicates])),
        validation_loss=float(np.mean([n.validation_loss for n in replicates])),
    )


def is_failed(network: RecordedNetwork) -> bool:
    """Whether a network has no accuracy, as its loss was not finite."""
    return not math.isfinite(network.validation_accuracy)


def whole_networks(run: Run) -> list[RecordedNetwork]:
    """Returns the networks of the search that did not fail."""
    return [n for n in searched_networks(run) if not is_failed(n)]


def failed_networks(run: Run) -> list[RecordedNetwork]:
    """Returns the networks of the search that failed."""
    return [n for n in searched_networks(run) if is_failed(n)]


def top_networks(run: Run) -> list[RecordedNetwork]:
    """Returns the best five, ranked as in result.json; fewer where there are fewer.

    Those that were trained again at the end come first, by what that found.
    """
    rows = (run.summary or {}).get("confirmation") or []
    places = {tuple(row["genome"]): place for place, row in enumerate(rows)}
    found = ranked(run, [*whole_networks(run), *partial_winners(run)])
    return sorted(found, key=lambda n: places.get(n.genome, len(places)))[:NUM_TOP]


def partial_winners(run: Run) -> list[RecordedNetwork]:
    """Returns the winners of a run that were stopped, each with what it had by then."""
    winners = {
        tuple(row["genome"])
        for row in (run.summary or {}).get("top") or []
        if row.get("status") == "partial"
    }
    found = {
        network.genome: network
        for network in run.networks
        if network.status == "partial" and network.genome in winners
    }
    return list(found.values())


def accuracies_of(networks: Sequence[RecordedNetwork]) -> np.ndarray:
    """Returns validation accuracies, float64[N]; -inf is failed."""
    return np.array([n.validation_accuracy for n in networks], float)


def finalists(networks: Sequence[RecordedNetwork]) -> list[RecordedNetwork]:
    """Returns those that came to the last rung: without rungs all of them."""
    last = max((n.rung for n in networks), default=0)
    return [n for n in networks if n.rung == last]


def best_so_far(networks: Sequence[RecordedNetwork]) -> np.ndarray:
    """Returns the best accuracy of the finalists up to each network, float64[N].

    It is -inf before the first of them that did not fail.
    """
    rungs = np.array([n.rung for n in networks])
    is_last = rungs == rungs.max(initial=0)
    return np.maximum.accumulate(np.where(is_last, accuracies_of(networks), -np.inf))


def genomes_of(run: Run, networks: Sequence[RecordedNetwork]) -> np.ndarray:
    """Returns genomes, int64[N, G]."""
    genomes = [n.genome for n in networks]
    return np.array(genomes, int).reshape(len(networks), len(run.space.genes))


def varied_genes(run: Run) -> list[int]:
    """Returns the places of the genes that have more than one choice."""
    return [place for place, n in enumerate(run.space.num_choices) if n > 1]


def accuracy_floor(accuracies: np.ndarray, metric: str = ACCURACY) -> float:
    """Returns where a scale of accuracies begins, so that bad ones squash none.

    Args:
      accuracies: float[N], finite, N from 1 up.
      metric: what they are, in a word or two.

    Returns:
      The least of them, or, where that is lower, what lies three times as far below
      the best as the median; see also `worth_seeing`.
    """
    best = accuracies.max()
    distance = max(3 * (best - np.median(accuracies)), 0.02)
    least = max(accuracies.min(), best - distance)
    return worth_seeing(float(least), float(best), metric)


def worth_seeing(least: float, best: float, metric: str) -> float:
    """Returns where a scale of numbers begins that go from the least to the best.

    How far an R2 is below 0, the mean of the targets, says nothing beside one above.

    >>> worth_seeing(-50, 0.9, R2), worth_seeing(0.2, 0.9, R2)
    (-0.1, 0.2)
    """
    return max(least, LEAST_R2) if metric == R2 and best > 0 else least


def below_words(accuracies: np.ndarray, metric: str) -> str:
    """Says how many of some accuracies float[N] are below their scale; empty: none.

    Those of networks that failed are none; one of them did not.
    """
    whole = accuracies[np.isfinite(accuracies)]
    is_below = whole < accuracy_floor(whole, metric)
    if not is_below.any():
        return ""
    return f" Below the scale: {is_below.sum():,}, the least {whole.min():.4g}."


def thin_out(networks: Sequence[RecordedNetwork], most: int) -> list[RecordedNetwork]:
    """Returns at most so many networks, evenly by rank, the best and worst with them.

    They come from the worst to the best.
    """
    ranked = sorted(networks, key=lambda n: n.validation_accuracy)
    places = np.linspace(0, len(ranked) - 1, min(most, len(ranked)))
    return [ranked[round(place)] for place in places]


def value_text(value: Any) -> str:
    """Returns a hyperparam's value as pictures and tables show it, in a short text."""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def words(name: str) -> str:
    """Returns a name as text: `learning_rate` is learning rate."""
    return name.replace("_", " ")


class Groups(NamedTuple):
    """Choices of a gene, several put together where there are too many to show."""

    labels: list[str]
    of_choice: np.ndarray  # int[C], the group of each choice
    is_ordered: bool  # the choices are numbers


def group_choices(choices: Sequence[Any], counts: np.ndarray, most: int) -> Groups:
    """Puts choices together: neighbours of numbers; of names, all but the frequent.

    Args:
      choices: C of them.
      counts: int[C], how many networks have each.
      most: groups.
    """
    is_ordered = all(is_number(choice) for choice in choices)
    order = np.argsort(choices).tolist() if is_ordered else range(len(choices))
    if len(choices) <= most:
        parts = [[place] for place in order]
    elif is_ordered:
        parts = [part.tolist() for part in np.array_split(order, most)]
    else:
        ranked = np.argsort(-counts, kind="stable").tolist()
        parts = [*([place] for place in ranked[: most - 1]), ranked[most - 1 :]]
    of_choice = np.zeros(len(choices), int)
    for group, part in enumerate(parts):
        of_choice[part] = group
    labels = [_label([choices[place] for place in part], is_ordered) for part in parts]
    return Groups(labels, of_choice, is_ordered)


def _label(choices: Sequence[Any], is_ordered: bool) -> str:
    if len(choices) == 1:
        return value_text(choices[0])
    ends = (choices[0], choices[-1])
    texts = [f"{end:.2g}" if isinstance(end, float) else str(end) for end in ends]
    return " to ".join(texts) if is_ordered else "others"


def groups_of(run: Run, gene: int, genomes: np.ndarray, most: int) -> Groups:
    """Returns the groups of a gene's choices, by the genomes int[N, G] of a run."""
    choices = run.space.genes[gene][1]
    counts = np.bincount(genomes[:, gene], minlength=len(choices))
    return group_choices(choices, counts, most)


def tested_accuracies(run: Run) -> dict[Genome, float]:
    """Returns the test accuracy of each winner that the run's summary has it of."""
    rows = (run.summary or {}).get("top") or []
    return {
        tuple(row["genome"]): row["test_accuracy"]
        for row in rows
        if row.get("test_accuracy") is not None
    }


def metric_of(runs: Sequence[Run]) -> str:
    """Returns what the networks of runs are compared by, in a word or two.

    Raises:
      InputError: for runs by different metrics, whose numbers do not compare.
    """
    first = runs[0]
    for run in runs[1:]:
        if run.metric != first.metric:
            raise InputError(
                f"run={str(run.folder)!r} is judged by {run.metric} and "
                f"{str(first.folder)!r} by {first.metric}, which do not compare: give "
                "runs of one metric, or report on each alone."
            )
    return first.metric


def dataset_name(run: Run) -> str:
    """Returns the name of a run's data set, as far as the run recorded it."""
    of_summary = (run.summary or {}).get("dataset", {}).get("name")
    return str(of_summary or run.config.get("dataset") or "a data set not recorded")


def run_names(runs: Sequence[Run]) -> list[str]:
    """Returns a name for each run: of its folder, with as much as tells it apart.

    Runs of one folder are numbered.
    """
    parts = [pathlib.Path(os.path.abspath(run.folder)).parts for run in runs]
    num_folders, names = len(set(parts)), [""] * len(runs)
    length = 0
    while len(set(names)) < num_folders or not all(names):
        length += 1
        names = ["/".join(own[-length:]) for own in parts]
    counts = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return [
        name if count == 1 else f"{name} ({count})"
        for name, count in zip(names, counts, strict=True)
    ]
