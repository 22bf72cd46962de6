"""What each worker of a run trained when, and for how long it had nothing to train."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from vecevo.runs.files.reading import RecordedShift, Run
from vecevo.runs.report.drawing import BLUE, INK, VERMILLION, new_figure
from vecevo.runs.report.verdict import counted
from vecevo.training.workers.answers import idle_share

MOST_ROWS = 40  # workers that are drawn
COLORS = (BLUE, VERMILLION)  # of even and odd generations


def draw_workers(run: Run) -> Figure | None:
    """Draws a row for each worker, with a bar for each cohort that it trained."""
    if not run.shifts:
        return None
    workers = sorted({shift.worker for shift in run.shifts})[:MOST_ROWS]
    figure = new_figure(1.2 + 0.22 * len(workers))
    axes = figure.subplots()
    for row, worker in enumerate(workers):
        for parity, color in enumerate(COLORS):
            bars = [
                (shift.began_seconds, shift.ended_seconds - shift.began_seconds)
                for shift in run.shifts
                if shift.worker == worker and shift.generation % 2 == parity
            ]
            axes.broken_barh(
                bars, (row - 0.35, 0.7), facecolors=color, edgecolor=INK, linewidth=0.3
            )
    axes.set_yticks(range(len(workers)), [f"worker {worker}" for worker in workers])
    axes.invert_yaxis()
    axes.set(xlabel="seconds of the run")
    return figure


def describe_workers(run: Run) -> str:
    """Says how many workers there were, where, and how long they were idle."""
    shifts = run.shifts
    nodes, kinds = {s.node for s in shifts}, sorted({s.device for s in shifts})
    workers = counted(len({shift.worker for shift in shifts}), "worker")
    return (
        f"{workers} on {counted(len(nodes), 'machine')} ({', '.join(kinds)}) trained "
        f"{counted(len(shifts), 'cohort')}. At the ends of generations there was "
        f"nothing to train for {idle_of(shifts):.0%} of the time of all."
    )


def idle_of(shifts: Sequence[RecordedShift]) -> float:
    """The share of idle time at the ends of generations, by their lengths."""
    shares, lengths = [], []
    for generation in sorted({shift.generation for shift in shifts}):
        own = [shift for shift in shifts if shift.generation == generation]
        start = min(shift.began_seconds for shift in own)
        ends: dict[int, float] = {}
        for shift in own:
            ends[shift.worker] = max(ends.get(shift.worker, start), shift.ended_seconds)
        shares.append(idle_share(list(ends.values()), start))
        lengths.append(max(ends.values()) - start)
    return float(np.average(shares, weights=lengths)) if any(lengths) else 0.0
