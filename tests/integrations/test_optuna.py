"""Optuna's trials are networks that train together; a recorded run is a study."""

import importlib
import math
import sys

import matplotlib
import numpy as np
import optuna
import pytest

import vecevo
from vecevo.integrations import optuna as integration
from vecevo.results import NetworkResult
from vecevo.runs import journal

COMPLETE, FAIL = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.FAIL
RUNNING = optuna.trial.TrialState.RUNNING
SPACE = vecevo.SearchSpace(
    {
        "width": (4, 8),
        "activation": ("relu", "tanh"),
        "learning_rate": (0.001, 0.01, 1e30),
    }
)
FIXED = {"depth": 1, "optimizer": "sgd", "dropout_rate": 0.0}
TRAINING = {"batch_size": 16, "max_epochs": 2, "seed": 3}


@pytest.fixture(autouse=True)
def quiet():
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(verbosity)


@pytest.fixture(scope="module")
def dataset():
    rng = np.random.default_rng(0)
    return vecevo.make_dataset(
        x_train=rng.random((90, 5)),
        y_train=np.arange(90) % 3,
        x_test=rng.random((20, 5)),
        y_test=np.arange(20) % 3,
    )


@pytest.fixture
def no_training(monkeypatch):
    """Lets no network be trained, as most mistakes are to be seen before."""

    def train_networks(*args, **settings):
        raise AssertionError("training began")

    monkeypatch.setattr(integration, "train_networks", train_networks)


def make_study(sampler=None, **settings):
    sampler = sampler or optuna.samplers.TPESampler(seed=0, n_startup_trials=4)
    settings = {"direction": "maximize", **settings}
    return optuna.create_study(sampler=sampler, **settings)


def ask(study, **params):
    """Asks for one trial with these parameters."""
    study.enqueue_trial(params)
    choices = {
        name: optuna.distributions.CategoricalDistribution([value])
        for name, value in params.items()
    }
    return study.ask(choices)


def states(study):
    return [trial.state for trial in study.get_trials(deepcopy=False)]


def test_tpe_in_batches_is_told_what_train_networks_gives(dataset):
    study, told = make_study(), []
    for _ in range(3):
        trials = integration.ask_batch(study, SPACE, num_trials=4)
        assert states(study)[-4:] == [RUNNING] * 4
        told += integration.evaluate_batch(
            study, trials, dataset, fixed=FIXED, **TRAINING
        )
    hyperparams = [{**FIXED, **trial.params} for trial in study.trials]
    results = vecevo.train_networks(hyperparams, dataset, **TRAINING)
    assert {result.failed_epoch for result in results} > {None}  # some fail, some not
    for trial, result, given in zip(study.trials, results, told, strict=True):
        assert given.hyperparams == result.hyperparams
        # Another list is another plan, which may round otherwise.
        curve = result.curves["validation_accuracy"]
        np.testing.assert_allclose(list(trial.intermediate_values.values()), curve)
        assert list(trial.intermediate_values) == list(range(result.num_epochs))
        attrs = {**FIXED, "weight_decay": 0.0, "num_params": result.num_params}
        attrs["num_epochs"] = result.num_epochs
        if result.failed_epoch is None:
            assert trial.state == COMPLETE
            assert trial.value == pytest.approx(result.validation_accuracy)
            attrs["validation_loss"] = pytest.approx(result.validation_loss, rel=1e-5)
        else:
            assert trial.state == FAIL and trial.params["learning_rate"] == 1e30
            attrs["failed_epoch"] = result.failed_epoch
        assert trial.user_attrs == attrs
    assert study.best_value == max(result.validation_accuracy for result in told)


def test_a_sampler_may_give_whole_floats_and_come_to_its_end(dataset):
    widths = {"width": [4.0, 8.0], "learning_rate": [0.01]}
    sampler = optuna.samplers.GridSampler(widths, seed=0)
    study = make_study(sampler)
    distributions = {
        "width": optuna.distributions.FloatDistribution(4.0, 8.0, step=4.0),
        "learning_rate": optuna.distributions.FloatDistribution(1e-3, 1.0, log=True),
    }
    trials = [study.ask(distributions) for _ in range(2)]
    fixed = {**FIXED, "activation": "relu"}
    results = integration.evaluate_batch(
        study, trials, dataset, fixed=fixed, **TRAINING
    )
    assert sorted(result.hyperparams["width"] for result in results) == [4, 8]
    assert states(study) == [COMPLETE, COMPLETE]
    assert sampler.is_exhausted(study)


