"""The picture of all networks at once: each a line through its genes."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from vecevo.results import in_metric
from vecevo.runs.files.reading import Run
from vecevo.runs.report import facts
from vecevo.runs.report.drawing import GREY, INK, LOW_TO_HIGH, new_figure

MOST_LINES = 400
MOST_GENES_IN_ROW = 6
MOST_LABELS = 8  # of choices beside a gene
FAILED_HEIGHT = -0.12


class Lines(NamedTuple):
    """Networks as lines, from the worst to the best."""

    genomes: np.ndarray  # int[N, G]
    heights: np.ndarray  # float[N], of their ends: 0 to 1, or FAILED_HEIGHT
    is_failed: np.ndarray  # bool[N]
    is_upper: np.ndarray  # bool[N], of the better half


def draw_parallel(run: Run) -> Figure | None:
    """Draws every network as a line through its genes to its accuracy.

    It is None where no network has an accuracy, or no gene more than one choice.
    """
    genes = facts.varied_genes(run)
    if not facts.whole_networks(run) or not genes:
        return None
    num_rows = math.ceil(len(genes) / MOST_GENES_IN_ROW)
    figure = new_figure(0.3 + 3.1 * num_rows)
    panels = figure.subplots(num_rows, 1, squeeze=False).ravel()
    lines = _lines_of(run)
    for panel, row in zip(panels, np.array_split(genes, num_rows), strict=True):
        _draw_row(panel, run, row.tolist(), lines)
    return figure


def upper_half(run: Run) -> tuple[float, float]:
    """Returns the median and the best accuracy of the networks that did not fail.

    A median that is not worth seeing gives way to what is.
    """
    accuracies = facts.accuracies_of(facts.whole_networks(run))
    best = float(accuracies.max())
    return facts.worth_seeing(float(np.median(accuracies)), best, run.metric), best


def _lines_of(run: Run) -> Lines:
    networks = facts.thin_out(facts.searched_networks(run), MOST_LINES)
    accuracies = facts.accuracies_of(networks)
    low, high = upper_half(run)
    heights = np.clip((accuracies - low) / max(high - low, 1e-9), 0, 1)
    is_failed = ~np.isfinite(accuracies)
    return Lines(
        genomes=facts.genomes_of(run, networks),
        heights=np.where(is_failed, FAILED_HEIGHT, heights),
        is_failed=is_failed,
        is_upper=accuracies >= low,
    )


def _draw_row(axes: Axes, run: Run, genes: list[int], lines: Lines) -> None:
    """Draws all lines through some genes, and the labels of their choices."""
    counts = run.space.num_choices[genes]
    # Lines through one choice lie side by side, the better the higher.
    spread = (np.linspace(0, 1, len(lines.heights)) - 0.5)[:, None] * 0.45 / counts
    y = (lines.genomes[:, genes] + 0.45) / counts + spread
    y = np.column_stack([y, lines.heights])
    x = np.broadcast_to(np.arange(len(genes) + 1), y.shape)
    paths = np.stack([x, y], axis=2)
    is_lower = ~lines.is_upper & ~lines.is_failed
    colors = LOW_TO_HIGH(lines.heights[lines.is_upper])
    for is_drawn, look in (
        (is_lower, {"colors": GREY, "linewidths": 0.5, "alpha": 0.45}),
        (lines.is_upper, {"colors": colors, "linewidths": 1.1, "alpha": 0.9}),
        (lines.is_failed, {"colors": INK, "linewidths": 0.7, "linestyles": ":"}),
    ):
        settings: dict[str, Any] = {**look, "clip_on": False}
        axes.add_collection(LineCollection(list(paths[is_drawn]), **settings))
    for place, gene in enumerate(genes):
        _label_choices(axes, place, run.space.genes[gene][1])
    _label_accuracies(axes, len(genes), run, bool(lines.is_failed.any()))
    names = [facts.words(run.space.genes[gene][0]) for gene in genes]
    _label_genes(axes, names, in_metric("validation\naccuracy", run.metric))


def _label_choices(axes: Axes, place: int, choices: Sequence[Any]) -> None:
    step = math.ceil(len(choices) / MOST_LABELS)
    for choice in range(0, len(choices), step):
        height = (choice + 0.72) / len(choices)
        text = facts.value_text(choices[choice])
        axes.text(place + 0.02, height, text, fontsize=8, va="bottom", clip_on=False)


def _label_accuracies(axes: Axes, place: int, run: Run, has_failed: bool) -> None:
    low, high = upper_half(run)
    axes.text(place + 0.05, 1, f"{high:.4f}", va="top")
    axes.text(place + 0.05, 0, f"{low:.4f}\nor less", va="center")
    if has_failed:
        axes.plot(place, FAILED_HEIGHT, "x", color=INK, clip_on=False)
        axes.text(place + 0.05, FAILED_HEIGHT - 0.02, "failed", va="center")


def _label_genes(axes: Axes, names: list[str], measured: str) -> None:
    places = range(len(names) + 1)
    axes.vlines(places, 0, 1, color=INK, linewidth=0.8)
    labels = [name.replace(" ", "\n") for name in names]
    axes.set_xticks(places, [*labels, measured])
    axes.tick_params(axis="x", length=0, pad=8, labeltop=True, labelbottom=False)
    axes.set(xlim=(-0.1, len(names) + 0.5), ylim=(-0.15, 1), yticks=())
    axes.grid(False)
    axes.spines[:].set_visible(False)


def describe_parallel(run: Run) -> str:
    """Says what `draw_parallel` shows."""
    networks = facts.searched_networks(run)
    low, high = upper_half(run)
    best = facts.top_networks(run)[0]
    values = ", ".join(
        f"{facts.words(name)} {facts.value_text(best.hyperparams.get(name))}"
        for name, choices in run.space.genes
        if len(choices) > 1
    )
    whole = facts.accuracies_of(facts.whole_networks(run))
    cut = f", but for what is below {low:.4g}," if low > np.median(whole) else ""
    return (
        f"{min(len(networks), MOST_LINES):,} of {len(networks):,} networks. The better "
        f"half{cut} lies between {low:.4f} and {high:.4f}. The best has {values}."
    )
