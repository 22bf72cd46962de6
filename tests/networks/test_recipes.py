"""Networks with norms, skips and averaged weights, to use and to keep."""

import jax
import numpy as np

import vecevo
from vecevo.runs.earlier import find_known
from vecevo.training.lanes import weights


def make_dataset():
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = rng.normal(size=(120, 5)) + y[:, None] * np.array([1, 0, -1, 0, 0.5])
    return vecevo.make_dataset(x, y)


def test_a_network_of_all_pieces_is_the_plain_flax_module(tmp_path):
    network = {"depth": 3, "width": 7, "activation": "silu", "optimizer": "nadam"}
    pieces = {"norm": "layer", "skip": "identity", "averaging": 0.5, "beta_2": 0.9}
    plain = {"depth": 2, "width": 9, "activation": "relu", "optimizer": "sgd"}
    dataset = make_dataset()
    results = vecevo.train_networks(
        [{**network, **pieces}, plain, {**plain, "schedule": "cosine"}],
        dataset,
        max_epochs=4,
    )
    for result in results:
        vecevo.save_network(result.network, tmp_path / "network")
        loaded = vecevo.load_network(tmp_path / "network")
        logits = loaded.module.apply({"params": loaded.params}, dataset.x_test)
        said = loaded.predict_proba(dataset.raw_x_test)
        np.testing.assert_allclose(said, jax.nn.softmax(logits), atol=1e-6)
        num_params = sum(leaf.size for leaf in jax.tree.leaves(loaded.params))
        assert result.num_params == num_params
    assert set(results[0].network.params) > {"norm_0", "norm_2"}
    assert not any(name.startswith("norm") for name in results[1].network.params)


def test_norms_are_counted():
    sizes = {"num_features": 5, "num_classes": 3}
    plain = weights.count_params(7, 3, **sizes)
    normed = weights.count_params(7, 3, **sizes, is_normed=True)
    assert normed - plain == 3 * (7 + 7)  # a gain and a bias a unit


def test_a_search_trains_genomes_of_one_network_once():
    genes = {"optimizer": ("adam", "sgd"), "momentum": (0.0, 0.5, 0.9)}
    fixed = {"depth": 1, "width": 4, "activation": "relu"}
    result = vecevo.search(
        vecevo.SearchSpace(genes),
        make_dataset(),
        strategy="grid",
        fixed=fixed,
        confirm=0,
        ensemble=0,
        max_epochs=2,
    )
    assert (result.num_trained, result.num_evaluated) == (4, 6)


def test_a_grid_of_equal_networks_is_a_table_and_starts_others(tmp_path):
    genes = {"optimizer": ("adam", "sgd"), "momentum": (0.5, 0.9)}
    space = vecevo.SearchSpace(genes)
    fixed = {"depth": 1, "width": 4, "activation": "relu"}
    how = {"strategy": "grid", "rungs": None, "fixed": fixed, "max_epochs": 1}
    result = vecevo.search(
        space, make_dataset(), output_dir=tmp_path / "run", confirm=0, **how
    )
    assert result.num_trained == 3
    table = vecevo.load_table(tmp_path / "run")
    accuracy = table.validation_accuracy[:, 0]
    assert accuracy[0] == accuracy[1] and len(accuracy) == 4
    assert vecevo.replay(table, strategy="grid").num_trained == 3
    networks = [
        network.hyperparams for network in vecevo.load_run(tmp_path / "run").networks
    ]
    known = find_known(networks, space, fixed)
    assert sorted(map(tuple, np.array(known).tolist())) == [(0, 0), (1, 0), (1, 1)]
