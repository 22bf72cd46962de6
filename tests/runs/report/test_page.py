"""Pages about runs: what they say, and that awkward runs have one, too."""

import functools
import html
import pathlib
import re
import sys
import xml.etree.ElementTree

import matplotlib
import numpy as np
import pytest

from tests.runs.report import made_up
from vecevo.runs.files.reading import load_run
from vecevo.runs.report import drawing, facts, page, sections
from vecevo.space import SearchSpace

SCHEMA_1 = pathlib.Path(__file__).parents[1] / "schema_1"
# Of the test part there is nothing to draw without a run's files: see test_tested.py.
OF_FILES = {"confusions", "mistakes", "errors"}
DRAWN = [made for made in sections.OF_ONE if made.name not in OF_FILES]
PICTURES = [made.name for made in DRAWN]
SMALL = SearchSpace({"depth": (1, 2, 3), "width": (8, 16, 32, 64, 128)})
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module", name="run")
def get_run():
    return made_up.make_run()


@pytest.fixture(scope="module", name="text")
def get_text(run):
    return page.report_page([run])


def pictures_of(text):
    """The SVG elements of a page by name, each as a tree and as text."""
    found = re.findall(r"<svg.*?</svg>", text, flags=re.S)
    trees = [xml.etree.ElementTree.fromstring(svg) for svg in found]
    names = [tree.get("aria-labelledby").split()[0] for tree in trees]
    return {
        name.removesuffix("-title"): (tree, svg)
        for name, tree, svg in zip(names, trees, found, strict=True)
    }


def check_pictures(text):
    """Checks what holds for the pictures of any page; returns their names."""
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text))
    assert {name for pair in used for name in pair if name} <= set(ids)
    assert not re.search(r'="[^"]*\b(nan|inf)\b', text, flags=re.I)
    assert "<script" not in text and drawing.INK not in text
    addresses = set(re.findall(r"https?://[^\"' ]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    pictures = pictures_of(text)
    for tree, svg in pictures.values():
        labels = tree.get("aria-labelledby").split()
        assert tree.get("role") == "img" and set(labels) <= set(ids)
        words = [tree.find(SVG + tag).text for tag in ("title", "desc")]
        assert all(len(text) > 3 for text in words) and "nan" not in words[1]
        assert len(tree.findall(f".//{SVG}path")) > 5
        assert len(tree.findall(f".//{SVG}text")) > 3
        assert "font-family:" not in svg and "currentColor" in svg
    return list(pictures)


def test_every_picture_is_there_and_drawn(text):
    assert check_pictures(text) == PICTURES
    for made in DRAWN:
        assert html.escape(made.title) in text and made.absence not in text


def test_numbers_are_those_of_the_run(run, text):
    top, failed = facts.top_networks(run), facts.failed_networks(run)
    ranked = sorted(run.networks, key=lambda n: -n.validation_accuracy)
    assert [n.genome for n in top] == [n.genome for n in ranked[:5]]
    numbers = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text))
    assert numbers == {
        "networks trained": "60",
        "of these failed": str(len(failed)),
        "generations": "3",
        "best validation accuracy": f"{ranked[0].validation_accuracy:.4f}",
        "its test accuracy": f"{ranked[0].validation_accuracy - 0.01:.4f}",
        "its parameters": f"{ranked[0].num_params:,}",
        "time": "1:40",
    }
    assert len(failed) == 2
    rows = re.findall(r"<tr><td>(.*?)</td></tr>", text)
    cells = rows[1].split("</td><td>")
    second = ranked[1]
    assert cells[:6] == ["2", *map(str, list(second.hyperparams.values())[:5])]
    accuracy = second.validation_accuracy
    assert cells[6:] == [
        *(f"{second.num_params:,}", "6", f"{accuracy:.4f}", f"{accuracy - 0.01:.4f}"),
    ]
    assert "digits: genetic search over 720 networks, seed 7, on cpu." in text
    assert "weight decay</td><td>0.0" in text and "jax 0.11.0" in text


def test_descriptions_have_the_main_numbers(run):
    accuracies = [n.validation_accuracy for n in run.networks]
    best = int(np.argmax(accuracies))
    said = {made.name: made.describe(run) for made in DRAWN}
    assert (
        f"{max(accuracies):.4f}, was found with network {best + 1}"
        in (said["progress"])
    )
    depth_3 = [n.validation_accuracy for n in run.networks if n.genome[0] == 2]
    median = np.median([accuracy for accuracy in depth_3 if np.isfinite(accuracy)])
    assert f"depth 3 (median {median:.4f})" in said["choices"]
    assert said["time"] == "Of 100.0 s: 20.0 s compiling, 60.0 s training, 20.0 s rest."
    assert "depth: first mostly" in said["shares"]


def one_network():
    run = made_up.make_run(SMALL, 1, failed_share=0)
    network = run.networks[0]._replace(validation_accuracy=1.0)
    return run._replace(networks=[network])


def all_failed():
    return made_up.make_run(SMALL, 30, failed_share=1.1)


def killed():
    run = made_up.make_run(SMALL, 8)
    return run._replace(summary=None, generations=[])


def nothing_trained():
    run = made_up.make_run(SMALL, 1)
    return run._replace(networks=[], generations=[])


def without_curves():
    run = made_up.make_run(SMALL)
    return run._replace(networks=[n._replace(curves={}) for n in run.networks])


def many_genes():
    names = {f"gene_{n}": ("relu", "elu", "gelu") for n in range(20)}
    return made_up.make_run(SearchSpace(names), 40)


