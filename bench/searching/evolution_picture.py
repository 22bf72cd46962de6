"""The picture of one search: accuracies, and which choices take over."""

import numpy as np

from bench.harness import drawing

COLORS = "viridis"  # its lightness grows, for who does not tell red from green
DOTS = {"color": "0.65", "markersize": 3, "linestyle": ""}
TEXT = {"fontsize": 8, "va": "center"}
# Of a label in a panel: its height, and half its width, as parts of those of the panel.
LABEL_HEIGHT, HALF_MARGIN, HALF_LETTER = 0.085, 0.018, 0.0135


def draw(rows, path):
    """Draws accuracies, and the shares of all choices, by generation.

    Args:
      rows: of the record.
      path: of the SVG file.

    Raises:
      ValueError: where Matplotlib is absent.
    """
    genes = list(rows[0]["choices"])
    num_columns = (len(genes) + 1) // 2
    with drawing.new_picture(path) as pyplot:
        figure = pyplot.figure(figsize=(9.4, 4.4), layout="constrained")
        widths = (1.1, *(1 for _ in range(num_columns)))
        grid = figure.add_gridspec(2, 1 + num_columns, width_ratios=widths)
        draw_accuracies(figure.add_subplot(grid[:, 0]), rows)
        for number, gene in enumerate(genes):
            row, column = divmod(number, num_columns)
            panel = figure.add_subplot(grid[row, 1 + column])
            draw_shares(panel, gene, rows, pyplot.get_cmap(COLORS))
            if number + num_columns >= len(genes):
                panel.set_xlabel("generation")


def draw_accuracies(panel, rows):
    """Draws every network's accuracy, the mean, and the best so far."""
    generations = [row["generation"] for row in rows]
    best, means = (
        [100 * row[f"{name}_accuracy"] for row in rows] for name in ("best", "mean")
    )
    every = [100 * np.array(row["accuracies"]) for row in rows]
    lowest = 5 * np.floor(min(means) / 5 - 1)  # some are far below
    networks = [
        (g, a) for g, of_row in zip(generations, every, strict=True) for a in of_row
    ]
    shown = [pair for pair in networks if pair[1] >= lowest]
    panel.plot(*zip(*shown, strict=True), marker="o", label="a network", **DOTS)
    below = [(g, lowest) for g, accuracy in networks if accuracy < lowest]
    if below:
        label = f"a network below {lowest:.0f} %"
        marks = panel.plot(*zip(*below, strict=True), marker="v", label=label, **DOTS)
        marks[0].set_clip_on(False)
    panel.plot(generations, means, "--", color="#0072b2", linewidth=2, label="mean")
    panel.plot(generations, best, color="black", linewidth=2, label="best so far")
    panel.set_ylim(lowest, 100.5)
    numbers = [f"{row['generation']}\n{row['num_trained']}" for row in rows]
    panel.set_xticks(generations, numbers)
    panel.set_xlabel("generation, networks trained so far")
    panel.set_title("Validation accuracy, %", fontsize=10)
    panel.legend(loc="lower right", fontsize=8)


def draw_shares(panel, gene, rows, colors):
    """Draws which share of the population has each choice of a gene, with its name."""
    generations = [row["generation"] for row in rows]
    counts = np.array([list(row["choices"][gene].values()) for row in rows]).T
    shares = counts / counts.sum(axis=0)
    shades = colors(np.linspace(0, 1, len(shares)))
    panel.stackplot(
        generations, shares, colors=shades, edgecolor="white", linewidth=0.8
    )
    tops = np.cumsum(shares, axis=0)
    outside = []
    for name, share, top, shade in zip(
        rows[0]["choices"][gene], shares, tops, shades, strict=True
    ):
        x, y, clearance = widest_place(generations, top - share, top, len(name))
        if clearance > LABEL_HEIGHT:
            is_dark = shade[:3] @ (0.3, 0.6, 0.1) < 0.5
            color = "white" if is_dark else "black"
            panel.text(x, y, name, color=color, ha="center", **TEXT)
        else:
            outside.append((name, top[0] - share[0] / 2))
    lowest = 0
    for name, y in outside:
        lowest = max(y, lowest)
        panel.text(generations[0] - 0.15, lowest, name, ha="right", **TEXT)
        lowest += LABEL_HEIGHT
    panel.set_xlim(generations[0], generations[-1])
    panel.set_ylim(0, 1)
    panel.set_xticks(generations)
    panel.set_yticks(())
    panel.set_title(f"Share of each {gene}", fontsize=10)


def widest_place(generations, bottom, top, num_letters):
    """Where a label fits best between two lines: its middle, and the room in height."""
    half = HALF_MARGIN + HALF_LETTER * num_letters
    half, places = half * (generations[-1] - generations[0]), []
    for x in np.linspace(generations[0] + half, generations[-1] - half, 200):
        covered = np.linspace(x - half, x + half, 20)
        low = np.interp(covered, generations, bottom).max()
        high = np.interp(covered, generations, top).min()
        places.append((high - low, x, (low + high) / 2))
    clearance, x, y = max(places)
    return x, y, clearance
