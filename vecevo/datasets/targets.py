"""Numbers to be predicted: standardised to be learned, and back in their units."""

from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from vecevo.datasets.columns import (
    column_names,
    column_numbers,
    float_of,
    is_frame,
    is_missing,
    varies,
)
from vecevo.errors import InputError, describe, first_few, is_number

Task = Literal["auto", "classification", "regression"]


class Targets(NamedTuple):
    """The K numbers that each example has, by the part trained on."""

    names: tuple[str, ...]
    mean: np.ndarray  # float64[K]
    deviation: np.ndarray  # float64[K], above 0


def is_regression(y: Any, task: Task) -> bool:
    """Whether numbers are to be predicted, and not classes.

    By default they are where one of them has a fraction, and where an example has
    several floats. Whole numbers, texts, truth values and categories are classes.

    Raises:
      InputError: for an unknown task.
    """
    if task not in get_args(Task):
        raise InputError(f"task={task!r} must be one of {', '.join(get_args(Task))}.")
    if task != "auto":
        return task == "regression"
    values = _as_numbers(y)
    if values is None:
        return False
    if values.ndim == 2 and values.shape[1] > 1:
        if np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all():
            raise InputError(
                "y has a 1 and zeros in every example, as one-hot labels: give "
                "y.argmax(axis=1), or task='regression'."
            )
        return values.dtype.kind == "f"
    return bool((values[np.isfinite(values)] % 1 != 0).any())


