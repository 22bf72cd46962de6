"""The names that users import."""

import vecevo

NAMES = {
    *("Dataset", "load_dataset", "make_dataset"),
    *("SearchSpace", "article_space", "decode", "encode"),
    *("landscapes", "operators", "strategies"),
    *("search", "SearchResult", "Progress", "accuracy_on"),
    *("Table", "load_table", "merge_tables", "save_table", "replay"),
    *("train_networks", "NetworkResult"),
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
