"""Tables in files, read by pandas: .csv, .tsv and .parquet."""

import pathlib
from typing import Any

from vecevo.datasets.weighing import as_weights
from vecevo.errors import InputError, describe, did_you_mean, first_few
from vecevo.extras import import_extra

ENDINGS = (".csv", ".tsv", ".parquet")
TARGETS = ("target", "label", "class", "y")  # names of a column of labels, any case
MISSING = ("?",)  # beside what pandas takes for missing


def read_table(path: pathlib.Path, *, argument: str, least_columns: int = 2) -> Any:
    """Reads a file as a pandas DataFrame.

    Args:
      path: with one of the ENDINGS, in any case.
      argument: what gave the path, for messages.
      least_columns: some to learn from, and one of labels.

    Raises:
      InputError: for what cannot be read, has no rows or no names of columns, or
        where the extra `tables` is not installed.
    """
    pandas = import_extra("pandas", "tables")
    ending = path.suffix.lower()
    try:
        if ending == ".parquet":
            import_extra("pyarrow", "tables")
            frame = pandas.read_parquet(path)
        else:
            separator = "\t" if ending == ".tsv" else _separator(path)
            # Where semicolons separate, a comma is the decimal point.
            decimal = "," if separator == ";" else "."
            frame = pandas.read_csv(
                path, sep=separator, decimal=decimal, na_values=MISSING
            )
    except InputError:
        raise
    except Exception as error:  # pandas and pyarrow raise some twenty kinds
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{argument}={str(path)!r} cannot be read ({reason}): give a table with "
            "the names of its columns in the first row."
        ) from error
    given = f"{argument}={str(path)!r}"
    return _check_table(_without_index(frame), given, least_columns)


def split_weight(frame: Any, weight: str | None, *, argument: str) -> tuple[Any, Any]:
    """Returns a table without a column of weights, and that column; None: no column.

    Args:
      frame: DataFrame.
      weight: name of the column.
      argument: name and value of what gave the table, for messages.

    Raises:
      InputError: for a name that no column has.
    """
    if weight is None:
        return frame, None
    names = list(map(str, frame.columns))
    if weight not in names or len(names) < 3:
        raise InputError(
            f"weight={weight!r} is no column of {argument} beside labels and some to "
            f"learn from{did_you_mean(weight, names)}: it has {_some(names)}."
        )
    place = names.index(weight)
    given = f"the column {weight!r} of weights"
    weights = as_weights(frame.iloc[:, place], len(frame), argument=given)
    return frame.drop(columns=frame.columns[place]), weights


def split_target(
    frame: Any, target: str | None, *, argument: str
) -> tuple[Any, Any, str]:
    """Returns a table without its column of labels, that column, and what it is.

    Args:
      frame: DataFrame.
      target: name of the column, or several with commas between; None: one named as
        in TARGETS, or the last.
      argument: name and value of what gave the table, for messages.

    Raises:
      InputError: for a name that no column has.
    """
    names = list(map(str, frame.columns))
    if target is None:
        lower = [name.strip().lower() for name in names]
        known = [name for name in TARGETS if name in lower]
        place = lower.index(known[0]) if known else len(names) - 1
        why = "by its name" if known else "the last one"
    elif target in names:
        place, why = names.index(target), "as asked"
    elif "," in target and set(several := target.split(",")) <= set(names):
        return _split_several(frame, several, argument)
    else:
        wrong = [part for part in target.split(",") if part not in names]
        of_several = f", for {wrong[0]!r}" if wrong[0] != target else ""
        raise InputError(
            f"target={describe(target)} is no column of {argument}{of_several}"
            f"{did_you_mean(wrong[0], names)}: it has {_some(names)}."
        )
    x = frame.drop(columns=frame.columns[place])
    return x, frame.iloc[:, place], f"target: the column {names[place]!r}, {why}"


def _split_several(
    frame: Any, targets: list[str], argument: str
) -> tuple[Any, Any, str]:
    names = list(map(str, frame.columns))
    given = f"target={describe(','.join(targets))}"
    if len(targets) == len(names):
        raise InputError(
            f"{given} are all columns of {argument}: leave some to learn from."
        )
    if len(set(targets)) < len(targets):
        raise InputError(f"{given} names a column twice: name each once.")
    places = [names.index(target) for target in targets]
    numeric = frame.iloc[:, places].select_dtypes(["number", "bool"]).columns
    texts = [target for target in targets if target not in map(str, numeric)]
    if texts:
        raise InputError(
            f"{given}: the column {texts[0]!r} holds texts, and of several targets all "
            "are numbers: leave it out, or name it alone."
        )
    rest = [place for place in range(len(names)) if place not in places]
    said = f"targets: the columns {_some(targets)}, as asked"
    return frame.iloc[:, rest], frame.iloc[:, places], said


def _separator(path: pathlib.Path) -> str:
    """The separator of a .csv: a semicolon where its first line has no comma."""
    with open(path, encoding="utf-8", errors="replace") as file:
        first = file.readline()
    return ";" if ";" in first and "," not in first else ","


def _without_index(frame: Any) -> Any:
    """Drops the row numbers that `DataFrame.to_csv` writes without being asked."""
    first = frame.columns[0] if len(frame.columns) else ""
    if str(first) == "Unnamed: 0" and list(frame[first]) == list(range(len(frame))):
        return frame.drop(columns=first)
    return frame


def _check_table(frame: Any, given: str, least_columns: int) -> Any:
    names = list(map(str, frame.columns))
    if not len(frame):
        raise InputError(f"{given} has no rows: give some examples.")
    if len(names) < least_columns:
        raise InputError(
            f"{given} has {len(names)} column: give some to learn from, and one of "
            "labels."
        )
    are_places = names == [str(place) for place in range(len(names))]
    if not are_places and all(_is_number(name) for name in names):
        raise InputError(
            f"{given} has numbers in its first row, {_some(names)}: put the names of "
            "the columns there."
        )
    return frame


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _some(names: list[str]) -> str:
    return first_few([*map(repr, names)], most=8)
