"""How pictures look, by Matplotlib, and how they become SVG and PNG.

What has no colour of its own is drawn in INK, which in an SVG becomes currentColor:
one picture serves light pages and dark ones.
"""

import contextlib
import html
import io
import math
import pathlib
import re
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

INK = "#010203"
GREY = "#808080"
# Of Okabe and Ito's colours those with a contrast of 3 on white and on near-black.
BLUE, VERMILLION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
COLORS = (BLUE, VERMILLION, GREEN, PURPLE, GREY, INK)
# Areas have an edge, so that light ones will do too.
AREA_COLORS = (BLUE, VERMILLION, GREEN, PURPLE, "#56b4e9", "#e69f00", GREY)
MARKERS = "osD^vP*X"
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
HATCHES = ("", "////", "\\\\\\\\", "--")  # dots would be large files
LOW_TO_HIGH = LinearSegmentedColormap.from_list("low_to_high", [VERMILLION, GREY, BLUE])
WIDTH = 8.2  # inches of every picture
RASTER_DOTS = 150  # of a PNG, an inch
SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "vecevo",
    "text.parse_math": False,  # a name may have a $
    "font.size": 9,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "axes.titlesize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.18,
    "hatch.linewidth": 0.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "axes.titlecolor"), INK
    ),
    **dict.fromkeys(("xtick.color", "ytick.color", "grid.color"), INK),
}


class Look(NamedTuple):
    """What tells a line or a point from others: never its colour alone."""

    color: str
    dashes: Any
    marker: str


def look(place: int) -> Look:
    """Returns the look of a line by its place among others."""
    return Look(
        color=COLORS[place % len(COLORS)],
        dashes=DASHES[place % len(DASHES)],
        marker=MARKERS[place % len(MARKERS)],
    )


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Gives pictures these settings, and no others, while they are drawn."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def new_figure(height: float) -> Figure:
    """Returns an empty figure of so many inches."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def legend_below(axes: Axes) -> None:
    """Puts a legend of at most four entries below a panel."""
    narrow: Any = {"columnspacing": 1, "handlelength": 1.8, "handletextpad": 0.4}
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=4, **narrow)


def accuracy_limits(floor: float, best: float) -> tuple[float, float]:
    """Returns the limits of an axis of accuracies, with some room for marks."""
    room = 0.06 * max(best - floor, 0.01)
    return floor - room, best + room


def log_axis(axes: Axes, which: Literal["x", "y"], values: np.ndarray) -> None:
    """Makes an axis logarithmic, with a few ticks in plain numbers.

    Args:
      axes: a panel.
      which: of its axes.
      values: float[N], all above 0, which the axis shows.
    """
    low, high = float(values.min()) / 1.1, float(values.max()) * 1.1
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    ticks = log_ticks(low, high)
    axis = getattr(axes, f"{which}axis")
    axis.set_ticks(ticks, [f"{tick:,.10g}" for tick in ticks])
    axis.set_ticks([], minor=True)


def log_ticks(low: float, high: float) -> list[float]:
    """Returns two to about nine round numbers between two."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7)):
        ticks = [factor * 10.0**decade for decade in decades for factor in factors]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) >= 3:
            return ticks[:: math.ceil(len(ticks) / 9)]
    spaced = np.geomspace(low, high, 5)[1:-1]
    return [float(f"{tick:.3g}") for tick in spaced]


def to_svg(figure: Figure, *, name: str, title: str, description: str) -> str:
    """Returns a figure as an SVG element for a page, which is a file's text too.

    Args:
      figure: drawn under `style`.
      name: what its ids begin with, as no two of a page may be the same.
      title: for those who do not see it.
      description: what it shows, with its main numbers.
    """
    file = io.StringIO()
    with style():
        figure.savefig(file, format="svg", transparent=True)
    text = file.getvalue()
    body = text[text.index(">", text.index("<svg")) + 1 :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.S)
    body = re.sub(r"\s*<defs>\s*</defs>", "", body)
    body = _shorten(_with_prefix(body, name)).replace(INK, "currentColor")
    width, height = (72 * size for size in figure.get_size_inches())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-labelledby="{name}-title {name}-desc" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}pt" height="{height:g}pt" '
        'font-family="system-ui, sans-serif" '
        'stroke-linejoin="round">\n'
        f'<title id="{name}-title">{html.escape(title)}</title>\n'
        f'<desc id="{name}-desc">{html.escape(description)}</desc>{body}'
    )


def _with_prefix(body: str, name: str) -> str:
    """Drops ids that nothing refers to, and lets the others begin with a name."""
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', body))
    body = re.sub(
        r' id="([^"]+)"',
        lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "",
        body,
    )
    return re.sub(r'(href="|url\()#', rf"\g<1>#{name}-", body)


def _shorten(body: str) -> str:
    """Rounds coordinates to 0.01 points, and lets the page choose the font."""
    body = re.sub(
        r'(?<=[ \n])(d|x|y|transform|points|width|height)="[^"]*"',
        lambda found: re.sub(r"\d+\.\d+", _rounded, found[0]),
        body,
    )
    body = re.sub(r"font-family: [^;\"]*; ", "", body)
    body = re.sub(r"\n\s+", "\n", body)
    return re.sub(r"(<g[^>]*)>\n((?:<use [^>]*/>\n){2,})</g>", _share_style, body)


def _share_style(group: re.Match) -> str:
    """Moves the style of a group's marks to the group, where all have the same."""
    head, marks = group.groups()
    styles = set(re.findall(r' style="[^"]*"', marks))
    if len(styles) != 1 or "style=" in head:
        return group[0]
    return f"{head}{styles.pop()}>\n{re.sub(r' style="[^"]*"', '', marks)}</g>"


def _rounded(number: re.Match) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def save_png(figure: Figure, path: pathlib.Path) -> None:
    """Writes a figure as a PNG, which is white where an SVG lets the page through."""
    with style():
        figure.savefig(path, dpi=RASTER_DOTS, facecolor="white")
