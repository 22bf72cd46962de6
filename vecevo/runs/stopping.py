"""Why a run ends before its end: its time is up, or somebody stops it."""

import contextlib
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

SIGNALS = {"SIGINT": 130, "SIGTERM": 143}  # and the exit codes of a command


def say(text: str) -> None:
    """Writes a line for a handler of signals: whoever read it may have ended, too."""
    with contextlib.suppress(OSError):
        os.write(2, f"vecevo: {text}\n".encode())


def end_by_signals(text: str) -> None:
    """Lets Ctrl-C and SIGTERM end the process at once from now on, with a line.

    A KeyboardInterrupt would be lost where it falls into a callback, as JAX has one
    for collections of garbage.
    """

    def end(number: int, frame: object) -> None:
        del frame
        say(text)
        os._exit(SIGNALS[signal.Signals(number).name])

    for name in SIGNALS:
        signal.signal(signal.Signals[name], end)


def ignore_signals() -> None:
    """Lets Ctrl-C and SIGTERM do nothing any more: all there is to do is done."""
    for name in SIGNALS:
        signal.signal(signal.Signals[name], signal.SIG_IGN)


class Stop:
    """Says whether a run is to stop; asked before every epoch of every cohort."""

    def __init__(self):
        self._start, self.max_seconds = time.perf_counter(), math.inf
        self.seconds_aside = 0.0  # of the budget, for what comes after the search
        self.signal: str | None = None  # by which it was stopped
        self.has_ended = False  # whether the run has come to its end all the same
        self._is_up = False

    def limit(self, max_seconds: float | None) -> None:
        """Sets a budget, from the start on; None is no limit."""
        self.max_seconds = math.inf if max_seconds is None else max_seconds

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._start

    def go_on(self, seconds_aside: float) -> None:
        """Lets what comes after the search have the budget, but for some seconds."""
        self.seconds_aside, self._is_up = seconds_aside, False

    @property
    def reason(self) -> str | None:
        """The signal, or max_seconds, or None: it may go on.

        Once the time is up it stays so, however much is set aside by then: what was
        stopped by it cannot be trained to its end any more.
        """
        if self.signal is not None:
            return self.signal
        if self.seconds > self.max_seconds - self.seconds_aside:
            self._is_up = True
        return "max_seconds" if self._is_up else None

    def is_set(self) -> bool:
        """Whether the run is to stop."""
        return self.reason is not None


def outlive_reader(console: "Console", stop: Stop) -> None:
    """Lets a console fall silent, and the run go on, if its reader has ended.

    Ctrl-C ends all of a pipeline, and what was trained is still to be written. Without
    a signal the process ends, as it did.
    """

    def on_broken_pipe() -> None:
        console.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if stop.signal is None:
            sys.exit(1)

    console.on_broken_pipe = on_broken_pipe


@contextlib.contextmanager
def ending_with_reader() -> Iterator[None]:
    """Ends the process in silence, with exit code 1, if what it prints has no reader.

    As of a pipe to `head`, which has seen enough. Nothing inside should have pipes of
    its own, which break with the same exception.
    """
    try:
        try:
            yield
        finally:
            print(end="", flush=True)  # where --help ends the process, too
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)


@contextlib.contextmanager
def watch(stop: Stop, *, ends_process: bool) -> Iterator[None]:
    """Lets the first Ctrl-C, or SIGTERM, set the stop; the second does as it did.

    Threads other than the main one get no signals: there this does nothing.

    Args:
      stop: of the run.
      ends_process: whether SIGTERM stops the run too, and a second signal the process,
        at once. What comes after the run then says what signals do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, *([signal.SIGTERM] if ends_process else [])]
    before = {number: signal.getsignal(number) for number in numbers}

    def set_back(again: Callable | int | None = None) -> None:
        for number, handler in before.items():
            signal.signal(number, handler if again is None else again)

    def take(number: int, frame: object) -> None:
        del frame
        stop.signal = signal.Signals(number).name
        set_back(signal.SIG_DFL if ends_process else None)
        say("stopping; once more ends it at once")

    for number in numbers:
        signal.signal(number, take)
    try:
        yield
    finally:
        if stop.signal is None and not ends_process:
            set_back()
