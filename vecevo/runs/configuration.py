"""The configuration of a run: one flat dataclass for command line and TOML file.

Its settings come in groups, which the command line's help shows. It can be read
without JAX, whose import takes longer than a look at the help.
"""

import dataclasses
import typing
from typing import Annotated, Any, Literal

import tyro

from vecevo.catalogue import StrategyName
from vecevo.space import SpaceName, SpaceTask, article_space, named_space

_ARTICLE = dict(article_space().genes)

# Settings that may be left to the data set or the device say so themselves.
Whole = Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")]
Number = Annotated[float | None, tyro.conf.arg(metavar="X", help_behavior_hint="")]
Path = Annotated[str | None, tyro.conf.arg(metavar="PATH", help_behavior_hint="")]
Wholes = Annotated[tuple[int, ...], tyro.conf.arg(metavar="N ...")]
Numbers = Annotated[tuple[float, ...], tyro.conf.arg(metavar="X ...")]
DefaultWholes = Annotated[
    tuple[int, ...], tyro.conf.arg(metavar="N ...", help_behavior_hint="")
]
DefaultNumbers = Annotated[
    tuple[float, ...], tyro.conf.arg(metavar="X ...", help_behavior_hint="")
]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME ...")]
Rungs = Annotated[
    Literal["auto", "none"] | tuple[int, ...], tyro.conf.arg(metavar="auto|none|N ...")
]


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """What networks learn."""

    dataset: Annotated[str, tyro.conf.arg(metavar="NAME")] = "digits"
    """`digits`, a file, sklearn:wine and the like, or a name such as cifar10."""
    target: Annotated[
        str | None, tyro.conf.arg(metavar="COLUMN", help_behavior_hint="")
    ] = None
    """Labels of a table: a column named target, label, class or y, or the last; of
    numbers also several, with commas."""
    weight: Annotated[
        str | None, tyro.conf.arg(metavar="COLUMN", help_behavior_hint="")
    ] = None
    """How much each example of a table weighs while it is learned."""
    task: Literal["auto", "classification", "regression"] = "auto"
    """Classes or numbers to predict; by default numbers where some have fractions."""
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

    space: SpaceName = "article"
    """Choices of all that follow, where they are not given: article, recipe, small."""
    depth: Wholes = _ARTICLE["depth"]
    """The number of hidden layers."""
    width: Wholes = _ARTICLE["width"]
    """The units of each hidden layer."""
    width_1: DefaultWholes = ()
    """The units of the first hidden layer, where it has its own."""
    width_2: DefaultWholes = ()
    """Of the second."""
    width_3: DefaultWholes = ()
    """Of the third."""
    width_4: DefaultWholes = ()
    """Of the fourth; beyond it width is."""
    activation: Names = _ARTICLE["activation"]
    """The activation: relu, elu, tanh, sigmoid, gelu, silu, selu or leaky_relu."""
    optimizer: Names = _ARTICLE["optimizer"]
    """The optimizer, of the article's seven and nesterov."""
    learning_rate: DefaultNumbers = ()
    """The learning rate; without any, each optimizer has its default."""
    dropout_rate: Numbers = (0.2,)
    """The rate of dropout after each hidden layer."""
    weight_decay: Numbers = (0.0,)
    """The decoupled weight decay."""
    schedule: Names = ("constant",)
    """Of the learning rate, to the cap: constant, cosine, linear or one_cycle."""
    warmup: Numbers = (0.0,)
    """The share of all steps over which the learning rate rises, at first."""
    momentum: DefaultNumbers = ()
    """Of sgd and nesterov, 0 and 0.9 by default."""
    beta_2: DefaultNumbers = ()
    """The decay of squared gradients, of rmsprop, adam, adamax and nadam."""
    label_smoothing: Numbers = (0.0,)
    """The share of a label that goes to all classes alike."""
    gradient_clip: Numbers = (0.0,)
    """The most that the norm of a gradient may be; 0: any."""
    averaging: Numbers = (0.0,)
    """The weight of an epoch in a mean of the weights, by that of the next; 0: none."""
    init_gain: Numbers = (1.0,)
    """What initial weights are multiplied by."""
    norm: Names = ("none",)
    """The normalization of hidden layers: none or layer."""
    skip: Names = ("none",)
    """Connections past hidden layers but the first: none or identity."""


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
    """Budget of time; what is in training by then is shown as it is, and dropped."""
    objectives: Annotated[
        tuple[Literal["accuracy", "num_params"], ...],
        tyro.conf.arg(metavar="NAME ..."),
    ] = ("accuracy",)
    """What to select by: accuracy, or, with nsga2, accuracy and num_params."""
    without_repeats: bool = False
    """Never ask for a network twice."""
    genetic_setting: Literal["article", "code"] = "article"
    """The strategy genetic by the article's text, or by its code."""
    rungs: Rungs = "auto"
    """Epochs, to the cap, at which the best third of a generation goes on: 3 9 25."""
    replicates: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Trainings of each network, whose mean accuracy the search is told."""
    confirm: Annotated[int, tyro.conf.arg(metavar="N")] = 5
    """The best so many are trained again, and the best mean wins; 0: none."""
    ensemble: Annotated[int, tyro.conf.arg(metavar="N")] = 10
    """Picks of the ensemble, chosen among the best 50 networks; 0: none."""
    start_from: Path = None
    """An earlier run's folder, whose best networks start, or genomes in a .json."""
    num_runs: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """Runs, each with the next seed and a folder of its own under one."""


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How networks are trained, all of them alike."""

    max_epochs: Whole = None
    """Cap on the epochs of a network: 25 for digits and 50 otherwise."""
    metric: Annotated[
        str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")
    ] = None
    """What to judge by: accuracy, balanced_accuracy, log_loss, auc, f1, r2 or rmse."""
    patience: Annotated[int, tyro.conf.arg(metavar="N")] = 5
    """Epochs in a row without a lower validation loss before a network stops."""
    class_weight: Literal["none", "balanced"] = "none"
    """Examples weigh alike while they are learned, or classes do, in total."""
    batch_size: Whole = None
    """Examples in a minibatch: 128 for the MNIST family, 16 of few, 64 otherwise."""
    augment: Names = ()
    """What is done to images while they are learned: flip, shift, cutout."""
    mixup: Annotated[float, tyro.conf.arg(metavar="X")] = 0.0
    """Examples are mixed by shares of beta(X, X), and their labels; 0: none."""
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
class WorkersConfig:
    """Processes that train, by Ray; without any the threads of this one do."""

    workers: Annotated[
        Literal["none", "auto"] | int, tyro.conf.arg(metavar="none|auto|N")
    ] = "none"
    """How many, each with a GPU or a thread of a CPU; auto: one for each device."""
    ray: Annotated[
        str | None, tyro.conf.arg(metavar="HOST:PORT", help_behavior_hint="")
    ] = None
    """The head of a cluster to have them on, or auto; this machine alone otherwise."""
    planned_workers: Whole = None
    """How many the plan is made for, however many there are: those of this machine."""
    allow_mixed_devices: bool = False
    """Train on devices of several kinds, whose numbers differ by rounding."""


@dataclasses.dataclass(frozen=True)
class OutputConfig:
    """What a run shows and leaves."""

    plan: bool = False
    """Print what would be trained together, in what time and memory, and end."""
    quiet: bool = False
    """Print nothing but the result."""
    report: bool = True
    """Leave a page about the run, report.html."""
    resume: Path = None
    """Go on with the run in this folder, with the settings that it has."""
    output_dir: Path = None
    """Where results go: runs/DATASET-STRATEGY-SEED; never an existing folder."""
    cache_dir: Path = None
    """Of compiled programs and images: `vecevo` in the user's cache, or `none`."""


@dataclasses.dataclass(frozen=True)
class RunConfig(
    OutputConfig, WorkersConfig, TrainingConfig, SearchConfig, SpaceConfig, DataConfig
):
    """The settings of a run; None: chosen by data set or device, and then recorded."""


def choices_of(space: str, task: SpaceTask = "classification") -> dict[str, Any]:
    """Returns the settings of a SpaceConfig for the space of a name.

    Raises:
      InputError: for another name.
    """
    named = dict(named_space(space, task).genes)
    return {**vars(SpaceConfig()), "space": space, **named}


def in_space(config: RunConfig, space: str) -> RunConfig:
    """Returns a configuration with another named space.

    Choices that it has other than its own space stay: these were given.

    Raises:
      InputError: for another name.
    """
    own = [choices_of(config.space, task) for task in typing.get_args(SpaceTask)]
    changes = {
        name: choices
        for name, choices in choices_of(space).items()
        if any(getattr(config, name) == named[name] for named in own)
    }
    return dataclasses.replace(config, **changes)
