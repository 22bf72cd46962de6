"""The command that reports about recorded runs, from the outside."""

import os
import pathlib
import shutil
import subprocess
import sys

import pandas
import pytest

import vecevo
from vecevo import report

RECORDED = pathlib.Path(__file__).parent / "runs/schema_1"


@pytest.fixture(name="folder")
def make_folder(tmp_path):
    return pathlib.Path(shutil.copytree(RECORDED, tmp_path / "first"))


def call(monkeypatch, *args):
    monkeypatch.setattr("sys.argv", ["report", *map(str, args)])
    report.main()


def test_a_run_has_its_page_tables_and_pictures(monkeypatch, folder, capsys):
    call(monkeypatch, folder, "--csv", "--parquet", "--figures")
    said = [pathlib.Path(line) for line in capsys.readouterr().out.splitlines()]
    assert all(path.stat().st_size > 200 for path in said)
    names = {str(path.relative_to(folder)) for path in said}
    pictures = ("progress", "shares", "choices", "parallel", "curves", "sizes")
    assert names == {
        *("report.html", "networks.csv", "networks.parquet"),
        *(f"figures/{name}.{kind}" for name in pictures for kind in ("svg", "png")),
    }
    svg = (folder / "figures/sizes.svg").read_text()
    assert svg.startswith("<svg xmlns=") and svg in (folder / "report.html").read_text()
    expected = vecevo.load_run(folder).to_dataframe()
    read = pandas.read_parquet(folder / "networks.parquet")
    pandas.testing.assert_frame_equal(read, expected)
    accuracies = pandas.read_csv(folder / "networks.csv")["validation_accuracy"]
    assert accuracies.tolist() == expected["validation_accuracy"].tolist()


def test_several_runs_have_one_page_in_the_current_folder(
    monkeypatch, folder, tmp_path, capsys
):
    other = shutil.copytree(folder, tmp_path / "b/first")
    monkeypatch.chdir(tmp_path)
    pathlib.Path("report.html").write_text("an earlier one")
    call(monkeypatch, folder, other)
    assert capsys.readouterr().out == "report.html\n"
    text = pathlib.Path("report.html").read_text()
    assert "2 runs compared" in text and "b/first" in text
    call(monkeypatch, folder, "--output", tmp_path / "mine.html")
    assert "<h1>first</h1>" in (tmp_path / "mine.html").read_text()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], "a run is missing"),
        (["none"], "run='none' is no folder of a run"),
        (["tests"], "run='tests' is no folder of a run"),
        (["FOLDER", "--output", "none/x.html"], "output='none/x.html' cannot be writ"),
        (["FOLDER", "--output", "."], "output='.' cannot be written"),
        (["FOLDER", "--colour"], "--colour"),
        (["FOLDER", "--figures"], "figures='"),
        (["FOLDER", "--csv"], "its networks cannot be written"),
        (["FOLDER", "--parquet"], "its networks cannot be written"),
    ],
)
def test_mistakes_end_with_one_line_and_exit_code_2(
    monkeypatch, folder, capsys, args, words
):
    (folder / "figures").write_text("in the way")
    (folder / "networks.csv").mkdir()
    (folder / "networks.parquet").mkdir()
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, *(folder if arg == "FOLDER" else arg for arg in args))
    message = capsys.readouterr().err
    assert message.startswith("vecevo: ") and words in message
    assert message.count("\n") == 1


def test_runs_by_different_metrics_are_not_compared(monkeypatch, folder, capsys):
    def load(path):
        return vecevo.load_run(folder)._replace(folder=pathlib.Path(path), metric=path)

    monkeypatch.setattr(report, "load_run", load)
    monkeypatch.chdir(folder)
    call(monkeypatch, "F1", "F1")
    pathlib.Path("report.html").unlink()
    with pytest.raises(SystemExit, match="2"):
        call(monkeypatch, "F1", "AUC", "--csv", "--figures")
    message = capsys.readouterr().err
    assert message.count("\n") == 1 and message.startswith("vecevo: run='AUC' is")
    assert "by AUC and 'F1' by F1, which do not compare: give" in message
    assert not pathlib.Path("report.html").exists()


def test_help_names_what_there_is_and_imports_no_pictures():
    code = (
        "import sys; sys.argv[1:] = ['--help']\n"
        "from vecevo import report\n"
        "try:\n    report.main()\n"
        "finally:\n    print('matplotlib' in sys.modules, 'jax' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "COLUMNS": "100"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    options = ("RUN [RUN ...]", "--output", "--csv", "--parquet", "--figures")
    assert all(option in said for option in options)
    assert said.endswith("False False\n")
