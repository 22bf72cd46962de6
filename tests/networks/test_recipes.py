"""Networks with norms, skips and averaged weights, to use and to keep."""

import collections

import jax
import numpy as np
import pytest

import vecevo
from vecevo import operators
from vecevo.evaluation import make_canonical_fn
from vecevo.runs import expecting, parsing, resolving
from vecevo.runs.earlier import find_known
from vecevo.training.lanes import weights
from vecevo.training.lanes.widths import widths_of
from vecevo.training.recipe import complete, telling


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
    plain = weights.count_params([7] * 3, **sizes)
    normed = weights.count_params([7] * 3, **sizes, is_normed=True)
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


def test_layers_of_their_own_widths_are_a_plain_flax_module(tmp_path):
    values = {"depth": 3, "activation": "tanh", "optimizer": "adam", "norm": "layer"}
    pyramid = {**values, "width_1": 9, "width_2": 4, "width_3": 4, "skip": "identity"}
    dataset = make_dataset()
    results = vecevo.train_networks(
        [pyramid, {**values, "width": 5}, {**values, "width": 6, "width_2": 2}],
        dataset,
        max_epochs=3,
    )
    for result, sizes in zip(results, ([9, 4, 4], [5] * 3, [6, 2, 6]), strict=True):
        vecevo.save_network(result.network, tmp_path / "network")
        loaded = vecevo.load_network(tmp_path / "network")
        found = [loaded.params[f"hidden_{k}"]["kernel"].shape[1] for k in range(3)]
        assert found == sizes
        assert result.num_params == sum(p.size for p in jax.tree.leaves(loaded.params))
        logits = loaded.module.apply({"params": loaded.params}, dataset.x_test)
        said = loaded.predict_proba(dataset.raw_x_test)
        np.testing.assert_allclose(said, jax.nn.softmax(logits), atol=1e-6)


def test_a_space_of_layer_widths_needs_no_width_and_packs_by_the_widest():
    genes = {"depth": (1, 2), "width_1": (4, 8), "width_2": (2, 4, 16)}
    genes |= {"activation": ("relu",), "optimizer": ("adam",)}
    result = vecevo.search(
        vecevo.SearchSpace(genes),
        make_dataset(),
        strategy="grid",
        confirm=0,
        ensemble=0,
        max_epochs=1,
    )
    # One of depth 1 for each width_1, and all six of depth 2.
    assert (result.num_trained, result.num_evaluated) == (8, 12)


def test_widest_layers_are_expected_as_often_as_they_come():
    choices = {"depth": (1, 2, 6), "width": (8,), "width_1": (4, 8, 16)}
    choices |= {"width_2": (4, 8)}
    shapes = collections.Counter(expecting.expected_shapes(choices))
    # Of all pairs of widths by hand; layers beyond the second have 8.
    assert shapes[4, 1] == 34 and shapes[8, 1] == 33 and shapes[16, 1] == 33
    assert [shapes[widest, 2] for widest in (4, 8, 16)] == [17, 50, 33]
    assert [shapes[widest, 6] for widest in (4, 8, 16)] == [0, 67, 33]
    alone = expecting.expected_shapes({"depth": (1, 2), "width": (8, 4)})
    assert alone == [(8, 1), (8, 2), (4, 1), (4, 2)]
    many = {"depth": (3,), "width": (2,), "width_1": range(1, 257)}
    assert max(expecting.expected_shapes(many)) == (256, 3)
    assert min(expecting.expected_shapes(many)) == (2, 3)


def test_every_genome_of_layer_widths_is_found_again():
    genes = {"depth": (1, 2, 3), "width": (4, 8), "width_1": (4, 8, 6)}
    space = vecevo.SearchSpace({**genes, "width_3": (2, 8)})
    fixed = {"activation": "relu", "optimizer": "adam"}
    canonical = make_canonical_fn(space, fixed)
    genomes = operators.grid_population(
        space.num_choices, start=0, population_size=space.num_genomes
    )
    networks = [
        complete({**fixed, **vecevo.decode(space, genome)}) for genome in genomes
    ]
    distinct = {repr(network) for network in networks}
    assert len({tuple(row) for row in canonical(np.array(genomes))}) == len(distinct)
    found = find_known(networks, space, fixed)
    assert [
        complete({**fixed, **vecevo.decode(space, genome)}) for genome in found
    ] == networks


def test_widths_that_have_no_say_are_refused():
    layers = ["--depth", "1", "--width-1", "4", "8"]
    genes, _ = resolving.make_space(parsing.parse(layers))
    assert "width" not in dict(genes.genes)
    with pytest.raises(vecevo.InputError, match="has no say where every hidden layer"):
        resolving.make_space(parsing.parse([*layers, "--width", "16"]))
    with pytest.raises(vecevo.InputError, match=r"width_2=\(4,\) has no say with dep"):
        resolving.make_space(parsing.parse([*layers, "--width-2", "4"]))
    with pytest.raises(vecevo.InputError, match="width_1=0 must be 1 or more: leave"):
        resolving.make_space(parsing.parse(["--width-1", "0", "4"]))


def test_the_units_of_layers_have_one_name():
    values = {"depth": 2, "activation": "relu", "optimizer": "adam"}
    same = [
        {"width": 8, "width_1": 8},
        {"width_1": 8, "width_2": 8},
        {"width": 8},
        {"width": 3, "width_1": 8, "width_2": 8, "width_3": 5},
    ]
    completed = [complete({**values, **widths}) for widths in same]
    assert all(one == completed[0] for one in completed)
    assert "width_1" not in telling(completed[0])
    other = complete({**values, "width_1": 8, "width_2": 4})
    assert telling(other)["width_2"] == 4 and widths_of(other) == (8, 4)
    deep = complete({**values, "depth": 6, "width": 3, "width_1": 8})
    assert widths_of(deep) == (8, 3, 3, 3, 3, 3)
    with pytest.raises(vecevo.InputError, match="no width"):
        complete({**values, "width_1": 8})
