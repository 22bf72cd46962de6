"""What a user did wrong, said in one line: the argument, its value, the way out."""

import difflib
import errno
import itertools
import numbers
import os
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

MOST_SEED = 2**64 - 1
MOST_COUNT = 2**31 - 1
NOT_THERE = (errno.ENOENT, errno.ENOTDIR)  # of check_paths


class InputError(ValueError):
    """Bad input: the command line prints it as one line, and ends with exit code 2.

    Any other exception is a mistake of the program's, and keeps its traceback.
    """


def check_counts(**counts: Any) -> None:
    """Refuses settings that are no whole number from 1 up.

    Raises:
      InputError: naming the first of them.
    """
    for name, count in counts.items():
        if not is_whole(count) or count < 1:
            raise InputError(f"{name}={count!r} must be a whole number from 1 up.")
        if count > MOST_COUNT:
            raise InputError(f"{name}={count!r} must be at most {MOST_COUNT}.")


def check_positive(**amounts: Any) -> None:
    """Refuses settings that are neither None nor a number above 0.

    Raises:
      InputError: naming the first of them.
    """
    for name, amount in amounts.items():
        if amount is not None and not (is_number(amount) and amount > 0):
            raise InputError(f"{name}={amount!r} must be a number above 0, or None.")


def check_seed(seed: Any) -> None:
    """Refuses what is no whole number from 0 to 2^64 - 1.

    Raises:
      InputError: naming it.
    """
    if not is_whole(seed) or not 0 <= seed <= MOST_SEED:
        raise InputError(f"seed={seed!r} must be a whole number from 0 to 2**64 - 1.")


def check_paths(**paths: Any) -> None:
    """Refuses paths that cannot even be looked for, as Python would with a traceback.

    None, and a path where nothing is, are right.

    Raises:
      InputError: naming the first of them: too long a name, a folder without access.
    """
    for name, path in paths.items():
        try:
            if path is not None:
                os.stat(path)
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) not in NOT_THERE:
                reason = getattr(error, "strerror", None) or error
                raise InputError(
                    f"{name}={describe(str(path))} cannot be looked for "
                    f"({reason}): give another path."
                ) from error


def check_names(given: Iterable[str], known: Iterable[str], *, of: str) -> None:
    """Refuses names that are not among those known; `of` says what they are of.

    Raises:
      InputError: naming the first of them, the nearest known one, and all of these.
    """
    known = list(known)
    unknown = sorted(set(given) - set(known))
    if unknown:
        near = did_you_mean(unknown[0], known)
        raise InputError(
            f"{unknown[0]!r} is no {of}{near}: use {', '.join(sorted(known))}."
        )


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """Returns words that say which known name is nearest to another; or nothing.

    >>> did_you_mean("Speces", ("species", "kind")), did_you_mean("colour", ("kind",))
    (' (did you mean species?)', '')
    """
    known = list(known)
    if not isinstance(name, str) or name in known:
        return ""
    by_lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.7)
    return f" (did you mean {by_lower[near[0]]}?)" if near else ""


def describe(value: Any) -> str:
    """A value as a message shows it, in one short line: of arrays, what they are."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"{type(value).__name__} {value.dtype}{list(value.shape)}"
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # a whole number of more digits than Python writes
        return f"{type(value).__name__} of too many digits"
    return text if len(text) <= 80 else f"{text[:60]}... ({type(value).__name__})"


def first_few(texts: Sequence[str], *, most: int = 5, separator: str = ", ") -> str:
    """Returns the first of some texts, and how many more there are.

    >>> first_few("abc"), first_few("abcd", most=2)
    ('a, b, c', 'a, b and 2 more')
    """
    shown, num_more = separator.join(texts[:most]), len(texts) - most
    return f"{shown} and {num_more:,} more" if num_more > 0 else shown


def repr_without(record: Any, names: Collection[str]) -> str:
    """Returns the repr of a named tuple, but for fields that would fill a screen.

    >>> import collections
    >>> point = collections.namedtuple("Point", ("name", "place"))("a", [0] * 1000)
    >>> repr_without(point, {"place"})
    "Point(name='a', ...)"
    """
    shown = [f"{k}={v!r}" for k, v in record._asdict().items() if k not in names]
    return f"{type(record).__name__}({', '.join([*shown, '...'])})"


def check_callable(**functions: Any) -> None:
    """Refuses what is neither None nor a function.

    Raises:
      InputError: naming the first of them.
    """
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise InputError(f"{name}={describe(function)} must be a function.")


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, NumPy's included, and no truth value."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a real number, NumPy's included, and no truth value."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def do_ascend(values: Any) -> bool:
    """Whether values are whole numbers that ascend from 1 or more, at least one."""
    is_right = isinstance(values, Sequence) and all(map(is_whole, values))
    return bool(is_right and values) and all(
        earlier < later for earlier, later in itertools.pairwise([0, *values])
    )
