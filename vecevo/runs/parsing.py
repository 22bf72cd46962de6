"""Settings from a command line, and of runs that were recorded."""

import contextlib
import dataclasses
import io
import pathlib
import re
import sys
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tyro

from vecevo.errors import InputError, check_names, check_paths, did_you_mean
from vecevo.runs.configuration import (
    DataConfig,
    OutputConfig,
    RunConfig,
    SearchConfig,
    SpaceConfig,
    TrainingConfig,
    WorkersConfig,
    in_space,
)
from vecevo.runs.files import queries
from vecevo.runs.files.toml import as_now, read_toml
from vecevo.runs.stopping import ending_with_reader

MAY_CHANGE = {  # as a run goes on
    *("num_generations", "max_seconds", "confirm", "ensemble", "plan", "quiet"),
    *("report", "cache_dir", "data_dir", "device"),
    *("workers", "ray", "allow_mixed_devices"),
}
# What tyro says of a name that is none of those that an option takes.
CHOICE = re.compile(
    r"(?P<said>.*(?P<quote>['\"])(?P<value>.*)(?P=quote) for argument '.*?')\. "
    r"Expected one of \((?P<names>.*)\)"
)
# And of what is of another type; the last quotation is what was given.
VALUE = re.compile(r"Error parsing (?P<option>--\S+): .*(?P<value>'.*?')[^']*")
COMMANDS = ("export", "predict", "report")  # modules of the package, beside `run`
PROG = "vecevo"
DESCRIPTION = """Trains and evolves populations of neural networks on a data set.

Examples:
  vecevo                                      the article's space on embedded digits
  vecevo --dataset my.csv --target species    a table of your own
  vecevo --dataset cifar10 --strategy grid    every network of the space
  vecevo --width 64 128 --learning-rate 0.001 0.01 --num-generations 5
  vecevo --plan --dataset cifar10             what it would take, before it is run
  vecevo --config runs/first/config.toml --output-dir runs/second
  vecevo --resume runs/first                  goes on with a run that was stopped

vecevo predict, vecevo export and vecevo report use what a run has left; each has a
--help of its own.

--config FILE takes any of these settings from a TOML file, with underscores in
their names; the command line overrides it. --version prints the version."""


@dataclasses.dataclass(frozen=True)
class _Groups:
    """The same settings as the command line shows them."""

    data: DataConfig
    space: SpaceConfig
    search: SearchConfig
    training: TrainingConfig
    workers: WorkersConfig
    output: OutputConfig


def parse(args: Sequence[str]) -> RunConfig:
    """Parses a command line, and the TOML file that it names.

    Raises:
      InputError: in one line, for what cannot be parsed.
    """
    check_texts(args)
    args, default = list(args), RunConfig()
    path = _take_option(args, "--config")
    if path is not None:
        default = read_toml(path)
    resumed = _take_option(args, "--resume")
    if resumed is not None:
        if path is not None:
            raise InputError(
                f"config={path!r} and resume={resumed!r}: a run goes on with its own "
                "settings, so leave --config out."
            )
        default = recorded_settings(resumed)
    space = _take_option(list(args), "--space")
    if space is not None and resumed is None:
        default = in_space(default, space)
    groups = parse_args(
        tyro.conf.OmitArgPrefixes[_Groups],
        args,
        prog=PROG,
        known=("--config", "--version", *COMMANDS),
        description=DESCRIPTION,
        default=_to_groups(default),
    )
    parts = (vars(getattr(groups, f.name)) for f in dataclasses.fields(_Groups))
    config = RunConfig(**{name: v for part in parts for name, v in part.items()})
    if resumed is not None:
        check_resumed(default, config)
    return config


def check_texts(args: Sequence[str]) -> None:
    """Refuses arguments that no file of settings could hold.

    Raises:
      InputError: for bytes that are no UTF-8, which Python takes as surrogates.
    """
    for arg in args:
        try:
            arg.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"argument {arg!r} is no UTF-8: give a text.") from error


def _take_option(args: list[str], name: str) -> str | None:
    """Takes an option with its value out of a command line; None: it is not there."""
    for place, arg in enumerate(args):
        if arg == name or arg.startswith(f"{name}="):
            _, is_joined, value = arg.partition("=")
            if not is_joined:
                value = "".join(args[place + 1 : place + 2])
            args[place : place + (1 if is_joined else 2)] = []
            return value
    return None


def recorded_settings(run: str) -> RunConfig:
    """Returns the settings of a run that is to go on, in the folder where it is now.

    Raises:
      InputError: for what is no run, or did not record its settings.
    """
    folder = pathlib.Path(run)
    path = folder / "run.sqlite"
    check_paths(resume=path)
    if path.exists():
        values = (queries.read_meta(path) or {}).get("config")
        if not values:
            raise InputError(
                f"resume={run!r} did not record its settings: go on with it from "
                "Python, vecevo.search(..., output_dir=..., resume=True)."
            )
        config = from_recorded(values)
    elif (folder / "config.toml").exists():  # of several runs
        config = read_toml(folder / "config.toml")
    else:
        raise InputError(
            f"resume={run!r} is no folder of a run: it has no run.sqlite; give one."
        )
    return dataclasses.replace(config, resume=run, output_dir=run)


