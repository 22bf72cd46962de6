"""Trains lists of networks of one session, by their hyperparams."""

import contextlib
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from vecevo.datasets.making import Dataset
from vecevo.keys import IMPLEMENTATION
from vecevo.networks.network import Network, metric_fact
from vecevo.results import NetworkResult, Work
from vecevo.training import planning, recipe
from vecevo.training.forecast import in_order
from vecevo.training.lanes import optimizers, schedules, weights
from vecevo.training.lanes.networks import architecture_of
from vecevo.training.lanes.widths import widths_of
from vecevo.training.minibatches import Lanes
from vecevo.training.outcomes import CURVES, LaneResult, Parked, measure
from vecevo.training.scheduling import train_plan
from vecevo.training.sessions import Session, padded_module
from vecevo.training.variants import is_enough


def train_list(
    session: Session,
    hyperparams: Sequence[dict[str, Any]],
    replicates: Sequence[int] | None = None,
    *,
    expected_epochs: Mapping[str, float] | None = None,
    is_known_fn: Callable[[int], bool] = lambda individual: False,
    wants_params_fn: Callable[[float, int], bool] = lambda accuracy, replicate: True,
) -> Generator[tuple[list[int], list[NetworkResult], Work]]:
    """Trains a list of networks, cohort by cohort, in the order of the session.

    Closing the iterator stops what is in training.

    Args:
      session: of the run.
      hyperparams: completed dicts.
      replicates: of each; 0 where they are left out.
      expected_epochs: optimizer -> epochs its networks trained for so far, on average.
      is_known_fn: row of the list -> whether its result is known; a cohort of such
        rows alone, which the plan holds all the same, is not trained.
      wants_params_fn: validation accuracy, -inf where it failed, and replicate ->
        whether the weights are to be kept; called in the threads that train.

    Yields:
      Rows of the list, their results, and the work of each cohort. When the time is
      up, the results of networks in training are partial, and others are left out.
    """
    rows = range(len(hyperparams))
    plan = [
        cohort
        for cohort in plan_rows(session, hyperparams, replicates, expected_epochs, rows)
        if not is_known(cohort, is_known_fn)
    ]
    trained = train_cohorts(session, hyperparams, plan, wants_params_fn=wants_params_fn)
    with contextlib.closing(trained):
        for individuals, results, work, _ in trained:
            yield individuals, results, work


def is_known(cohort: planning.Cohort, is_known_fn: Callable[[int], bool]) -> bool:
    """Whether all rows of a cohort are known."""
    return all(is_known_fn(row) for row in cohort.individuals if row >= 0)


def plan_rows(
    session: Session,
    hyperparams: Sequence[dict[str, Any]],
    replicates: Sequence[int] | None,
    expected_epochs: Mapping[str, float] | None,
    rows: Sequence[int],
) -> list[planning.Cohort]:
    """Packs rows of a list, as `train_list` takes it, in the order of the session."""
    replicates = replicates or [0] * len(hyperparams)
    pairs = list(zip(hyperparams, replicates, strict=True))
    trainees = [
        planning.Trainee(
            width=max(widths_of(h)),
            depth=h["depth"],
            update_level=optimizers.level_of(h["optimizer"], h["momentum"]),
            num_epochs=(expected_epochs or {}).get(h["optimizer"], 0.0),
            replicate=replicate,
        )
        for h, replicate in (pairs[row] for row in rows)
    ]
    cohorts, is_first = planning.plan(trainees, session.classes), session.cheapest_first
    return [
        cohort._replace(
            individuals=tuple(rows[i] if i >= 0 else i for i in cohort.individuals)
        )
        for cohort in in_order(cohorts, session.job, cheapest_first=is_first)
    ]


def train_cohorts(
    session: Session,
    hyperparams: Sequence[dict[str, Any]],
    plan: Sequence[planning.Cohort],
    *,
    wants_params_fn: Callable[[float, int], bool],
    end_epoch: int | None = None,
    parked: Mapping[int, Parked] | None = None,
) -> Generator[tuple[list[int], list[NetworkResult], Work, dict[int, Parked]]]:
    """Trains the cohorts of a plan, to a rung or to their end.

    Args:
      session: of the run.
      hyperparams: the list, of completed dicts.
      plan: of rows of the list.
      wants_params_fn: as for `train_list`.
      end_epoch, parked: as for `scheduling.train_plan`.

    Yields:
      What `train_list` does, and the lanes parked at the rung, by row.
    """

    def make_lanes_fn(cohort: planning.Cohort) -> Lanes:
        return lanes_of(session, cohort, hyperparams)

    first_epoch = next(iter(parked.values())).curves.shape[1] if parked else 0
    settings: dict[str, Any] = {
        "wants_params_fn": wants_params_fn,
        "end_epoch": end_epoch,
        "parked": parked,
    }
    if session.crew is None:
        trained_plan = train_plan(session, plan, make_lanes_fn, **settings)
    else:
        trained_plan = session.crew.train_plan(session, plan, hyperparams, **settings)
    with contextlib.closing(trained_plan):
        for cohort, trained, seconds in trained_plan:
            width, depth, _ = cohort.cohort_class
            lanes = zip(cohort.individuals, trained.lane_results, strict=True)
            done = [(i, lane) for i, lane in lanes if i >= 0 and lane is not None]
            members = [individual for individual, _ in done]
            results = [
                _network_result(hyperparams[individual], lane, session)._replace(
                    replicate=cohort.replicate,
                    is_partial=lane.is_partial,
                    is_stopped=lane.parked is not None,
                )
                for individual, lane in done
            ]
            is_normed = padded_module(session, cohort.cohort_class).variant.has("norm")
            padded = _num_params(session.dataset, [width] * depth, is_normed)
            needed = sum((r.num_epochs - first_epoch) * r.num_params for r in results)
            work = Work(
                needed=needed,
                executed=trained.num_lane_epochs * padded,
                train_seconds=seconds - trained.wait_seconds,
                wait_seconds=trained.wait_seconds,
            )
            parked_now = {i: lane.parked for i, lane in done if lane.parked is not None}
            yield members, results, work, parked_now


