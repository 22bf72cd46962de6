"""What a report consists of: sections, each with a picture or a table."""

from collections.abc import Sequence
from typing import Any

from vecevo.runs.files.reading import Run
from vecevo.runs.report import (
    comparison,
    drawing,
    facts,
    figures,
    genes,
    parallel,
    sizes,
    tested,
    timeline,
    winners,
)
from vecevo.runs.report.parts import Drawing, Picture, Section

OF_ONE = (
    Drawing(
        *("progress", "Progress", figures.draw_progress, figures.describe_progress),
        "Generations count from 1, as on the console. Networks are in the order in "
        "which their cohorts finished. The scale on the right begins three times as "
        "far below the best as the median; what is worse is a triangle on its edge. "
        "Where a generation has a number below 0, the scale on the left is that, too.",
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
        "The scale is that of the better half, from red to blue; all others are "
        "thin grey lines that end at its foot, those that failed dotted lines that end "
        "below it. Of lines through one choice the better are higher.",
        "No gene has more than one choice, or no network has an accuracy, so that "
        "there are no lines to draw.",
    ),
    Drawing(
        *("curves", "Learning curves", figures.draw_curves, figures.describe_curves),
        "The best five networks, with their rank and validation accuracy, and up to "
        "five that failed. The scale is that of the best, and begins at -0.1 where an "
        "R2 is below and others are above 0: curves may leave it. Losses are on a "
        "logarithmic scale.",
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
        task="classification",
    ),
    Drawing(
        *("mistakes", "What it gets wrong", tested.draw_mistakes),
        tested.describe_mistakes,
        "The class of each, and what the best network says. They are of the test part: "
        "who changes a search because of them has used that part up.",
        "The examples are no images, or none of the test part is wrong.",
        task="classification",
    ),
    Drawing(
        *("errors", "What the best network predicts", tested.draw_errors),
        tested.describe_errors,
        "Each point is an example of the test part; on the line what is predicted is "
        "right. Units are those that were given.",
        "What the best network says of the test part is not there.",
        task="regression",
    ),
    Drawing(
        *("time", "Time", figures.draw_time, figures.describe_time),
        "Compiling is what a worker waited for programs, training what it trained; the "
        "rest is all else, such as reading data and choosing networks.",
        "The run left no result.json, which has its times.",
    ),
)

OF_WORKERS = Drawing(
    *("workers", "Workers", timeline.draw_workers, timeline.describe_workers),
    "Each bar is a cohort, from when a worker was handed it until it came back; the "
    "colours tell one generation from the next. A generation begins when the last "
    "cohort of the one before has come: larger generations leave less idle.",
    "",
)

OF_SEVERAL = (
    Drawing(
        *("bests", "Best so far", comparison.draw_bests, comparison.describe_bests),
        "Networks are in the order in which their cohorts finished. A line that comes "
        "from below the scale was worse before.",
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
    drawn = [make_section(d, run) for d in OF_ONE if d.task in ("", run.task)]
    if run.shifts:
        drawn.append(make_section(OF_WORKERS, run))
    return [
        winners.top_section(run),
        *winners.confirmation_sections(run),
        *winners.ensemble_sections(run),
        *drawn,
        settings_section(run),
    ]


def sections_of_runs(runs: Sequence[Run]) -> list[Section]:
    """Returns all of a page that compares runs, below its head."""
    drawn = [make_section(drawing, runs) for drawing in OF_SEVERAL]
    return [winners.winners_section(runs), *drawn]


def make_section(made: Drawing, runs: Run | Sequence[Run]) -> Section:
    """Draws a picture, or says why there is none."""
    with drawing.style():
        figure = made.draw(runs)
    if figure is None:
        return Section(made.title, made.absence)
    picture = Picture(made.name, figure, made.describe(runs))
    return Section(made.title, made.caption, picture)


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
