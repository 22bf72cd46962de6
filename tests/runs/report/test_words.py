"""What is called an accuracy, where a run is judged by another metric."""

import numpy as np
from rich.console import Console

import vecevo
from tests.runs.report import made_up
from tests.runs.report.test_live import make_progress, make_result, start
from vecevo.runs.announcing import describe
from vecevo.runs.configuration import RunConfig
from vecevo.runs.report import live, page, verdict


def test_the_head_of_a_page_names_the_objectives():
    run = made_up.make_run(num_networks=20)
    config = {**run.config, "objectives": ("accuracy", "num_params")}
    run = run._replace(config=config, metric="AUC")
    assert "for AUC and num params, seed 7" in page.what_it_was(run)
    assert page.report_page([run]).count("ccurac") == 1  # the setting, as it is given


def test_runs_without_a_network_have_no_such_number():
    run = made_up.make_run(num_networks=20)
    empty = run._replace(networks=[], generations=[], metric="negative RMSE")
    text = page.report_page([run._replace(metric="negative RMSE"), empty])
    assert "no network has a negative RMSE" in text and "ccurac" not in text
    assert "Negative RMSE and size" in text


def test_the_table_of_confirmation_says_what_was_measured():
    header = ["in the search", "validation F1", "test F1", "beside the first"]
    summary = {"dataset": {"metric": "F1"}}
    assert verdict.confirmed_header(summary) == header
    assert verdict.confirmed_header({}) == list(verdict.CONFIRMED)


def test_what_is_shown_while_a_run_works_says_what_it_is():
    standing = start(word="R2 ", progress=(make_progress(),))
    assert live.mean_text(standing) == "R2 0.8000 in generation 1"
    line = live.cohort_line(standing, [make_result(0.9)])
    assert line.endswith("the latest R2 0.9000")


def test_the_protocol_of_the_article_is_told_by_the_metric():
    x = np.random.default_rng(0).normal(size=(80, 3))
    labels = (x[:, 0] > 0).astype(int)
    dataset = vecevo.make_dataset(x, labels)._replace(is_article=True)
    space, console = vecevo.SearchSpace({"width": (2, 3)}), Console(record=True)
    fixed = {"depth": 1, "activation": "relu", "optimizer": "adam"}
    for metric, word in (("f1", "an F1 there"), ("accuracy", "an accuracy there")):
        config = RunConfig(metric=metric, strategy="random", population_size=2)
        describe(config, space, fixed, dataset, console)
        said = " ".join(console.export_text().split())
        assert f"as the article did; {word} is no estimate for new data" in said
