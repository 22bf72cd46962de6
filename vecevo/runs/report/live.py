"""What a run shows while it works: one view in a terminal, and elsewhere lines."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from vecevo.results import Genome, NetworkResult, Progress, Work
from vecevo.runs.ledger import Ledger, without_arrays
from vecevo.runs.report.console import (
    duration,
    fixed_line,
    progress_line,
    values_line,
)
from vecevo.runs.report.verdict import counted
from vecevo.space import SearchSpace

QUIET_SECONDS = 30  # between lines about cohorts, where there is no view
DRAWN_PER_SECOND = 2
BLOCKS = "▁▂▃▄▅▆▇█"
BAR_WIDTH, MOST_BLOCKS = 20, 40  # characters


class Standing(NamedTuple):
    """How far a run is: all that its view shows, but for the time."""

    num_generations: int  # at most
    population_size: int
    genes: tuple[str, ...]  # those that have several choices
    fixed: dict[str, Any]  # by name, hyperparams that are the same for all networks
    num_replicates: int = 1  # trainings of a network
    num_rungs: int = 1  # of training
    is_resumed: bool = False
    progress: tuple[Progress, ...] = ()  # of the generations that are at an end
    progress_seconds: float = 0.0  # of the run, when the last of them ended
    num_new: int = 0  # networks trained in the generation under way
    num_trained: int = 0  # distinct networks of the run
    num_failed: int = 0  # of these
    best_accuracy: float = -math.inf  # validation accuracy
    best_hyperparams: Mapping[str, Any] = {}
    word: str = ""  # before numbers, where they are no accuracies


def start_standing(
    space: SearchSpace,
    fixed: Mapping[str, Any],
    *,
    num_generations: int,
    population_size: int,
    num_replicates: int = 1,
    num_rungs: int = 1,
    is_resumed: bool = False,
    word: str = "",
) -> Standing:
    """Returns the Standing of a run that begins, or goes on."""
    only = {name: choices[0] for name, choices in space.genes if len(choices) == 1}
    return Standing(
        num_generations=num_generations,
        population_size=population_size,
        genes=tuple(name for name, choices in space.genes if len(choices) > 1),
        fixed={**only, **fixed},
        num_replicates=num_replicates,
        num_rungs=num_rungs,
        is_resumed=is_resumed,
        word=word,
    )


def after_cohort(standing: Standing, ledger: Ledger) -> Standing:
    """Returns the Standing after a cohort that a ledger of the run has taken in."""
    num_trained = len(ledger.accuracy)
    num_before = standing.progress[-1].num_trained if standing.progress else 0
    standing = standing._replace(
        num_new=num_trained - num_before,
        num_trained=num_trained,
        num_failed=ledger.num_failed,
    )
    for _, best in ledger.pool[:1]:
        standing = standing._replace(
            best_accuracy=best.validation_accuracy, best_hyperparams=best.hyperparams
        )
    return standing


def after_generation(
    standing: Standing, progress: Progress, *, seconds: float
) -> Standing:
    """Returns the Standing after a generation that ended at these seconds."""
    return standing._replace(
        progress=(*standing.progress, progress), progress_seconds=seconds, num_new=0
    )


def draw(standing: Standing, *, seconds: float, workers: Sequence[str] = ()) -> Table:
    """Returns the view of a run that has taken so many seconds, and its workers."""
    rows = {
        "generation": generation_text(standing),
        "best": best_text(standing),
        "mean": mean_text(standing),
        "networks": networks_text(standing),
        "time": time_text(standing, seconds=seconds),
        "course": course_text(standing.progress),
        "workers": "\n".join(workers),
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        if text:
            table.add_row(Text(name, style="bold"), Text(text))
    # Texts, and not strings, in which brackets would be markup.
    table.add_row(
        Text("all", style="dim"),
        Text(fixed_line(standing.fixed, standing.genes), style="dim"),
    )
    return table


def generation_text(standing: Standing) -> str:
    """Which generation is under way, of how many, and what it has trained.

    How many of its networks are new is not known before its end, only the most.
    """
    num_done, most = len(standing.progress), standing.num_generations
    filled = BAR_WIDTH * num_done // most
    bar = "█" * filled + "░" * (BAR_WIDTH - filled)
    if num_done == most:
        return f"{most}/{most} {bar} all at an end"
    return (
        f"{num_done + 1}/{most} {bar} {counted(standing.num_new, 'new network')} "
        f"trained, of at most {standing.population_size}"
    )


def best_text(standing: Standing) -> str:
    """The best validation accuracy so far, and the genes of its network."""
    if not standing.best_hyperparams:
        return "no network trained to its end yet"
    genes = {name: standing.best_hyperparams[name] for name in standing.genes}
    return f"{standing.word}{standing.best_accuracy:.4f} {values_line(genes)}"


def mean_text(standing: Standing) -> str:
    """The mean of the last generation that is at an end; empty before the first."""
    if not standing.progress:
        return ""
    last, word = standing.progress[-1], standing.word
    return f"{word}{last.mean_accuracy:.4f} in generation {last.generation + 1}"


def networks_text(standing: Standing) -> str:
    """Networks trained and failed; and asked again, in generations at an end."""
    failed = f", {standing.num_failed} of them failed" if standing.num_failed else ""
    trained = f"{standing.num_trained} trained{failed}"
    if not standing.progress:
        return trained
    num_asked = standing.population_size * len(standing.progress)
    num_known = num_asked - standing.progress[-1].num_trained
    return f"{trained}; {num_known} known when asked for, and not trained again"


def time_text(standing: Standing, *, seconds: float) -> str:
    """Speed and time gone; time left as it was told, less what has gone since."""
    parts = [f"{duration(seconds)} gone"]
    worked = seconds_worked(standing, seconds=seconds)
    if standing.num_trained and worked is not None:
        parts.insert(0, f"{3600 * standing.num_trained / worked:,.0f} networks/h")
    if standing.progress:
        since = seconds - standing.progress_seconds
        left = max(0.0, standing.progress[-1].seconds_left - since)
        parts.append(f"about {duration(left)} left")
    return ", ".join(parts)


def seconds_worked(standing: Standing, *, seconds: float) -> float | None:
    """The time of the run's networks, before it was resumed too; None: not known.

    Where no generation of a run that goes on has ended, nothing says what it took
    before.
    """
    if not standing.progress:
        return None if standing.is_resumed else seconds
    last = standing.progress[-1]
    at_its_end = 3600 * last.num_trained / last.networks_per_hour
    return at_its_end + seconds - standing.progress_seconds


def course_text(progress: Sequence[Progress]) -> str:
    """The best accuracies over generations, from and to; empty before there are two."""
    best = [p.best_accuracy for p in progress if math.isfinite(p.best_accuracy)]
    if len(best) < 2:
        return ""
    return f"{best[0]:.4f} {sparkline(best)} {best[-1]:.4f}"


def sparkline(numbers: Sequence[float]) -> str:
    """Returns finite numbers as blocks, the least and the greatest full apart.

    Of more than MOST_BLOCKS it shows some, evenly apart, the first and last among
    them.

    >>> sparkline([0.0, 0.5, 1.0])
    '▁▅█'
    """
    places = np.linspace(0, len(numbers) - 1, min(len(numbers), MOST_BLOCKS))
    shown = np.asarray(numbers, float)[places.round().astype(int)]
    heights = (shown - shown.min()) / (np.ptp(shown) or 1.0) * (len(BLOCKS) - 1)
    return "".join(BLOCKS[math.floor(height + 0.5)] for height in heights)


def cohort_line(standing: Standing, results: Sequence[NetworkResult]) -> str:
    """Returns how far the generation is after a cohort, in one line."""
    best = max(result.validation_accuracy for result in results)
    return (
        f"generation {len(standing.progress) + 1}/{standing.num_generations}: "
        f"{counted(standing.num_new, 'new network')} trained, "
        f"the latest {standing.word}{best:.4f}"
    )


class View:
    """Keeps the Standing of a run; draws itself as it is at the moment."""

    def __init__(
        self, standing: Standing, print_fn: Callable[[str], None], *, is_drawn: bool
    ):
        self.standing, self._print_fn, self._is_drawn = standing, print_fn, is_drawn
        self.workers_fn: Callable[[], Sequence[str]] = tuple  # what they are at
        self._start = self._last_line = time.monotonic()
        self._num_read_back = 0  # generations
        # Counts as the run does: networks, and not their trainings.
        self._ledger = Ledger(
            pool_size=1,
            num_replicates=standing.num_replicates,
            num_rungs=standing.num_rungs,
        )

    def __rich__(self) -> Table:
        seconds = time.monotonic() - self._start
        return draw(self.standing, seconds=seconds, workers=self.workers_fn())

    def take_cohort(
        self,
        generation: int,
        genomes: Sequence[Genome],
        results: Sequence[NetworkResult],
    ) -> None:
        """Takes a cohort in; without a view it prints a line now and then."""
        light = [without_arrays(result) for result in results]
        self._ledger.take_in(genomes, light, Work())
        self.standing = after_cohort(self.standing, self._ledger)
        now = time.monotonic()
        if not self._is_drawn and now - self._last_line > QUIET_SECONDS:
            self._print_fn(cohort_line(self.standing, results))
            self._last_line = now

    def take_generation(self, progress: Progress) -> None:
        """Takes the end of a generation in, and prints its line."""
        seconds = time.monotonic() - self._start
        self.standing = after_generation(self.standing, progress, seconds=seconds)
        if progress.is_read_back:
            self._num_read_back += 1
            return
        if self._num_read_back:
            read_back = counted(self._num_read_back, "generation")
            self._print_fn(f"read back: {read_back}")
            self._num_read_back = 0
        num_generations, word = self.standing.num_generations, self.standing.word
        self._print_fn(progress_line(progress, num_generations, word))


@contextlib.contextmanager
def watch(
    console: Console, standing: Standing, *, is_quiet: bool = False
) -> Iterator[View]:
    """Shows a run from its start until the block is left, by an error or not.

    A terminal that can draw blocks has the view, below the lines; what is no terminal
    has the lines alone, and where it is quiet there is nothing.
    """
    can_draw = console.is_interactive and not console.options.ascii_only
    print_fn = (lambda line: None) if is_quiet else console.print
    view = View(standing, print_fn, is_drawn=can_draw and not is_quiet)
    if not can_draw or is_quiet:
        yield view
        return
    with Live(
        view, console=console, transient=True, refresh_per_second=DRAWN_PER_SECOND
    ):
        yield view
