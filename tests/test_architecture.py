"""Which module may import which: two towers, joined in evaluation.py."""

import ast
import pathlib

import pytest

import vecevo

ROOT = pathlib.Path(vecevo.__file__).parent
# A name without a dot stands for a module, or for all modules of a folder.
MAY_IMPORT = {
    # words that all speak in
    "errors": set(),
    "keys": {"errors"},
    "results": {"networks.ensembles", "networks.network"},
    "folders": set(),
    "extras": {"errors"},
    # the search tower knows no network
    "space": {"errors"},
    "objectives": {"errors"},
    "operators": {"errors", "operators"},
    "strategies": {"errors", "keys", "operators", "strategies"},
    "catalogue": {"errors", "operators", "strategies"},
    "landscapes": {"errors", "operators"},
    # data sets know neither
    "datasets.prepared": {"errors"},
    "datasets.columns": {"errors"},
    "datasets.inputs": {"datasets.columns", "errors"},
    "datasets.fitting": {"datasets.columns", "datasets.inputs", "errors"},
    "datasets.alike": {"datasets.columns", "datasets.inputs", "errors"},
    "datasets.labels": {"datasets.columns", "errors"},
    "datasets.splitting": {"errors"},
    "datasets.making": {
        *("datasets.alike", "datasets.columns", "datasets.fitting"),
        *("datasets.inputs", "datasets.labels", "datasets.splitting", "errors"),
    },
    "datasets.tables": {"errors", "extras"},
    "datasets.bundled": {"errors", "extras"},
    "datasets.loading": {
        *("datasets.bundled", "datasets.fitting", "datasets.making"),
        *("datasets.prepared", "datasets.tables", "errors"),
    },
    # the training tower knows no genome; what a lane is and computes
    "training.lanes.threefry": set(),
    "training.lanes.dropout": {"training.lanes.threefry"},
    "training.lanes.activations": set(),
    "training.lanes.networks": {
        *("training.lanes.activations", "training.lanes.dropout"),
    },
    "training.lanes.weights": set(),
    "training.lanes.optimizers": set(),
    "training.lanes.losses": {"training.lanes.dropout", "training.lanes.networks"},
    "training.lanes.stopping": {"training.lanes.losses", "training.lanes.optimizers"},
    "training.recipe": {
        *("errors", "training.lanes.activations", "training.lanes.optimizers"),
    },
    "training.reference": set(),
    # what the device does with many
    "training.epochs": {"keys", "training.lanes", "training.recipe"},
    "training.programs": {"keys", "training.epochs", "training.lanes"},
    # what the host does
    "training.memory": set(),
    "training.planning": {"errors"},
    "training.forecast": {"training.planning"},
    "training.settings": {
        *("datasets.making", "errors", "training.memory", "training.programs"),
    },
    "training.cohorts": {"training.epochs", "training.lanes", "training.programs"},
    "training.selfcheck": {
        *("errors", "folders", "keys", "training.epochs", "training.lanes"),
        "training.programs",
    },
    "training.sessions": {
        *("datasets.making", "keys", "training.cohorts", "training.epochs"),
        *("training.lanes", "training.memory", "training.planning"),
        *("training.programs", "training.selfcheck", "training.settings"),
    },
    "training.scheduling": {
        *("errors", "training.cohorts", "training.epochs", "training.planning"),
        *("training.programs", "training.sessions"),
    },
    "training.batches": {
        *("datasets", "errors", "networks.network", "results", "training.cohorts"),
        "training.epochs",
        *("training.lanes", "training.planning", "training.recipe"),
        *("training.scheduling", "training.sessions", "training.settings"),
    },
    # networks that are trained, to use and to keep
    "networks.network": {
        *("datasets.inputs", "datasets.labels", "errors", "training.lanes"),
        "training.reference",
    },
    "networks.ensembles": {"datasets.labels", "networks.network"},
    "networks.saving": {
        *("datasets.columns", "datasets.inputs", "errors", "networks.ensembles"),
        *("networks.network", "training.recipe"),
    },
    # the joint
    "evaluation": {
        *("results", "space", "training.batches", "training.recipe"),
        "training.sessions",
    },
    # the shell: a run's parts, of which the loop knows no training
    "runs.ledger": {"objectives", "results"},
    "runs.loop": {
        *("errors", "objectives", "results", "runs.ledger", "space", "strategies"),
    },
    "runs.voting": {
        *("datasets.making", "networks.ensembles", "networks.network", "results"),
    },
    "runs.starting": {"catalogue", "errors", "objectives", "space", "strategies"},
    "runs.journal": {"errors", "results"},
    "runs.configuration": {"catalogue", "space"},
    "runs.parsing": {"errors", "runs.configuration"},
    "runs.environment": {"errors", "folders"},
    "runs.resolving": {
        *("datasets.making", "errors", "objectives", "runs.configuration"),
        *("runs.starting", "space", "training.recipe", "training.settings"),
    },
    "runs.reading": {
        *("errors", "extras", "results", "runs.journal", "runs.parsing"),
        *("runs.resolving", "space"),
    },
    "runs.tables": {"errors", "runs.reading", "space"},
    "runs.earlier": {
        *("errors", "keys", "operators", "runs.journal", "runs.starting", "space"),
        "training.recipe",
    },
    # whole runs, and how they are shown
    "runs.evolve": {
        *("datasets", "errors", "evaluation", "keys", "results", "runs.ledger"),
        *("runs.loop", "runs.starting", "runs.voting", "space", "strategies"),
        *("training.lanes.weights", "training.programs", "training.recipe"),
        "training.sessions",
        "training.settings",
    },
    "runs.recorded": {
        *("errors", "keys", "results", "runs.ledger", "runs.loop", "runs.starting"),
        *("runs.tables", "space", "strategies", "training.recipe"),
    },
    "runs.report.console": {"results", "training.forecast", "training.planning"},
    "runs.report.summary": {
        *("datasets.making", "results", "runs.configuration", "runs.journal"),
        *("runs.tables", "space", "training.programs"),
    },
    # pictures and pages about recorded runs
    "runs.report.facts": {"errors", "results", "runs.reading"},
    "runs.report.importance": set(),
    "runs.report.drawing": set(),
    "runs.report.figures": {
        *("runs.reading", "runs.report.drawing", "runs.report.facts"),
    },
    "runs.report.sizes": {
        *("objectives", "runs.reading", "runs.report.drawing", "runs.report.facts"),
    },
    "runs.report.genes": {
        *("runs.reading", "runs.report.drawing", "runs.report.facts"),
        "runs.report.importance",
    },
    "runs.report.parallel": {
        *("runs.reading", "runs.report.drawing", "runs.report.facts"),
    },
    "runs.report.comparison": {
        *("runs.reading", "runs.report.drawing", "runs.report.facts"),
        "runs.report.sizes",
    },
    "runs.report.sections": {
        *("runs.reading", "runs.report.comparison", "runs.report.drawing"),
        *("runs.report.facts", "runs.report.figures", "runs.report.genes"),
        *("runs.report.parallel", "runs.report.sizes"),
    },
    "runs.report.page": {
        *("errors", "runs.reading", "runs.report.console", "runs.report.drawing"),
        *("runs.report.facts", "runs.report.sections"),
    },
    "runs.command": {
        *("catalogue", "datasets", "errors", "results", "runs", "space", "strategies"),
        *("training.forecast", "training.planning", "training.sessions"),
        "training.settings",
    },
    # other packages, which need not be there
    "integrations.optuna": {
        *("datasets.loading", "datasets.making", "errors", "extras", "results"),
        *("runs.evolve", "runs.reading", "space", "training.batches"),
        *("training.recipe", "training.settings"),
    },
    "integrations.sklearn": {
        *("datasets.columns", "datasets.fitting", "datasets.inputs"),
        *("datasets.making", "datasets.splitting", "errors", "extras"),
        *("networks.ensembles", "runs.evolve", "space", "strategies"),
    },
    "run": {"errors", "runs.command", "runs.parsing"},
    "__main__": {"run"},
    "report": {
        *("errors", "extras", "runs.parsing", "runs.reading"),
        "runs.report.page",
    },
    "__init__": {
        *("datasets", "errors", "landscapes", "networks", "operators", "results"),
        *("runs", "space", "strategies", "training"),
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
