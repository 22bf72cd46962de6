"""Which module may import which: two towers, joined in evaluation.py."""

import ast
import pathlib

import pytest

import vecevo
from tests.arrows import MAY_IMPORT

ROOT = pathlib.Path(vecevo.__file__).parent


def dotted(path):
    """The name of a module's file within the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {
    dotted(path)
    for path in ROOT.rglob("*.py")
    if path.name != "__init__.py" or len(path.read_text().splitlines()) > 1
}


def imported_modules(source):
    """Names within vecevo, of modules as far as they are, that a source imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    found = {name.removeprefix("vecevo.") for name in names if "vecevo." in name}
    return {longest_module(name) for name in found}


def imports_of(module):
    """What a module of the package imports of it."""
    path = ROOT / (module.replace(".", "/") + ".py")
    path = path if path.exists() else path.with_suffix("") / "__init__.py"
    return imported_modules(path.read_text())


def longest_module(name):
    """The module, or the first folder, that a dotted name leads to."""
    while name not in MODULES and "." in name:
        name = name.rpartition(".")[0]
    return name


def is_allowed(name, allowed):
    """Whether a module, or a folder that it is in, is among those allowed."""
    parts = name.split(".")
    return any(".".join(parts[:end]) in allowed for end in range(1, len(parts) + 1))


def entry_of(module):
    """The entry of the table for a module: its own, or that of its folder."""
    return module if module in MAY_IMPORT else module.partition(".")[0]


def test_the_table_names_every_module_and_no_other():
    assert {entry_of(module) for module in MODULES} == set(MAY_IMPORT)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_modules_import_only_what_the_table_allows(module):
    for name in imports_of(module):
        assert is_allowed(name, MAY_IMPORT[entry_of(module)]), name


def test_the_table_allows_nothing_that_is_not_used():
    used = {entry: set() for entry in MAY_IMPORT}
    for module in MODULES:
        used[entry_of(module)] |= imports_of(module)
    for entry, allowed in MAY_IMPORT.items():
        idle = {
            name
            for name in allowed
            if not any(is_allowed(u, {name}) for u in used[entry])
        }
        assert not idle, f"{entry} does not import {idle}"


def test_no_arrow_leads_back():
    """Modules can be put in an order in which each imports only earlier ones."""
    left = {module: imports_of(module) - {module} for module in MODULES}
    while left:
        free = {module for module, needs in left.items() if not needs & set(left)}
        assert free, f"these import each other in a circle: {sorted(left)}"
        left = {module: needs for module, needs in left.items() if module not in free}


def test_an_import_from_the_other_tower_is_seen():
    found = imported_modules(
        "from vecevo.training import epochs\nimport vecevo.space\n"
        "from vecevo.training.lanes.weights import crop\nfrom vecevo import operators"
    )
    assert found == {"training.epochs", "space", "training.lanes.weights", "operators"}
    assert not is_allowed("training.epochs", MAY_IMPORT["strategies"])
    assert is_allowed("training.epochs", {"training"})
    assert not is_allowed("training.epochs", MAY_IMPORT["training.lanes.networks"])
