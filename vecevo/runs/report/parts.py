"""What a page about runs consists of."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure


class Picture(NamedTuple):
    """A figure, and what it shows in words."""

    name: str  # of its files, and what its ids begin with
    figure: Figure
    description: str  # with its main numbers


class Section(NamedTuple):
    """A part of a page, with a picture, or a table, or neither."""

    title: str
    caption: str
    picture: Picture | None = None
    header: Sequence[str] = ()  # of the table
    rows: Sequence[Sequence[str]] = ()  # each as long as the header


class Drawing(NamedTuple):
    """How a picture is made of a run, or of several."""

    name: str
    title: str
    draw: Callable[[Any], Figure | None]  # None: there is nothing to draw
    describe: Callable[[Any], str]
    caption: str
    absence: str  # said where there is nothing to draw
    task: str = ""  # of the runs that have it; empty: all have
