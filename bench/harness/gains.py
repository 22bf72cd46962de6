"""The small table of the README: what one gains, from the records that exist."""

import numpy as np

from bench.harness import markdown, records
from bench.searching import compare, curve_file, sources
from bench.training import small

TIMED = ("small", "jobs", "lanes", "operators")
OTHERS = {"reference": "scan", "keras": "Keras"}
LIBRARIES = {"deap": "DEAP", "pygad": "PyGAD", "evosax": "evosax"}
SHAPES = ((64, 64), (3072, 64), (3072, 1024))  # features and width
SCAN = (
    "scan: a jitted `lax.scan` over plain Flax and Optax, one network after the other, "
    "which for wide networks is near the machine's limit"
)


def gains_table():
    """The rows of all records, with links for the README; None without records."""
    found = {name: records.read(name) for name in (*TIMED, "search")}
    found = {name: record for name, record in found.items() if record is not None}
    rows = [cells for name, record in found.items() for cells in ROWS[name](record)]
    if not rows:
        return None
    lines = ["| what | vecevo | others | gain |", "| --- | ---: | ---: | ---: |"]
    lines += [markdown.row(cells) for cells in rows]
    notes = [
        "Above 1, vecevo is ahead",
        *([SCAN] if "jobs" in found or "lanes" in found else []),
        *where_measured(found),
        *peer_versions(found),
        f"records {', '.join(link(name) for name in found)}",
        "method, spreads and all else in [bench/README.md](bench/README.md)",
    ]
    return "\n".join([*lines, "", f"{'; '.join(notes)}."])


def cells_of(what, ours, unit, others):
    """The cells of a line.

    Args:
      what: is measured.
      ours: rate of vecevo.
      unit: of the rates.
      others: dict of names to (rate, gain).
    """
    return (
        what,
        f"{ours:,.0f} {unit}",
        "; ".join(f"{name} {rate:,.0f}" for name, (rate, _) in others.items()),
        "; ".join(
            f"{gain:.2f}" if gain < 10 else f"{gain:,.0f}"
            for _, gain in others.values()
        ),
    )


def small_rows(record):
    """The thousand small networks, with nothing compiled before."""
    ours, *others = record["rows"]
    seconds = ours["cold_seconds"]["median"]
    yield cells_of(
        "1,000 small networks, nothing compiled before",
        3600 * ours["num_networks"] / seconds,
        "networks/h",
        {
            small.TITLES[row["side"]]: (
                3600 * small.NUM_NETWORKS / row["seconds"],
                row["seconds"] / seconds,
            )
            for row in others
        },
    )


def jobs_rows(record):
    """The list of 24 networks on digits, with nothing compiled before."""
    for row in record["rows"]:
        if row["job"] == "list" and row["dataset"] == "digits":
            ours = row["vecevo"]["cold"]
            others = {
                said: (
                    row[name]["cold"]["networks_per_hour"],
                    row[name]["cold"]["seconds"] / ours["seconds"],
                )
                for name, said in OTHERS.items()
                if name in row
            }
            what = (
                f"{ours['num_networks']} networks to the end, nothing compiled before"
            )
            yield cells_of(what, ours["networks_per_hour"], "networks/h", others)


def lanes_rows(record):
    """Throughput of small networks and of large ones."""
    for shape in SHAPES:
        for row in record["rows"]:
            if (row["num_features"], row["width"], row["depths"]) != (*shape, [2]):
                continue
            others = {
                said: (
                    row[name]["samples_per_second"]["median"],
                    row[name]["ratio"]["median"],
                )
                for name, said in OTHERS.items()
                if name in row
            }
            ours = row["vecevo"]["samples_per_second"]["median"]
            what = f"training on {shape[0]} features, 2 layers of {shape[1]}"
            yield cells_of(what, ours, "samples/s", others)


def operators_rows(record):
    """Generations a second of the smallest population."""
    row = record["rows"][0]
    others = {
        said: (
            row[name]["generations_per_second"]["median"],
            row[name]["ratio"]["median"],
        )
        for name, said in LIBRARIES.items()
        if name in row
    }
    ours = row["vecevo"]["generations_per_second"]["median"]
    what = f"genetic operators alone, {row['population_size']} genomes"
    yield cells_of(what, ours, "generations/s", others)


def search_rows(record):
    """Networks that it takes to be as good as the best other package at its end."""
    ranked = [row for row in record["rows"] if "cells" in row]
    ours, peers = ranked[0], [row for row in ranked if row["version"]]
    if not peers or not curve_file.PATH.exists():
        return
    theirs = min(peers, key=lambda row: row["mean_rank"])
    name, needed = theirs["method"], count_needed(ours["method"], theirs["method"])
    ours_least, theirs_least = (
        f"{min(counts)}-{max(counts)}" for counts in zip(*needed, strict=True)
    )
    ratios = [second / first for first, second in needed]
    num_asked = compare.BATCH_SIZE * compare.NUM_BATCHES
    yield (
        f"networks that a search needs to be where {name} is after {num_asked}, "
        f"on {len(needed)} recorded tables",
        f"{ours_least} networks",
        f"{name} {theirs_least}",
        f"{min(ratios):.2f}-{max(ratios):.2f}",
    )
    yield (
        f"mean rank of {len(ranked)} searches on these",
        f"{ours['mean_rank']:.2f}",
        f"{name} {theirs['mean_rank']:.2f}",
        "",
    )


def count_needed(ours, theirs):
    """Networks until the median regret is what `theirs` ends at, on each table."""
    cached, needed = curve_file.read(), []
    for table in sources.FCNET:
        curves = [
            np.median(cached[table][method]["regret"], axis=0)
            for method in (ours, theirs)
        ]
        needed.append([count_until(curve, curves[1][-1]) for curve in curves])
    return needed


def count_until(curve, level):
    """Distinct networks after which a curve of regrets is first down at a level."""
    places = np.flatnonzero(np.asarray(curve) <= level)
    return compare.BATCH_SIZE * int(places[0] + 1) if places.size else np.inf


ROWS = {
    "small": small_rows,
    "jobs": jobs_rows,
    "lanes": lanes_rows,
    "operators": operators_rows,
    "search": search_rows,
}


def where_measured(found):
    """Yields the machine and versions of the records of times, each once."""
    places = {}
    for name in TIMED:
        if name in found:
            places.setdefault(markdown.where(found[name]), []).append(name)
    for place, names in places.items():
        yield place if len(places) == 1 else f"{', '.join(names)}: {place}"


def peer_versions(found):
    """Yields the versions of other packages."""
    packages = (("jobs", "keras"), *(("operators", name) for name in LIBRARIES))
    texts = [
        f"{OTHERS.get(package) or LIBRARIES[package]} "
        f"{found[name]['versions'][package]}"
        for name, package in packages
        if name in found and found[name]["versions"][package] != "absent"
    ]
    if "search" in found:
        versions = {
            row["method"].split()[0]: row["version"]
            for row in found["search"]["rows"]
            if row["version"]
        }
        texts += [f"{name} {version}" for name, version in versions.items()]
    if texts:
        yield ", ".join(dict.fromkeys(texts))


def link(name):
    """A link to a record from the top of the repository."""
    return f"[{name}](bench/records/{name}.json)"
