"""What all lists of networks of one run share: data on the device, plan, keys."""

import collections
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from vecevo.datasets.making import Dataset
from vecevo.errors import InputError
from vecevo.keys import split_run_key
from vecevo.training import planning, selfcheck
from vecevo.training.classes import choose_classes, count_padded
from vecevo.training.cohorts import Trained
from vecevo.training.devices import is_on_cpu
from vecevo.training.lanes import losses, metrics
from vecevo.training.lanes.dropout import MOST_STEPS
from vecevo.training.lanes.networks import PaddedMLP
from vecevo.training.lanes.stopping import StoppingRule
from vecevo.training.lanes.variants import Variant
from vecevo.training.lanes.widths import widths_of
from vecevo.training.memory import num_cores
from vecevo.training.minibatches import put_on_device
from vecevo.training.outcomes import Parked
from vecevo.training.programs import Programs, Setup
from vecevo.training.recipe import TABLE, default_of
from vecevo.training.settings import TrainingSettings, make_augmentation
from vecevo.training.variants import choose_variant

EXPECTED_EPOCHS = 25  # for the plan, where the cap on epochs is not lower


DataShape = tuple[int, int, int, int]  # see `shape_of`


class Expected(NamedTuple):
    """The networks that may come, each kind equally likely."""

    shapes: Sequence[tuple[int, int]]  # widest layer and depth; one may repeat
    variant: Variant = Variant()  # that is enough for all of them
    list_size: int = 1  # networks that are trained at once
    num_lists: float = 1  # how often that is done; below 1: the time ends before
    cheapest_first: bool = False  # for a list that the time will not suffice for
    rungs: tuple[int, ...] = ()  # epochs at which some of a list stop; none: all go on


class Crew(Protocol):
    """The workers of a run: they train its cohorts, and this process trains none."""

    @property
    def num_workers(self) -> int:
        """How many there are now."""
        ...

    def begin(self, dataset: Dataset, expected: Expected, **session: Any) -> None:
        """Lets the workers build their sessions, as `start_session` is asked to."""

    def train_plan(
        self,
        session: "Session",
        plan: Sequence[planning.Cohort],
        hyperparams: Sequence[dict[str, Any]],
        *,
        wants_params_fn: Callable[[float, int], bool],
        end_epoch: int | None = None,
        parked: Mapping[int, Parked] | None = None,
    ) -> Generator[tuple[planning.Cohort, Trained, float]]:
        """Trains cohorts, as `scheduling.train_plan` does."""
        ...


def count_workers(job: planning.Job, crew: Crew | None) -> int:
    """How many cohorts train at once: of a crew, however many were planned."""
    return job.num_workers if crew is None else max(1, crew.num_workers)


class Session(NamedTuple):
    """All that the lists of networks of one run share."""

    dataset: Dataset
    settings: TrainingSettings
    classes: list[planning.CohortClass]
    setup: Setup
    job: planning.Job
    variant: Variant  # of any class
    variants: dict[tuple[int, int], Variant]  # by width and depth of planned classes
    cheapest_first: bool  # the order of a list's cohorts; else the largest first
    is_time_up_fn: Callable[[], bool]  # asked before every call of every cohort
    network_root: jax.Array  # random key that networks fold their identity into
    crew: Crew | None = None  # None: the threads of this process train


def expect(hyperparams: Sequence[dict[str, Any]], **counts: float) -> Expected:
    """Returns what is expected of a list of networks, all of them equally likely."""
    choices = {
        row.name: {h[row.name] for h in hyperparams}
        for row in TABLE
        # Several optimizers' defaults are no choices of one.
        if any(h[row.name] != default_of(row, h) for h in hyperparams)
    }
    return Expected(
        shapes=[(max(widths_of(h)), h["depth"]) for h in hyperparams],
        variant=variant_of(choices),
        **{"list_size": len(hyperparams), **counts},
    )


def variant_of(choices: Mapping[str, Iterable[Any]]) -> Variant:
    """Returns what the networks of some choices need on the device of now."""
    return choose_variant(choices, is_for_cpu=is_on_cpu())


def most_workers() -> int:
    """Cohorts that a device trains at once, given the memory: one a core of a CPU."""
    return num_cores() if is_on_cpu() else 1


def shape_of(dataset: Dataset) -> DataShape:
    """Returns N, F, C, or K of numbers, of the part to train on, and N' to validate."""
    num_validation = len(dataset.y_validation)
    return (*dataset.x_train.shape, dataset.num_outputs, num_validation)


