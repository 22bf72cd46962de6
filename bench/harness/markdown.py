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
    source = (
        f"{how}; {where(record)}; `{record['command']}`, commit {record['commit']}, "
        f"[record](records/{record['name']}.json)."
    )
    return "\n".join([*lines, "", source])


def where(record):
    """The machine and the versions of a record."""
    versions = record["versions"]
    return (
        f"{record['device']}; Python {versions['python']}, JAX {versions['jax']}, "
        f"Flax {versions['flax']}, Optax {versions['optax']}"
    )