def many_choices():
    choices = tuple(np.geomspace(1e-5, 1, 50).tolist())
    names = tuple(f"a name longer than most {n}" for n in range(30))
    space = SearchSpace({"learning_rate": choices, "name": names, "depth": (3,)})
    return made_up.make_run(space, 100, per_generation=1)


def odd_names():
    space = SearchSpace({"$x_1$ <b>": ("a&b", None, True), "width": (0, 1, 2, 3)})
    return made_up.make_run(space, 12)._replace(folder=pathlib.Path("runs/<i>$&"))


AWKWARD = {
    "one perfect network": (one_network, set(PICTURES) - {"importances"}),
    "all failed": (all_failed, {"shares", "curves", "time"}),
    "killed": (killed, set(PICTURES) - {"importances", "time"}),
    "nothing trained": (nothing_trained, {"time"}),
    "no curves": (without_curves, set(PICTURES) - {"curves"}),
    "schema 1": (
        lambda: load_run(SCHEMA_1),
        {"progress", "shares", "choices", "parallel", "curves", "sizes"},
    ),
    "one choice": (
        lambda: made_up.make_run(SearchSpace({"depth": (2,)}), 1, failed_share=0),
        {"progress", "curves", "sizes", "time"},
    ),
    "many genes": (many_genes, PICTURES),
    "many choices": (many_choices, PICTURES),
    "odd names, one generation": (odd_names, PICTURES),
}


@functools.cache
def page_of(name):
    """The page of an awkward run, which is drawn once."""
    return page.report_page([AWKWARD[name][0]()])


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_runs_have_a_page_and_say_what_it_lacks(name):
    text, expected = page_of(name), AWKWARD[name][1]
    assert set(check_pictures(text)) == set(expected)
    for made in DRAWN:
        assert (html.escape(made.absence) in text) == (made.name not in expected)
    assert not re.search(r"<[bi]>|&(?!\w+;)", text)


def test_names_are_shown_as_they_are():
    text = page_of("odd names, one generation")
    choices = pictures_of(text)["choices"][1]
    assert ">$x 1$ &lt;b&gt;</text>" in choices and ">a&amp;b (4)</text>" in choices
    assert "<td>a&amp;b</td>" in text and "<h1>&lt;i&gt;$&amp;</h1>" in text


def test_a_thousand_networks_are_a_small_page():
    genes = dict(made_up.SPACE.genes)
    space = SearchSpace({**genes, "width": tuple(range(8, 256, 8)), "depth": (1, 2)})
    run = made_up.make_run(space, 1000)
    assert len(run.networks) == 1000
    text = page.report_page([run])
    assert 1e5 < len(text) < 1.5e6
    assert pictures_of(text)["choices"][1].count("<use") < 3500


def test_few_diverged_networks_do_not_squash_the_scale():
    accuracies = np.array([0.1] * 5 + [0.95] * 10 + [0.96] * 10 + [0.97] * 10)
    assert facts.accuracy_floor(accuracies) == pytest.approx(0.97 - 3 * 0.01)
    assert facts.accuracy_floor(np.array([0.5])) == 0.5


def test_neighbours_and_rare_names_are_put_together():
    counts = np.array([1, 5, 0, 3])
    groups = facts.group_choices((0.4, 0.1, 0.2, 0.3), counts, 2)
    assert groups.labels == ["0.1 to 0.2", "0.3 to 0.4"]
    assert groups.of_choice.tolist() == [1, 0, 0, 1]
    groups = facts.group_choices(("a", "b", "c", "d"), counts, 3)
    assert groups.labels == ["b", "d", "others"]
    assert groups.of_choice.tolist() == [2, 0, 2, 1]


def test_several_runs_are_compared_whatever_their_spaces():
    runs = [
        made_up.make_run()._replace(folder=pathlib.Path("a/same")),
        made_up.make_run(seed=1)._replace(folder=pathlib.Path("b/same")),
        many_choices()._replace(folder=pathlib.Path("other")),
        all_failed()._replace(folder=pathlib.Path("failed")),
        nothing_trained()._replace(folder=pathlib.Path("empty")),
    ]
    text = page.report_page(runs)
    assert check_pictures(text) == ["bests", "all_sizes"]
    for place, name in enumerate(["a/same", "b/same", "other"]):
        best = max(n.validation_accuracy for n in runs[place].networks)
        assert f"{name}: {best:.4f} with network" in text
    winners = re.findall(r"<tr><td>.*?</td></tr>", text)
    assert len(winners) == 5 and "no network has an accuracy" in winners[3]
    text = page.report_page(runs[3:])
    assert check_pictures(text) == [] and sections.OF_SEVERAL[0].absence in text


def test_runs_have_different_names():
    folders = ["a/x", "b/x", "a/x", "a/x", "."]
    runs = [
        made_up.make_run(num_networks=1)._replace(folder=pathlib.Path(folder))
        for folder in folders
    ]
    names = facts.run_names(runs)
    here = pathlib.Path.cwd()
    assert names[:4] == ["a/x", "b/x", "a/x (2)", "a/x (3)"]
    assert names[4].endswith(here.name)
    assert facts.run_names(runs[:1]) == ["x"]


def test_pictures_leave_matplotlib_as_it_was(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # cannot be imported
    matplotlib.rcParams["font.size"] = 11
    page.report_page([made_up.make_run(SMALL)])
    assert matplotlib.rcParams["font.size"] == 11
    matplotlib.rcParams["font.size"] = matplotlib.rcParamsDefault["font.size"]


def test_no_run_is_refused():
    with pytest.raises(ValueError, match=r"runs=\[\]"):
        page.report_page([])
