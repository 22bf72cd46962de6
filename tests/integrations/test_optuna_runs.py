"""A recorded run is a study of Optuna's."""

import math

import matplotlib
import numpy as np
import optuna
import pytest

import vecevo
from vecevo.integrations import optuna as integration
from vecevo.results import NetworkResult
from vecevo.runs.files import journal

COMPLETE, FAIL = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.FAIL
SPACE = vecevo.SearchSpace(
    {
        "width": (4, 8),
        "activation": ("relu", "tanh"),
        "learning_rate": (0.001, 0.01, 1e30),
    }
)
FIXED = {"depth": 1, "optimizer": "sgd", "dropout_rate": 0.0, "weight_decay": 0.0}


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
    database = optuna.storages.RDBStorage(url)
    study = optuna.load_study(study_name="first", storage=database)
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
        for name in FIXED:
            assert attrs[name] == network.hyperparams[name]
        for name in (*integration.RECORDED, "num_params", "num_epochs"):
            assert attrs[name] == getattr(network, name)
        assert attrs.get("failed_epoch") == network.failed_epoch
        assert attrs.get("validation_loss", math.inf) == network.validation_loss
        assert attrs["genome"] == "-".join(map(str, network.genome))
    with pytest.raises(vecevo.InputError, match="study_name='first' is in the storage"):
        integration.study_of(run, storage=url)
    integration.study_of(run, storage=database, study_name="second")
    assert optuna.get_all_study_names(database) == ["first", "second"]
    database.remove_session()
    database.engine.dispose()


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


def test_a_study_of_a_run_goes_on_in_its_space(tmp_path):
    study = integration.study_of(recorded_run(tmp_path / "run"))
    trials = integration.ask_batch(study, SPACE, num_trials=2)
    assert all(trial.params["width"] in (4, 8) for trial in trials)
    other = vecevo.SearchSpace({"depth": (1, 2), "width": (4, 8, 16)})
    with pytest.raises(vecevo.InputError, match="space has other choices of width"):
        integration.ask_batch(study, other, num_trials=1)
    assert len(study.trials) == 14


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
    with pytest.raises(vecevo.InputError, match="storage=5 must be a URL"):
        integration.study_of(run, storage=5)
    for storage in ("nonsense", f"sqlite:///{tmp_path}/none/x.db"):
        with pytest.raises(vecevo.InputError, match=r"storage=.* cannot be opened \("):
            integration.study_of(run, storage=storage)
