"""Pictures of what genes do: which choices are taken, and how well they do.

Each function returns None where the run has nothing to draw.
"""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vecevo.runs.files.reading import Run
from vecevo.runs.report import facts
from vecevo.runs.report.drawing import (
    AREA_COLORS,
    BLUE,
    HATCHES,
    INK,
    LOW_TO_HIGH,
    VERMILLION,
    accuracy_limits,
    new_figure,
)
from vecevo.runs.report.facts import Groups
from vecevo.runs.report.importance import gene_importances

MOST_BARS = 40  # of generations
MOST_SHARES = 7  # choices told apart in a bar
MOST_BOXES = 12  # choices told apart in a panel of boxes
LEAST_IN_BOX = 5
MOST_POINTS = 2400  # of all panels together
LEAST_NETWORKS = 10  # for importances


def draw_shares(run: Run) -> Figure | None:
    """Draws which share of each generation's new networks has each choice."""
    networks, genes = facts.searched_networks(run), facts.varied_genes(run)
    if not networks or not genes:
        return None
    num_rows = math.ceil(len(genes) / 2)
    figure = new_figure(0.3 + 1.75 * num_rows)
    panels = figure.subplots(num_rows, 2, squeeze=False).ravel()
    for panel in panels[len(genes) :]:
        panel.remove()
    genomes = facts.genomes_of(run, networks)
    generations = np.array([n.generation for n in networks])
    for panel, gene in zip(panels, genes, strict=False):
        groups = facts.groups_of(run, gene, genomes, MOST_SHARES)
        _draw_bars(panel, groups, groups.of_choice[genomes[:, gene]], generations)
        panel.set_title(facts.words(run.space.genes[gene][0]))
    for panel in panels[: len(genes)][-2:]:
        panel.set_xlabel("generation")
    return figure


