"""The house stays one that a newcomer can read: small rooms, short files, types."""

import ast
import pathlib
import statistics

import pytest

import vecevo

PACKAGE = pathlib.Path(vecevo.__file__).parent
ROOT = PACKAGE.parent
FILES = [
    p for room in ("vecevo", "bench", "tests") for p in (ROOT / room).rglob("*.py")
]
FOLDERS = sorted({path.parent for path in FILES})


def functions(paths):
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                yield node


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: str(f.relative_to(ROOT)))
def test_rooms_and_files_are_small(folder):
    files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(files) <= 20
    for path in files:
        assert len(path.read_text().splitlines()) <= 300, path.name


def test_most_functions_are_short():
    lengths = []
    for node in functions(PACKAGE.rglob("*.py")):
        is_documented = ast.get_docstring(node) is not None
        body = node.body[is_documented:] or node.body
        lengths.append(body[-1].end_lineno - body[0].lineno + 1)
    assert statistics.median(lengths) <= 7


def test_public_signatures_carry_types():
    arguments = []
    for node in functions(PACKAGE.rglob("*.py")):
        if node.name.startswith("_"):
            continue
        a = node.args
        given = [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg]
        arguments += [
            arg.annotation is not None
            for arg in given
            if arg is not None and arg.arg not in ("self", "cls")
        ]
    assert statistics.mean(arguments) >= 0.95
