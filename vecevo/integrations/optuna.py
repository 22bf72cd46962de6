"""Optuna, both ways: it chooses what trains together, and shows what a run trained."""

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from vecevo.datasets.loading import as_dataset
from vecevo.datasets.making import Dataset
from vecevo.errors import InputError, check_counts, check_seed, describe
from vecevo.extras import import_extra
from vecevo.results import NetworkResult, genome_text
from vecevo.runs.evolve import check_space
from vecevo.runs.files.reading import RecordedNetwork, Run
from vecevo.space import SearchSpace, decode
from vecevo.training import settings
from vecevo.training.library import train_networks
from vecevo.training.recipe import check_choice, complete, telling

try:
    import optuna
    from optuna import Study, Trial
    from optuna.distributions import BaseDistribution, CategoricalDistribution
    from optuna.storages import BaseStorage, RDBStorage
    from optuna.trial import FrozenTrial, TrialState
except ImportError:
    import_extra("optuna", "optuna")  # raises, and says how to install it
    raise

# Of a recorded network; any other was stopped before its end.
STATES = {"trained": TrialState.COMPLETE, "failed": TrialState.FAIL}
RECORDED = ("generation", "replicate", "rung", "purpose", "status")


def ask_batch(study: Study, space: SearchSpace, *, num_trials: int) -> list[Trial]:
    """Asks a study for networks of a space, each choice a category.

    Where a range says more than categories, `study.ask` takes other distributions.

    Raises:
      InputError: for what is no study or no space, a space with other choices than
        the study has had, or a number below 1.
    """
    _check_study(study)
    check_space(space)
    check_counts(num_trials=num_trials)
    distributions = _distributions_of(space)
    _check_choices(study, distributions)
    return [study.ask(distributions) for _ in range(num_trials)]


def evaluate_batch(
    study: Study,
    trials: Sequence[Trial],
    dataset: Dataset | str,
    *,
    fixed: Mapping[str, Any] | None = None,
    seed: int = 0,
    **training: Any,
) -> list[NetworkResult]:
    """Trains the networks of trials at once, and tells the study their accuracies.

    A trial gets the validation accuracy as its value, and by epoch as intermediate
    values; one whose network failed gets the state FAIL. User attributes are
    `num_params`, `num_epochs`, the hyperparams that are no parameters of the trial,
    and `validation_loss` or, of a network that failed, `failed_epoch`.

    Args:
      study: with the one direction maximize.
      trials: of `study.ask`, running; their parameters are hyperparams.
      dataset: from `load_dataset` or `make_dataset`, or a name to load.
      fixed: the hyperparams that the trials lack, by name.
      seed: of initial weights, dropout and the order of examples.
      **training: as in `train_networks`.

    Returns:
      The results in the order of the trials.

    Raises:
      InputError: for a study that accuracies cannot be told to, trials that are not
        its own or not running, or what cannot be trained: the trials stay as they
        were. Any error from then on leaves those not told yet with the state FAIL.
    """
    _check_study(study)
    trials = _own_running(study, trials)
    fixed = _check_fixed(fixed)
    hyperparams = [_hyperparams_of(trial, fixed) for trial in trials]
    check_seed(seed)
    dataset = as_dataset(dataset)
    settings.resolve(training, dataset)
    try:
        results = train_networks(hyperparams, dataset, seed=seed, **training)
        for trial, result in zip(trials, results, strict=True):
            _tell_result(study, trial, result)
    except BaseException:
        _fail_running(study, trials)
        raise
    return results


def study_of(
    run: Run,
    *,
    storage: str | BaseStorage | None = None,
    study_name: str | None = None,
) -> Study:
    """Returns a recorded run as a new study, one trial for each of its networks.

    Parameters are the genes, each a category with the choices of the space; the rest
    is as `evaluate_batch` has it, and what else the run recorded of the network. A
    network that was stopped before its end is PRUNED.

    Args:
      run: from `load_run`.
      storage: what Optuna is to keep the study in, such as sqlite:///studies.db; None
        is memory.
      study_name: None is the name of the run's folder.

    Raises:
      InputError: for what is no run, a storage that cannot be opened, or a study
        that it has already.
    """
    if not isinstance(run, Run):
        raise InputError(f"run={describe(run)} is no run: give load_run(folder).")
    trials = [_trial_of(n, run.space) for n in run.networks if n.purpose == "search"]
    with _opened(storage) as opened:
        study = _create_study(opened, study_name or run.folder.resolve().name)
        study.add_trials(trials)
    return study


def _check_study(study: Any) -> None:
    if not isinstance(study, Study):
        raise InputError(f"study={describe(study)} is no study of Optuna's: give one.")
    directions = [direction.name.lower() for direction in study.directions]
    if directions != ["maximize"]:
        raise InputError(
            f"study has the directions {', '.join(directions)}, but is told one "
            "accuracy: give create_study(direction='maximize')."
        )


def _check_choices(study: Study, distributions: dict[str, BaseDistribution]) -> None:
    """Refuses categories that Optuna would refuse with a trial asked already."""
    for trial in study.get_trials(deepcopy=False):
        for name in trial.distributions.keys() & distributions.keys():
            if trial.distributions[name] != distributions[name]:
                raise InputError(
                    f"space has other choices of {name} than trial {trial.number} of "
                    "the study: give the same space, or a new study."
                )


