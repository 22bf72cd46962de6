"""The wheel, in an environment of its own, does the main job."""

import ast
import collections
import importlib.metadata
import json
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import venv

import pytest

import vecevo

ROOT = pathlib.Path(__file__).parent.parent
PACKAGE = pathlib.Path(vecevo.__file__).parent
JOB = (
    *("--width", "8", "--depth", "1", "--optimizer", "adam", "--max-epochs", "1"),
    *("--strategy", "grid", "--limit-train", "100", "--cache-dir", "none"),
)
# Distributions by the modules that are imported from them, where these differ.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "tensorflow_datasets": "tensorflow-datasets",
}
INDIRECT = {"array-record", "importlib-resources", "pillow"}  # tensorflow-datasets'


@pytest.fixture(scope="module")
def environment(tmp_path_factory, request):
    """An environment with the wheel, and the dependencies of this one or its own."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # building leaves things behind
    shutil.copytree(PACKAGE, source / "vecevo")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip"]
    wheel = [*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder)]
    subprocess.run([*wheel, str(source)], check=True)
    (built,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    target = [*pip, "--python", str(folder / "venv"), "install", "--quiet"]
    if request.config.getoption("--dependencies"):
        subprocess.run([*target, str(built)], check=True)
    else:
        subprocess.run([*target, "--no-deps", str(built)], check=True)
        (site,) = (folder / "venv").glob("lib/python*/site-packages")
        (site / "here.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv"


def test_the_wheel_runs_the_main_job(environment, tmp_path):
    out = tmp_path / "out"
    command = [environment / "bin/vecevo", *JOB, "--output-dir", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads((out / "result.json").read_text())
    assert result["num_trained"] == 4 and "4 distinct networks" in done.stdout
    where = "import vecevo; print(vecevo.__file__, vecevo.__version__)"
    python = [environment / "bin/python", "-c", where]
    done = subprocess.run(python, capture_output=True, text=True, cwd=tmp_path)
    path, version = done.stdout.split()
    assert str(environment) in path and version == vecevo.__version__
    held = {p.name for p in pathlib.Path(path).parent.rglob("*") if p.is_file()}
    for name in ("py.typed", "CHANGELOG.md", "digits_table.npz", "command_line.md"):
        assert name in held


def distributions_by_extra():
    """Names of what the package requires, by extra; None: in any case."""
    by_extra = collections.defaultdict(set)
    for line in importlib.metadata.requires("vecevo") or []:
        extra = re.search("extra == [\"'](.*)[\"']", line)
        by_extra[extra and extra[1]].add(re.split(r"[^\w-]", line)[0].lower())
    return by_extra


def imported_by(path):
    """Distributions that a module imports; for type checkers alone does not count."""
    tree, tops = ast.parse(path.read_text()), set()
    for block in [node for node in tree.body if isinstance(node, ast.If)]:
        if ast.unparse(block.test) == "TYPE_CHECKING":
            tree.body.remove(block)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            tops |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            tops.add(str(node.module).partition(".")[0])
    tops -= {*sys.stdlib_module_names, "vecevo"}
    return {DISTRIBUTIONS.get(top, top.replace("_", "-")).lower() for top in tops}


def test_what_is_imported_is_declared_and_what_is_declared_imported():
    declared, used = distributions_by_extra(), set()
    for path in PACKAGE.rglob("*.py"):
        found = imported_by(path)
        # The name of an integration begins with that of its extra.
        is_other = path.parent.name == "integrations"
        extra = path.stem.partition("_")[0] if is_other else None
        assert found <= declared[None] | declared[extra], path
        used |= found
    assert declared[None] - used <= INDIRECT


def test_an_extra_that_is_asked_for_is_declared():
    declared, asked = distributions_by_extra(), 0
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and "import_extra" in ast.unparse(node.func):
                module, extra = (ast.literal_eval(arg) for arg in node.args)
                top = module.partition(".")[0]
                assert DISTRIBUTIONS.get(top, top) in declared[extra], path
                asked += 1
    assert asked
