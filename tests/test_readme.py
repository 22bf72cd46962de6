"""The Python of README and guides runs, and prints what it says."""

import contextlib
import io
import pathlib
import re

import pytest

import vecevo

ROOT = pathlib.Path(__file__).parent.parent
README = ROOT / "README.md"
GUIDES = sorted((pathlib.Path(vecevo.__file__).parent / "docs").glob("*.md"))
BLOCKS = {
    f"{path.name} {number}": block
    for path in (README, *GUIDES)
    for number, block in enumerate(
        re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL)
    )
}


@pytest.mark.parametrize("name", BLOCKS)
def test_python_blocks_run_and_print(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(BLOCKS[name], name, "exec"), {})
    assert re.search(r"\d", printed.getvalue())
    for said in re.findall(r"print\(.*\)  # (\d+),", BLOCKS[name]):
        assert printed.getvalue().strip() == said


def test_the_readme_is_short_and_begins_with_what_one_does():
    lines = README.read_text().splitlines()
    assert len(lines) <= 250
    assert lines.index("```python") < 40
    blocks = [block for name, block in BLOCKS.items() if name.startswith("README")]
    assert any("vecevo.search(" in block for block in blocks)
    assert any("operators" in block and "search" not in block for block in blocks)
    assert all(len(block.splitlines()) < 25 for block in blocks)


def test_links_lead_somewhere():
    for path in (README, ROOT / "bench/README.md", *GUIDES):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_public_names_are_all_in_a_guide():
    text = "\n".join(path.read_text() for path in (README, *GUIDES))
    for name in vecevo.__all__:
        assert name in text, name
