"""What may not change from version to version: keys, draws, and so old runs.

The numbers are those of version 0.1.0 when it had seven hyperparameters, four
activations and seven optimizers. Scores agree in float64, where rounding has no say.
"""

import hashlib

import jax
import numpy as np
import pytest

import vecevo
from vecevo import keys, landscapes, strategies
from vecevo.training import recipe

NETWORKS = (
    {"depth": 1, "width": 64, "activation": "relu", "optimizer": "adam"},
    {
        **{"depth": 4, "width": 768, "activation": "tanh", "optimizer": "adadelta"},
        "dropout_rate": 0.5,
    },
    {
        **{"depth": 2, "width": 20, "activation": "elu", "optimizer": "nadam"},
        **{"learning_rate": 0.01, "weight_decay": 0.1},
    },
)
RUN_KEYS = {
    0: (
        *((1797259609, 2579123966), (928981903, 3453687069)),
        *((4146024105, 2718843009), (2467461003, 3840466878)),
    ),
    3: (
        *((3716834203, 3481239269), (1946498123, 2217676430)),
        *((1024511538, 2603795180), (877192987, 3448417067)),
    ),
    2**32 - 1: (
        *((2973345818, 897673333), (3461607691, 1112781462)),
        *((3122495753, 3444035234), (567453946, 3439652919)),
    ),
}
NETWORK_KEYS = (  # of NETWORKS, below the network key of seed 3
    *((1483704301, 2020171475), (242288495, 2149342114), (1988408817, 1628554519)),
)
VALIDATION_LOSSES = (  # of NETWORKS, at most 20 wide, by epoch
    (1.1554725736169391, 1.1503921097258993, 1.1459400475891053, 1.1413459798531973),
    (1.0841126825617682, 1.0413448641255123, 1.02817834640188, 1.008129662747814),
    (0.960915363815597, 0.8533015892966814, 0.777079488989037, 0.7114280049418635),
)
FIRST_WEIGHTS = (
    (0.05328534256164227, 0.3678927114476519, 0.4559308887654799),
    (-0.014652051512002112, -0.3009069974137784, -0.13151450845397303),
    (0.04848055805192835, 0.3299410326958321, -0.21534883381040076),
)
# SHA-256 of the genomes that six generations of eight ask for, as little-endian int32.
ASKED = {
    "genetic": "0963738218c1969d",
    "evolution_plus": "65bd7641bee3038e",
    "regularized_evolution": "289e48e331621541",
    "local_search": "1fd263b77e9fdefa",
    "random": "eda5d2410a182c8f",
    "without_repeats": "205e71a1bd0b27a9",
}


def words(key):
    return tuple(np.asarray(jax.random.key_data(key)).tolist())


@pytest.mark.parametrize("seed", RUN_KEYS)
def test_the_keys_of_a_seed(seed):
    assert tuple(map(words, keys.split_run_key(seed))) == RUN_KEYS[seed]
    if seed < 2**31:
        plain = jax.random.split(jax.random.key(seed), 4)
        assert tuple(map(words, plain)) == RUN_KEYS[seed]


def test_seeds_beyond_32_bits_are_all_different_and_others_refused():
    found = {words(keys.split_run_key(s).search) for s in (1, 2**32 + 1, 2**64 - 1)}
    assert len(found) == 3
    for seed in (-1, 2**64, 1.0, True, "0", None):
        with pytest.raises(vecevo.InputError, match="seed="):
            keys.split_run_key(seed)


def test_the_keys_of_networks():
    root = keys.split_run_key(3).network
    found = [recipe.network_key(root, recipe.complete(n)) for n in NETWORKS]
    assert tuple(map(words, found)) == NETWORK_KEYS


def test_a_new_hyperparameter_at_its_default_leaves_the_keys_as_they_were(monkeypatch):
    row = recipe.Hyperparameter("label_smoothing", bool, "any", float, 0.0)
    monkeypatch.setattr(recipe, "TABLE", (*recipe.TABLE, row))
    monkeypatch.setattr(recipe, "NAMES", (*recipe.NAMES, row.name))
    root = keys.split_run_key(3).network
    completed = [recipe.complete(n) for n in NETWORKS]
    assert all(values["label_smoothing"] == 0.0 for values in completed)
    assert (
        tuple(words(recipe.network_key(root, values)) for values in completed)
        == NETWORK_KEYS
    )
    other = recipe.network_key(root, completed[0] | {"label_smoothing": 0.1})
    assert words(other) not in NETWORK_KEYS


def test_scores_and_weights_of_networks_in_float64():
    rng = np.random.default_rng(0)
    x, y = rng.random((90, 6)), np.arange(90) % 3
    x[:, :3] += 0.5 * np.eye(3)[y]
    x /= x.max()
    small = [network | {"width": min(network["width"], 20)} for network in NETWORKS]
    with jax.enable_x64(True):
        dataset = vecevo.make_dataset(
            x_train=x[:70], y_train=y[:70], x_test=x[70:], y_test=y[70:], seed=2
        )
        results = vecevo.train_networks(
            small, dataset, seed=3, batch_size=16, max_epochs=4, patience=3
        )
    for result, losses, weights in zip(
        results, VALIDATION_LOSSES, FIRST_WEIGHTS, strict=True
    ):
        curve = result.curves["validation_loss"]
        np.testing.assert_allclose(curve, losses, atol=1e-8, rtol=0)
        kernel = result.params["hidden_0"]["kernel"]
        np.testing.assert_allclose(kernel[0, :3], weights, atol=1e-8, rtol=0)


@pytest.mark.parametrize("name", ASKED)
def test_the_genomes_that_strategies_ask_for(name):
    num_choices, size = (4, 2, 6, 3, 4, 5), {"population_size": 8}
    settings = strategies.article_setting(8) if name == "genetic" else size
    if name == "without_repeats":
        strategy = strategies.random(num_choices, **size)
        strategy = strategies.without_repeats(strategy, num_choices)
    else:
        strategy = getattr(strategies, name)(num_choices, **settings)
    fitness_fn = landscapes.onemax(num_choices)
    run = jax.jit(lambda key: strategies.run_strategy(key, strategy, fitness_fn, 6)[1])
    offspring = np.asarray(run(jax.random.key(3)).offspring).astype("<i4")
    digest = hashlib.sha256(offspring.tobytes()).hexdigest()
    assert digest.startswith(ASKED[name])