def test_no_trials_are_no_results(dataset):
    assert integration.evaluate_batch(make_study(), [], dataset) == []


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("params", "settings", "says"),
    [
        ({"width": 4, "colour": 1}, {}, "trial 0: 'colour' is no hyperparameter: use"),
        ({"width": 4.5}, {}, r"trial 0: width=4.5 must be a whole number"),
        ({"width": 4, "depth": 2}, {}, "fixed has depth=1, which is a parameter of"),
        ({}, {}, "trial 0: a network has no width: give it one"),
        ({"width": 4}, {"fixed": {"depth": 0}}, "depth=0 must be a whole number"),
        ({"width": 4}, {"fixed": 5}, "fixed=5 must be a dict"),
        ({"width": 4}, {"max_epoch": 5}, "'max_epoch' is no setting of training"),
        ({"width": 4}, {"seed": -1}, "seed=-1 must be a whole number"),
        ({"width": 4}, {"dataset": 5}, "dataset=5"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_stays(dataset, params, settings, says):
    study = make_study()
    fixed = {**FIXED, "activation": "relu"}
    settings = {"dataset": dataset, "fixed": fixed, **settings}
    trial = ask(study, **params)
    with pytest.raises(vecevo.InputError, match=says) as caught:
        integration.evaluate_batch(study, [trial], **settings)
    assert "\n" not in str(caught.value)
    assert states(study) == [RUNNING]
    assert study.trials[0].user_attrs == {}


@pytest.mark.usefixtures("no_training")
def test_trials_of_others_or_finished_ones_are_refused(dataset):
    study, other = make_study(), make_study()
    trial, strange = ask(study, width=4), ask(other, width=4)
    done = ask(study, width=8)
    study.tell(done, 0.5)
    for trials, says in (
        (trial, "trials=.* must be a list of trials"),
        ([0], "trials has 0: give what study.ask returned"),
        (study.trials, "trials has .*: give what study.ask returned"),
        ([trial, trial], "trials has trial 0 twice"),
        ([trial, strange], "trials has trial 0 of another study"),
        ([trial, done], "trials has trial 1, which is COMPLETE already"),
    ):
        with pytest.raises(vecevo.InputError, match=says):
            integration.evaluate_batch(study, trials, dataset, fixed=FIXED)
    assert states(study) == [RUNNING, COMPLETE]


@pytest.mark.usefixtures("no_training")
def test_a_study_that_accuracies_cannot_be_told_to_is_refused(dataset):
    for study, says in (
        (make_study(direction="minimize"), "the directions minimize, but is told one"),
        (make_study(direction=None, directions=["maximize"] * 2), "maximize, maximize"),
        ("study", "study='study' is no study of Optuna's"),
    ):
        with pytest.raises(vecevo.InputError, match=says):
            integration.ask_batch(study, SPACE, num_trials=1)
        with pytest.raises(vecevo.InputError, match=says):
            integration.evaluate_batch(study, [], dataset)
    with pytest.raises(vecevo.InputError, match="is no search space"):
        integration.ask_batch(make_study(), SPACE.genes, num_trials=1)
    with pytest.raises(vecevo.InputError, match="num_trials=0"):
        integration.ask_batch(make_study(), SPACE, num_trials=0)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("no space left")])
def test_an_error_in_training_leaves_no_trial_running(dataset, monkeypatch, error):
    def train_networks(*args, **settings):
        raise error

    monkeypatch.setattr(integration, "train_networks", train_networks)
    study = make_study()
    trials = integration.ask_batch(study, SPACE, num_trials=3)
    with pytest.raises(type(error)):
        integration.evaluate_batch(study, trials, dataset, fixed=FIXED)
    assert states(study) == [FAIL] * 3


def test_an_error_in_telling_leaves_what_was_told(dataset, monkeypatch):
    result = NetworkResult(
        hyperparams={},
        num_params=1,
        validation_accuracy=0.5,
        validation_loss=1.0,
        num_epochs=1,
        failed_epoch=None,
        curves={"validation_accuracy": np.array([0.5], np.float32)},
        params={},
    )
    broken = result._replace(curves={})
    monkeypatch.setattr(
        integration, "train_networks", lambda *args, **settings: [result, broken]
    )
    study = make_study()
    trials = integration.ask_batch(study, SPACE, num_trials=2)
    with pytest.raises(KeyError):
        integration.evaluate_batch(study, trials, dataset, fixed=FIXED)
    assert states(study) == [COMPLETE, FAIL]


