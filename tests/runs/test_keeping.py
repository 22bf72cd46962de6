"""What a run leaves of its networks, and the commands that use it."""

import csv
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
from rich.console import Console

import vecevo
from vecevo import export, predict, run
from vecevo.results import NetworkResult, SearchResult, Work, genome_text
from vecevo.runs.files import keeping, retraining, store
from vecevo.runs.ledger import Ledger
from vecevo.runs.report import console as shown
from vecevo.runs.report import facts
from vecevo.space import SearchSpace

SCHEMA_1 = pathlib.Path(__file__).parent / "schema_1"
SETTINGS = (
    *("--width", "8", "--depth", "1", "--optimizer", "adam", "nesterov"),
    *("--max-epochs", "2", "--limit-train", "200", "--activation", "relu", "tanh"),
    *("--learning-rate", "0.01", "1e30", "--strategy", "grid", "--ensemble", "3"),
)


def call(monkeypatch, capsys, main, *args):
    """Runs a command here; returns its exit code, and what it prints."""
    monkeypatch.setattr(sys, "argv", ["command", *map(str, args)])
    try:
        main()
    except SystemExit as stop:
        return stop.code, *capsys.readouterr()
    return 0, *capsys.readouterr()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    command = [sys.executable, "-m", "vecevo", *SETTINGS, "--output-dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ensemble of" in done.stdout and "report.html" in done.stdout
    return folder


def test_a_run_leaves_its_best_networks(folder):
    summary = json.loads((folder / "result.json").read_text())
    dataset = vecevo.load_dataset("digits")
    names = ["best", *(f"top/{rank}" for rank in range(2, len(summary["top"]) + 1))]
    assert len(names) == 5
    for name, row in zip(names, summary["top"], strict=True):
        network = vecevo.load_network(folder / name)
        assert network.hyperparams == row["hyperparams"]
        assert network.facts["genome"] == row["genome"]
        assert network.facts["validation_accuracy"] == row["validation_accuracy"]
        accuracy = network.score(dataset.raw_x_test, dataset.raw_y_test)
        assert accuracy == row["test_accuracy"] == network.facts["test_accuracy"]
    assert vecevo.load_network(folder).facts["rank"] == 1
    ensemble = vecevo.load_network(folder / "ensemble")
    assert ensemble.facts["test_accuracy"] == summary["ensemble"]["test_accuracy"]
    assert sum(ensemble.picks) == 3


def test_a_run_that_goes_on_leaves_nothing_of_before(folder, tmp_path):
    again = shutil.copytree(folder, tmp_path / "again")
    shutil.copytree(again / "top/2", again / "top/6")
    command = [sys.executable, "-m", "vecevo", "--resume", str(again)]
    more = ["--ensemble", "0", "--no-report"]
    done = subprocess.run([*command, *more], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((again / "result.json").read_text())["ensemble"] is None
    left = {path.name for path in again.iterdir()}
    assert {"best", "top"} <= left and not left & {"ensemble", "report.html"}
    assert {path.name for path in (again / "top").iterdir()} == set("2345")


def test_what_a_run_has_no_more_is_removed(tmp_path, folder):
    best = vecevo.load_network(folder)
    row = (0,), NetworkResult({}, 1, 0.5, 1.0, 1, None, {}, {}, network=best)
    result = SearchResult([row, row, row], [], [], *([0] * 4), [], {}, None)
    dataset = vecevo.load_dataset("digits", limit_train=200)
    keeping.leave_networks(result, dataset, tmp_path, {})
    assert {path.name for path in (tmp_path / "top").iterdir()} == {"2", "3"}
    keeping.leave_networks(result._replace(top=[row]), dataset, tmp_path, {})
    assert [path.name for path in tmp_path.iterdir()] == ["best"]
    keeping.leave_networks(result._replace(top=[]), dataset, tmp_path, {})
    assert not list(tmp_path.iterdir())


def test_a_kill_while_the_summary_is_written_leaves_the_one_before(
    folder, tmp_path, monkeypatch
):
    again = shutil.copytree(folder, tmp_path / "again")
    before = (again / "result.json").read_text()
    whole = pathlib.Path.write_bytes

    def write_half(path, content):
        whole(path, content[: len(content) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.write_bytes", write_half)
    summary = json.loads(before) | {"seed": 77}
    with pytest.raises(KeyboardInterrupt):
        shown.leave_result(summary, SearchSpace({"depth": (1,)}), again, Console())
    assert (again / "result.json").read_text() == before
    assert vecevo.load_run(again).summary["seed"] == 0


def test_the_pool_has_those_that_did_not_fail(folder):
    recorded = vecevo.load_run(folder)
    whole = {genome_text(n.genome) for n in recorded.networks if n.status == "trained"}
    assert {path.stem for path in (folder / "pool").iterdir()} == whole
    for path in (folder / "pool").iterdir():
        tensors = safetensors.numpy.load_file(path)
        assert tensors["validation_probabilities"].shape == (288, 10)
        assert tensors["hidden_0/kernel"].shape == (64, 8)


def test_run_report_table_and_study_agree(folder, tmp_path):
    from vecevo.integrations.optuna import study_of

    recorded = vecevo.load_run(folder)
    searched = [n for n in recorded.networks if n.purpose == "search"]
    frame = recorded.to_dataframe()
    assert len(frame) == len(recorded.networks) == 8 + 5 * 2
    frame = frame[frame["purpose"] == "search"].set_index("genome")
    trials = {t.user_attrs["genome"]: t for t in study_of(recorded).trials}
    assert len(frame) == len(trials) == len(searched) == 8
    page = (folder / "report.html").read_text()
    for network in searched:
        row = frame.loc[genome_text(network.genome)]
        assert row["validation_accuracy"] == network.validation_accuracy
        assert row["num_params"] == network.num_params
        trial = trials[genome_text(network.genome)]
        assert trial.user_attrs["num_params"] == network.num_params
        is_whole = network.status == "trained"
        assert trial.value == (network.validation_accuracy if is_whole else None)
    summary = json.loads((folder / "result.json").read_text())
    for row in summary["top"]:
        for name in ("validation_accuracy", "test_accuracy"):
            assert f"{row[name]:.4f}" in page
    assert f"{summary['ensemble']['test_accuracy']:.4f}" in page


def test_the_pool_keeps_the_best_alone(tmp_path):
    files, ledger = store.start(tmp_path, {}), Ledger(pool_size=4)
    network = vecevo.Network({}, {"a": {"b": np.zeros(2)}}, None, (0, 1))

    def result(accuracy, loss):
        return NetworkResult(
            *({}, 1, accuracy, loss, 1, None, {}, {"a": {}}), network=network
        )

    rng, everything = np.random.default_rng(0), []
    for number in range(30):
        genomes = [(number, 0), (number, 1)]
        accuracies, losses = rng.integers(0, 4, 2) / 4, rng.integers(0, 3, 2) / 2
        results = [result(*pair) for pair in zip(accuracies, losses, strict=True)]
        everything += [
            (-r.validation_accuracy, r.validation_loss, g)
            for g, r in zip(genomes, results, strict=True)
        ]
        ledger.take_in(genomes, results, Work())
        files.record(number, genomes, results, Work(), kept=ledger.kept, seconds=1.0)
        best = [genome for *_, genome in sorted(everything)[:4]]
        assert held(tmp_path) == {genome_text(genome) for genome in best}
    files.close()


def test_a_report_ranks_as_the_run_did():
    run = vecevo.load_run(SCHEMA_1)
    losses = [0.3, 0.1, 0.2, 0.1]
    equal = [
        n._replace(validation_accuracy=0.5, validation_loss=loss, status="trained")
        for n, loss in zip(run.networks, losses, strict=True)
    ]
    run = run._replace(networks=equal)
    expected = sorted(equal, key=lambda n: (n.validation_loss, n.genome))
    assert facts.top_networks(run) == expected
    for rank, network in enumerate(expected, start=1):
        assert retraining.find_network(run, rank=rank, genome=None) == network


def test_settings_of_an_earlier_run_keep_their_meaning():
    run = vecevo.load_run(SCHEMA_1)._replace(config={"standardize": True, "seed": 3})
    config = retraining.recorded_config(run)
    assert (config.inputs, config.seed) == ("standardize", 3)
    with pytest.raises(vecevo.InputError, match="'colour' is no setting"):
        retraining.recorded_config(run._replace(config={"colour": 1}))
    with pytest.raises(vecevo.InputError, match="did not record its settings"):
        retraining.recorded_config(run._replace(config={}))


def held(path):
    return {file.stem for file in (path / "pool").iterdir()}


def test_predictions_are_written_with_their_probabilities(
    folder, tmp_path, monkeypatch, capsys
):
    x = vecevo.load_dataset("digits").raw_x_test[:20]
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    for name in ("x.npy", "x.npz"):
        output = tmp_path / f"{name}.csv"
        args = (folder / "ensemble", tmp_path / name, "--output", output)
        assert call(monkeypatch, capsys, predict.main, *args)[0] == 0
        with output.open() as file:
            rows = list(csv.DictReader(file))
        ensemble = vecevo.load_network(folder / "ensemble")
        assert [int(r["prediction"]) for r in rows] == ensemble.predict(x).tolist()
        said = [[float(r[f"probability_{c}"]) for c in range(10)] for r in rows]
        np.testing.assert_allclose(said, ensemble.predict_proba(x), rtol=1e-5)
    # As a command of the main one, and never over a file that is there.
    code, _, errors = call(monkeypatch, capsys, run.main, "predict", *args)
    assert code == 2 and errors.count("\n") == 1 and "File exists" in errors


def test_a_network_of_a_table_predicts_a_table(tmp_path, monkeypatch, capsys):
    rows = [f"{i % 7},{'ab'[i % 2]},{['no', 'yes'][i % 2]}" for i in range(60)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["x,letter,class", *rows]))
    dataset = vecevo.load_dataset(path)
    hyperparams = {"depth": 1, "width": 8, "activation": "relu", "optimizer": "adam"}
    (result,) = vecevo.train_networks([hyperparams], dataset, max_epochs=200)
    vecevo.save_network(result.network, tmp_path / "net")
    output = tmp_path / "said.csv"
    args = (tmp_path / "net", path, "--output", output, "--target", "class")
    code, printed, _ = call(monkeypatch, capsys, predict.main, *args)
    assert code == 0 and "60 predictions" in printed and "accuracy: 1.0000" in printed
    args = (tmp_path / "net", path, "--output", output, "--target", "kind")
    code, _, errors = call(monkeypatch, capsys, predict.main, *args)
    assert code == 2 and "target='kind' is no column" in errors


def test_a_network_is_trained_again(folder, tmp_path, monkeypatch, capsys):
    output = tmp_path / "again"
    args = (folder, "--rank", 2, "--output", output)
    code, printed, _ = call(monkeypatch, capsys, export.main, *args)
    assert code == 0 and "validation accuracy" in printed
    again, before = (vecevo.load_network(p) for p in (output, folder / "top" / "2"))
    assert again.hyperparams == before.hyperparams
    for name, layer in before.params.items():
        np.testing.assert_allclose(
            again.params[name]["kernel"], layer["kernel"], atol=1e-4
        )


def test_a_score_that_comes_out_differently_is_said(
    folder, tmp_path, monkeypatch, capsys
):
    train_again = retraining.train_again

    def differ(recorded, network):
        result = train_again(recorded, network)
        return result._replace(validation_accuracy=result.validation_accuracy - 0.125)

    monkeypatch.setattr(retraining, "train_again", differ)
    genome = genome_text(vecevo.load_run(folder).networks[0].genome)
    args = (folder, "--genome", genome, "--output", tmp_path / "other")
    code, _, errors = call(monkeypatch, capsys, export.main, *args)
    assert code == 0 and "came out differently" in errors


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "rank and genome"),
        (("--rank", "1", "--genome", "0"), "rank and genome"),
        (("--rank", "0"), "rank=0 must be from 1 to 6"),
        (("--rank", "9"), "rank=9 must be from 1 to 6"),
        (("--genome", "7-7"), "genome='7-7' was not trained"),
        (("--genome", "7-7"), "give one that was, such as {best}, the best, or --rank"),
        (("--rank", "1", "--output", "."), "never overwritten"),
        (("--rank", "x"), "--rank"),
    ],
)
def test_mistakes_of_an_export_are_one_line(folder, monkeypatch, capsys, args, words):
    code, _, errors = call(monkeypatch, capsys, export.main, folder, *args)
    best = genome_text(vecevo.load_network(folder).facts["genome"])
    words = words.format(best=best)
    assert code == 2 and errors.count("\n") == 1 and words in errors


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_mistakes_of_a_prediction_are_one_line(
    folder, tmp_path, monkeypatch, capsys, content
):
    data = tmp_path / "x.npz"
    data.write_bytes(content)
    for place in (folder, tmp_path, tmp_path / "none"):
        code, _, errors = call(monkeypatch, capsys, predict.main, place, data)
        assert code == 2 and errors.count("\n") == 1
