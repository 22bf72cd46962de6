"""What a run selects by: names of objectives, their values, the Pareto front."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vecevo.errors import InputError

NAMES = ("accuracy", "num_params")  # validation accuracy up, parameters down


def check_objectives(names: Sequence[str]) -> None:
    """Refuses objectives that no run can have.

    Raises:
      InputError: naming them.
    """
    if isinstance(names, str):
        raise InputError(f"objectives={names!r} is a lone name: give ({names!r},).")
    known = [name for name in names if name in NAMES]
    if known != list(names) or len(set(names)) < len(names) or "accuracy" not in names:
        raise InputError(
            f"objectives={tuple(names)} must be accuracy, or accuracy and num_params, "
            "each once."
        )


def objective_values(
    names: Sequence[str], accuracy: ArrayLike, num_params: ArrayLike
) -> np.ndarray:
    """Returns fitness float32[P], or float32[P, M] for M objectives.

    A network that failed, with an accuracy of -inf, is -inf in all of them.

    Args:
      names: of the objectives.
      accuracy: float32[P].
      num_params: int[P].
    """
    accuracy = np.asarray(accuracy, np.float32)
    if len(names) == 1:
        return accuracy
    columns = {"accuracy": accuracy, "num_params": -np.asarray(num_params, np.float32)}
    values = np.stack([columns[name] for name in names], axis=1)
    return np.where(np.isfinite(accuracy)[:, None], values, np.float32(-np.inf))


def pareto_front(values: np.ndarray) -> list[int]:
    """Returns the rows of fitness float32[N, M] that no other row dominates.

    A row dominates another that is nowhere better, and somewhere worse. Of equal rows
    all are in the front.
    """
    front = []
    for row, own in enumerate(values):
        dominates = (values >= own).all(axis=1) & (values > own).any(axis=1)
        if not dominates.any():
            front.append(row)
    return front
