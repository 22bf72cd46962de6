"""What a run shows while it works, and of its winners; no terminal is needed."""

import contextlib
import io
import math
import pathlib

import pytest
from rich.console import Console

from vecevo.results import NetworkResult, Progress, Work
from vecevo.runs.files import journal
from vecevo.runs.ledger import Ledger
from vecevo.runs.report import console as shown
from vecevo.runs.report import live
from vecevo.space import SearchSpace

SPACE = SearchSpace({"depth": (2,), "width": (8, 16), "optimizer": ("adam", "[sgd]")})
FIXED = {"dropout_rate": 0.2, "weight_decay": 0.0}


def make_result(accuracy=0.9, **hyperparams):
    """Returns the result of a network; one of accuracy -inf failed in epoch 2."""
    failed_epoch = None if math.isfinite(accuracy) else 2
    own = {"depth": 2, "width": 8, "optimizer": "[sgd]", **FIXED, **hyperparams}
    return NetworkResult(own, 100, accuracy, 0.5, 3, failed_epoch, {}, {})


def make_progress(generation=0, **fields):
    values = {
        "best_accuracy": 0.9,
        "mean_accuracy": 0.8,
        "median_accuracy": 0.8,
        "num_trained": 3,
        "num_failed": 1,
        "networks_per_hour": 360.0,
        "seconds_left": 90.0,
    }
    return Progress(generation=generation, **{**values, **fields})


def start(**changes):
    standing = live.start_standing(SPACE, FIXED, num_generations=4, population_size=5)
    return standing._replace(**changes)


def make_console(**settings):
    given = {"file": io.StringIO(), "width": 80, "soft_wrap": True, "highlight": False}
    given |= {"markup": False, "emoji": False}
    return Console(**{**given, **settings})


def terminal(**settings):
    # A text stream without an encoding of its own is taken for UTF-8.
    return make_console(record=True, force_terminal=True, **settings)


def ledger_of(results, ledger=None):
    """Returns a ledger after a cohort of networks that none had been before."""
    ledger = Ledger() if ledger is None else ledger
    first = len(ledger.accuracy)
    genomes = [(place,) for place in range(first, first + len(results))]
    ledger.take_in(genomes, results, Work())
    return ledger


def drawn(standing, seconds=30.0, **settings):
    console = terminal(**settings)
    console.print(live.draw(standing, seconds=seconds))
    return console.export_text()


def test_the_view_of_a_run_that_begins_claims_nothing():
    text = drawn(start(), seconds=0.0)
    assert "1/4" in text and "no network trained to its end yet" in text
    assert "0 new networks trained, of at most 5" in text
    claims = ("left", "networks/h", "mean", "inf", "failed", "known")
    assert not [word for word in claims if word in text]


def test_the_view_says_how_far_a_run_is():
    results = [make_result(0.8), make_result(0.9, width=16), make_result(-math.inf)]
    ledger = ledger_of(results)
    standing = live.after_cohort(start(), ledger)
    standing = live.after_generation(standing, make_progress(), seconds=30.0)
    standing = live.after_cohort(
        standing, ledger_of([make_result(0.7), make_result(0.6)], ledger)
    )
    text = drawn(standing, seconds=50.0)
    assert "2/4 █████░░░░░" in text and "2 new networks trained, of at most 5" in text
    assert "0.9000 width 16, optimizer [sgd]" in text
    assert "0.8000 in generation 1" in text
    assert "5 trained, 1 of them failed; 2 known when asked for" in text
    assert "360 networks/h, 0:50 gone, about 1:10 left" in text
    # What does not vary is shown apart, a gene of one choice among it.
    assert "all" in text and "depth 2, dropout_rate 0.2, weight_decay 0;" in text


def test_the_view_counts_networks_and_not_their_trainings():
    view = live.View(start(num_replicates=3), print, is_drawn=True)
    for replicate, accuracies in enumerate(([0.9, 0.7], [0.6, 0.8], [0.6, 0.75])):
        assert "0 new networks trained" in drawn(view.standing)
        results = [make_result(a)._replace(replicate=replicate) for a in accuracies]
        view.take_cohort(0, [(0,), (1,)], results)
    text = drawn(view.standing)
    assert "2 new networks trained, of at most 5" in text and "2 trained" in text
    assert "0.7500 width 8" in text
    stopped = make_result(0.99)._replace(is_partial=True)
    view.take_cohort(0, [(2,)], [stopped])
    assert drawn(view.standing) == text


