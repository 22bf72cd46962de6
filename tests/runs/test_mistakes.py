"""Mistakes on the command line that once ended with a traceback: one line each."""

import pathlib

import jax
import numpy as np
import pytest

from vecevo import catalogue, export, predict, report, run
from vecevo.errors import InputError
from vecevo.training import recipe

UNCACHED = ["--cache-dir", "none"]
LONG = "n" * 300  # more than a file system takes


def refusal(main, monkeypatch, capsys, *args):
    """The one line with which a command refuses its arguments."""
    monkeypatch.setattr("sys.argv", ["vecevo", *args])
    with pytest.raises(SystemExit) as stop:
        main()
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.count("\n") == 1
    return error


@pytest.mark.parametrize("path", [LONG, f"file/{LONG}/x", "loop", "nu\0l"])
@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("dataset", UNCACHED),
        ("data_dir", ["--dataset", "mnist", *UNCACHED]),
        ("cache_dir", []),
        ("start_from", UNCACHED),
        ("output_dir", UNCACHED),
        ("landscape", []),
        ("resume", []),
    ],
)
def test_a_path_that_cannot_be_looked_for_is_named(
    monkeypatch, capsys, tmp_path, path, name, others
):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("file").mkdir()
    pathlib.Path("loop").symlink_to("loop")
    args = [*others, "--" + name.replace("_", "-"), path]
    error = refusal(run.main, monkeypatch, capsys, *args)
    assert f"{name}=" in error and "cannot be looked for" in error


@pytest.mark.parametrize(
    ("main", "args"),
    [
        (predict.main, [LONG, "x.csv"]),
        (report.main, [LONG]),
        (export.main, [LONG, "--rank", "1"]),
    ],
)
def test_other_commands_name_such_a_path_too(monkeypatch, capsys, main, args):
    error = refusal(main, monkeypatch, capsys, *args)
    assert "cannot be looked for" in error and LONG[:50] in error


@pytest.mark.parametrize("name", ["cache-dir", "data-dir"])
def test_a_user_without_a_home_folder_is_named(monkeypatch, capsys, name):
    args = ["--dataset", "mnist", *UNCACHED] if name == "data-dir" else []
    given = [f"--{name}", "~nobody-is-that/x"]
    error = refusal(run.main, monkeypatch, capsys, *args, *given)
    assert f"{name.replace('-', '_')}='~nobody-is-that/x'" in error


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--memory-gib", "1e300"], "memory_gib=1e+300 must be"),
        (["--memory-gib", "1e-300"], "memory_gib=1e-300 must be"),
        (["--memory-gib", "nan"], "memory_gib=nan must be"),
        (["--width", "9" * 400], "must be a whole number from 1 to 2147483647"),
        (
            ["--population-size", "2147483647"],
            "population_size=2147483647 must be at most 100000",
        ),
        (["--seed", str(2**64 - 2), "--num-runs", "3"], "give a smaller seed"),
    ],
)
def test_numbers_beyond_what_a_machine_has_are_refused(
    monkeypatch, capsys, args, words
):
    error = refusal(run.main, monkeypatch, capsys, *UNCACHED, "--plan", *args)
    assert words in error


def test_a_rate_that_is_no_float_is_refused():
    with pytest.raises(InputError, match="learning_rate"):
        recipe.check_choice("learning_rate", 10**400)


def test_the_most_generations_of_a_large_space_need_no_memory_beforehand():
    choices = np.full(4, 100)  # more genomes than are mapped
    strategy = catalogue.make_strategy(
        "recommended", choices, population_size=2, num_generations=2**31 - 1
    )
    state = jax.eval_shape(strategy.init, jax.random.key(0))
    sizes = [leaf.size for leaf in jax.tree.leaves(state)]
    assert max(sizes) <= 4 * catalogue.MOST_LISTED


def test_the_last_seed_there_is_can_be_run(monkeypatch, capsys):
    args = ["--seed", str(2**64 - 2), "--num-runs", "2", "--plan"]
    monkeypatch.setattr("sys.argv", ["vecevo", *UNCACHED, *args])
    run.main()
    assert "seed 18446744073709551614" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed = 0x" + "f" * 5000, "seed=int of too many digits: it must be a whole"),
        ("seed = [0x" + "f" * 5000 + "]", "seed=list of too many digits"),
        ("max_seconds = 1" + "0" * 400, "at most 64 bits"),
        ("width = " + "[" * 100_000, "cannot be read: maximum recursion depth"),
        ('resume = "runs/first"', "has resume: give --resume"),
    ],
)
def test_files_of_settings_beyond_all_reason_are_refused(
    monkeypatch, capsys, tmp_path, text, words
):
    path = tmp_path / "my.toml"
    path.write_text(text)
    error = refusal(run.main, monkeypatch, capsys, "--config", str(path), "--plan")
    assert words in error and f"config='{path}'" in error


@pytest.mark.parametrize("main", [run.main, report.main])
def test_an_argument_that_is_no_text_is_refused(monkeypatch, capsys, main):
    error = refusal(main, monkeypatch, capsys, "runs/\udcff")
    assert r"argument 'runs/\udcff' is no UTF-8" in error


@pytest.mark.parametrize("value", ["\n\nbest", "\n--\nbest"])
def test_a_message_is_whole_where_lines_were_typed(monkeypatch, capsys, value):
    error = refusal(run.main, monkeypatch, capsys, "--strategy", value)
    assert "best' for argument '--strategy'" in error
