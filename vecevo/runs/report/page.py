"""The page of a report: HTML in one file, which needs neither script nor network."""

import datetime
import html
import os
import pathlib
from collections.abc import Sequence

from matplotlib.text import Text

from vecevo.errors import InputError
from vecevo.results import in_metric
from vecevo.runs.files.reading import Run
from vecevo.runs.report import drawing, facts
from vecevo.runs.report.console import duration
from vecevo.runs.report.parts import Picture, Section
from vecevo.runs.report.sections import sections_of_run, sections_of_runs
from vecevo.runs.report.winners import accuracy_text

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c1e21; --soft: #5b6068;
  --line: #d5d8dc; --card: #f5f6f8; }
@media (prefers-color-scheme: dark) { :root { --page: #15171a; --ink: #e4e6e9;
  --soft: #a3a9b2; --line: #383c42; --card: #1f2226; } }
@media print { :root { --page: #fff; --ink: #000; --soft: #444; } }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 58rem; color: var(--ink);
  background: var(--page); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.7rem; overflow-wrap: anywhere; }
h2 { margin: 2.8rem 0 .5rem; font-size: 1.25rem; }
p { margin: .4rem 0; } .soft, figcaption { color: var(--soft); font-size: .9rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: .6rem; }
dl div { padding: .6rem .8rem; border-radius: .4rem; background: var(--card); }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.35rem; }
.wide { overflow-x: auto; } figure { margin: 0; }
svg { display: block; width: 100%; min-width: 40rem; height: auto;
  font-family: inherit; }
svg text { paint-order: stroke; stroke: var(--page); stroke-width: 2px; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 600; }
"""


def write_report(runs: Sequence[Run], path: str | os.PathLike) -> None:
    """Writes a page about one run, or one that compares several.

    Args:
      runs: one or more.
      path: of the HTML file, which is overwritten.

    Raises:
      InputError: without a run, for runs of different metrics, or where the file cannot
        be written.
    """
    text = report_page(runs)
    try:
        pathlib.Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"output={os.fspath(path)!r} cannot be written ({error.strerror}): make "
            "room, or name a file in a folder that is there."
        ) from error


def write_figures(runs: Sequence[Run], folder: str | os.PathLike) -> list[pathlib.Path]:
    """Writes the pictures of the page as SVG, and as PNG on white; returns the paths.

    Args:
      runs: one or more.
      folder: which is made where it is not there; files in it are overwritten.

    Raises:
      InputError: without a run, for runs of different metrics, or where a file cannot
        be written.
    """
    folder, paths = pathlib.Path(folder), []
    try:
        folder.mkdir(exist_ok=True)
        for section in report_sections(runs):
            if section.picture is not None:
                paths += save_picture(section.title, section.picture, folder)
    except OSError as error:
        raise InputError(
            f"figures={os.fspath(folder)!r} cannot be written ({error.strerror}): make "
            "the folder of the run writable."
        ) from error
    return paths


def save_picture(
    title: str, picture: Picture, folder: pathlib.Path
) -> list[pathlib.Path]:
    """Writes a picture as an SVG and a PNG, and returns their paths."""
    paths = [folder / f"{picture.name}{suffix}" for suffix in (".svg", ".png")]
    paths[0].write_text(picture_svg(title, picture), encoding="utf-8")
    drawing.save_png(picture.figure, paths[1])
    return paths


def report_sections(runs: Sequence[Run]) -> list[Section]:
    """Returns the sections of a page about one run, or of one that compares several.

    Raises:
      InputError: without a run, or for runs that were judged by different metrics.
    """
    if not runs:
        raise InputError("runs=[] must be one run or more.")
    metric = facts.metric_of(runs)
    found = sections_of_run(runs[0]) if len(runs) == 1 else sections_of_runs(runs)
    return [say_metric(section, metric) for section in found]


def say_metric(section: Section, metric: str) -> Section:
    """Returns a section, written about accuracies, as one about another metric."""
    picture = section.picture
    if picture is not None:
        for text in picture.figure.findobj(Text):
            text.set_text(in_metric(text.get_text(), metric))
        said = in_metric(picture.description, metric)
        picture = picture._replace(description=said)
    return section._replace(
        title=in_metric(section.title, metric),
        caption=in_metric(section.caption, metric),
        picture=picture,
        header=[in_metric(cell, metric) for cell in section.header],
    )


def report_page(runs: Sequence[Run]) -> str:
    """Returns the text of the page that `write_report` writes.

    Raises:
      InputError: as `report_sections` does.
    """
    sections, names = report_sections(runs), facts.run_names(runs)
    if len(runs) == 1:
        return make_page(names[0], run_head(runs[0]), sections)
    head = paragraphs([", ".join(names)])
    return make_page(f"{len(runs)} runs compared", head, sections)


def make_page(title: str, head: str, sections: Sequence[Section]) -> str:
    """Returns a page of a title, a head that is HTML, and sections."""
    name = html.escape(title)
    body = "\n".join(map(section_html, sections))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name} - vecevo</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{name}</h1>\n{head}\n</header>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


def section_html(section: Section) -> str:
    """Returns a section as HTML."""
    parts = [f"<h2>{html.escape(section.title)}</h2>"]
    caption = html.escape(section.caption)
    if section.picture is not None:
        picture = section.picture
        parts.append(f"<p>{html.escape(picture.description)}</p>")
        svg = picture_svg(section.title, picture)
        parts.append(f'<figure><div class="wide">{svg}</div>')
        parts.append(f"<figcaption>{caption}</figcaption></figure>")
    else:
        parts.append(f'<p class="soft">{caption}</p>')
    if section.rows:
        parts.append(table_html(section.header, section.rows))
    return "<section>\n" + "\n".join(parts) + "\n</section>"


def picture_svg(title: str, picture: Picture) -> str:
    """Returns a picture as an SVG element."""
    return drawing.to_svg(
        picture.figure,
        name=picture.name,
        title=title,
        description=picture.description,
    )


def table_html(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a table as HTML, which scrolls where it is too wide."""
    heads = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in header)
    lines = [
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in rows
    ]
    return (
        f'<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + "\n</tbody></table></div>"
    )


def run_head(run: Run) -> str:
    """Returns what a run was, and its key numbers, as HTML."""
    numbers = "\n".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
        for name, value in key_numbers(run).items()
    )
    lines = [what_it_was(run), when_it_was(run)]
    if run.summary is None:
        lines.append(
            "It left no result.json: it was stopped, or still runs. What the test part "
            "says is not known, nor are times."
        )
    return f"{paragraphs(lines)}\n<dl>\n{numbers}\n</dl>"


