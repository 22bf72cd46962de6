"""Tables with the curves of their networks."""

import numpy as np
import pytest

import vecevo
from tests.runs.test_recorded import FIXED, SPACE
from vecevo.runs.files import tables
from vecevo.strategies import pruning


def test_curves_are_kept_with_a_table_as_they_are(tmp_path):
    rng = np.random.default_rng(0)
    num_epochs = rng.integers(1, 8, (12, 2))
    tables_of = []
    for column in range(2):
        longest = num_epochs[:, column].max()
        is_trained = np.arange(longest) < num_epochs[:, column, None]
        curves = {
            name: np.where(is_trained, rng.random(is_trained.shape), np.nan)[:, None]
            for name in tables.CURVES
        }
        tables_of.append(
            tables.Table(
                *(SPACE, FIXED, np.ones((12, 1), np.float32)),
                *(num_epochs[:, [column]], np.ones(12, int), "made up"),
                curves=curves,
                settings={"max_epochs": 7},
            )
        )
    tables_of[0].curves["validation_loss"][3, 0, 0] = 1e6
    merged = vecevo.merge_tables(tables_of, source="two")
    vecevo.save_table(tmp_path / "table.npz", merged)
    loaded = vecevo.load_table(tmp_path / "table.npz")
    accuracy, loss = (loaded.curves[name] for name in tables.CURVES)
    assert accuracy.shape == loss.shape == (12, 2, num_epochs.max())
    assert accuracy.dtype == loss.dtype == np.float32
    for column, table in enumerate(tables_of):
        for row in range(12):
            epochs = slice(num_epochs[row, column])
            given = [table.curves[name][row, 0, epochs] for name in tables.CURVES]
            found = [curve[row, column, epochs] for curve in (accuracy, loss)]
            np.testing.assert_array_equal(found, np.float32(given))
            assert np.isnan(accuracy[row, column, epochs.stop :]).all()
    assert loaded.settings == {"max_epochs": 7}
    plain = vecevo.merge_tables([tables_of[0]._replace(curves={})] * 2, source="two")
    assert plain.curves == {}


def make_table(num_epochs=3, **settings):
    curves = {name: np.ones((12, 1, num_epochs), np.float32) for name in tables.CURVES}
    ones = np.ones((12, 1), np.float32)
    return tables.Table(
        *(SPACE, FIXED, ones, np.full((12, 1), num_epochs), np.ones(12, int)),
        *(f"a table of {num_epochs}", curves, settings),
    )


def test_files_of_coarser_curves_are_read(tmp_path):
    table = make_table()
    vecevo.save_table(tmp_path / "table.npz", table)
    with np.load(tmp_path / "table.npz") as file:
        arrays = {name: file[name] for name in file if name != "settings"}
    arrays["curves_of_accuracy"] = np.full((12, 1, 3), [65534, 32767, 65535], np.uint16)
    arrays["curves_of_loss"] = np.full((12, 1, 3), [0.5, np.inf, np.nan], np.float16)
    np.savez_compressed(tmp_path / "old.npz", **arrays)
    old = vecevo.load_table(tmp_path / "old.npz")
    assert old.settings == {}
    for name, curve in {
        "validation_accuracy": [1, 0.5, np.nan],
        "validation_loss": [0.5, np.inf, np.nan],
    }.items():
        expected = np.full((12, 1, 3), curve, np.float32)
        np.testing.assert_array_equal(old.curves[name], expected)
        assert old.curves[name].dtype == np.float32


def test_tables_of_other_settings_are_not_merged():
    one, other = make_table(limit_train=500), make_table(limit_train=None)
    words = "limit_train=None, and another table has 500: merge runs of one config"
    with pytest.raises(vecevo.InputError, match=words):
        vecevo.merge_tables([make_table(), one, other], source="")
    with pytest.raises(vecevo.InputError, match="curves of 3 and 4 epochs: merge"):
        vecevo.merge_tables([make_table(3), make_table(4)], source="")
    assert vecevo.merge_tables([make_table(), one], source="").settings == {}
    merged = vecevo.merge_tables([one, one], source="")
    assert merged.settings == {"limit_train": 500}


def test_a_run_is_a_table_with_the_curves_of_its_journal(tmp_path):
    space = vecevo.SearchSpace([("width", (8, 16)), ("optimizer", ("adam", "sgd"))])
    fixed = {"depth": 1, "activation": "relu"}
    vecevo.search(
        *(space, "digits"),
        fixed=fixed,
        replicates=2,
        confirm=0,
        ensemble=0,
        max_epochs=3,
        output_dir=tmp_path / "grid",
    )
    table = vecevo.load_table(tmp_path / "grid")
    accuracy = table.curves["validation_accuracy"]
    assert accuracy.shape == (4, 2, 3)
    assert table.settings.get("max_epochs") in (None, 3)
    kept = pruning.follow(
        table.curves,
        num_epochs=table.num_epochs,
        is_failed=np.isneginf(table.validation_accuracy),
        patience=5,
    )
    np.testing.assert_array_equal(kept.accuracy[..., -1], table.validation_accuracy)
    recorded = vecevo.load_run(tmp_path / "grid").networks
    for network in recorded:
        row = np.ravel_multi_index(network.genome, space.num_choices)
        for name in tables.CURVES:
            np.testing.assert_array_equal(
                table.curves[name][row, network.replicate],
                np.float32(network.curves[name]),
            )
    assert len(recorded) == 8


@pytest.mark.parametrize("name", ["digits_curves", "fashion_mnist"])
def test_curves_of_an_embedded_table_say_what_its_networks_gave(name):
    """The epoch that training kept is the one that a loop over its losses keeps."""
    table = vecevo.load_table(name)
    assert table.settings["patience"] == table.settings["max_epochs"] == 25
    followed = pruning.follow(
        table.curves,
        num_epochs=table.num_epochs,
        is_failed=np.isneginf(table.validation_accuracy),
        patience=25,
    )
    np.testing.assert_array_equal(followed.accuracy[..., -1], table.validation_accuracy)
    np.testing.assert_array_equal(followed.num_epochs, table.num_epochs)
