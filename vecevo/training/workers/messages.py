"""What travels between the driver of a run and its workers."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from vecevo.datasets.making import Dataset
from vecevo.training.cohorts import Trained
from vecevo.training.devices import Device
from vecevo.training.outcomes import Parked
from vecevo.training.planning import Cohort
from vecevo.training.sessions import Expected
from vecevo.training.settings import TrainingSettings


class Identity(NamedTuple):
    """What a worker says of itself."""

    device: Device
    versions: dict[str, str]  # of the packages that its numbers depend on
    node: str  # the name of its machine
    pid: int
    num_threads: int | None  # of computation; None: an accelerator's are its own


class Order(NamedTuple):
    """What each worker builds the session of a run of."""

    expected: Expected
    settings: TrainingSettings  # resolved
    seed: int
    keeps_probabilities: bool
    read_fn: Callable[[], Dataset] | None  # by which to read the data set; None: it is
    # sent
    jax_settings: dict[str, Any]  # by name, those that numbers and speed depend on


class Task(NamedTuple):
    """A cohort for a worker to train."""

    number: int  # ascending in a run
    cohort: Cohort
    hyperparams: Mapping[int, dict[str, Any]]  # of its rows, completed
    wants_params: bool  # whether weights may be kept
    end_epoch: int | None  # the rung to train to; None: the cap on epochs
    parked: Mapping[int, Parked] | None  # of its rows; None: they start anew
    ahead: Cohort | None  # whose programs may compile meanwhile


class Answer(NamedTuple):
    """What a worker made of a task."""

    trained: Trained | None  # None: it found no memory
    seconds: float
