"""Pictures of accuracy against the number of parameters."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vecevo.objectives import NAMES, objective_values, pareto_front
from vecevo.runs.files.reading import RecordedNetwork, Run
from vecevo.runs.report import facts
from vecevo.runs.report.drawing import (
    BLUE,
    GREY,
    INK,
    accuracy_limits,
    log_axis,
    new_figure,
)

MOST_POINTS = 1500


def draw_sizes(run: Run) -> Figure | None:
    """Draws accuracy against the number of parameters, with the Pareto front.

    It is None where no network has an accuracy.
    """
    networks = facts.whole_networks(run)
    if not networks:
        return None
    figure = new_figure(3.5)
    axes = figure.subplots()
    accuracies = facts.accuracies_of(networks)
    floor = facts.accuracy_floor(accuracies, run.metric)
    draw_points(axes, networks, floor, GREY, "o", "a network")
    failed = facts.thin_out(facts.failed_networks(run), MOST_POINTS)
    if failed:
        sizes = [n.num_params for n in failed]
        axes.plot(
            *(sizes, [floor] * len(sizes), "x"), color=INK, label="failed", zorder=3
        )
    draw_front(axes, networks, "the Pareto front", BLUE, "-", "D")
    all_sizes = np.array([n.num_params for n in (*networks, *failed)], float)
    log_axis(axes, "x", np.maximum(all_sizes, 1))
    axes.set_ylim(*accuracy_limits(floor, accuracies.max()))
    axes.set(xlabel="parameters", ylabel="validation accuracy")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def draw_points(
    axes: Axes,
    networks: Sequence[RecordedNetwork],
    floor: float,
    color: str,
    marker: str,
    label: str,
    most: int = MOST_POINTS,
) -> None:
    """Draws networks by size and accuracy; those below the floor as triangles on it."""
    shown = facts.thin_out(networks, most)
    sizes = np.array([n.num_params for n in shown])
    accuracies = facts.accuracies_of(shown)
    is_below = accuracies < floor
    size = 4 if len(shown) <= 300 else 2.5
    how = {"linestyle": "", "markersize": size, "color": color, "alpha": 0.8}
    above = sizes[~is_below], accuracies[~is_below]
    axes.plot(*above, marker=marker, label=label, **how)
    if is_below.any():
        below = sizes[is_below], np.full(is_below.sum(), floor)
        axes.plot(*below, marker=11, label=label and f"below {floor:.4g}", **how)


def draw_front(
    axes: Axes,
    networks: Sequence[RecordedNetwork],
    label: str,
    color: str,
    dashes: str,
    marker: str,
) -> None:
    """Draws the Pareto front of accuracy and parameters as a line with steps."""
    front = front_of(networks)
    points = [n.num_params for n in front], [n.validation_accuracy for n in front]
    how = {"color": color, "linestyle": dashes, "marker": marker, "markersize": 4.5}
    axes.plot(*points, drawstyle="steps-post", label=label, zorder=4, **how)


def front_of(networks: Sequence[RecordedNetwork]) -> list[RecordedNetwork]:
    """Returns the networks that no other beats in accuracy and size, small ones first.

    Of networks with one size, it takes the first of the best.
    """
    best: dict[int, RecordedNetwork] = {}
    for network in facts.finalists(networks):
        rival = best.setdefault(network.num_params, network)
        if network.validation_accuracy > rival.validation_accuracy:
            best[network.num_params] = network
    rows = [best[size] for size in sorted(best)]
    sizes = [n.num_params for n in rows]
    front = pareto_front(objective_values(NAMES, facts.accuracies_of(rows), sizes))
    return [rows[row] for row in front]


def describe_sizes(run: Run) -> str:
    """Says what `draw_sizes` shows."""
    networks = facts.whole_networks(run)
    front = front_of(networks)
    return (
        f"The Pareto front has {len(front)} networks, from "
        f"{front[0].num_params:,} parameters with accuracy "
        f"{front[0].validation_accuracy:.4f} to {front[-1].num_params:,} with "
        f"{front[-1].validation_accuracy:.4f}."
        f"{facts.below_words(facts.accuracies_of(networks), run.metric)}"
    )
