"""Pictures of one run: its progress, the curves of networks, its time.

Each function returns None where the run has nothing to draw.
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vecevo.results import ACCURACY, R2
from vecevo.runs.files.reading import RecordedNetwork, Run
from vecevo.runs.report import facts
from vecevo.runs.report.drawing import (
    BLUE,
    GREY,
    INK,
    VERMILLION,
    accuracy_limits,
    legend_below,
    log_axis,
    look,
    new_figure,
)

MOST_POINTS = 1500
MOST_FAILED = 5  # whose curves are drawn
CURVES = ("validation_loss", "validation_accuracy", "train_loss", "train_accuracy")


def draw_progress(run: Run) -> Figure | None:
    """Draws accuracies by generation, and the best so far by networks trained."""
    networks = facts.searched_networks(run)
    if not facts.whole_networks(run):
        return None
    figure = new_figure(3.3)
    floor = facts.accuracy_floor(
        facts.accuracies_of(facts.whole_networks(run)), run.metric
    )
    if run.generations:
        left, right = figure.subplots(1, 2)
        _draw_generations(left, run, floor)
    else:
        right = figure.subplots()
    _draw_networks(right, networks, floor)
    return figure


def _draw_generations(axes: Axes, run: Run, floor: float) -> None:
    numbers = np.array([row.generation + 1 for row in run.generations])
    pairs = np.array(
        [(row.best_accuracy, row.mean_accuracy) for row in run.generations]
    )
    best, mean = np.where(np.isfinite(pairs), pairs, np.nan).T
    size = 4 if len(numbers) <= 40 else 0
    axes.plot(numbers, best, "-o", color=INK, markersize=size, label="best so far")
    axes.plot(
        numbers, mean, "--s", color=BLUE, markersize=size, label="mean of a generation"
    )
    least = np.fmin(best, mean)
    is_below = least < floor
    if (least < min(floor, 0)).any():  # what is never below 0 squashes none
        at_floor = np.full(is_below.sum(), floor)
        how = {"color": VERMILLION, "clip_on": False, "label": f"below {floor:.4g}"}
        axes.plot(numbers[is_below], at_floor, "v", markersize=4, **how)
        axes.set_ylim(*accuracy_limits(floor, np.nanmax(best)))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="generation", title="Validation accuracy by generation")
    legend_below(axes)


def _draw_networks(
    axes: Axes, networks: Sequence[RecordedNetwork], floor: float
) -> None:
    accuracies = facts.accuracies_of(networks)
    is_whole = np.isfinite(accuracies)
    numbers = np.arange(1, len(networks) + 1)
    is_below = is_whole & (accuracies < floor)
    is_shown = is_whole & ~is_below
    size = 3 if len(networks) <= 300 else 2
    dots = {"linestyle": "", "clip_on": False}
    axes.plot(
        *_thinned(numbers[is_shown], accuracies[is_shown]),
        **{"marker": "o", "markersize": size, "color": GREY, "label": "a network"},
        **dots,
    )
    for mark, is_marked, color, label in (
        ("v", is_below, VERMILLION, f"below {floor:.4g}"),
        ("x", ~is_whole, INK, "failed"),
    ):
        if is_marked.any():
            at_floor = np.full(is_marked.sum(), floor)
            axes.plot(
                *_thinned(numbers[is_marked], at_floor),
                **{"marker": mark, "markersize": size + 1, "color": color},
                label=label,
                **dots,
            )
    best = facts.best_so_far(networks)
    axes.plot(numbers, best, color=INK, drawstyle="steps-post", label="best so far")
    axes.set_ylim(*accuracy_limits(floor, accuracies.max()))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="networks trained", title="Validation accuracy by network")
    legend_below(axes)


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns every so many of points, so that a picture is not too large."""
    step = math.ceil(len(x) / MOST_POINTS) or 1
    return x[::step], y[::step]


def describe_progress(run: Run) -> str:
    """Says what `draw_progress` shows."""
    networks = facts.searched_networks(run)
    accuracies = facts.best_so_far(networks)
    best = int(np.argmax(accuracies))
    num_failed = len(facts.failed_networks(run))
    return (
        f"Of {len(networks):,} networks {num_failed:,} failed. The best validation "
        f"accuracy, {accuracies[best]:.4f}, was found with network {best + 1:,}, in "
        f"generation {networks[best].generation + 1} of "
        f"{max(n.generation for n in networks) + 1}."
        f"{facts.below_words(facts.accuracies_of(networks), run.metric)}"
    )


