"""The run's SQLite file: what is written, what is read, of every schema there was."""

import contextlib
import math
import pathlib
import shutil
import sqlite3

import numpy as np
import pytest

import vecevo
from vecevo import extras
from vecevo.results import NetworkResult, Progress
from vecevo.runs import earlier
from vecevo.runs.files import journal, queries
from vecevo.training.recipe import complete

OLD = pathlib.Path(__file__).parent / "schema_1"
SPACE = vecevo.SearchSpace((("depth", (1, 2)), ("learning_rate", (0.1, 1e30))))
FIXED = {"width": 8, "activation": "relu", "optimizer": "sgd"}


def make_result(genome, accuracy):
    is_failed = not math.isfinite(accuracy)
    return NetworkResult(
        hyperparams=complete({**FIXED, **vecevo.decode(SPACE, genome)}),
        num_params=10,
        validation_accuracy=accuracy,
        validation_loss=math.inf if is_failed else 0.5,
        num_epochs=2,
        failed_epoch=1 if is_failed else None,
        curves={"train_loss": np.array([1.0, math.nan])},
        params={},
    )


@pytest.fixture
def connection(tmp_path):
    meta = {"space": SPACE.genes, "fixed": FIXED, "device": "cpu"}
    with contextlib.closing(journal.create(tmp_path / "run.sqlite", meta)) as opened:
        yield opened


def test_what_is_written_is_read(tmp_path, connection):
    results = [make_result((0, 0), 0.75), make_result((1, 1), -math.inf)]
    journal.record(connection, 0, [(0, 0), (1, 1)], results)
    progress = Progress(0, 0.75, -math.inf, 0.5, 2, 1, 100.0, 0.0)
    journal.begin_generation(connection, 0, [(0, 0), (1, 1)])
    journal.end_generation(connection, progress)
    path = tmp_path / "run.sqlite"
    meta = queries.read_meta(path)
    assert meta == {
        "space": [["depth", [1, 2]], ["learning_rate", [0.1, 1e30]]],
        "fixed": FIXED,
        "device": "cpu",
    }
    rows = queries.read_networks(path)
    assert [row["genome"] for row in rows] == [[0, 0], [1, 1]]
    assert [row["validation_accuracy"] for row in rows] == [0.75, None]
    assert queries.read_best(path) == [results[0].hyperparams]
    query = "SELECT status, failed_epoch, curves, cohort FROM networks"
    assert connection.execute(query).fetchall() == [
        ("trained", None, '{"train_loss": [1.0, null]}', 1),
        ("failed", 1, '{"train_loss": [1.0, null]}', 1),
    ]
    query = "SELECT generation, mean_accuracy, num_failed FROM generations"
    assert connection.execute(query).fetchall() == [(0, None, 1)]


def test_a_network_has_one_row_for_each_replicate_rung_and_purpose(connection):
    journal.record(connection, 0, [(0, 0)], [make_result((0, 0), 0.75)])
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        journal.record(connection, 1, [(0, 0)], [make_result((0, 0), 0.5)])
    assert connection.execute("SELECT count(*) FROM cohorts").fetchone() == (1,)
    for changes in ("replicate = 1", "rung = 1", "purpose = 'confirmation'"):
        connection.execute(f"UPDATE networks SET {changes}")
        journal.record(connection, 1, [(0, 0)], [make_result((0, 0), 0.5)])
        connection.execute("DELETE FROM networks WHERE validation_accuracy = 0.5")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        connection.execute("UPDATE networks SET status = 'lucky'")


def test_confirmations_and_parts_are_not_told(tmp_path, connection):
    genomes = [(0, 0), (0, 1), (1, 0), (1, 1)]
    results = [make_result(g, 0.1 * n) for n, g in enumerate(genomes, start=1)]
    journal.record(connection, 0, genomes, results)
    with connection:
        for number, changes in enumerate(
            ("purpose = 'confirmation'", "replicate = 1", "status = 'partial'"), start=2
        ):
            connection.execute(f"UPDATE networks SET {changes} WHERE id = {number}")
    rows = queries.read_networks(tmp_path / "run.sqlite")
    assert [row["genome"] for row in rows] == [[0, 0], [1, 0]]
    assert len(queries.read_best(tmp_path / "run.sqlite")) == 2