def make_plan(
    data_shape: DataShape, expected: Expected, settings: TrainingSettings
) -> tuple[planning.Job, list[planning.CohortClass]]:
    """Returns the Job and the CohortClasses of a run.

    Args:
      data_shape: of `shape_of`.
      expected: networks.
      settings: resolved.

    Raises:
      InputError: for a network that the memory has no room for, or more steps than
        dropout has keys for.
    """
    num_train, num_features, num_classes, num_validation = data_shape
    batch_size, max_epochs = settings.batch_size, settings.max_epochs
    memory_bytes = settings.memory_bytes
    if batch_size is None or max_epochs is None or memory_bytes is None:
        raise TypeError(f"{settings} are not resolved: call settings.resolve.")
    costs = planning.CPU if is_on_cpu() else planning.ACCELERATOR
    if "averaging" in (expected.variant.pieces or ()):  # one more array of weights
        costs = costs._replace(bytes_per_weight=costs.bytes_per_weight + 4)
    job = planning.Job(
        costs=costs,
        num_features=num_features,
        num_classes=num_classes,
        batch_size=batch_size,
        examples_at_once=max(batch_size, losses.EVALUATION_BATCH),
        steps_per_epoch=-(-num_train // batch_size),
        expected_epochs=planning.mean_epochs(
            expected.rungs, min(max_epochs, EXPECTED_EPOCHS), expected.list_size
        ),
        memory_bytes=int(memory_bytes),
        num_workers=1,
        stops_early=settings.patience < max_epochs,
        kept_bytes=metrics.count_bytes(settings.metric, num_validation, num_classes),
    )
    _check_steps(job.steps_per_epoch, max_epochs, expected.variant)
    num_workers = settings.planned_workers or most_workers()
    # Of cohorts as they are padded, which is what has to fit.
    shapes = {*expected.shapes, *count_padded(expected.shapes)}
    if is_on_cpu():
        job = planning.share_memory(job, shapes, num_workers=num_workers)
    else:  # each worker has the memory of a device to itself
        job = job._replace(num_workers=num_workers)
    return job, choose_classes(
        expected.shapes, job, list_size=expected.list_size, num_lists=expected.num_lists
    )


def _check_steps(steps_per_epoch: int, max_epochs: int, variant: Variant) -> None:
    if variant.has("dropout_rate") and steps_per_epoch * max_epochs > MOST_STEPS:
        raise InputError(
            f"max_epochs={max_epochs} of {steps_per_epoch} steps each exceed the "
            f"{MOST_STEPS} steps that dropout has draws for: give at most "
            f"{MOST_STEPS // steps_per_epoch}, or dropout_rate=0 for all networks."
        )


def check_smoothing(dataset: Dataset, variant: Variant) -> None:
    """Refuses smoothed labels of numbers.

    Raises:
      InputError: naming the way out.
    """
    if dataset.task == "regression" and variant.has("label_smoothing"):
        raise InputError(
            "label_smoothing above 0 has no say in regression, where there are no "
            "labels: give label_smoothing=0 alone (--label-smoothing 0), or "
            'vecevo.recipe_space("regression"), which has none.'
        )


def start_session(
    dataset: Dataset,
    expected: Expected,
    settings: TrainingSettings,
    *,
    seed: int = 0,
    is_time_up_fn: Callable[[], bool] = lambda: False,
    keeps_probabilities: bool = False,
    crew: Crew | None = None,
) -> Session:
    """Puts the data set on the device, and chooses the classes of cohorts.

    Args:
      dataset: to train on.
      expected: networks.
      settings: resolved, by `settings.resolve`.
      seed: of initial weights, dropout and the order of examples.
      is_time_up_fn: asked before every call of the device, as `cohorts.train_cohort`
        does; what is then not finished is partial.
      keeps_probabilities: whether results with weights have what their networks say of
        the validation part.
      crew: the workers that train; None: the threads of this process do.

    Raises:
      InputError: for a seed out of range, a network beyond the memory, a compiler that
        makes wrong gradients, a setting of JAX by which padding changes draws, or
        smoothed labels of numbers.
    """
    if not jax.config.jax_threefry_partitionable:
        raise InputError(
            "jax_threefry_partitionable=False lets padding change what is drawn: leave "
            "it at True, the default of JAX."
        )
    keys = split_run_key(seed)
    augmentation = make_augmentation(settings, dataset)
    metric = metrics.stops_by(settings.metric)
    variant = expected.variant._replace(augmentation=augmentation, metric=metric)
    expected = expected._replace(variant=variant)
    if crew is None:  # or its workers check theirs
        selfcheck.check_compiler(settings.precision)
    check_smoothing(dataset, expected.variant)
    job, classes = make_plan(shape_of(dataset), expected, settings)
    if crew is not None:
        rest = {"seed": seed, "keeps_probabilities": keeps_probabilities}
        settings = settings._replace(planned_workers=job.num_workers)
        crew.begin(dataset, expected, settings=settings, **rest)
    data = put_on_device(dataset, settings)
    setup = Setup(
        programs=Programs(data, job.batch_size, settings.precision),
        data=data,
        rule=StoppingRule(
            patience=jnp.array(settings.patience),
            max_epochs=jnp.array(settings.max_epochs),
            keeps_last=jnp.array(dataset.is_article),
        ),
        order_key=keys.order,
        keeps_probabilities=keeps_probabilities,
        precision=settings.precision,
    )
    return Session(
        dataset=dataset,
        settings=settings,
        classes=classes,
        setup=setup,
        job=job,
        variant=expected.variant,
        variants=class_variants(expected, classes),
        cheapest_first=expected.cheapest_first,
        is_time_up_fn=is_time_up_fn,
        network_root=keys.network,
        crew=crew,
    )


def class_variants(
    expected: Expected, classes: Sequence[planning.CohortClass]
) -> dict[tuple[int, int], Variant]:
    """Returns what the networks of each class need, by its width and depth."""
    members = collections.defaultdict(list)
    for shape in set(expected.shapes):
        cohort_class = planning.smallest_class(classes, *shape)
        members[cohort_class.width, cohort_class.depth].append(shape)
    return {
        (width, depth): expected.variant._replace(
            pads_width=expected.variant.has_layer_widths
            or any(w < width for w, _ in members[width, depth]),
            pads_depth=any(d < depth for _, d in members[width, depth]),
        )
        for width, depth, _ in classes
    }


def padded_module(session: Session, cohort_class: planning.CohortClass) -> PaddedMLP:
    """Returns the module that the networks of a class are padded to."""
    return PaddedMLP(
        width=cohort_class.width,
        depth=cohort_class.depth,
        num_classes=session.dataset.num_outputs,
        variant=session.variants.get(
            (cohort_class.width, cohort_class.depth), session.variant
        ),
    )
