"""Where vecevo keeps what need not be computed again."""

import os
import pathlib


def default_cache_dir() -> pathlib.Path:
    """The user's cache folder for vecevo, by the XDG convention."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(home) / "vecevo"
