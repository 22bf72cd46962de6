"""What a report consists of: sections, each with a picture or a table."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from vecevo.runs.files.reading import RecordedNetwork, Run
from vecevo.runs.report import (
    comparison,
    drawing,
    facts,
    figures,
    genes,
    parallel,
    sizes,
    tested,
)


class Picture(NamedTuple):
    """A figure, and what it shows in words."""

    name: str  # of its files, and what its ids begin with
    figure: Figure
    description: str  # with its main numbers


class Section(NamedTuple):
    """A part of a page, with a picture, or a table, or neither."""

    title: str
    caption: str
    picture: Picture | None = None
    header: Sequence[str] = ()  # of the table
    rows: Sequence[Sequence[str]] = ()  # each as long as the header


class Drawing(NamedTuple):
    """How a picture is made of a run, or of several."""

    name: str
    title: str
    draw: Callable[[Any], Figure | None]  # None: there is nothing to draw
    describe: Callable[[Any], str]
    caption: str
    absence: str  # said where there is nothing to draw


OF_ONE = (
    Drawing(
        *("progress", "Progress", figures.draw_progress, figures.describe_progress),
        "Generations count from 1, as on the console. Networks are in the order in "
        "which their cohorts finished. The scale on the right begins three times as "
        "far below the best as the median; what is worse is a triangle on its edge.",
        "No network has an accuracy, so that there is no progress to draw.",
    ),
    Drawing(
        *("shares", "Choices by generation", genes.draw_shares, genes.describe_shares),
        "Of the networks newly trained in each generation, the share with each choice. "
        "A genome that was asked for again is not trained again, and counts once, "
        "where it was new. Neighbours of many numbers are put together, and so are "
        "rare names. The legend has the order of the bars.",
        "No gene has more than one choice, or no network was trained, so that there "
        "are no shares to draw.",
    ),
    Drawing(
        *("choices", "Accuracy by choice", genes.draw_choices, genes.describe_choices),
        "Each dot is a network, each box the middle half of five or more, with the "
        "median as a thick line. Beside a choice is its number of networks, on the "
        "right the median of those that did not fail. What lies below the scale is a "
        "triangle on its edge; a cross: some failed.",
        "No gene has more than one choice, or no network has an accuracy, so that "
        "choices cannot be compared.",
    ),
    Drawing(
        *("parallel", "All networks", parallel.draw_parallel),
        parallel.describe_parallel,
        "Each line is a network: through its choices, gene by gene, to its accuracy. "
        "The scale is that of the better half, from red to blue; the other half are "
        "thin grey lines that end at its foot, those that failed dotted lines that end "
        "below it. Of lines through one choice the better are higher.",
        "No gene has more than one choice, or no network has an accuracy, so that "
        "there are no lines to draw.",
    ),
    Drawing(
        *("curves", "Learning curves", figures.draw_curves, figures.describe_curves),
        "The best five networks, with their rank and validation accuracy, and up to "
        "five that failed. The scale is that of the best: curves of those that failed "
        "may leave it. Losses are on a logarithmic scale.",
        "No network has a learning curve.",
    ),
    Drawing(
        *("sizes", "Accuracy and size", sizes.draw_sizes, sizes.describe_sizes),
        "The Pareto front are the networks that no other beats in both. What lies "
        "below the scale is a triangle on its edge.",
        "No network has an accuracy, so that there is nothing to weigh against size.",
    ),
    Drawing(
        *("importances", "Importance of genes", genes.draw_importances),
        genes.describe_importances,
        "PED-ANOVA (Watanabe et al., 2023): how much the choices of the best tenth of "
        "the networks, five at least, differ from those of all. It says what mattered "
        "among the networks that this run trained, which are no random sample.",
        f"Importances need {genes.LEAST_NETWORKS} networks, a gene with several "
        "choices, and some networks that are better than others.",
    ),
    Drawing(
        *("confusions", "What the best network confuses", tested.draw_confusions),
        tested.describe_confusions,
        "Each row is a class of the test part, each column what the best network takes "
        "its examples for; the darker, the larger the share of the class.",
        "What the best network says of the test part is not there, or there are more "
        f"than {tested.MOST_CLASSES} classes.",
    ),
    Drawing(
        *("mistakes", "What it gets wrong", tested.draw_mistakes),
        tested.describe_mistakes,
        "The class of each, and what the best network says. They are of the test part: "
        "who changes a search because of them has used that part up.",
        "The examples are no images, or none of the test part is wrong.",
    ),
    Drawing(
        *("time", "Time", figures.draw_time, figures.describe_time),
        "Compiling is what a worker waited for programs, training what it trained; the "
        "rest is all else, such as reading data and choosing networks.",
        "The run left no result.json, which has its times.",
    ),
)

OF_SEVERAL = (
    Drawing(
        *("bests", "Best so far", comparison.draw_bests, comparison.describe_bests),
        "Networks are in the order in which their cohorts finished.",
        "No network of any run has an accuracy.",
    ),
    Drawing(
        *("all_sizes", "Accuracy and size", comparison.draw_all_sizes),
        comparison.describe_all_sizes,
        "Each point is a network, each line the Pareto front of a run. What lies below "
        "the scale is a triangle on its edge.",
        "No network of any run has an accuracy.",
    ),
)


def sections_of_run(run: Run) -> list[Section]:
    """Returns all of a page about one run, below its head."""
    drawn = [make_section(drawing, run) for drawing in OF_ONE]
    return [
        top_section(run),
        *ensemble_sections(run),
        *drawn,
        settings_section(run),
    ]


def sections_of_runs(runs: Sequence[Run]) -> list[Section]:
    """Returns all of a page that compares runs, below its head."""
    drawn = [make_section(drawing, runs) for drawing in OF_SEVERAL]
    return [winners_section(runs), *drawn]


def make_section(made: Drawing, runs: Run | Sequence[Run]) -> Section:
    """Draws a picture, or says why there is none."""
    with drawing.style():
        figure = made.draw(runs)
    if figure is None:
        return Section(made.title, made.absence)
    picture = Picture(made.name, figure, made.describe(runs))
    return Section(made.title, made.caption, picture)


def top_section(run: Run) -> Section:
    """Returns the table of the best five networks."""
    names = [name for name, _ in run.space.genes]
    top, tested = facts.top_networks(run), facts.tested_accuracies(run)
    if not top:
        return Section("The best networks", "No network has an accuracy.")
    columns = ("parameters", "epochs", "validation accuracy", "test accuracy")
    header = ("", *map(facts.words, names), *columns)
    rows = [
        (
            str(place),
            *(facts.value_text(network.hyperparams.get(name)) for name in names),
            *(f"{network.num_params:,}", str(network.num_epochs)),
            f"{network.validation_accuracy:.4f}",
            accuracy_text(tested.get(network.genome)),
        )
        for place, network in enumerate(top, start=1)
    ]
    caption = "By validation accuracy. The test part was used for these alone."
    if not tested:
        caption = "By validation accuracy. Test accuracies were not recorded."
    return Section("The best networks", caption, header=header, rows=rows)


def ensemble_sections(run: Run) -> list[Section]:
    """Returns what the ensemble is worth, where there is one."""
    found = (run.summary or {}).get("ensemble")
    if not found:
        return []
    best = (run.summary or {})["best"]
    measured = ("validation_accuracy", "test_accuracy")
    rows = [
        (
            f"ensemble of {found['num_networks']} networks",
            *(accuracy_text(found[name]) for name in measured),
            accuracy_text(found["held_out_accuracy"]),
        ),
        (
            "the best network",
            *(accuracy_text(best[name]) for name in measured),
            accuracy_text(found["held_out_best"]),
        ),
    ]
    caption = (
        f"{found['num_picks']} picks of the best {found['pool_size']} networks, each "
        "the one that lowers the log loss of the mean most (Caruana et al., 2004). On "
        "held-out halves: both were chosen by half of the validation part, of networks "
        "that all of it had kept, and measured on the other."
    )
    header = ("", "validation accuracy", "test accuracy", "on held-out halves")
    return [Section("The ensemble", caption, header=header, rows=rows)]


def settings_section(run: Run) -> Section:
    """Returns the table of the settings that a run recorded."""
    settings = {**run.fixed, **run.config}
    if not run.config:
        caption = "The run did not record its settings, but for its fixed hyperparams."
    else:
        caption = "As config.toml has them, with those filled in that were left open."
    rows = [
        (facts.words(name), setting_text(value))
        for name, value in settings.items()
        if value is not None
    ]
    return Section("Settings", caption, header=("setting", "value"), rows=rows)


def setting_text(value: Any) -> str:
    """Returns a setting as a table shows it."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def accuracy_text(accuracy: float | None) -> str:
    """Returns an accuracy as tables show it, or a dash where there is none."""
    return "-" if accuracy is None else f"{accuracy:.4f}"


