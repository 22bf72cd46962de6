"""Optuna's trials are networks that train together."""

import importlib
import sys

import numpy as np
import optuna
import pytest

import vecevo
from vecevo.integrations import optuna as integration
from vecevo.results import NetworkResult

COMPLETE, FAIL = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.FAIL
RUNNING = optuna.trial.TrialState.RUNNING
SPACE = vecevo.SearchSpace(
    {
        "activation": ("relu", "tanh", "elu"),
        "learning_rate": (0.001, 0.01, 1e30),
    }
)
FIXED = {"depth": 1, "optimizer": "sgd", "dropout_rate": 0.0}
WIDE = {**FIXED, "width": 8}
TRAINING = {"batch_size": 16, "max_epochs": 2, "seed": 3}


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
    study, told, results = make_study(), [], []
    for _ in range(2):
        trials = integration.ask_batch(study, SPACE, num_trials=4)
        assert states(study)[-4:] == [RUNNING] * 4
        told += integration.evaluate_batch(
            study, trials, dataset, fixed=WIDE, **TRAINING
        )
        hyperparams = [{**WIDE, **trial.params} for trial in trials]
        results += vecevo.train_networks(hyperparams, dataset, **TRAINING)
    assert {result.failed_epoch for result in results} > {None}  # some fail, some not
    for trial, result, given in zip(study.trials, results, told, strict=True):
        assert given.hyperparams == result.hyperparams
        curve = result.curves["validation_accuracy"].tolist()
        assert trial.intermediate_values == dict(enumerate(curve))
        attrs = {**WIDE, "weight_decay": 0.0}
        attrs["num_params"] = result.num_params
        attrs["num_epochs"] = result.num_epochs
        if result.failed_epoch is None:
            assert trial.state == COMPLETE
            assert trial.value == result.validation_accuracy
            attrs["validation_loss"] = result.validation_loss
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
        ({"width": 4, "depth": 2}, {}, "fixed has depth, as trial 0 has: leave it out"),
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
    done = ask(study, width=4)
    study.tell(done, 0.5)
    for trials, says in (
        (trial, "trials=.* must be a list of trials"),
        ([0], "trials has 0: give trials of study.ask"),
        (study.trials, "trials has .*: give trials of study.ask"),
        ([trial, trial], "trials has one trial twice"),
        ([strange], "trials has trial 0 of another study"),
        ([trial, done], "trials has trial 1, which is COMPLETE: ask anew"),
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
        integration.evaluate_batch(study, trials, dataset, fixed=WIDE)
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
        integration.evaluate_batch(study, trials, dataset, fixed=WIDE)
    assert states(study) == [COMPLETE, FAIL]


def test_without_optuna_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, integration.__name__)
    monkeypatch.setattr(sys.modules["vecevo.integrations"], "optuna", integration)
    with pytest.raises(vecevo.InputError, match=r"pip install 'vecevo\[optuna\]'"):
        importlib.import_module(integration.__name__)
