"""The configuration of a run: one flat dataclass for command line and TOML file.

Its settings come in groups, which the command line's help shows. It can be read
without JAX, whose import takes longer than a look at the help.
"""

import contextlib
import dataclasses
import io
import itertools
import pathlib
import tomllib
import types
import typing
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import tomli_w
import tyro

from vecevo.catalogue import StrategyName
from vecevo.errors import InputError
from vecevo.space import article_space

PROG = "vecevo"
DESCRIPTION = """Trains and evolves populations of neural networks on a data set.

Examples:
  vecevo                                      the article's space on embedded digits
  vecevo --dataset my.csv --target species    a table of your own
  vecevo --dataset cifar10 --strategy grid    every network of the space
  vecevo --width 64 128 --learning-rate 0.001 0.01 --num-generations 5
  vecevo --plan --dataset cifar10             what it would take, before it is run
  vecevo --config runs/first/config.toml --output-dir runs/second

--config FILE takes any of these settings from a TOML file, with underscores in
their names; the command line overrides it. --version prints the version."""

_ARTICLE = dict(article_space().genes)

# Settings that may be left to the data set or the device say so themselves.
Whole = Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")]
Number = Annotated[float | None, tyro.conf.arg(metavar="X", help_behavior_hint="")]
Path = Annotated[str | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")]
Wholes = Annotated[tuple[int, ...], tyro.conf.arg(metavar="N ...")]
Numbers = Annotated[tuple[float, ...], tyro.conf.arg(metavar="X ...")]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...")]


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What networks learn."""

    dataset: Annotated[str, tyro.conf.arg(metavar="NAME")] = "digits"
    """`digits`, a file, sklearn:wine and the like, or a name such as cifar10."""
    target: Annotated[
        str | None, tyro.conf.arg(metavar="COLUMN", help_behavior_hint="")
    ] = None
    """Labels of a table: a column named target, label, class or y, or the last."""
    inputs: Literal["auto", "as-given", "unit", "standardize"] = "auto"
    """How inputs are scaled: by what they are, not, to [0, 1], or to deviation 1."""
    data_dir: Path = None
    """Where tensorflow-datasets has its prepared sets; its own default otherwise."""
    limit_train: Whole = None
    """Train on so many examples, a stratified part."""
    protocol: Literal["validation", "article"] = "validation"
    """Select on a part of the training data, or as the article on the test part."""
    landscape: Path = None
    """Search recorded networks: a grid run's folder, a table file, or `digits`."""


@dataclasses.dataclass(frozen=True)
class SpaceConfig:
    """What may vary: each of these takes one choice or several."""

    depth: Wholes = _ARTICLE["depth"]
    """The number of hidden layers."""
    width: Wholes = _ARTICLE["width"]
    """The units of each hidden layer."""
    activation: Names = _ARTICLE["activation"]
    """The activation, of relu, elu, tanh, sigmoid and gelu."""
    optimizer: Names = _ARTICLE["optimizer"]
    """The optimizer, of the article's seven and nesterov."""
    learning_rate: Annotated[
        tuple[float, ...], tyro.conf.arg(metavar="X ...", help_behavior_hint="")
    ] = ()
    """The learning rate; without any, each optimizer has its default."""
    dropout_rate: Numbers = (0.2,)
    """The rate of dropout after each hidden layer."""
    weight_decay: Numbers = (0.0,)
    """The decoupled weight decay."""


@dataclasses.dataclass(frozen=True)
class SearchConfig:
    """How networks are chosen, and how many."""

    population_size: Whole = None
    """Networks in a generation: 20, or, of a grid, all of the space up to 1000."""
    num_generations: Annotated[int, tyro.conf.arg(metavar="N")] = 10
    """Generations, the random first one included; a grid takes as many as it needs."""
    strategy: Annotated[
        StrategyName | None,
        tyro.conf.arg(
            metavar="{" + ",".join(typing.get_args(StrategyName)) + "}",
            help_behavior_hint="",
        ),
    ] = None
    """By default a grid where the budget covers the space, or nsga2, or recommended."""
    seed: Annotated[int, tyro.conf.arg(metavar="N")] = 0
    """Seed of every random draw of the run."""
    max_seconds: Number = None
    """Budget of time; the cohort of networks in training by then is dropped."""
    objectives: Annotated[
        tuple[Literal["accuracy", "num_params"], ...],
        tyro.conf.arg(metavar="NAME ..."),
    ] = ("accuracy",)
    """What to select by: accuracy, or, with nsga2, accuracy and num_params."""
    without_repeats: bool = False
    """Never ask for a network twice."""
    genetic_setting: Literal["article", "code"] = "article"
    """The strategy genetic by the article's text, or by its code."""
    start_from: Path = None
    """An earlier run's folder, whose best networks start, or genomes in a .json."""


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How networks are trained, all of them alike."""

    max_epochs: Whole = None
    """Cap on the epochs of a network: 25 for digits and 50 otherwise."""
    patience: Annotated[int, tyro.conf.arg(metavar="N")] = 5
    """Epochs in a row without a lower validation loss before a network stops."""
    batch_size: Whole = None
    """Examples in a minibatch: 128 for the MNIST family and 64 otherwise."""
    device: Literal["auto", "cpu", "cuda", "tpu"] = "auto"
    """What to train on; JAX's first choice otherwise."""
    precision: Annotated[
        Literal["float32", "tf32", "bfloat16"] | None,
        tyro.conf.arg(metavar="{float32,tf32,bfloat16}", help_behavior_hint=""),
    ] = None
    """Of networks' products: float32 on a CPU, elsewhere the device's default."""
    memory_gib: Number = None
    """For networks in training: 25 % of a CPU's memory, 80 % of a device's."""


@dataclasses.dataclass(frozen=True)
class OutputConfig:
    """What a run shows and leaves."""

    plan: bool = False
    """Print what would be trained together, in what time and memory, and end."""
    output_dir: Path = None
    """Where results go: runs/DATASET-STRATEGY-SEED; never an existing folder."""
    cache_dir: Path = None
    """Of compiled programs and images: `vecevo` in the user's cache, or `none`."""


@dataclasses.dataclass(frozen=True)
class RunConfig(OutputConfig, TrainingConfig, SearchConfig, SpaceConfig, DataConfig):
    """The settings of a run; None: chosen by data set or device, and then recorded."""


@dataclasses.dataclass(frozen=True)
class _Groups:
    """The same settings as the command line shows them."""

    data: DataConfig
    space: SpaceConfig
    search: SearchConfig
    training: TrainingConfig
    output: OutputConfig


def parse(args: Sequence[str]) -> RunConfig:
    """Parses a command line, and the TOML file that it names.

    Raises:
      InputError: in one line, for what cannot be parsed.
    """
    args, default = list(args), RunConfig()
    for place, arg in enumerate(args):
        if arg == "--config" or arg.startswith("--config="):
            _, is_joined, path = arg.partition("=")
            num_args = 1 if is_joined else 2
            if not is_joined:
                path = "".join(args[place + 1 : place + 2])
            default = read_toml(path)
            args[place : place + num_args] = []
            break
    groups = parse_args(
        tyro.conf.OmitArgPrefixes[_Groups],
        args,
        prog=PROG,
        description=DESCRIPTION,
        default=_to_groups(default),
    )
    parts = (vars(getattr(groups, f.name)) for f in dataclasses.fields(_Groups))
    return RunConfig(**{name: v for part in parts for name, v in part.items()})


def parse_args(kind: Any, args: Sequence[str], *, prog: str, **settings: Any) -> Any:
    """Parses a command line into a dataclass, or what else tyro takes as a kind.

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
        raise InputError(_one_line(errors.getvalue(), prog)) from None


def _to_groups(config: RunConfig) -> _Groups:
    parts = {}
    for name, group in typing.get_type_hints(_Groups).items():
        names = [field.name for field in dataclasses.fields(group)]
        parts[name] = group(**{name: getattr(config, name) for name in names})
    return _Groups(**parts)


def _one_line(box: str, prog: str) -> str:
    """Takes the message out of the box that tyro draws round it, above its help.

    The title is in the upper border, or, where the terminal has no line characters,
    above a rule of its own; another rule ends the message.
    """
    rows = [row.strip("│ ") for row in box.splitlines()[1:]]
    if not box.startswith("╭"):
        rows = rows[1:]
    message = " ".join(itertools.takewhile(lambda row: row.strip("─-╰╯"), rows))
    return f"{message.rstrip('.')}: see {prog} --help."


def read_toml(path: str | pathlib.Path) -> RunConfig:
    """Reads a RunConfig from a TOML file; what it leaves out has its default.

    Raises:
      InputError: naming a key that is unknown or of another type.
    """
    try:
        text = pathlib.Path(path).read_text()
        values = tomllib.loads(text)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"config={path!r} cannot be read: {reason}.") from error
    fields = typing.get_type_hints(RunConfig)
    if "standardize" in values:  # until 0.1, by which earlier runs were recorded
        values = _without_standardize(values)
    for key, value in values.items():
        if key not in fields:
            raise InputError(
                f"config={path!r} has the unknown key {key!r}: use {', '.join(fields)}."
            )
        if not _is_of_type(value, fields[key]):
            raise InputError(
                f"config={path!r} has {key}={value!r}: it must be "
                f"{_type_in_words(fields[key])}."
            )
        values[key] = tuple(value) if isinstance(value, list) else value
    return RunConfig(**values)


def _without_standardize(values: dict[str, Any]) -> dict[str, Any]:
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
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)


def _type_in_words(kind: Any) -> str:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(args)}"
    if origin is tuple:
        return f"a list, each {_type_in_words(args[0])}"
    if origin in (types.UnionType, typing.Union):
        return _type_in_words(args[0])
    words = {int: "a whole number", float: "a number", str: "a text"}
    return (words | {bool: "true or false"})[kind]


def to_toml(config: RunConfig) -> str:
    """Returns the text of a TOML file with all settings that are not None."""
    values = dataclasses.asdict(config)
    return tomli_w.dumps({k: v for k, v in values.items() if v is not None})
