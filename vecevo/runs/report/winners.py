"""The tables of winners on a page, and what they are worth."""

from collections.abc import Sequence

from vecevo.results import in_metric
from vecevo.runs.files.reading import RecordedNetwork, Run
from vecevo.runs.report import facts, verdict
from vecevo.runs.report.parts import Section


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
    summary = run.summary or {}
    order, of_search = f"By {verdict.search_words(summary)}", ""
    if not summary.get("is_by_model"):
        order = f"By validation accuracy, {verdict.search_words(summary)}"
    if summary.get("confirmation"):
        order, of_search = "By the mean of new trainings", ", accuracies of the search"
    caption = f"{order}{of_search}. {tested_words(summary, is_tested=bool(tested))}"
    return Section("The best networks", caption, header=header, rows=rows)


def tested_words(summary: verdict.Summary, *, is_tested: bool) -> str:
    """Returns what the test accuracies of the best networks are, in sentences."""
    if not is_tested:
        return "Nothing was measured on the test part, or not recorded."
    is_article = summary.get("protocol") == "article"
    said = f"The test part chose {'them' if is_article else 'none of them'}."
    if summary.get("replicates", 1) > 1:
        said += f" {verdict.KEPT[0].upper()}{verdict.KEPT[1:]}."
    return said


def confirmation_sections(run: Run) -> list[Section]:
    """Returns what the best networks trained again say, where the run recorded that."""
    summary = run.summary or {}
    if "confirmation" not in summary or not summary["best"]:
        return []
    lines = [f"{line[0].upper()}{line[1:]}." for line in verdict.verdict_lines(summary)]
    if not summary["confirmation"]:
        lines.append("The best were not trained again, so that luck may have chosen.")
        return [Section("What the winner is worth", " ".join(lines))]
    names = [name for name, _ in run.space.genes]
    return [
        Section(
            "What the winner is worth",
            " ".join(lines),
            header=(*map(facts.words, names), *verdict.confirmed_header(summary)),
            rows=verdict.confirmation_rows(summary, names),
        )
    ]


def ensemble_sections(run: Run) -> list[Section]:
    """Returns what the ensemble is worth, where there is one."""
    found = (run.summary or {}).get("ensemble")
    if not found:
        return []
    best = (run.summary or {})["best"]
    measured = ("validation_accuracy", "test_accuracy")
    rows = [
        (
            f"ensemble of {verdict.counted(found['num_networks'], 'network')}",
            *(accuracy_text(found[name]) for name in measured),
            accuracy_text(found["held_out_accuracy"]),
        ),
        (
            "the best network",
            *(accuracy_text(best[name]) for name in measured),
            accuracy_text(found["held_out_best"]),
        ),
    ]
    loss = "log loss" if run.task == "classification" else "squared error"
    caption = (
        f"{found['num_picks']} picks of the best {found['pool_size']} networks, each "
        f"the one that lowers the {loss} of the mean most (Caruana et al., 2004). On "
        "held-out halves: both were chosen by half of the validation part, of networks "
        "that all of it had kept, and measured on the other."
    )
    header = ("", "validation accuracy", "test accuracy", "on held-out halves")
    return [Section("The ensemble", caption, header=header, rows=rows)]


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
    return "-", "-", "-", in_metric("no network has an accuracy", run.metric)
