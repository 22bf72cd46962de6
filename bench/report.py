"""Renders the README's tables from the records, between comments that mark them."""

import os
import pathlib
import subprocess
import sys

from bench import records

README = pathlib.Path(__file__).parent.parent / "README.md"


def render(console):
    """Writes every table that has a record and a place in the README."""
    text = README.read_text()
    for name, make_table in TABLES.items():
        record = records.read(name)
        if record is None:
            console.print(f"report: no record {name}; its table stays as it is")
            continue
        text = replace_block(text, name, make_table(record))
        console.print(f"report: {name}")
    README.write_text(replace_block(text, "help", help_block()))


def help_block():
    """The command line's help, as printed 80 columns wide."""
    done = subprocess.run(
        [sys.executable, "-m", "vecevo.run", "--help"],
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    return f"```text\n{done.stdout.strip()}\n```"


def replace_block(text, name, table):
    """Puts a table between <!-- NAME --> and <!-- end of NAME -->."""
    before, start, rest = text.partition(f"<!-- {name} -->\n")
    _, stop, after = rest.partition(f"<!-- end of {name} -->")
    if not start or not stop:
        raise ValueError(f"README.md has no <!-- {name} --> block: add one.")
    return f"{before}{start}\n{table}\n\n{stop}{after}"


def lanes_table(record):
    """Markdown for the record of `lanes`."""
    lines = [
        "| features | width | lanes | vecevo | one by one | ratio | spread | planned |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in record["rows"]:
        ratio = row["ratio"]
        lines.append(
            f"| {row['num_features']} | {row['width']} | {row['num_lanes']} "
            f"| {row['mixed_samples_per_second']['median']:,.0f} "
            f"| {row['reference_samples_per_second']['median']:,.0f} "
            f"| **{ratio['median']:.2f}** | {ratio['min']:.2f}-{ratio['max']:.2f} "
            f"| {row['ratio_planned']['median']:.2f} |"
        )
    n = record["rows"][0]["ratio"]["n"]
    return "\n".join([*lines, "", source(record, f"Median and spread of {n} pairs")])


def parity_table(record):
    """Markdown for the record of `parity`."""
    lines = [
        "| data set | epochs | Keras, last epoch | vecevo, last epoch | seeds |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for row in record["rows"]:
        keras, ours = row["keras_accuracy"], row["vecevo_accuracy"]
        lines.append(
            f"| {row['dataset']} | {row['num_epochs']} "
            f"| {100 * sum(keras) / len(keras):.1f} % "
            f"| {100 * sum(ours) / len(ours):.1f} % | {len(ours)} |"
        )
    how = f"Means over the seeds; Keras {record['versions']['keras']} on JAX"
    return "\n".join([*lines, "", source(record, how)])


def source(record, how):
    """The line below a table that says where its numbers come from."""
    versions = record["versions"]
    return (
        f"{how}; {record['device']}; Python {versions['python']}, JAX "
        f"{versions['jax']}, Flax {versions['flax']}, Optax {versions['optax']}; "
        f"`{record['command']}`, commit {record['commit']}, "
        f"[record](bench/records/{record['name']}.json)."
    )


TABLES = {"lanes": lanes_table, "parity": parity_table}
