"""The names that users import."""

import vecevo

NAMES = {
    *("Dataset", "load_dataset", "make_dataset"),
    *("SearchSpace", "article_space", "decode", "encode"),
    *("operators", "strategies"),
    *("search", "SearchResult", "Progress", "accuracy_on"),
    *("train_networks", "NetworkResult"),
}
OPERATORS = {
    "one_gene_mutation",
    "random_count_survival",
    "random_population",
    "random_rate_survival",
    "uniform_crossover",
}


def test_public_names_are_these_and_documented():
    assert set(vecevo.__all__) == NAMES
    assert set(vecevo.operators.__all__) == OPERATORS
    for name in NAMES:
        assert getattr(vecevo, name).__doc__
    for name in OPERATORS:
        assert "Returns:" in getattr(vecevo.operators, name).__doc__