def winners_section(runs: Sequence[Run]) -> Section:
    """Returns the table of several runs, each with its best network."""
    header = ("run", "data set", "strategy", "seed", "networks", "failed", "validation")
    rows = [
        (
            *(name, facts.dataset_name(run)),
            *(str(run.config.get(name, "-")) for name in ("strategy", "seed")),
            f"{len(facts.searched_networks(run)):,}",
            f"{len(facts.failed_networks(run)):,}",
            *_winner(run, facts.top_networks(run)[:1]),
        )
        for run, name in zip(runs, facts.run_names(runs), strict=True)
    ]
    return Section(
        "The winners",
        "Accuracies compare where data set and protocol are the same. Settings that "
        "a run did not record are dashes.",
        header=(*header, "test accuracy", "parameters", "the best network"),
        rows=rows,
    )


def _winner(run: Run, best: Sequence[RecordedNetwork]) -> tuple[str, str, str, str]:
    for network in best:
        values = ", ".join(
            f"{facts.words(name)} {facts.value_text(network.hyperparams.get(name))}"
            for name, _ in run.space.genes
        )
        tested = facts.tested_accuracies(run).get(network.genome)
        accuracy = f"{network.validation_accuracy:.4f}"
        return accuracy, accuracy_text(tested), f"{network.num_params:,}", values
    return "-", "-", "-", "no network has an accuracy"
