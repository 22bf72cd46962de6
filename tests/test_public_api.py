"""The names that users import."""

import ast
import importlib
import importlib.metadata
import pathlib
import pkgutil
import sys

import pytest

import vecevo

NAMES = {
    *("Dataset", "load_dataset", "make_dataset"),
    *("SearchSpace", "article_space", "decode", "encode"),
    *("recipe_space", "small_space"),
    *("landscapes", "operators", "strategies"),
    *("search", "SearchResult", "Progress"),
    *("Ensemble", "Network", "load_network", "save_network"),
    *("Table", "load_table", "merge_tables", "save_table", "replay"),
    *("Run", "load_run"),
    *("train_networks", "open_workers", "NetworkResult", "InputError"),
}
OPERATORS = {
    *("random_population", "distinct_population", "grid_population"),
    *("stratified_population",),
    *("truncation_selection", "tournament_selection", "roulette_selection"),
    *("stochastic_universal_selection", "linear_rank_selection"),
    *("exponential_rank_selection",),
    *("uniform_crossover", "one_point_crossover", "k_point_crossover"),
    *("one_gene_mutation", "reset_mutation", "creep_mutation", "self_adaptive_rates"),
    *("random_count_survival", "random_rate_survival", "plus_survival"),
    *("comma_survival", "elitist_survival", "aging_survival", "nsga2_survival"),
}


def test_public_names_are_these_and_documented():
    assert set(vecevo.__all__) == NAMES
    assert set(vecevo.operators.__all__) == OPERATORS
    for name in NAMES:
        assert getattr(vecevo, name).__doc__
    for name in OPERATORS:
        assert "Returns:" in getattr(vecevo.operators, name).__doc__


def test_names_are_declared_where_they_are():
    """For type checkers, and for those who look them up."""
    tree = ast.parse(pathlib.Path(vecevo.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    declared = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(declared) == NAMES
    for name, home in declared.items():
        value = getattr(importlib.import_module(str(home)), name)
        assert value is getattr(vecevo, name)
    assert set(dir(vecevo)) >= NAMES
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        vecevo.nonesuch  # noqa: B018
    assert vecevo.__version__ == importlib.metadata.version("vecevo")


def test_no_module_is_hidden_by_a_name_of_its_package():
    for found in pkgutil.walk_packages(vecevo.__path__, "vecevo."):
        if found.name.endswith("__main__"):
            continue  # it runs
        module = importlib.import_module(found.name)
        package, _, name = found.name.rpartition(".")
        assert getattr(sys.modules[package], name) is module, found.name