def from_recorded(values: dict[str, Any]) -> RunConfig:
    """Returns the configuration that a run recorded, resolved.

    Raises:
      InputError: for a setting that this version has not.
    """
    values = as_now(values)
    check_names(values, RunConfig.__dataclass_fields__, of="setting of this version")
    given: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
    }
    return RunConfig(**{"rungs": "none", **given})  # as runs were before there were any


def check_resumed(before: RunConfig, config: RunConfig) -> None:
    """Refuses settings that a run cannot change as it goes on.

    Raises:
      InputError: naming all of them.
    """
    changed = [
        f"{name} was {value!r} and is {getattr(config, name)!r}"
        for name, value in vars(before).items()
        if name not in MAY_CHANGE and getattr(config, name) != value
    ]
    if changed:
        raise InputError(
            f"resume={before.resume!r} would be another run: {'; '.join(changed)}. "
            "Leave these out, or start another."
        )


def parse_args(
    kind: Any,
    args: Sequence[str],
    *,
    prog: str,
    known: Iterable[str] = (),
    **settings: Any,
) -> Any:
    """Parses a command line into a dataclass, or what else tyro takes as a kind.

    Args:
      kind: what is parsed.
      args: the command line.
      prog: the name of the command.
      known: what else may be on its line, to be named where it is misspelt.
      settings: of tyro.

    Raises:
      InputError: in one line, for what cannot be parsed.
    """
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            return tyro.cli(kind, args=args, prog=prog, **settings)
    except SystemExit as stop:
        if not stop.code:
            raise
        options = ["--help", *_options(kind), *known]
        line = _with_nearest(_one_line(errors.getvalue()), args, options)
        raise InputError(f"{line}: see {prog} --help.") from None


def _options(kind: Any) -> list[str]:
    """The options by which a dataclass, or one of dataclasses, is given."""
    options, kind = [], typing.get_args(kind)[0] if typing.get_args(kind) else kind
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        if dataclasses.is_dataclass(hint):
            options += _options(hint)
        elif tyro.conf.Positional not in getattr(hint, "__metadata__", ()):
            words = name.replace("_", "-")
            options += [f"--{words}", f"--no-{words}"][: 1 + (hint is bool)]
    return options


def _with_nearest(line: str, args: Sequence[str], options: Sequence[str]) -> str:
    """Says of a misspelt option, or one of the names that it takes, what is nearest.

    >>> _with_nearest("Unrecognized options: --sede, 3", ["--sede=3"], ["--seed"])
    '--sede is no option (did you mean --seed?)'
    >>> _with_nearest("Error parsing --seed: no int: 'x'", ["--seed", "x"], ["--seed"])
    "--seed cannot be 'x'"
    """
    words = [arg.partition("=")[0] for arg in args if arg.startswith("--")]
    unknown = [word for word in words if word.replace("_", "-") not in options]
    if not unknown and line.startswith(start := "Unrecognized options: "):
        unknown = line.removeprefix(start).split(", ")
    if unknown:
        word = unknown[0] if unknown[0].isprintable() else repr(unknown[0])
        return f"{word} is no option{did_you_mean(unknown[0], options)}"
    if found := VALUE.fullmatch(line):
        return f"{found['option']} cannot be {found['value']}"
    if found := CHOICE.fullmatch(line):
        names = sorted(set(re.findall(r"'(.*?)'", found["names"])) - {"None"})
        near = did_you_mean(found["value"], names)
        return f"{found['said']}{near}: use {', '.join(names)}"
    return line


def run_command(
    kind: Any, command_fn: Callable[[Any], None], *, prog: str, description: str
) -> None:
    """Runs a command beside the main one; bad input ends with exit code 2."""
    args = sys.argv[1:]
    try:
        check_texts(args)
        with ending_with_reader():
            command_fn(parse_args(kind, args, prog=prog, description=description))
    except InputError as error:
        print(f"vecevo: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def _to_groups(config: RunConfig) -> _Groups:
    parts = {}
    for name, group in typing.get_type_hints(_Groups).items():
        names = [field.name for field in dataclasses.fields(group)]
        parts[name] = group(**{name: getattr(config, name) for name in names})
    return _Groups(**parts)


def _one_line(box: str) -> str:
    """Takes the message out of the box that tyro draws round it, above its help.

    The title is in the upper border, or, where the terminal has no line characters,
    above a rule of its own; another rule ends the message. A rule is as wide as the
    box: rows of the message may be empty or have dashes, as what was typed.
    """
    border, *rows = box.splitlines()
    rows = [row.strip("│ ") for row in rows[0 if box.startswith("╭") else 1 :]]
    is_rule = [set(row) <= set("─-╰╯") and len(row) + 4 >= len(border) for row in rows]
    message = " ".join(" ".join(rows[: [*is_rule, True].index(True)]).split())
    return message.rstrip(".: ")
