"""The picture of the searches' curves."""

import numpy as np

from bench.harness import drawing

EMPHASISED = ("recommended", "random")


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
