"""What a page says of the winners, and of what they are worth."""

import html
import re

import pytest

from tests.runs.report import made_up
from vecevo.runs.report import facts, page, verdict

RUN = made_up.make_run()


def with_summary(run, **changes):
    best = facts.top_networks(run)[0]
    summary = {
        **run.summary,
        "top": [
            {
                "genome": list(n.genome),
                "validation_accuracy": n.validation_accuracy,
                "test_accuracy": 0.5,
            }
            for n in facts.top_networks(run)
        ],
        "best": {"genome": list(best.genome), "test_accuracy": 0.5},
        "protocol": "validation",
        "dataset": {"name": "digits", "num_validation": 288, "num_test": 359},
        "generations": [],
        "failed_epochs": [5, 5],
        "num_trained": 60,
        "num_failed": 2,
        "num_capped": 40,
        "max_epochs": 6,
        "confirmation": [],
    }
    return run._replace(summary=summary | changes)


def confirmed_rows():
    """The best two of the search, of which the second won."""
    first, second = facts.top_networks(RUN)[:2]
    return [
        {
            "genome": list(second.genome),
            "hyperparams": second.hyperparams,
            "validation_accuracy": [0.9, 0.92, 0.94],
            "test_accuracy": [0.8, 0.8, 0.83],
            "p_value": None,
            "is_tied": None,
        },
        {
            "genome": list(first.genome),
            "hyperparams": first.hyperparams,
            "validation_accuracy": [0.9, 0.91, 0.92],
            "test_accuracy": [0.7, None, 0.7],
            "p_value": 0.21,
            "is_tied": True,
        },
    ]


def section_of(text, title):
    """Returns the caption and the cells of a section, by row."""
    (found,) = re.findall(rf"<h2>{title}</h2>(.*?)(?=<h2>|</main>)", text, re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", found, re.S)
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S) for row in rows]
    caption = re.sub(r"<table.*?</table>|<[^>]+>", " ", found, flags=re.S)
    return html.unescape(caption), cells


@pytest.fixture(scope="module", name="text")
def get_text():
    return page.report_page([with_summary(RUN, confirmation=confirmed_rows())])


def test_the_confirmation_has_a_row_for_each_with_means_and_deviations(text):
    caption, (header, winner, other) = section_of(text, "What the winner is worth")
    single = [f"{n.validation_accuracy:.4f}" for n in facts.top_networks(RUN)[:2]]
    assert header[-4:] == ["in the search", "validation", "test", "beside the first"]
    assert winner[-4:] == [
        single[1],
        "0.9200 ± 0.0200",
        "0.8100 ± 0.0173",
        "the winner",
    ]
    assert other[-4:-1] == [single[0], "0.9100 ± 0.0100", "failed"]
    assert other[-1] == "cannot be told from it, p 0.210"
    for said in (
        "the mean of 3 new trainings of each of the best 2, on the 288 examples",
        "2 of them failed",
        "1 of the other 1 cannot be told from the winner",
        "5 %, and a little more as the same accuracies chose the winner",
        "40 of 60 networks trained to the cap of 6 epochs",
    ):
        assert said in caption


def test_the_winner_of_the_confirmation_heads_the_best(text):
    first, second = facts.top_networks(RUN)[:2]
    caption, (_, *rows) = section_of(text, "The best networks")
    assert "By the mean of new trainings" in caption
    accuracies = [f"{n.validation_accuracy:.4f}" for n in (second, first)]
    assert [row[-2] for row in rows[:2]] == accuracies


def test_accuracies_of_the_search_are_shown_beyond_the_best_five():
    winner, other = confirmed_rows()
    rows = [winner, other | {"search_accuracy": 0.87654}]
    summary = with_summary(RUN, confirmation=rows, top=[]).summary
    found = [row[0] for row in verdict.confirmation_rows(summary, [])]
    assert found == ["-", "0.8765"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "The test part chose none of them."),
        ({"protocol": "article"}, "The test part chose them."),
        ({"top": []}, "Nothing was measured on the test part, or not recorded."),
    ],
)
def test_it_is_said_what_the_test_part_was_for(changes, said):
    text = page.report_page([with_summary(RUN, **changes)])
    assert said in section_of(text, "The best networks")[0]


@pytest.mark.parametrize("num_trainings", [2, 3])
def test_equal_accuracies_are_called_equal_and_what_numbers_are_is_said(num_trainings):
    first, second = confirmed_rows()
    is_tested = num_trainings > 2
    told = {"is_tied": True, "p_value": 1.0} if is_tested else {"is_tied": None}
    rows = [
        {**row, "p_value": None, "validation_accuracy": accuracies[:num_trainings]}
        for row, accuracies in ((first, [0.9, 0.92, 0.94]), (second, [0.9, 0.92, 0.94]))
    ]
    third = rows[1] | told | {"validation_accuracy": [0.9, 0.91, 0.94][:num_trainings]}
    rows = [rows[0], rows[1] | told, third]
    text = page.report_page([with_summary(RUN, confirmation=rows, replicates=2)])
    caption, cells = section_of(text, "What the winner is worth")
    expected = "cannot be told from it, p 1.000" if is_tested else "not tested"
    assert [row[-1] for row in cells[1:]] == ["the winner", "equal", expected]
    assert f"mean ± standard deviation of {num_trainings} new trainings" in caption
    assert ("adjusted by Holm" in caption) == is_tested
    assert "in the search: the mean of 2 trainings" in caption


def test_of_replicates_it_is_said_what_was_tested():
    summary = with_summary(RUN, replicates=2).summary
    said = "test: of the first training alone, whose weights are kept"
    line = f"validation: the mean of 2 trainings; {said}"
    assert line in verdict.verdict_lines(summary)
    text = page.report_page([RUN._replace(summary=summary)])
    assert f"T{said[1:]}." in section_of(text, "The best networks")[0]
    summary = with_summary(RUN, replicates=1).summary
    assert not any(said in line for line in verdict.verdict_lines(summary))


def test_without_confirmation_it_says_so():
    text = page.report_page([with_summary(RUN)])
    caption, rows = section_of(text, "What the winner is worth")
    assert "were not trained again" in caption and not rows
    assert "Chosen by one training each" in caption
    assert "By validation accuracy" in section_of(text, "The best networks")[0]


@pytest.mark.parametrize(
    ("changes", "chosen", "order"),
    [
        (
            {"replicates": 3},
            "Chosen by the mean of 3 trainings each, on the 288",
            "By validation accuracy, the mean of 3 trainings each.",
        ),
        (
            {"replicates": 1, "is_by_model": True},
            "Chosen by what a model of the search expects from one training each, on",
            "By what a model of the search expects from one training each.",
        ),
        (
            {"is_by_model": True, "confirmation": confirmed_rows()},
            "3 new trainings of each of the best 2 by a model of the search, on",
            "By the mean of new trainings, accuracies of the search.",
        ),
    ],
)
def test_what_ranked_the_networks_is_said(changes, chosen, order):
    text = page.report_page([with_summary(RUN, **changes)])
    assert chosen in section_of(text, "What the winner is worth")[0]
    assert order in section_of(text, "The best networks")[0]


def test_earlier_runs_knew_of_no_confirmation():
    assert "What the winner is worth" not in page.report_page([RUN])
