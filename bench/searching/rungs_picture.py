"""The picture of what pruning saves."""

from bench.harness import drawing

EMPHASISED = ("none", "halving 5 by 3")


def draw(rows, path):
    """Draws mean regret by epochs trained, a panel for each table and strategy.

    Args:
      rows: of the record.
      path: of the SVG file.

    Raises:
      ValueError: where Matplotlib is absent.
    """
    panels = list(dict.fromkeys((row["table"], row["strategy"]) for row in rows))
    with drawing.new_picture(path) as pyplot:
        figure, axes = pyplot.subplots(
            1, len(panels), figsize=(3 * len(panels), 3.4), squeeze=False
        )
        for axis, panel in zip(axes[0], panels, strict=True):
            draw_panel(
                axis, [row for row in rows if (row["table"], row["strategy"]) == panel]
            )
            axis.set_title(" ".join(panel).replace("_", " "), fontsize=9)
        axes[0, 0].set_ylabel("mean regret, points")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=5, fontsize=8)
        figure.tight_layout(rect=(0, 0.22, 1, 1))


def draw_panel(axis, rows):
    """Draws the rules of one panel."""
    for number, row in enumerate(rows):
        is_bold = row["rule"] in EMPHASISED
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