def paragraphs(lines: Sequence[str]) -> str:
    """Returns lines that are not empty as paragraphs of HTML."""
    return "\n".join(f"<p>{html.escape(line)}</p>" for line in lines if line)


def what_it_was(run: Run) -> str:
    """Says data set, strategy, size of the space, seed and device, as far as known."""
    strategy, seed = run.config.get("strategy"), run.config.get("seed")
    search = f"{strategy} search" if strategy else "search"
    parts = [
        f"{facts.dataset_name(run)}: {search} over {run.space.num_genomes:,} networks"
    ]
    objectives = run.config.get("objectives", ())
    if len(objectives) > 1:
        named = in_metric(" and ".join(map(facts.words, objectives)), run.metric)
        parts.append(f"for {named}")
    if seed is not None:
        parts.append(f"seed {seed}")
    if run.device:
        parts.append(f"on {run.device}")
    return ", ".join(parts) + "."


def when_it_was(run: Run) -> str:
    """Says when the run was last written to, and by what, as far as known."""
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    try:
        seconds = (run.folder / "run.sqlite").stat().st_mtime
    except OSError:
        return f"By {versions}." if versions else ""
    date = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    by = f", by {versions}" if versions else ""
    return f"run.sqlite is of {date:%Y-%m-%d %H:%M} UTC{by}."


def key_numbers(run: Run) -> dict[str, str]:
    """Returns the numbers that a page begins with, by what they are."""
    networks, failed = facts.searched_networks(run), facts.failed_networks(run)
    numbers = {
        "networks trained": f"{len(networks):,}",
        "of these failed": f"{len(failed):,}",
        "generations": f"{len(run.generations):,}",
    }
    for best in facts.top_networks(run)[:1]:
        tested = facts.tested_accuracies(run).get(best.genome)
        accuracy = accuracy_text(best.validation_accuracy)
        numbers[in_metric("best validation accuracy", run.metric)] = accuracy
        numbers[in_metric("its test accuracy", run.metric)] = accuracy_text(tested)
        numbers["its parameters"] = f"{best.num_params:,}"
    seconds = (run.summary or {}).get("time_seconds", {}).get("total")
    if seconds is not None:
        numbers["time"] = duration(seconds)
    return numbers
