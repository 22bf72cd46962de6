"""The pictures of the searches' curves, and of what pruning saves."""

import numpy as np

from bench.harness import drawing

EMPHASISED = ("recommended", "random")
EMPHASISED_RULES = ("none", "halving 5 by 3")


def draw(curves, path):
    """Draws median regrets by distinct networks, with quartiles of `recommended`.

    Args:
      curves: dicts by table and then by method, with regrets by seed.
      path: of the SVG file.

    Raises:
      ValueError: where Matplotlib is absent.
    """
    with drawing.new_picture(path) as pyplot:
        figure, panels = pyplot.subplots(
            1, len(curves), figsize=(3 * len(curves), 3.4), squeeze=False
        )
        for panel, (table, methods) in zip(panels[0], curves.items(), strict=True):
            draw_panel(panel, table, methods)
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=5, fontsize=8)
        figure.tight_layout(rect=(0, 0.22, 1, 1))


def draw_panel(panel, table, methods):
    """Draws the curves of one table."""
    for number, (name, entry) in enumerate(methods.items()):
        regrets = np.array(entry["regret"])
        sizes = 64 * np.arange(1, regrets.shape[1] + 1)
        low, middle, high = np.quantile(regrets, (0.25, 0.5, 0.75), axis=0)
        is_bold = name in EMPHASISED
        color = "black" if name == "random" else f"C{number}"
        style = ("-", "--", ":")[number // 10 if not is_bold else 0]
        width = 2.2 if is_bold else 1
        panel.plot(sizes, middle, style, color=color, linewidth=width, label=name)
        if name == EMPHASISED[0]:
            panel.fill_between(sizes, low, high, color=color, alpha=0.2, linewidth=0)
    panel.set_yscale("log")
    panel.set_title(table.replace("_", " "), fontsize=9)
    panel.set_xlabel("distinct networks")
    panel.set_xticks((128, 256, 384, 512, 640))
    if panel.get_subplotspec().is_first_col():
        panel.set_ylabel("median regret")


def draw_rungs(rows, path):
    """Draws mean regret by epochs trained, a panel for each table and strategy.

    Args:
      rows: of the record.
      path: of the SVG file.

    Raises:
      ValueError: where Matplotlib is absent.
    """
    panels = list(dict.fromkeys((row["table"], row["strategy"]) for row in rows))
    num_tables = len({table for table, _ in panels})
    num_columns = len(panels) // num_tables
    with drawing.new_picture(path) as pyplot:
        figure, axes = pyplot.subplots(
            *(num_tables, num_columns),
            figsize=(3 * num_columns, 0.8 + 2.6 * num_tables),
            squeeze=False,
            layout="constrained",
        )
        for axis, panel in zip(axes.ravel(), panels, strict=True):
            draw_rungs_panel(
                axis, [row for row in rows if (row["table"], row["strategy"]) == panel]
            )
            axis.set_title(" ".join(panel).replace("_", " "), fontsize=9)
        for axis in axes[:, 0]:
            axis.set_ylabel("mean regret, points")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=6, fontsize=8)


def draw_rungs_panel(axis, rows):
    """Draws the rules of one panel."""
    for number, row in enumerate(rows):
        is_bold = row["rule"] in EMPHASISED_RULES
        style = "--" if row["rule"].endswith("-epoch") else "-"
        color = "black" if row["rule"] == "none" else f"C{number}"
        means = [100 * cell["mean"] for cell in row["regret"]]
        axis.plot(
            *(row["epochs_trained"], means, style),
            color=color,
            linewidth=2.2 if is_bold else 1,
            label=row["rule"],
        )
        if is_bold:
            low, high = (
                [100 * cell[f"mean_{end}"] for cell in row["regret"]]
                for end in ("low", "high")
            )
            axis.fill_between(
                row["epochs_trained"], low, high, color=color, alpha=0.2, linewidth=0
            )
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("epochs trained")
