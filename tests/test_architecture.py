"""Which module may import which: two towers, joined in evaluation.py."""

import ast
import pathlib

import pytest

import vecevo

ROOT = pathlib.Path(vecevo.__file__).parent
# A name without a dot stands for all modules of a folder.
MAY_IMPORT = {
    # the search tower knows no network
    "space": set(),
    "objectives": set(),
    "operators": {"operators"},
    "strategies": {"operators", "strategies"},
    "landscapes": {"operators"},
    # data sets know neither
    "datasets.making": {"datasets.prepared"},
    "datasets.prepared": set(),
    # the training tower knows no genome
    "training.threefry": set(),
    "training.networks": {"training.threefry"},
    "training.optimizers": set(),
    "training.recipe": {"training.networks", "training.optimizers"},
    "training.reference": set(),
    "training.planning": set(),
    "training.forecast": {"training.planning"},
    "training.epochs": {"training.networks", "training.optimizers"},
    "training.selfcheck": {"training.epochs", "training.networks"},
    "training.cohorts": {"training.epochs", "training.networks"},
    "training.sessions": {
        *("training.cohorts", "training.epochs", "training.planning"),
        "training.recipe",
    },
    "training.scheduling": {
        *("training.cohorts", "training.networks", "training.planning"),
    },
    # the joint and the shell
    "evaluation": {"space", "training"},
    "runs.journal": set(),
    "runs.environment": set(),
    "runs.configuration": {"objectives", "space", "training.recipe"},
    "runs.loop": {"evaluation", "objectives", "strategies", "training.recipe"},
    "runs.evolve": {"evaluation", "runs.loop", "training"},
    "runs.recorded": {"evaluation", "runs.loop", "space", "training"},
    "runs.tables": {"runs.configuration", "runs.journal", "space"},
    "runs.starting": {"operators", "runs.journal", "runs.loop", "space", "training"},
    "runs.report": {"runs.evolve"},
    "run": {"datasets", "runs", "strategies", "training"},
    "__init__": {
        *("datasets", "evaluation", "landscapes", "operators", "runs", "space"),
        "strategies",
    },
}


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
    path = ROOT / (module.replace(".", "/") + ".py")
    path = path if path.exists() else path.with_suffix("") / "__init__.py"
    for name in imported_modules(path.read_text()):
        assert is_allowed(name, MAY_IMPORT[entry_of(module)]), name


def test_an_import_from_the_other_tower_is_seen():
    found = imported_modules(
        "from vecevo.training import epochs\nimport vecevo.space\n"
        "from vecevo.training.networks import crop\nfrom vecevo import operators"
    )
    assert found == {"training.epochs", "space", "training.networks", "operators"}
    assert not is_allowed("training.epochs", MAY_IMPORT["strategies"])
    assert is_allowed("training.epochs", MAY_IMPORT["evaluation"])
    assert not is_allowed("training.epochs", MAY_IMPORT["training.networks"])
