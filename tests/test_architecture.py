"""Which module may import which: two towers, joined in evaluation.py."""

import ast
import pathlib

import pytest

import vecevo

ROOT = pathlib.Path(vecevo.__file__).parent
TRAINING = {"cohorts", "hyperparams", "networks", "packing", "training", "update_rules"}
MAY_IMPORT = {
    # the search tower knows no network
    "space": set(),
    "operators": {"operators"},
    "strategies": {"operators", "strategies"},
    "landscapes": {"operators"},
    # the training tower knows no genome
    "threefry": set(),
    "networks": {"threefry"},
    "update_rules": set(),
    "packing": set(),
    "prepared": set(),
    "datasets": {"prepared"},
    "hyperparams": {"networks", "update_rules"},
    "training": {"networks", "update_rules"},
    "cohorts": {"networks", "training"},
    "reference": set(),
    # the joint and the shell
    "session": TRAINING,
    "scheduling": TRAINING,
    "forecast": {"packing"},
    "evaluation": {"scheduling", "session", "space", *TRAINING},
    "journal": set(),
    "objectives": set(),
    "generations": {"evaluation", "hyperparams", "objectives", "strategies"},
    "search": {"evaluation", "generations", "session", *TRAINING},
    "replay": {"evaluation", "generations", "hyperparams", "session", "space"},
    "config": {"hyperparams", "objectives", "space"},
    "tables": {"config", "journal", "space"},
    "starting": {
        *("generations", "hyperparams", "journal", "operators", "session", "space"),
    },
    "environment": set(),
    "report": {"search"},
    "selfcheck": {"networks", "training"},
    "run": {
        *("config", "datasets", "environment", "forecast", "journal", "replay"),
        *("report", "search", "selfcheck", "session", "starting", "strategies"),
        "tables",
    },
    "__init__": {
        *("datasets", "evaluation", "generations", "landscapes", "operators"),
        *("replay", "search", "space", "strategies", "tables"),
    },
    "data": set(),
}


def imported_modules(source):
    """Names of the vecevo modules that a source text imports."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("vecevo.")}


def test_the_table_names_every_module():
    modules = {path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py")}
    assert {module.removesuffix(".py") for module in modules} == set(MAY_IMPORT)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.stem)
def test_modules_import_only_what_the_table_allows(path):
    module = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert imported_modules(path.read_text()) <= MAY_IMPORT[module]


def test_an_import_from_the_other_tower_is_seen():
    found = imported_modules("from vecevo.training import x\nimport vecevo.space")
    assert found == {"training", "space"}
    assert not found <= MAY_IMPORT["strategies"]
