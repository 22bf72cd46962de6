"""Markdown tables of the comparisons of searches, for bench/README.md."""

from bench.harness import markdown


def search_table(record):
    """Regrets on recorded tables, and mean ranks."""
    rows = record["rows"]
    places = dict.fromkeys(cell["table"] for cell in rows[0]["cells"])
    lines = markdown.head(
        ("method", "mean rank"), [name.replace("_", " ") for name in places]
    )
    for row in sorted(rows, key=lambda row: row.get("mean_rank", len(rows))):
        if "cells" not in row:
            lines.append(
                markdown.row([row["method"], "absent", *("-" for _ in places)])
            )
            continue
        texts = {table: [] for table in places}
        for cell in row["cells"]:
            texts[cell["table"]].append(f"{cell['median']:.1e}")
        version = f" {row['version']}" if row["version"] else ""
        cells = [" / ".join(texts[table]) for table in places]
        lines.append(
            markdown.row(
                [f"{row['method']}{version}", f"{row['mean_rank']:.2f}", *cells]
            )
        )
    compared = rows[0]["against_best_peer"]
    num_worse = sum(cell["is_worse"] for cell in compared)
    num_better = sum(cell["is_better"] for cell in compared)
    read_at = dict.fromkeys(str(cell["num_distinct"]) for cell in rows[0]["cells"])
    how = (
        f"Median regrets of {rows[0]['cells'][0]['n']} seeds at {' / '.join(read_at)} "
        "distinct networks; `recommended` is beyond chance (paired bootstrap, 95 %) "
        f"better than the best other package in {num_better} of {len(compared)} cells "
        f"and worse in {num_worse}; quartiles are in the record"
    )
    return markdown.finish(lines, record, how)


def models_table(record):
    """Medians and means of models, by table and number of networks."""
    rows = record["rows"]
    names = list(rows[0]["cells"])
    heads = []
    for name in names:
        cell = rows[0]["cells"][name]
        heads.append(f"{name} {cell['version'] or ''}".strip() + f" ({cell['n']})")
    lines = markdown.head(("table", "networks", *heads), ("median", "mean"))
    for row in rows:
        cells = [
            f"{cell['median']:.1e}, {cell['mean']:.1e}"
            for cell in row["cells"].values()
        ]
        verdicts = [
            "better" if one["is_better"] else "worse" if one["is_worse"] else "="
            for one in row["against_best_peer"].values()
        ]
        table = row["table"].replace("_", " ")
        lines.append(markdown.row([table, row["num_distinct"], *cells, *verdicts]))
    how = (
        "Median, mean regrets, with the number of seeds in brackets; the last columns: "
        "whether those of `recommended` are beyond chance (bootstrap, 95 %) better or "
        "worse than the lowest of the others"
    )
    return markdown.finish(lines, record, how)


def noise_table(record):
    """Mean regrets where results are noisy, and what the model's choice is worth."""
    rows = record["rows"]
    numbers = [cell["num_distinct"] for cell in rows[0]["cells"]]
    lines = markdown.head(
        ("method", "mean rank"), [f"after {number}" for number in numbers]
    )
    for row in sorted(rows, key=lambda row: row["mean_rank"]):
        version = f" {row['version']}" if row["version"] else ""
        cells = [
            f"{cell['mean']:.2e} ± {cell['standard_error']:.0e}"
            for cell in row["cells"]
        ]
        name = f"{row['method']}{version}"
        lines.append(markdown.row([name, f"{row['mean_rank']:.2f}", *cells]))
    differences = "; ".join(
        f"{told['mean']:.2e} after {told['num_distinct']}, by {less['difference']:.1e} "
        f"({less['low']:.1e} to {less['high']:.1e})"
        for told, less in zip(
            rows[0]["best_told"], rows[0]["best_told_less_judged"], strict=True
        )
    )
    how = (
        f"Mean regrets of {rows[0]['cells'][0]['n']} seeds and their standard errors. "
        "With the best result told in place of what its model expects most of, "
        f"`recommended` has more: {differences}, paired, 95 %"
    )
    return markdown.finish(lines, record, how)


def choice_table(record):
    """Mean ranks of the candidates."""
    lines = markdown.head(("candidate", "mean rank"))
    ranks = record["rows"][-1]["mean_ranks"]
    for name in sorted(ranks, key=ranks.__getitem__):
        lines.append(markdown.row([name, f"{ranks[name]:.2f}"]))
    num_tables = len(record["rows"]) - 1
    how = f"All without repeats, on {num_tables} landscapes, 3 budgets each"
    return markdown.finish(lines, record, how)


def trainings_table(record):
    """Networks trained until a good one is found."""
    shares = ("5 %", "25 %", "median", "75 %", "95 %")
    lines = markdown.head(("strategy", *shares), ("found within 100", "200"))
    for row in record["rows"]:
        cells = ["> 200" if value is None else value for value in row["quantiles"]]
        found = [f"{row[name]:.1%}" for name in ("share_within_100", "share_reached")]
        lines.append(markdown.row([row["strategy"], *cells, *found]))
    n = record["rows"][0]["n"]
    return markdown.finish(
        lines, record, f"Quantiles of {n:,} runs in generations of 20"
    )


def rungs_table(record):
    """Regret at the end of a search, and the share of epochs, by rule."""
    lines = markdown.head(
        ("table", "strategy", "rule", "share of epochs", "mean regret, points"),
        ("median", "mean less that of no pruning (95 %)"),
    )
    for row in record["rows"]:
        end, less = row["regret"][-1], row["less_none"]
        points = [f"{100 * less[name]:+.2f}" for name in ("difference", "low", "high")]
        lines.append(
            markdown.row(
                [
                    *(row["table"], row["strategy"], row["rule"]),
                    f"{row['share_of_epochs']:.2f}",
                    f"{100 * end['mean']:.2f}",
                    f"{100 * end['median']:.2f}",
                    f"{points[0]} ({points[1]} to {points[2]})",
                ]
            )
        )
    how = f"{record['rows'][0]['num_seeds']} seeds of 10 generations of 20"
    return markdown.finish(lines, record, how)


def rung_ranks_table(record):
    """How well accuracy at an epoch ranks networks as their ends do."""
    rows = record["rows"]
    lines = markdown.head(("table", "epoch"), rows[0]["epochs"])
    for row in rows:
        for name, words in (
            ("kendall_tau", "Kendall's tau"),
            ("recall_of_best", "of the best five, found"),
        ):
            cells = [f"{value:.2f}" for value in row[name]]
            lines.append(markdown.row([row["table"], words, *cells]))
    how = "One replicate at an epoch against the mean of all at the end"
    return markdown.finish(lines, record, how)
