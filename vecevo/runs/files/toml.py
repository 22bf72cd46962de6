"""Settings in TOML files."""

import dataclasses
import pathlib
import tomllib
import types
import typing
from typing import Any, Literal

import tomli_w

from vecevo.errors import MOST_SEED, InputError, describe, did_you_mean
from vecevo.runs.configuration import RunConfig, choices_of


def read_toml(path: str | pathlib.Path) -> RunConfig:
    """Reads a RunConfig from a TOML file; what it leaves out has its default.

    Raises:
      InputError: naming a key that is unknown or of another type.
    """
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"config={path!r} cannot be read: {reason}; give a TOML file of settings, "
            "such as the config.toml of a run."
        ) from error
    fields = typing.get_type_hints(RunConfig)
    values = as_now(values)
    if "resume" in values:
        raise InputError(f"config={path!r} has resume: give --resume RUN without it.")
    for key, value in values.items():
        if key not in fields:
            raise InputError(
                f"config={path!r} has the unknown key {key!r}"
                f"{did_you_mean(key, fields)}: use {', '.join(fields)}."
            )
        if not _is_of_type(value, fields[key]):
            raise InputError(
                f"config={path!r} has {key}={describe(value)}"
                f"{did_you_mean(value, _names_of(fields[key]))}: it must be "
                f"{_type_in_words(fields[key])}."
            )
        values[key] = tuple(value) if isinstance(value, list) else value
    return RunConfig(**{**choices_of(values.get("space", "article")), **values})


def as_now(values: dict[str, Any]) -> dict[str, Any]:
    """Settings that an earlier run recorded, by the names that they have now."""
    if "standardize" not in values:
        return values
    rest = {key: value for key, value in values.items() if key != "standardize"}
    return {"inputs": "standardize", **rest} if values["standardize"] else rest


def _is_of_type(value: Any, kind: Any) -> bool:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return value in args
    if origin is tuple:
        return isinstance(value, list) and all(_is_of_type(v, args[0]) for v in value)
    if origin in (types.UnionType, typing.Union):
        return any(_is_of_type(value, arg) for arg in args)
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if isinstance(value, int):
        return kind in (int, float) and abs(value) <= MOST_SEED
    return isinstance(value, kind)


def _names_of(kind: Any) -> list[str]:
    """The texts that a type names one by one."""
    if typing.get_origin(kind) is Literal:
        return list(typing.get_args(kind))
    return [name for part in typing.get_args(kind) for name in _names_of(part)]


def _type_in_words(kind: Any) -> str:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(args)}"
    if origin is tuple:
        return f"a list, each {_type_in_words(args[0])}"
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_type_in_words(a) for a in args if a is not types.NoneType)
    whole = "a whole number of at most 64 bits"
    words = {int: whole, float: f"a number, and {whole} without a point"}
    return (words | {str: "a text", bool: "true or false"})[kind]


def to_toml(config: RunConfig) -> str:
    """Returns the text of a TOML file with all settings that are not None."""
    values = dataclasses.asdict(config)
    return tomli_w.dumps({k: v for k, v in values.items() if v is not None})
