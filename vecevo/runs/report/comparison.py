"""Pictures of several runs together."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vecevo.runs.files.reading import Run
from vecevo.runs.report import facts
from vecevo.runs.report.drawing import accuracy_limits, log_axis, look, new_figure
from vecevo.runs.report.sizes import draw_front, draw_points, front_of

MOST_POINTS = 2000  # of all runs together


def draw_bests(runs: Sequence[Run]) -> Figure | None:
    """Draws the best accuracy so far of each run, by networks trained.

    It is None where no network of any run has an accuracy.
    """
    if not _floors(runs):
        return None
    figure = new_figure(3.6 + 0.17 * len(runs) / 2)
    axes = figure.subplots()
    floors, lasts = [], []
    for place, (run, name) in enumerate(zip(runs, facts.run_names(runs), strict=True)):
        best, own = facts.best_so_far(facts.searched_networks(run)), look(place)
        how = {"color": own.color, "linestyle": own.dashes, "marker": own.marker}
        numbers = np.arange(1, len(best) + 1)
        shown = np.where(np.isfinite(best), best, np.nan)
        every = max(1, len(best) // 8)
        axes.plot(
            *(numbers, shown),
            **how,
            drawstyle="steps-post",
            label=name,
            markevery=every,
        )
        if np.isfinite(best).any():
            floors.append(facts.accuracy_floor(best[np.isfinite(best)], run.metric))
            lasts.append(best[-1])
    axes.set_ylim(*accuracy_limits(min(floors), max(lasts)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="networks trained", ylabel="best validation accuracy so far")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _floors(runs: Sequence[Run]) -> list[float]:
    """Returns where the scale of each run begins that has an accuracy."""
    return [
        facts.accuracy_floor(facts.accuracies_of(own), run.metric)
        for run in runs
        if (own := facts.whole_networks(run))
    ]


def describe_bests(runs: Sequence[Run]) -> str:
    """Says what `draw_bests` shows."""
    parts = []
    for run, name in zip(runs, facts.run_names(runs), strict=True):
        accuracies = facts.accuracies_of(facts.searched_networks(run))
        if np.isfinite(accuracies).any():
            parts.append(
                f"{name}: {accuracies.max():.4f} with network "
                f"{accuracies.argmax() + 1:,} of {len(accuracies):,}"
            )
        else:
            parts.append(f"{name}: no accuracy of {len(accuracies):,} networks")
    return "; ".join(parts) + "."


def draw_all_sizes(runs: Sequence[Run]) -> Figure | None:
    """Draws accuracy against the number of parameters, with each run's Pareto front.

    It is None where no network of any run has an accuracy.
    """
    if not _floors(runs):
        return None
    figure = new_figure(3.8 + 0.17 * len(runs))
    axes = figure.subplots()
    floor, sizes, bests = min(_floors(runs)), [], []
    for place, (run, name) in enumerate(zip(runs, facts.run_names(runs), strict=True)):
        networks, own = facts.whole_networks(run), look(place)
        if networks:
            most = max(MOST_POINTS // len(runs), 2)
            draw_points(axes, networks, floor, own.color, own.marker, "", most)
            draw_front(axes, networks, name, own.color, own.dashes, own.marker)
            sizes += [n.num_params for n in networks]
            bests.append(facts.accuracies_of(networks).max())
    log_axis(axes, "x", np.maximum(np.array(sizes, float), 1))
    axes.set_ylim(*accuracy_limits(floor, max(bests)))
    axes.set(xlabel="parameters", ylabel="validation accuracy")
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def describe_all_sizes(runs: Sequence[Run]) -> str:
    """Says what `draw_all_sizes` shows."""
    parts = []
    for run, name in zip(runs, facts.run_names(runs), strict=True):
        front = front_of(facts.whole_networks(run))
        ends = [
            f"{n.validation_accuracy:.4f} with {n.num_params:,} parameters"
            for n in front[:: max(len(front) - 1, 1)]
        ]
        parts.append(f"{name}: {' to '.join(ends) or 'no network'}")
    return "Pareto fronts: " + "; ".join(parts) + "."