def _own_running(study: Study, trials: Any) -> list[Trial]:
    """Returns trials as a list, after looking each up in the study."""
    if not isinstance(trials, Iterable):
        raise InputError(f"trials={describe(trials)} must be a list of trials.")
    trials = list(trials)
    known = {trial.number: trial for trial in study.get_trials(deepcopy=False)}
    for trial in trials:
        if not isinstance(trial, Trial):
            raise InputError(f"trials has {describe(trial)}: give trials of study.ask.")
        _check_running(trial, known.get(trial.number))
    if len({trial.number for trial in trials}) < len(trials):
        raise InputError("trials has one trial twice: give each once.")
    return trials


def _check_running(trial: Trial, known: FrozenTrial | None) -> None:
    """Refuses a trial that the study does not know as it is, or knows as finished."""
    # The numbers of all studies begin at 0: only the time tells them apart.
    if known is None or known.datetime_start != trial.datetime_start:
        raise InputError(f"trials has trial {trial.number} of another study: ask this.")
    if known.state != TrialState.RUNNING:
        raise InputError(
            f"trials has trial {trial.number}, which is {known.state.name}: ask anew."
        )


def _check_fixed(fixed: Any) -> Mapping[str, Any]:
    if not isinstance(fixed or {}, Mapping):
        raise InputError(f"fixed={describe(fixed)} must be a dict of values by name.")
    for name, value in (fixed or {}).items():
        check_choice(name, value)
    return fixed or {}


def _hyperparams_of(trial: Trial, fixed: Mapping[str, Any]) -> dict[str, Any]:
    params = trial.params
    for name in sorted(set(params) & set(fixed)):
        raise InputError(
            f"fixed has {name}, as trial {trial.number} has: leave it out."
        )
    try:
        return complete({**fixed, **params})
    except InputError as error:
        raise InputError(f"trial {trial.number}: {error}") from error


def _tell_result(study: Study, trial: Trial, result: NetworkResult) -> None:
    for name, value in _user_attrs(result, trial.params).items():
        trial.set_user_attr(name, value)
    for epoch, accuracy in _accuracy_by_epoch(result).items():
        trial.report(accuracy, epoch)
    is_failed = result.failed_epoch is not None
    _tell(study, trial, None if is_failed else result.validation_accuracy)


def _tell(study: Study, trial: Trial, value: float | None) -> None:
    """Finishes a trial with a value, or as failed with None."""
    try:
        study.tell(trial, value, TrialState.FAIL if value is None else None)
    except RuntimeError:
        # A sampler that has no more to ask stops the study's own loop, which is not
        # running here; the trial has been told by then.
        if _is_running(study, trial):
            raise


def _fail_running(study: Study, trials: Iterable[Trial]) -> None:
    for trial in trials:
        if _is_running(study, trial):
            _tell(study, trial, None)


def _is_running(study: Study, trial: Trial) -> bool:
    known = study.get_trials(deepcopy=False)[trial.number]
    return known.state == TrialState.RUNNING


def _accuracy_by_epoch(network: NetworkResult | RecordedNetwork) -> dict[int, float]:
    """Returns the validation accuracies that were measured, by epoch from 0."""
    curve = network.curves["validation_accuracy"].tolist()
    return {epoch: x for epoch, x in enumerate(curve) if math.isfinite(x)}


def _user_attrs(
    network: NetworkResult | RecordedNetwork, params: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns what is known of a network beside the parameters of its trial."""
    rest = {k: v for k, v in telling(network.hyperparams).items() if k not in params}
    names = ("num_params", "num_epochs", "validation_loss", "failed_epoch")
    known = {name: getattr(network, name) for name in names}
    # JSON, which storages and dashboards speak, has no inf.
    return rest | {k: v for k, v in known.items() if v not in (None, math.inf)}


def _distributions_of(space: SearchSpace) -> dict[str, BaseDistribution]:
    return {name: CategoricalDistribution(choices) for name, choices in space.genes}


def _trial_of(network: RecordedNetwork, space: SearchSpace) -> FrozenTrial:
    params = decode(space, network.genome)
    state = STATES.get(network.status, TrialState.PRUNED)
    is_complete = state == TrialState.COMPLETE
    return optuna.trial.create_trial(
        state=state,
        value=network.validation_accuracy if is_complete else None,
        params=params,
        distributions=_distributions_of(space),
        intermediate_values=_accuracy_by_epoch(network),
        user_attrs={
            **_user_attrs(network, params),
            **{name: getattr(network, name) for name in RECORDED},
            "genome": genome_text(network.genome),
        },
    )


@contextlib.contextmanager
def _opened(storage: Any) -> Iterator[BaseStorage | None]:
    """Opens the database of a URL, which a study opens anew when it is used later."""
    if not isinstance(storage, str | BaseStorage | None):
        raise InputError(f"storage={describe(storage)} must be a URL of a database.")
    if not isinstance(storage, str):
        yield storage
        return
    try:
        database = RDBStorage(storage)
    except Exception as error:  # whatever the driver of the database raises
        reason = str(error).partition("\n")[0]
        message = f"storage={storage!r} cannot be opened ({reason}): give a URL such as"
        raise InputError(f"{message} sqlite:///studies.db.") from error
    try:
        yield database
    finally:
        database.remove_session()
        database.engine.dispose()


def _create_study(storage: BaseStorage | None, name: str) -> Study:
    try:
        return optuna.create_study(
            storage=storage, study_name=name, direction="maximize"
        )
    except optuna.exceptions.DuplicatedStudyError:
        raise InputError(
            f"study_name={name!r} is in the storage already, and is left as it is: "
            "name another."
        ) from None
