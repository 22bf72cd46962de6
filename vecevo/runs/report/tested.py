"""Pictures of what the best network says of the test part."""

import zipfile
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vecevo.errors import first_few
from vecevo.runs.files.keeping import BEST, TESTED
from vecevo.runs.files.reading import Run
from vecevo.runs.report.drawing import BLUE, GREY, INK, new_figure

MOST_CLASSES = 30  # in a picture
MOST_TARGETS, MOST_POINTS = 6, 1000  # in a picture
MOST_TEXT = 14  # letters of a class


def read_tested(run: Run) -> dict[str, np.ndarray]:
    """Returns what the best network says of the test part; {} where it is not there."""
    try:
        with (run.folder / BEST / TESTED).open("rb") as file, np.load(file) as arrays:
            return dict(arrays)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile):
        return {}  # a run that was stopped has not come to it


def count_confusions(tested: dict[str, np.ndarray]) -> np.ndarray:
    """Returns int[C, C]: examples of a class, in rows, by what is said of them."""
    num_classes = len(tested["classes"])
    places = tested["labels"] * num_classes + tested["predicted"]
    counts = np.bincount(places, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def draw_confusions(run: Run) -> Figure | None:
    """Draws the confusion matrix; None where it is not known, or too large."""
    tested = read_tested(run)
    if "classes" not in tested or len(tested["classes"]) > MOST_CLASSES:
        return None
    counts = count_confusions(tested)
    figure = new_figure(min(7.5, 2 + 0.33 * len(counts)))
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for (row, column), count in np.ndenumerate(counts):
        _draw_cell(axes, row, column, int(count), float(shares[row, column]))
    names = [_short(name) for name in tested["classes"]]
    rotation = 90 if max(map(len, names)) > 3 else 0
    axes.set_xticks(range(len(names)), names, rotation=rotation)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5))
    axes.set(xlabel="predicted class", ylabel="class", aspect="equal")
    axes.grid(visible=False)
    return figure


def _draw_cell(axes: Axes, row: int, column: int, count: int, share: float) -> None:
    """Fills a cell by the share of its class, and writes the number."""
    if not count:
        return
    axes.fill_between(
        *([column - 0.48, column + 0.48], row - 0.48, row + 0.48),
        color=BLUE if row == column else GREY,
        alpha=0.15 + 0.45 * share,
        linewidth=0,
    )
    axes.text(column, row, str(count), ha="center", va="center", color=INK)


def describe_confusions(run: Run) -> str:
    """Says how many are right, and which two classes are confused most."""
    tested = read_tested(run)
    counts, names = count_confusions(tested), tested["classes"]
    text = f"{np.trace(counts):,} of {counts.sum():,} test examples are right."
    wrong = counts - np.diag(np.diag(counts))
    if wrong.any():
        row, column = np.unravel_index(wrong.argmax(), wrong.shape)
        text += (
            f" The most frequent mistake: {wrong.max()} of class {names[row]} are "
            f"taken for {names[column]}."
        )
    return text


def draw_mistakes(run: Run) -> Figure | None:
    """Draws test examples that the best network gets wrong; None without images."""
    tested = read_tested(run)
    examples = tested.get("examples")
    if examples is None or not len(examples) or not _are_images(examples):
        return None
    figure = new_figure(1.75 * -(-len(examples) // 6))
    panels = figure.subplots(-(-len(examples) // 6), 6, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    for panel, example, row in zip(panels, examples, tested["wrong"], strict=False):
        panel.imshow(_pixels(example), cmap="gray", interpolation="nearest")
        panel.set_title(_mistake(tested, row), fontsize=8.5)
    return figure


def describe_mistakes(run: Run) -> str:
    """Says which examples are shown, in words."""
    tested = read_tested(run)
    return (
        f"{len(tested['wrong'])} examples of the test part, the first that are wrong: "
        + "; ".join(_mistake(tested, row).replace("\n", " ") for row in tested["wrong"])
        + "."
    )


def draw_errors(run: Run) -> Figure | None:
    """Draws predicted against right numbers, a panel a target; None without them."""
    tested = read_tested(run)
    if "said" not in tested:
        return None
    names = tested["targets"][:MOST_TARGETS]
    num_rows = -(-len(names) // 3)
    figure = new_figure(3.2 * num_rows)
    panels = figure.subplots(num_rows, 3, squeeze=False).ravel()
    for place, panel in enumerate(panels):
        if place >= len(names):
            panel.set_axis_off()
            continue
        right, said = (tested[name][:, place] for name in ("right", "said"))
        ends = [min(right.min(), said.min()), max(right.max(), said.max())]
        step = -(-len(right) // MOST_POINTS)
        panel.plot(ends, ends, color=GREY, linewidth=1)
        panel.plot(right[::step], said[::step], "o", color=BLUE, markersize=3)
        panel.set(xlabel=f"{_short(names[place])}, right", ylabel="predicted")
    return figure


def describe_errors(run: Run) -> str:
    """Says how far off predictions are, target by target."""
    tested = read_tested(run)
    errors = np.sqrt(np.mean(np.square(tested["said"] - tested["right"]), axis=0))
    spreads = tested["right"].std(axis=0)
    rows = zip(tested["targets"], errors, spreads, strict=True)
    said = [
        f"{name} {error:.4g}, where right ones have a deviation of {spread:.4g}"
        for name, error, spread in rows
    ]
    shown = first_few(said, most=MOST_TARGETS, separator="; ")
    return f"Root mean squared error, in the units given: {shown}."


def _mistake(tested: dict[str, np.ndarray], row: Any) -> str:
    """A label, and what is said instead."""
    label, said = (
        _short(tested["classes"][tested[name][row]]) for name in ("labels", "predicted")
    )
    return f"{label},\nsaid {said}"


def _are_images(examples: np.ndarray) -> bool:
    is_color = examples.ndim == 4 and examples.shape[-1] in (1, 3)
    return (examples.ndim == 3 or is_color) and min(examples.shape[1:3]) > 1


def _pixels(example: np.ndarray) -> np.ndarray:
    """An image with values in [0, 1]."""
    pixels = np.asarray(example, float).squeeze()
    low, high = pixels.min(), pixels.max()
    return (pixels - low) / ((high - low) or 1)


def _short(name: Any) -> str:
    text = str(name)
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "…"
