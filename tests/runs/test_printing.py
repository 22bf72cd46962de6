"""What a run prints: texts of users as they are, and lines that are true."""

import pytest

from vecevo import run

QUICK = (
    *("--width", "8", "--depth", "1", "--activation", "relu", "--optimizer", "adam"),
    *("--limit-train", "30", "--max-epochs", "1", "--confirm", "0", "--ensemble", "0"),
)
TEXTS = ("x[/b]", "[b]y", ":smile:")  # markup, and a name of an emoji, of rich


def call(monkeypatch, capsys, *args):
    """Runs the command here; returns what it prints."""
    monkeypatch.setattr("sys.argv", ["vecevo", *map(str, args)])
    run.main()
    return capsys.readouterr().out


@pytest.mark.parametrize("more", [(), ("--quiet",), ("--plan",)])
def test_texts_of_users_are_no_markup(monkeypatch, capsys, tmp_path, more):
    rows = [f"{i % 3},{i},{TEXTS[i % 3]}" for i in range(60)]
    path = tmp_path / "[red]t.csv"
    path.write_text("\n".join(["[/a],b,class", *rows]))
    folder = tmp_path / "[bold]out[/x]:tada:"
    given = ("--dataset", path, "--output-dir", folder, *more)
    printed = call(monkeypatch, capsys, *QUICK, *given)
    if "--quiet" not in more:
        assert all(text in printed for text in TEXTS)
    if "--plan" not in more:
        assert f"results in {folder}" in printed
        assert f"report: {folder / 'report.html'}" in printed


def test_several_runs_without_a_network_have_nothing_to_compare(
    monkeypatch, capsys, tmp_path
):
    given = ("--num-runs", "2", "--max-seconds", "0.01", "--output-dir", tmp_path / "o")
    printed = call(monkeypatch, capsys, *QUICK, *given)
    assert "nothing to compare" in printed and "quartile" not in printed
    assert (tmp_path / "o" / "report.html").exists()
