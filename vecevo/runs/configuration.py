"""The configuration of a run: one flat dataclass for command line and TOML file."""

import contextlib
import dataclasses
import io
import itertools
import math
import pathlib
import tomllib
import types
import typing
from typing import Literal

import tomli_w
import tyro

from vecevo.objectives import check_objectives
from vecevo.space import SearchSpace, article_space
from vecevo.training import recipe

PROG = "python -m vecevo.run"
DESCRIPTION = """Evolves neural networks on a data set.

`--config FILE` takes any of these settings from a TOML file, with underscores in
their names; the command line overrides it."""

LANDSCAPE_SETTINGS = {
    *("landscape", "strategy", "genetic_setting", "without_repeats", "objectives"),
    *("population_size", "num_generations", "seed", "device", "output_dir"),
    "cache_dir",
}
_ARTICLE = dict(article_space().genes)


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """The settings of a run; None: chosen by data set or device, and then recorded."""

    dataset: str = "digits"
    """`digits`, a name of tensorflow-datasets such as cifar10, or the path of an .npz
    file with x_train, y_train, x_test, y_test."""
    data_dir: str | None = None
    """Where tensorflow-datasets has its prepared sets; its own default otherwise."""
    limit_train: int | None = None
    """Train on so many examples, a stratified part."""
    standardize: bool = False
    """Give every input feature mean 0 and deviation 1 over the training part."""
    protocol: Literal["validation", "article"] = "validation"
    """Select on a split of the training part, or as the article did: train on all of
    it, stop and score on the test part."""
    landscape: str | None = None
    """Replay the search on recorded networks instead of training: a grid run's folder,
    a table file, or `digits`, the embedded table of the article's space."""
    strategy: (
        Literal[
            "recommended",
            "genetic",
            "evolution_plus",
            "regularized_evolution",
            "self_adaptive",
            "nsga2",
            "univariate_estimation",
            "local_search",
            "random",
            "grid",
        ]
        | None
    ) = None
    """How genomes are chosen; a grid trains every network of the space. The default is
    a grid where the budget of networks does for that, nsga2 with two objectives, and
    else recommended."""
    without_repeats: bool = False
    """Never ask for a network twice."""
    objectives: tuple[Literal["accuracy", "num_params"], ...] = ("accuracy",)
    """What to select by: accuracy, or, with the strategy nsga2, accuracy and
    num_params, the fewer the better; then the Pareto front is in the results."""
    genetic_setting: Literal["article", "code"] = "article"
    """The strategy genetic as the article's text describes it, or as its code does."""
    depth: tuple[int, ...] = _ARTICLE["depth"]
    """Choices for the number of hidden layers."""
    width: tuple[int, ...] = _ARTICLE["width"]
    """Choices for the units of each hidden layer."""
    activation: tuple[str, ...] = _ARTICLE["activation"]
    """Choices for the activation."""
    optimizer: tuple[str, ...] = _ARTICLE["optimizer"]
    """Choices for the optimizer."""
    learning_rate: tuple[float, ...] = ()
    """Choices for the learning rate; without any, each optimizer has its default."""
    dropout_rate: tuple[float, ...] = (recipe.DEFAULTS["dropout_rate"],)
    """Choices for the rate of dropout after each hidden layer."""
    weight_decay: tuple[float, ...] = (recipe.DEFAULTS["weight_decay"],)
    """Choices for the decoupled weight decay."""
    population_size: int | None = None
    """Networks in a generation: 20, or, of a grid, all of the space up to 1000."""
    num_generations: int = 10
    """Generations, the random first one included; a grid takes as many as it needs."""
    max_seconds: float | None = None
    """Budget of time; the cohort of networks in training by then is dropped."""
    start_from: str | None = None
    """First generation: the best networks of an earlier run (its folder), or genomes
    (a .json file with a list of lists of choice indices)."""
    batch_size: int | None = None
    """Examples in a minibatch: 128 for the MNIST family and 64 otherwise."""
    max_epochs: int | None = None
    """Cap on the epochs of a network: 25 for digits and 50 otherwise."""
    patience: int = 5
    """Epochs in a row without a lower validation loss before a network stops."""
    seed: int = 0
    """Seed of every random draw of the run."""
    device: Literal["auto", "cpu", "cuda", "tpu"] = "auto"
    """What to train on; JAX's first choice otherwise."""
    precision: Literal["float32", "tf32", "bfloat16"] | None = None
    """Of matrix products: float32 on a CPU, elsewhere the device's default."""
    memory_gib: float | None = None
    """What networks in training may take: a quarter of a CPU's memory, 80 % of an
    accelerator's."""
    plan: bool = False
    """Print what would be trained together, in what time and memory, and end."""
    output_dir: str | None = None
    """Where results go: runs/DATASET-STRATEGY-SEED; never an existing folder."""
    cache_dir: str | None = None
    """Where compiled programs and decoded images are kept: `vecevo` in the user's
    cache folder; `none` keeps none."""