def test_a_run_of_schema_1_is_a_table_and_starts_another():
    table = vecevo.load_table(OLD)
    assert [name for name, _ in table.space.genes][-1] == "learning_rate"
    assert table.space.num_genomes == 4 and table.fixed["dropout_rate"] == 0.2
    accuracy = table.validation_accuracy[:, 0]
    np.testing.assert_allclose(
        accuracy, [0.173611119, -np.inf, 0.118055560, -np.inf], rtol=1e-6
    )
    best = queries.read_best(OLD / "run.sqlite")
    known = earlier.find_known(best, SPACE, FIXED)
    assert [genome.tolist() for genome in known] == [[0, 0], [1, 0]]


def test_a_run_from_before_a_hyperparameter_starts_another():
    older = [{**FIXED, "depth": 2, "learning_rate": 0.1}]  # two are left to defaults
    assert [g.tolist() for g in earlier.find_known(older, SPACE, FIXED)] == [[1, 0]]
    unknown = [{**older[0], "colour": 1}]
    assert earlier.find_known(unknown, SPACE, FIXED) == []


def test_a_run_is_read_back_as_a_value(tmp_path, connection):
    results = [make_result((0, 0), 0.75), make_result((1, 1), -math.inf)]
    journal.record(connection, 0, [(0, 0), (1, 1)], results)
    journal.begin_generation(connection, 0, [(0, 0), (1, 1)])
    journal.end_generation(
        connection, Progress(0, 0.75, -math.inf, 0.5, 2, 1, 100.0, 0.0)
    )
    for path in (tmp_path, str(tmp_path / "run.sqlite")):
        run = vecevo.load_run(path)
        assert (run.space, run.fixed, run.device) == (SPACE, FIXED, "cpu")
        assert run.folder == tmp_path and run.summary is None
    first, second = run.networks
    assert (first.genome, first.status, first.purpose) == ((0, 0), "trained", "search")
    assert first.hyperparams == results[0].hyperparams
    assert (second.validation_accuracy, second.validation_loss) == (-math.inf, math.inf)
    assert (second.status, second.failed_epoch) == ("failed", 1)
    np.testing.assert_array_equal(first.curves["train_loss"], [1.0, math.nan])
    assert run.generations == [(0, 0.75, -math.inf, 0.5, 2, 1)]
    frame = run.to_dataframe()
    assert frame["depth"].tolist() == [1, 2] and len(frame) == 2
    assert frame["validation_accuracy"].tolist() == [0.75, -math.inf]


def test_a_run_of_schema_1_is_read_back():
    run = vecevo.load_run(OLD)
    assert run.space.num_genomes == len(run.networks) == 4
    assert {n.status for n in run.networks} == {"trained", "failed"}
    assert run.generations == [] and run.networks[0].purpose == "search"


def test_a_run_of_schema_2_is_read_back_and_does_not_go_on(tmp_path):
    run = vecevo.load_run(OLD.parent / "schema_2")
    assert [(n.genome, n.status) for n in run.networks] == [
        ((1, 0, 0, 0, 0), "trained"),
        ((1, 0, 0, 0, 1), "trained"),
        ((0, 0, 0, 0, 0), "trained"),
        ((0, 0, 0, 0, 1), "failed"),
    ]
    accuracies = [n.validation_accuracy for n in run.networks]
    assert accuracies == pytest.approx([0.12152778, 0.09722222, 0.1388889, -math.inf])
    assert run.networks[0].replicate == 0 and run.networks[0].curves["train_loss"].size
    table = vecevo.load_table(OLD.parent / "schema_2")
    assert table.validation_accuracy.shape == (4, 1)
    copy = shutil.copytree(OLD.parent / "schema_2", tmp_path / "run")
    settings = {"fixed": run.fixed, "output_dir": copy, "resume": True}
    with pytest.raises(vecevo.InputError, match="with schema 2, which cannot go on"):
        vecevo.search(run.space, "digits", strategy="random", **settings)


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(vecevo.InputError, match="no folder of a run"):
        vecevo.load_run(tmp_path)
    with pytest.raises(vecevo.InputError, match="is no path"):
        vecevo.load_run(3)
    (tmp_path / "run.sqlite").write_text("not a table, and longer than a header is")
    with pytest.raises(vecevo.InputError, match="cannot be read"):
        vecevo.load_run(tmp_path)


def test_an_extra_that_is_missing_is_named():
    with pytest.raises(vecevo.InputError, match=r"nonesuch.*vecevo\[tables\]"):
        extras.import_extra("nonesuch.part", "tables")