def lanes_of(
    session: Session,
    cohort: planning.Cohort,
    hyperparams: Sequence[dict[str, Any]] | Mapping[int, dict[str, Any]],
) -> Lanes:
    """Returns the Lanes of a cohort, as `make_lanes` does.

    Raises:
      ValueError: for a network that the session has no programs for.
    """
    module = padded_module(session, cohort.cohort_class)
    shape = {"width": module.width, "depth": module.depth}
    for row in cohort.individuals:
        if row >= 0 and not is_enough(module.variant, hyperparams[row], **shape):
            raise ValueError(f"{hyperparams[row]} was not expected of this session.")
    return make_lanes(session.network_root, cohort, hyperparams)


def make_lanes(
    network_root: jax.Array,
    cohort: planning.Cohort,
    hyperparams: Sequence[dict[str, Any]] | Mapping[int, dict[str, Any]],
) -> Lanes:
    """Returns the Lanes of a cohort; an empty lane holds its first network.

    Args:
      network_root: random key that networks fold their identity into.
      cohort: rows of the list.
      hyperparams: completed dicts, by row of the list.
    """
    first = cohort.individuals[0]
    rows = [hyperparams[i if i >= 0 else first] for i in cohort.individuals]
    words = recipe.key_words(network_root, rows, cohort.replicate)
    # All at once, as NumPy made them: `jnp.array` of a list runs a program for each.
    words, architecture, whole, rates = jax.device_put(
        (
            words,
            architecture_of(rows),
            {
                "optimizer": _places(optimizers.NAMES, rows, "optimizer"),
                "schedule": _places(schedules.NAMES, rows, "schedule"),
            },
            {name: np.array([h[name] for h in rows], float) for name in recipe.RATES},
        )
    )
    return Lanes(
        key=jax.random.wrap_key_data(words, impl=IMPLEMENTATION),
        architecture=architecture,
        rates=rates,
        **whole,
    )


def _network_result(
    hyperparams: dict[str, Any], lane: LaneResult, session: Session
) -> NetworkResult:
    dataset, widths = session.dataset, widths_of(hyperparams)
    is_normed = hyperparams["norm"] == "layer"
    num_epochs = len(lane.train_loss)
    accuracy, kept, params = lane.accuracy, lane.kept_epoch, {}
    if lane.params is not None:
        cropped = weights.crop(lane.params, widths=widths, is_normed=is_normed)
        params = jax.tree.map(np.array, cropped)
    loss = math.inf if lane.is_failed else float(lane.validation_loss[kept])
    is_whole = bool(params) and not lane.is_failed
    facts = {"validation_accuracy": accuracy, "validation_loss": loss, "epoch": kept}
    facts |= metric_fact(session.settings.metric)
    return NetworkResult(
        hyperparams=hyperparams,
        num_params=_num_params(dataset, widths, is_normed),
        validation_accuracy=accuracy,
        validation_loss=loss,
        num_epochs=num_epochs,
        failed_epoch=num_epochs - 1 if lane.is_failed else None,
        curves={name: getattr(lane, name) for name in CURVES},
        params=params,
        network=make_network(hyperparams, params, dataset, facts) if is_whole else None,
        validation_probabilities=lane.probabilities,
    )


def unpark(
    session: Session,
    result: NetworkResult,
    parked: Parked,
    wants_params_fn: Callable[[float, int], bool],
) -> NetworkResult:
    """Returns the partial result of a parked lane, with weights where they are wanted.

    Args:
      session: of the run.
      result: of the lane, without weights.
      parked: the lane.
      wants_params_fn: as for `train_list`.
    """
    is_wanted = wants_params_fn(result.validation_accuracy, result.replicate)
    lane = measure(session.setup, parked.curves, parked.best_epoch)
    lane = lane._replace(params=parked.state.kept_params if is_wanted else None)
    whole = _network_result(result.hyperparams, lane, session)
    return whole._replace(replicate=result.replicate, is_partial=True)


def make_network(
    hyperparams: dict[str, Any],
    params: dict[str, dict[str, np.ndarray]],
    dataset: Dataset,
    facts: dict[str, Any],
) -> Network:
    """Returns a network to use, of params [out, in]."""
    return Network(
        hyperparams=hyperparams,
        params=jax.tree.map(np.transpose, params),
        inputs=dataset.inputs,
        classes=dataset.classes,
        facts={"dataset": dataset.name, **facts},
        targets=dataset.targets,
    )


def _places(
    names: Sequence[str], rows: Sequence[dict[str, Any]], name: str
) -> np.ndarray:
    """Returns int32[n], the places of rows' values of a hyperparameter in its table."""
    return np.array([names.index(row[name]) for row in rows], np.int32)


def _num_params(dataset: Dataset, widths: Sequence[int], is_normed: bool) -> int:
    return weights.count_params(
        widths,
        num_features=dataset.x_train.shape[1],
        num_classes=dataset.num_outputs,
        is_normed=is_normed,
    )
