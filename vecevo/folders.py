"""Where vecevo keeps what need not be computed again."""

import os
import pathlib

from vecevo.errors import InputError


def default_cache_dir() -> pathlib.Path:
    """The user's cache folder for vecevo, by the XDG convention."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(home) / "vecevo"


def expand(path: str | os.PathLike, *, name: str) -> pathlib.Path:
    """Returns a path whose ~ is the home folder that it stands for.

    Args:
      path: which may start with ~ or ~USER.
      name: of the argument that gave it, for the message.

    Raises:
      InputError: for a user that is not there.
    """
    try:
        return pathlib.Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(
            f"{name}={str(path)!r} names a user without a home folder: give another "
            "path, or ./ before the ~ of a file's name."
        ) from error
