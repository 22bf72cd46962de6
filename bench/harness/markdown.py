"""Lines of Markdown tables."""


def head(names, more=()):
    """The first lines of a table whose cells are aligned to the right."""
    names = (*names, *more)
    return [row(names), "|" + " ---: |" * len(names)]


def row(cells):
    """A line of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def finish(lines, record, how):
    """The table with a line below that says where its numbers come from."""
    versions = record["versions"]
    source = (
        f"{how}; {record['device']}; Python {versions['python']}, JAX "
        f"{versions['jax']}, Flax {versions['flax']}, Optax {versions['optax']}; "
        f"`{record['command']}`, commit {record['commit']}, "
        f"[record](bench/records/{record['name']}.json)."
    )
    return "\n".join([*lines, "", source])
