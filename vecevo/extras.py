"""What an installation may lack, because only some users need it."""

import importlib
from typing import Any

from vecevo.errors import InputError


def import_extra(module: str, extra: str) -> Any:
    """Imports a module of an extra.

    Raises:
      InputError: naming the extra, where it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"this needs {module.partition('.')[0]}, which is not installed: pip "
            f"install 'vecevo[{extra}]'."
        ) from error
