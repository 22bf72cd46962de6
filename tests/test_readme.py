"""The README's Python runs, and its tables are those of the records."""

import contextlib
import io
import pathlib
import re

import pytest

README = pathlib.Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_python_blocks_run_and_print(number):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(BLOCKS[number], f"README block {number}", "exec"), {})
    assert re.search(r"\d", printed.getvalue())
    assert len(BLOCKS[number].splitlines()) < 20
    for said in re.findall(r"print\(.*\)  # (\d+),", BLOCKS[number]):
        assert printed.getvalue().strip() == said


def test_there_are_blocks_for_networks_and_for_operators():
    assert len(BLOCKS) >= 6
    assert any("vecevo.search(" in block for block in BLOCKS)
    assert any("operators" in block and "search" not in block for block in BLOCKS)