def as_targets(y: Any, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns numbers float64[N, K], and a name for each of the K.

    Args:
      y: list, array, Series or DataFrame of numbers, [N] or [N, K].
      name: for messages.

    Raises:
      InputError: for what holds no numbers, or one that is missing or infinite.
    """
    values = _as_numbers(y)
    if values is None:
        _name_text(y, name)
    if values is None or values.ndim not in (1, 2) or not values.size:
        raise InputError(
            f"{name} is {describe(y)}: give numbers to be predicted, one or several "
            "for each example, or task='classification'."
        )
    values = values.reshape(len(values), -1).astype(np.float64)
    names = _names_of(y, values.shape[1])
    twice = [target for target in names if names.count(target) > 1]
    if twice:
        raise InputError(f"{name} has two targets {twice[0]!r}: rename one of them.")
    is_wrong = ~np.isfinite(values)
    if is_wrong.any():
        row, column = np.argwhere(is_wrong)[0]
        raise InputError(
            f"{name} has the target {names[column]!r} of {values[row, column]} in "
            f"example {row}: leave that example out."
        )
    return values, names


def check_alike_targets(
    names: tuple[str, ...], names_test: tuple[str, ...], *, is_named: bool
) -> None:
    """Refuses a test part with other targets than the part trained on.

    Args:
      names, names_test: of both.
      is_named: whether the user gave these names, in both.

    Raises:
      InputError: naming what differs.
    """
    if len(names) != len(names_test):
        raise InputError(
            f"y_test has {len(names_test)} targets and y_train {len(names)}: give the "
            "same in both."
        )
    if is_named and names != names_test:
        raise InputError(
            f"y_test has the targets {', '.join(names_test)} and y_train "
            f"{', '.join(names)}: give the same, in one order."
        )


def fit_targets(values: np.ndarray, names: tuple[str, ...], name: str) -> Targets:
    """Fits Targets to the part to train on, float64[N, K].

    Raises:
      InputError: for a target that does not vary there, or is beyond float64.
    """
    constant = np.flatnonzero(~varies(values))
    if len(constant):
        place = constant[0]
        raise InputError(
            f"{name} has the target {names[place]!r} of {values[0, place]:g} in all "
            f"{len(values)} examples trained on: give some that vary, or leave it out."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        targets = Targets(names, values.mean(axis=0), values.std(axis=0))
    is_beyond = ~(np.isfinite(targets.deviation) & (targets.deviation > 0))
    if is_beyond.any():
        raise InputError(
            f"{name} has the target {names[is_beyond.argmax()]!r} of a deviation that "
            "float64 cannot hold: give it in another unit."
        )
    return targets


def standardize(targets: Targets, values: np.ndarray) -> np.ndarray:
    """Returns float32[N, K], of mean 0 and deviation 1 in the part trained on.

    Raises:
      InputError: for a value so far off that float32 does not hold it.
    """
    with np.errstate(over="ignore"):
        found = ((values - targets.mean) / targets.deviation).astype(np.float32)
    is_beyond = ~np.isfinite(found).all(axis=0)
    if is_beyond.any():
        raise InputError(
            f"the target {targets.names[is_beyond.argmax()]!r} has a value that is too "
            "far from those trained on: leave that example out."
        )
    return found


def restore(targets: Targets, outputs: np.ndarray) -> np.ndarray:
    """Returns standardised numbers [N, K] in their units, float64[N, K].

    Of one target it is float64[N].
    """
    values = np.asarray(outputs, np.float64) * targets.deviation + targets.mean
    return values[:, 0] if len(targets.names) == 1 else values


def r_squared(said: np.ndarray, right: np.ndarray) -> float:
    """Returns R2, the mean over targets of 1 - squared error / variance.

    Args:
      said, right: float[N, K], standardised. Where all examples have one value, the
        variance is that of the part trained on, 1.
    """
    errors = np.square(np.asarray(said, float) - right).mean(axis=0)
    variances = np.var(right, axis=0, dtype=float)
    variances = np.where(variances > 0, variances, 1)
    return float(np.mean(1 - errors / variances))


def rmse(targets: Targets, said: np.ndarray, right: np.ndarray) -> list[float]:
    """Returns the root mean squared error of each of K targets, in its unit.

    Args:
      targets: of both.
      said, right: float[N, K], standardised.
    """
    errors = np.square(np.asarray(said, float) - right).mean(axis=0)
    return (np.sqrt(errors) * targets.deviation).tolist()


def targets_line(targets: Targets) -> str:
    """Says the targets, with mean and deviation of each in the part trained on."""
    rows = zip(*targets, strict=True)
    named = [f"{name} ({mean:.4g} ± {spread:.4g})" for name, mean, spread in rows]
    plural = "s"[: len(named) != 1]
    return f"regression: {len(named)} target{plural}: {first_few(named)}"


def _as_numbers(y: Any) -> np.ndarray | None:
    """Returns an array of numbers as floats or whole numbers; None of all else.

    Truth values are no numbers here; what is missing is NaN.
    """
    if str(getattr(y, "dtype", "")) == "category":  # of pandas
        return None
    if isinstance(y, np.ma.MaskedArray):
        of_numbers = y.dtype.kind in "iuf"
        y = np.ma.filled(y.astype(float), np.nan) if of_numbers else y.tolist()
    try:
        values = y.to_numpy() if hasattr(y, "iloc") else np.asarray(y)
    except (TypeError, ValueError):  # of several lengths
        return None
    if values.dtype.kind in "iuf" and values.ndim:
        return values
    flat = values.ravel().tolist() if values.dtype == object and values.ndim else []
    if not flat or not all(is_number(v) or is_missing(v) for v in flat):
        return None
    return np.array([float_of(value) for value in flat]).reshape(values.shape)


def _name_text(y: Any, name: str) -> None:
    """Refuses a column with a text in it that is no number, and names that."""
    values = y.to_numpy() if hasattr(y, "iloc") else np.asarray(y, object)
    for row, value in enumerate(values.tolist() if values.ndim == 1 else []):
        if column_numbers(np.array([value], object)) is None:
            raise InputError(
                f"{name} has {value!r} in example {row}, which is no number to be "
                "predicted: correct it, leave it out, or give task='classification'."
            )


def _names_of(y: Any, num_targets: int) -> tuple[str, ...]:
    if is_frame(y):
        return column_names(y)
    if getattr(y, "name", None) is not None:  # of a Series
        return (str(y.name),)
    if num_targets == 1:
        return ("target",)
    return tuple(f"target_{place}" for place in range(num_targets))
