"""Tables with the curves of their networks."""

import numpy as np

import vecevo
from tests.runs.test_recorded import FIXED, SPACE
from vecevo.runs.files import tables


def test_curves_are_kept_with_a_table_to_what_its_file_holds(tmp_path):
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
            np.testing.assert_allclose(found[0], given[0], atol=0.6 / 65534)
            given[1][given[1] > 65504] = np.inf
            np.testing.assert_allclose(found[1], given[1], rtol=5e-4, atol=1e-7)
            assert np.isnan(accuracy[row, column, epochs.stop :]).all()
    plain = vecevo.merge_tables([tables_of[0]._replace(curves={})] * 2, source="two")
    assert plain.curves == {}


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
    recorded = vecevo.load_run(tmp_path / "grid").networks
    for network in recorded:
        row = np.ravel_multi_index(network.genome, space.num_choices)
        for name in tables.CURVES:
            np.testing.assert_array_equal(
                table.curves[name][row, network.replicate],
                np.float32(network.curves[name]),
            )
    assert len(recorded) == 8
