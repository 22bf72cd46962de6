"""What a run must share with the one that it goes on with."""

import json
from collections.abc import Mapping
from typing import Any

from vecevo.errors import InputError, describe


def as_recorded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns values as the journal gives them back."""
    return json.loads(json.dumps(values))


def check_same(folder: Any, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuses to go on with a run as another one.

    Args:
      folder: of the run.
      before: what it recorded.
      now: what it would be now.

    Raises:
      InputError: naming all that differs.
    """
    differences = [
        "the data set has changed"
        if name == "data"
        else f"{name} was {describe(before.get(name))} and is {describe(value)}"
        for name, value in {**dict.fromkeys(before), **as_recorded(now)}.items()
        if before.get(name) != value
    ]
    if differences:
        raise InputError(
            f"resume={str(folder)!r} would be another run: {'; '.join(differences)}. "
            "Resume it as it began, or start another."
        )