def _draw_bars(
    axes: Axes, groups: Groups, of_network: np.ndarray, generations: np.ndarray
) -> None:
    """Draws a bar for each generation, or for each few where there are many.

    Args:
      axes: the panel.
      groups: of the gene's choices.
      of_network: int[N], the group of each network.
      generations: int[N], of each network.
    """
    num_generations, num_groups = int(generations.max()) + 1, len(groups.labels)
    step = math.ceil(num_generations / MOST_BARS)
    counts = np.zeros((num_groups, math.ceil(num_generations / step)))
    np.add.at(counts, (of_network, generations // step), 1)
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    left = np.arange(shares.shape[1]) * step + 0.55
    bottom = np.cumsum(shares, axis=0) - shares
    for group, label in enumerate(groups.labels):
        how = _fill(group, num_groups, groups.is_ordered)
        axes.bar(
            *(left, shares[group], step - 0.1, bottom[group]), align="edge", **how
        ).set_label(label)
    handles, labels = axes.get_legend_handles_labels()
    place: Any = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
    axes.legend(handles[::-1], labels[::-1], fontsize=8, labelspacing=0.25, **place)
    axes.set(ylim=(0, 1), xlim=(0.4, num_generations + 0.6))
    axes.set_yticks((0, 0.5, 1), ("0", "50 %", "100 %"))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(False)


def _fill(group: int, num_groups: int, is_ordered: bool) -> dict[str, Any]:
    """Returns how a share is filled: numbers by a ramp, names by colour and hatch."""
    if is_ordered:
        color = LOW_TO_HIGH(group / max(num_groups - 1, 1))
    else:
        color = AREA_COLORS[group % len(AREA_COLORS)]
    hatch = HATCHES[group % len(HATCHES)]
    return {"color": color, "hatch": hatch, "edgecolor": INK, "linewidth": 0.4}


def describe_shares(run: Run) -> str:
    """Says what `draw_shares` shows: the choice most taken first, and at last."""
    networks = facts.searched_networks(run)
    genomes = facts.genomes_of(run, networks)
    generations = np.array([n.generation for n in networks])
    parts = []
    for gene in facts.varied_genes(run):
        name, choices = run.space.genes[gene]
        ends = [
            np.bincount(genomes[generations == end, gene], minlength=len(choices))
            for end in (generations.min(), generations.max())
        ]
        first, last = (
            f"{facts.value_text(choices[int(count.argmax())])} "
            f"({count.max() / count.sum():.0%})"
            for count in ends
        )
        parts.append(f"{facts.words(name)}: first mostly {first}, at last {last}")
    return "; ".join(parts) + "."


def draw_choices(run: Run) -> Figure | None:
    """Draws the accuracies of the networks with each choice of each gene."""
    whole, genes = facts.whole_networks(run), facts.varied_genes(run)
    if not whole or not genes:
        return None
    networks = facts.searched_networks(run)
    genomes, accuracies = facts.genomes_of(run, networks), facts.accuracies_of(networks)
    all_groups = [facts.groups_of(run, gene, genomes, MOST_BOXES) for gene in genes]
    num_rows = math.ceil(len(genes) / 2)
    heights = [
        max(len(g.labels) for g in all_groups[2 * row : 2 * row + 2])
        for row in range(num_rows)
    ]
    figure = new_figure(0.5 + sum(0.7 + 0.23 * height for height in heights))
    ratios = [2 + height for height in heights]
    panels = figure.subplots(num_rows, 2, squeeze=False, height_ratios=ratios).ravel()
    for panel in panels[len(genes) :]:
        panel.remove()
    floor = facts.accuracy_floor(facts.accuracies_of(whole), run.metric)
    for panel, gene, groups in zip(panels, genes, all_groups, strict=False):
        of_network = groups.of_choice[genomes[:, gene]]
        most = MOST_POINTS // len(genes) // len(groups.labels)
        _draw_boxes(panel, groups, of_network, accuracies, floor, max(most, 10))
        panel.set_xlim(*accuracy_limits(floor, accuracies.max()))
        panel.set_title(facts.words(run.space.genes[gene][0]))
    for panel in panels[: len(genes)][-2:]:
        panel.set_xlabel("validation accuracy")
    return figure


def _draw_boxes(
    axes: Axes,
    groups: Groups,
    of_network: np.ndarray,
    accuracies: np.ndarray,
    floor: float,
    most: int,
) -> None:
    labels = []
    for place, label in enumerate(groups.labels):
        own = np.sort(accuracies[of_network == place])
        whole = own[np.isfinite(own)]
        labels.append(f"{label} ({len(own)})")
        if len(whole) >= LEAST_IN_BOX:
            _draw_box(axes, whole, place)
        if len(whole):
            axes.annotate(
                f"{np.median(whole):.4f}",
                *((1, place), (4, 0)),
                **{"xycoords": ("axes fraction", "data"), "va": "center"},
                **{"textcoords": "offset points", "fontsize": 8},
            )
        steps = np.linspace(0, len(whole) - 1, min(most, len(whole))).round()
        shown = whole[steps.astype(int)]
        offsets = place + 0.22 * np.sin(2.4 * np.arange(len(shown)))
        is_below = shown < floor
        how = {"linestyle": "", "markersize": 2.6, "alpha": 0.75}
        for mark, color, is_marked in (
            ("o", BLUE, ~is_below),
            ("<", VERMILLION, is_below),
        ):
            x = np.maximum(shown[is_marked], floor)
            axes.plot(x, offsets[is_marked], marker=mark, color=color, **how)
        if len(whole) < len(own):
            axes.plot(floor, place, "x", color=INK, markersize=6)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(False, axis="y")


def _draw_box(axes: Axes, accuracies: np.ndarray, place: int) -> None:
    """Draws the quartiles, and whiskers to what lies within 1.5 times their distance.

    Matplotlib's own boxes ask for its backend, and so for a display.
    """
    low, median, high = np.percentile(accuracies, (25, 50, 75))
    reach = 1.5 * (high - low)
    least = accuracies[accuracies >= low - reach].min()
    most = accuracies[accuracies <= high + reach].max()
    box = [(low, -0.31), (high, -0.31), (high, 0.31), (low, 0.31), (low, -0.31)]
    strokes = [
        *(box, [(least, 0), (low, 0)], [(high, 0), (most, 0)]),
        *([(end, -0.15), (end, 0.15)] for end in (least, most)),
    ]
    gap = [(np.nan, np.nan)]
    x, y = np.array([point for stroke in strokes for point in (*stroke, *gap)]).T
    axes.plot(x, place + y, color=INK, linewidth=0.8, zorder=3)
    ends = place - 0.31, place + 0.31
    axes.plot([median, median], ends, color=INK, linewidth=2.2, zorder=3)


def describe_choices(run: Run) -> str:
    """Says what `draw_choices` shows: the choice with the highest median."""
    networks = facts.whole_networks(run)
    genomes, accuracies = facts.genomes_of(run, networks), facts.accuracies_of(networks)
    parts = []
    for gene in facts.varied_genes(run):
        name, choices = run.space.genes[gene]
        medians = {
            choice: float(np.median(accuracies[genomes[:, gene] == choice]))
            for choice in np.unique(genomes[:, gene])
        }
        choice = max(medians, key=lambda choice: medians[choice])
        value = facts.value_text(choices[choice])
        parts.append(f"{facts.words(name)} {value} (median {medians[choice]:.4f})")
    num_failed = len(facts.failed_networks(run))
    said = f"Highest medians: {', '.join(parts)}. Failed networks: {num_failed:,}."
    said += facts.below_words(accuracies, run.metric)
    if len(facts.finalists(networks)) < len(networks):
        said += " Networks that rungs stopped have the accuracies that they had there."
    return said


def draw_importances(run: Run) -> Figure | None:
    """Draws how much each gene matters for being among the best."""
    shares = importances_of(run)
    if not shares:
        return None
    figure = new_figure(0.9 + 0.27 * len(shares))
    axes = figure.subplots()
    names = [facts.words(name) for name in shares]
    values = [100 * share for share in shares.values()]
    axes.barh(names, values, color=BLUE, height=0.6)
    for place, value in enumerate(values):
        axes.text(value, place, f" {value:.0f} %", va="center")
    axes.invert_yaxis()
    axes.set(xlabel="importance, % of all", xlim=(0, 1.12 * max(values)))
    axes.grid(False, axis="y")
    return figure


def importances_of(run: Run) -> dict[str, float]:
    """Returns importances by gene, the greatest first; {} where nothing is to tell."""
    networks, genes = facts.searched_networks(run), facts.varied_genes(run)
    if len(networks) < LEAST_NETWORKS or not genes:
        return {}
    # Those of a later rung are the better ones.
    accuracies, genomes = facts.accuracies_of(networks), facts.genomes_of(run, networks)
    pairs = np.stack([[n.rung for n in networks], accuracies], axis=1)
    places = np.unique(pairs, axis=0, return_inverse=True)[1].ravel()
    keys = np.where(np.isfinite(accuracies), places, -np.inf)
    shares = gene_importances(genomes, keys, run.space.num_choices)
    if not shares.any():
        return {}
    ranked = sorted(genes, key=lambda gene: -shares[gene])
    return {run.space.genes[gene][0]: float(shares[gene]) for gene in ranked}


def describe_importances(run: Run) -> str:
    """Says what `draw_importances` shows."""
    shares = importances_of(run).items()
    return ", ".join(f"{facts.words(name)} {share:.0%}" for name, share in shares) + "."
