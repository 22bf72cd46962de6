"""Mistakes on the command line that once ended with a traceback: one line each."""

import pathlib

import pytest

from vecevo import export, predict, report, run

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