def parse(args):
    """Parses a command line, and the TOML file that it names.

    Raises:
      ValueError: in one line, for what cannot be parsed.
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
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            return tyro.cli(
                RunConfig,
                prog=PROG,
                description=DESCRIPTION,
                default=default,
                args=args,
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise ValueError(_one_line(errors.getvalue())) from None


def _one_line(box):
    """Takes the message out of the box that tyro draws round it, above its help.

    The title is in the upper border, or, where the terminal has no line characters,
    above a rule of its own; another rule ends the message.
    """
    rows = [row.strip("│ ") for row in box.splitlines()[1:]]
    if not box.startswith("╭"):
        rows = rows[1:]
    message = " ".join(itertools.takewhile(lambda row: row.strip("─-╰╯"), rows))
    return f"{message.rstrip('.')}: see {PROG} --help."


def read_toml(path):
    """Reads a RunConfig from a TOML file; what it leaves out has its default.

    Raises:
      ValueError: naming a key that is unknown or of another type.
    """
    try:
        text = pathlib.Path(path).read_text()
        values = tomllib.loads(text)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"config={path!r} cannot be read: {reason}.") from error
    fields = typing.get_type_hints(RunConfig)
    for key, value in values.items():
        if key not in fields:
            raise ValueError(
                f"config={path!r} has the unknown key {key!r}: use {', '.join(fields)}."
            )
        if not _is_of_type(value, fields[key]):
            raise ValueError(
                f"config={path!r} has {key}={value!r}: it must be "
                f"{_type_in_words(fields[key])}."
            )
        values[key] = tuple(value) if isinstance(value, list) else value
    return RunConfig(**values)


def _is_of_type(value, kind):
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


def _type_in_words(kind):
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(args)}"
    if origin is tuple:
        return f"a list, each {_type_in_words(args[0])}"
    if origin in (types.UnionType, typing.Union):
        return _type_in_words(args[0])
    words = {int: "a whole number", float: "a number", str: "a text"}
    return (words | {bool: "true or false"})[kind]


def to_toml(config):
    """Returns the text of a TOML file with all settings that are not None."""
    values = dataclasses.asdict(config)
    return tomli_w.dumps({k: v for k, v in values.items() if v is not None})


def check(config):
    """Raises ValueError, naming the argument, for values that cannot be run with."""
    counts = ("population_size", "num_generations", "batch_size", "max_epochs")
    for name in (*counts, "patience", "limit_train"):
        if getattr(config, name) is not None:
            recipe.check_counts(**{name: getattr(config, name)})
    for name in ("max_seconds", "memory_gib"):
        value = getattr(config, name)
        if value is not None and not 0 < value < math.inf:
            raise ValueError(f"{name}={value} must be a number above 0.")
    if not 0 <= config.seed < 2**32:
        raise ValueError(f"seed={config.seed} must be from 0 to 2**32 - 1.")
    if config.strategy == "grid" and config.start_from is not None:
        raise ValueError(
            f"start_from={config.start_from!r} is of no use to a grid, which trains "
            "all networks: leave it out, or choose another --strategy."
        )
    check_strategy(config)
    check_landscape(config)
    make_space(config)


def check_strategy(config):
    """Raises ValueError for settings that do not go with the strategy."""
    check_objectives(config.objectives)
    if config.genetic_setting != "article" and config.strategy != "genetic":
        raise ValueError(
            f"genetic_setting={config.genetic_setting!r} has no say with strategy="
            f"{config.strategy!r}: give --strategy genetic."
        )
    is_several = len(config.objectives) > 1
    if config.strategy is not None and is_several != (config.strategy == "nsga2"):
        raise ValueError(
            f"objectives={config.objectives} and strategy={config.strategy!r} do not "
            "go together: give --strategy nsga2 for accuracy and num_params, and "
            "another one for accuracy alone."
        )


def check_landscape(config):
    """Raises ValueError for settings of training where nothing is trained."""
    if config.landscape is None:
        return
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.name not in LANDSCAPE_SETTINGS and value != field.default:
            raise ValueError(
                f"{field.name}={value!r} has no say with landscape="
                f"{config.landscape!r}, where nothing is trained: leave it out."
            )


def make_space(config):
    """Returns the SearchSpace of a configuration, and the values that are no genes.

    The article's four genes always are; another setting is one where it has choices.
    """
    genes, fixed = [], {}
    for name in (*recipe.REQUIRED, "learning_rate", *recipe.DEFAULTS):
        choices = getattr(config, name)
        for choice in choices:
            recipe.check_choice(name, choice)
        if name in recipe.REQUIRED or len(choices) > 1:
            genes.append((name, tuple(choices)))
        elif choices:
            fixed[name] = choices[0]
        elif name != "learning_rate":
            raise ValueError(f"{name}=() has no choice: give at least one.")
    return SearchSpace(tuple(genes)), fixed