def test_the_speed_of_a_run_that_goes_on_is_that_of_all_its_time():
    ledger = ledger_of([make_result()] * 3)
    standing = live.after_cohort(start(is_resumed=True), ledger)
    assert "networks/h" not in drawn(standing, seconds=0.1)
    # 200 networks in 50 s before; 30 in the 20 s since.
    for num_generations in (1, 2):
        progress = make_progress(
            num_trained=100 * num_generations,
            networks_per_hour=7200.0 * num_generations,
            is_read_back=True,
        )
        standing = live.after_generation(standing, progress, seconds=0.5)
    standing = standing._replace(num_trained=230)
    expected = 3600 * 230 / (50 + 20)
    assert f"{expected:,.0f} networks/h" in drawn(standing, seconds=20.5)


def test_all_networks_failed_and_no_time_is_left():
    standing = live.after_cohort(start(), ledger_of([make_result(-math.inf)]))
    for generation in range(4):
        progress = make_progress(
            generation, best_accuracy=-math.inf, mean_accuracy=-math.inf, seconds_left=0
        )
        standing = live.after_generation(standing, progress, seconds=10.0)
    text = drawn(standing)
    assert "4/4" in text and "░" not in text and "all at an end" in text
    assert "1 trained, 1 of them failed;" in text and "about 0:00 left" in text
    assert "no network trained to its end yet" in text


def test_the_best_accuracies_are_a_sparkline_from_the_second_on():
    accuracies = (-math.inf, 0.5, 0.6, 0.9)
    progress = [make_progress(i, best_accuracy=a) for i, a in enumerate(accuracies)]
    assert "0.5000 ▁▃█ 0.9000" in drawn(start(progress=tuple(progress)))
    assert "▁" not in drawn(start(progress=tuple(progress[:2])))


def test_a_narrow_terminal_folds_the_view_and_loses_no_value():
    hyperparams = {"width": 8, "optimizer": "q" * 100}
    standing = start(best_accuracy=0.5, best_hyperparams=hyperparams)
    text = drawn(standing, width=40)
    assert max(map(len, text.splitlines())) <= 40 and text.count("q") == 100


def test_fixed_learning_rates_are_no_optimizers_own():
    assert shown.fixed_line({"learning_rate": 0.01}, ()) == "learning_rate 0.01"
    assert shown.fixed_line({}, ("learning_rate",)) == ""
    assert shown.fixed_line({}, ("width",)) == "learning rate by optimizer"


@pytest.mark.parametrize(
    ("numbers", "blocks"),
    [([0, 1], "▁█"), ([0.5, 0.5, 0.5], "▁▁▁"), ([0, 0.5, 1], "▁▅█"), ([3], "▁")],
)
def test_sparklines_go_from_the_least_to_the_greatest(numbers, blocks):
    assert live.sparkline(numbers) == blocks


def test_long_sparklines_keep_their_ends_and_are_cut_between():
    blocks = live.sparkline(range(1000))
    assert len(blocks) == live.MOST_BLOCKS and (blocks[0], blocks[-1]) == ("▁", "█")


def watch(console, **settings):
    with live.watch(console, start(), **settings) as view:
        view.take_cohort(0, [(0,)], [make_result(0.9)])
        view.take_generation(make_progress())
    return console.file.getvalue()


def test_what_is_no_terminal_has_the_lines_alone(monkeypatch):
    line = shown.progress_line(make_progress(), 4)
    assert watch(make_console(force_terminal=False)) == f"{line}\n"
    monkeypatch.setattr(live, "QUIET_SECONDS", -1)
    first, second = watch(make_console(force_terminal=False)).splitlines()
    assert first == "generation 1/4: 1 new network trained, the latest 0.9000"
    assert second == line