def draw_curves(run: Run) -> Figure | None:
    """Draws learning curves of the best five networks, and of some that failed."""
    top, failed = facts.top_networks(run), facts.failed_networks(run)[:MOST_FAILED]
    names = [
        name
        for name in CURVES
        if (name != "train_accuracy" or run.metric in (ACCURACY, R2))
        and any(np.isfinite(n.curves.get(name, [])).any() for n in (*top, *failed))
    ]
    if not names:
        return None
    num_rows = math.ceil(len(names) / 2)
    figure = new_figure(0.4 + 2.5 * num_rows)
    panels = figure.subplots(num_rows, 2, squeeze=False).ravel()
    for panel in panels[len(names) :]:
        panel.remove()
    for panel, name in zip(panels, names, strict=False):
        _draw_curve(panel, name, top, failed, run.metric)
    lines, labels = panels[0].get_legend_handles_labels()
    if lines:
        figure.legend(lines, labels, loc="outside lower center", ncols=6)
    return figure


def _draw_curve(
    axes: Axes,
    name: str,
    top: Sequence[RecordedNetwork],
    failed: Sequence[RecordedNetwork],
    metric: str,
) -> None:
    """Draws one curve of all; its scale is that of the best networks."""
    for place, network in enumerate(top):
        curve, own = network.curves.get(name, np.zeros(0)), look(place)
        how = {"color": own.color, "linestyle": own.dashes, "marker": own.marker}
        steps = max(1, len(curve) // 8)
        label = f"{place + 1}: {network.validation_accuracy:.4f}"
        epochs = np.arange(1, len(curve) + 1)
        axes.plot(epochs, curve, markevery=steps, markersize=4, label=label, **how)
    scale = [n.curves[name] for n in top or failed if name in n.curves]
    values = np.concatenate([*scale, np.zeros(0)])
    values = values[np.isfinite(values)]
    for place, network in enumerate(failed):
        curve = network.curves.get(name, np.zeros(0))
        epochs, label = np.arange(1, len(curve) + 1), None if place else "failed"
        axes.plot(
            *(epochs, np.where(np.isfinite(curve), curve, np.nan), ":x"),
            **{"color": INK, "markersize": 4, "linewidth": 0.9, "label": label},
        )
    if len(values) and name.endswith("_loss") and values.min() > 0:
        log_axis(axes, "y", values)
    elif len(values):
        floor = facts.worth_seeing(values.min(), values.max(), metric)
        axes.set_ylim(*accuracy_limits(floor, values.max()))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    title = facts.words(name).capitalize()
    axes.set(xlabel="epoch", title=title)


def describe_curves(run: Run) -> str:
    """Says what `draw_curves` shows."""
    top, num_failed = facts.top_networks(run), len(facts.failed_networks(run))
    parts = [
        f"Network {place}: {n.num_epochs} epochs to validation loss "
        f"{n.validation_loss:.4g} and accuracy {n.validation_accuracy:.4f}"
        for place, n in enumerate(top, start=1)
    ]
    shown = f"{min(num_failed, MOST_FAILED)} of {num_failed:,} that failed"
    return "; ".join([*parts, shown]) + "."


def draw_time(run: Run) -> Figure | None:
    """Draws what the time went to, and the epochs trained in each generation."""
    seconds = time_parts(run)
    if not seconds:
        return None
    figure = new_figure(2.6)
    left, right = figure.subplots(1, 2)
    for place, value in enumerate(seconds.values()):
        own = look(place)
        left.barh(place, value, color=own.color, height=0.6)
        left.text(value, place, f" {value:,.1f} s", va="center")
    left.set_yticks(range(len(seconds)), list(seconds))
    left.invert_yaxis()
    left.set(xlabel="seconds", title="Time of the run")
    left.margins(x=0.25)
    left.grid(False, axis="y")
    epochs = epochs_by_generation(run)
    right.bar(np.arange(1, len(epochs) + 1), epochs, color=GREY)
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    right.set(xlabel="generation", title="Epochs trained, of all networks")
    return figure


def time_parts(run: Run) -> dict[str, float]:
    """Returns seconds by what they went to; {} where the run has no summary."""
    seconds = (run.summary or {}).get("time_seconds") or {}
    if not {"total", "compile", "train"} <= set(seconds):
        return {}
    rest = max(seconds["total"] - seconds["compile"] - seconds["train"], 0.0)
    return {"compiling": seconds["compile"], "training": seconds["train"], "rest": rest}


def epochs_by_generation(run: Run) -> np.ndarray:
    """Returns the epochs that networks new in each generation trained, float64[N]."""
    networks = facts.searched_networks(run)
    return np.bincount(
        [n.generation for n in networks], weights=[n.num_epochs for n in networks]
    )


def describe_time(run: Run) -> str:
    """Says what `draw_time` shows."""
    parts = ", ".join(f"{s:,.1f} s {name}" for name, s in time_parts(run).items())
    total = (run.summary or {})["time_seconds"]["total"]
    return f"Of {total:,.1f} s: {parts}."