def recorded_run(folder):
    """Writes and reads a run of all networks of the space; the fast ones failed."""
    folder.mkdir()
    meta = {"space": SPACE.genes, "fixed": FIXED}
    genomes = [tuple(map(int, g)) for g in np.ndindex(*SPACE.num_choices)]
    results, rng = [], np.random.default_rng(0)
    for genome in genomes:
        is_failed = genome[2] == 2
        curve = rng.random(1 if is_failed else 3).astype(np.float32)
        loss = np.full(1, np.nan, np.float32) if is_failed else 1 - curve
        results.append(
            NetworkResult(
                hyperparams={**FIXED, **vecevo.decode(SPACE, genome)},
                num_params=10 * (1 + genome[0]),
                validation_accuracy=-math.inf if is_failed else float(curve[-1]),
                validation_loss=math.inf if is_failed else float(loss[-1]),
                num_epochs=len(curve),
                failed_epoch=0 if is_failed else None,
                curves={
                    "train_loss": loss,
                    "validation_loss": loss,
                    "validation_accuracy": curve,
                },
                params={},
            )
        )
    connection = journal.create(folder / "run.sqlite", meta)
    journal.record(connection, 0, genomes[:5], results[:5])
    journal.record(connection, 1, genomes[5:], results[5:])
    connection.close()
    return vecevo.load_run(folder)


def test_a_run_comes_back_from_a_database_as_it_was(tmp_path):
    run = recorded_run(tmp_path / "first")
    url = f"sqlite:///{tmp_path}/studies.db"
    integration.study_of(run, storage=url)
    study = optuna.load_study(study_name="first", storage=url)
    assert study.direction.name == "MAXIMIZE"
    for trial, network in zip(study.trials, run.networks, strict=True):
        assert trial.params == vecevo.decode(SPACE, network.genome)
        assert list(trial.params) == [name for name, _ in SPACE.genes]
        choices = [d.choices for d in trial.distributions.values()]
        assert choices == [choices for _, choices in SPACE.genes]
        is_failed = network.status == "failed"
        assert trial.state == (FAIL if is_failed else COMPLETE)
        assert trial.value == (None if is_failed else network.validation_accuracy)
        curve = dict(enumerate(network.curves["validation_accuracy"].tolist()))
        assert trial.intermediate_values == curve
        attrs = trial.user_attrs
        assert {**trial.params, **FIXED} == network.hyperparams
        for name in (*FIXED, "depth"):
            assert attrs[name] == network.hyperparams[name]
        for name in (*integration.RECORDED, "num_params", "num_epochs"):
            assert attrs[name] == getattr(network, name)
        assert attrs.get("failed_epoch") == network.failed_epoch
        assert attrs.get("validation_loss", math.inf) == network.validation_loss
        assert attrs["genome"] == "-".join(map(str, network.genome))
    with pytest.raises(vecevo.InputError, match="study_name='first' is a study of"):
        integration.study_of(run, storage=url)
    integration.study_of(run, storage=url, study_name="second")
    assert optuna.get_all_study_names(url) == ["first", "second"]


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_plots_of_optuna_take_a_run(tmp_path):
    matplotlib.use("Agg")
    plots = optuna.visualization.matplotlib
    run = recorded_run(tmp_path / "run")
    study = integration.study_of(run)
    axes = plots.plot_optimization_history(study)
    points = axes.collections[0].get_offsets()
    assert len(points) == sum(n.status == "trained" for n in run.networks)
    assert len(plots.plot_intermediate_values(study).lines) >= len(points)
    axes = plots.plot_param_importances(study)
    labels = {label.get_text() for label in axes.get_yticklabels()}
    assert labels == {name for name, _ in SPACE.genes}
    assert plots.plot_parallel_coordinate(study).get_title()
    matplotlib.pyplot.close("all")


def test_a_study_of_a_run_goes_on(tmp_path, dataset):
    study = integration.study_of(recorded_run(tmp_path / "run"))
    trials = integration.ask_batch(study, SPACE, num_trials=2)
    integration.evaluate_batch(study, trials, dataset, fixed=FIXED, **TRAINING)
    assert (
        all(state.is_finished() for state in states(study)) and len(study.trials) == 14
    )


def test_a_network_that_was_stopped_is_pruned(tmp_path):
    run = recorded_run(tmp_path / "run")
    stopped = run.networks[0]._replace(status="stopped")
    (trial,) = integration.study_of(run._replace(networks=[stopped])).trials
    assert trial.state == optuna.trial.TrialState.PRUNED
    assert trial.value is None and len(trial.intermediate_values) == 3


def test_what_is_no_run_or_no_storage_is_refused(tmp_path):
    run = recorded_run(tmp_path / "run")
    with pytest.raises(vecevo.InputError, match="run='run' is no run: give load_run"):
        integration.study_of("run")
    for storage in ("nonsense", f"sqlite:///{tmp_path}/none/x.db", 5):
        with pytest.raises(vecevo.InputError, match=r"storage=.* cannot be opened \("):
            integration.study_of(run, storage=storage)


def test_without_optuna_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, integration.__name__)
    monkeypatch.setattr(sys.modules["vecevo.integrations"], "optuna", integration)
    with pytest.raises(vecevo.InputError, match=r"pip install 'vecevo\[optuna\]'"):
        importlib.import_module(integration.__name__)