@pytest.mark.parametrize("is_terminal", [True, False])
def test_where_it_is_quiet_there_is_nothing(is_terminal):
    assert watch(make_console(force_terminal=is_terminal), is_quiet=True) == ""


def test_a_terminal_has_the_line_above_the_view_and_is_left_clean(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    written = watch(make_console(force_terminal=True))
    before, after = written.split("generation 1/4: best 0.9000")
    assert "\x1b[?25l" in before and "0/4" not in before and "1/4" in before
    assert "2/4" in after and after.endswith("\x1b[2K")  # its last line is erased
    assert after.rindex("\x1b[?25h") > after.index("2/4")  # the cursor is back


def test_an_interrupted_view_is_gone_too(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    console = make_console(force_terminal=True)
    with pytest.raises(KeyboardInterrupt), live.watch(console, start()):
        raise KeyboardInterrupt
    written = console.file.getvalue()
    assert written.endswith("\x1b[2K") and "\x1b[?25h" in written


@pytest.mark.parametrize(
    ("kind", "encoding"), [("dumb", "utf-8"), ("xterm", "latin-1")]
)
def test_a_terminal_that_cannot_draw_has_the_lines_alone(monkeypatch, kind, encoding):
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr(live, "QUIET_SECONDS", -1)
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    console = make_console(force_terminal=True, file=file)
    with live.watch(console, start()) as view:
        view.take_cohort(0, [(0,)], [make_result(0.9)])
        view.take_generation(make_progress())
    lines = written_to(file).splitlines()
    assert "1 new network trained, the latest 0.9000" in lines[0]
    assert lines[1:] == [shown.progress_line(make_progress(), 4)]


def written_to(file):
    file.flush()
    return file.buffer.getvalue().decode(file.encoding)


def make_summary(results, **changes):
    rows = [
        {
            "hyperparams": result.hyperparams,
            "num_params": result.num_params,
            "validation_accuracy": result.validation_accuracy,
        }
        for result in results
    ]
    values = {
        "best": rows[0] if rows else None,
        "top": rows,
        "front": [],
        "num_failed": 0,
        "num_trained": 5,
        "num_genomes": 100,
        "num_evaluated": 8,
        "num_programs": 1,
        "time_seconds": {"total": 9.0, "compile": 2.0, "train": 5.0},
    }
    return {**values, **changes}


def result_text(summary, folder="runs/[red]x"):
    console = make_console(force_terminal=False, width=200)
    genes = [name for name, _ in SPACE.genes]
    shown.show_result(summary, genes, pathlib.Path(folder), console)
    return console.file.getvalue()


def test_winners_have_what_they_share_in_one_line():
    rates = (0.001, 0.01)
    text = result_text(make_summary([make_result(learning_rate=r) for r in rates]))
    line = "all: dropout_rate 0.2, weight_decay 0; learning rate by optimizer"
    assert line in text.splitlines()
    assert "[sgd]" in text and "runs/[red]x" in text


def test_winners_of_one_learning_rate_say_it():
    text = result_text(make_summary([make_result(learning_rate=0.01)] * 2))
    assert "weight_decay 0, learning_rate 0.01\n" in text


def test_a_run_that_failed_has_its_epochs_from_its_journal(tmp_path):
    path = tmp_path / "run.sqlite"
    with contextlib.closing(journal.create(path, {})) as connection:
        results = [make_result(-math.inf), make_result(-math.inf, width=16)]
        journal.record(connection, 0, [(0, 0, 1), (0, 1, 1)], results)
    assert "in epoch 3;" in result_text(make_summary([], num_failed=2), tmp_path)


def test_a_run_without_winners_says_why():
    text = result_text(make_summary([]))
    assert "give the run more time" in text and "all:" not in text
    text = result_text(make_summary([], num_failed=5))
    assert "5 failed, as their loss was no longer finite; try lower" in text
    assert "more time" not in text


@pytest.mark.parametrize(
    ("epochs", "words"), [([0, 0], "in epoch 1;"), ([4, 0, 2], "in epochs 1 to 5;")]
)
def test_failures_are_said_with_their_epochs(epochs, words):
    line = shown.failure_line(len(epochs), epochs)
    assert words in line and f"{len(epochs)} failed" in line
