"""Programs that compute less, or for another device, give the same."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo.training import epochs, minibatches, recipe
from vecevo.training.lanes import networks, optimizers, stopping, variants
from vecevo.training.variants import choose_variant

pytestmark = pytest.mark.optimized

NUM_LANES = len(networks.activations.NAMES)
WIDTH, DEPTH, NUM_FEATURES, NUM_CLASSES = 8, 2, 6, 3
WHOLE = variants.Variant()


def train(variant, optimizer, *, rates=(0.0, 0.0), width=WIDTH, depth=DEPTH):
    """State and reports of three epochs, of lanes of every activation."""
    values = recipe.complete(
        {
            **{"width": width, "depth": depth, "activation": "relu"},
            **{"optimizer": optimizer, "learning_rate": 0.01},
            **dict(zip(("dropout_rate", "weight_decay"), rates, strict=True)),
        }
    )
    described = [{**values, "activation": n} for n in networks.activations.NAMES]
    whole, rate = jnp.ones(NUM_LANES, jnp.int32), jnp.ones(NUM_LANES)
    lanes = minibatches.Lanes(
        key=jax.random.split(jax.random.key(3), NUM_LANES),
        architecture=jax.tree.map(jnp.array, networks.architecture_of(described)),
        optimizer=optimizers.NAMES.index(optimizer) * whole,
        schedule=0 * whole,
        rates={name: values[name] * rate for name in recipe.RATES},
    )
    rng = np.random.default_rng(0)
    x = jnp.array(rng.normal(size=(50, NUM_FEATURES)))
    y = jnp.array(rng.integers(0, NUM_CLASSES, 50))
    module = networks.PaddedMLP(WIDTH, DEPTH, NUM_CLASSES, variant)
    state = epochs.init_lanes(lanes, module=module, num_features=NUM_FEATURES)
    state, reports, _ = epochs.train_epochs(
        *(state, lanes, minibatches.TrainingData(x[:40], y[:40], x[40:], y[40:])),
        stopping.StoppingRule(jnp.array(9), jnp.array(9), jnp.array(False)),
        epochs.Call(*map(jnp.array, (0, 3, 0))),
        jax.random.key(1),
        module=module,
        batch_size=16,
    )
    params = {k: v for k, v in state.params.items() if not k.startswith("norm")}
    return params, jax.tree.map(lambda rows: rows[:3], reports)


def assert_equal(got, expected):
    for a, b in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adadelta"])
def test_what_no_lane_needs_changes_nothing(optimizer):
    with jax.enable_x64(True):
        expected = train(WHOLE, optimizer)
        choices = {"optimizer": [optimizer], "activation": networks.activations.NAMES}
        choices |= {"dropout_rate": [0.0], "weight_decay": [0.0]}
        least = choose_variant(choices, is_for_cpu=True)
        assert least.update_levels == (optimizers.row_of(optimizer).level,)
        assert not least.pieces
        least = least._replace(pads_width=False, pads_depth=False)
        assert_equal(train(least, optimizer), expected)


@pytest.mark.parametrize(
    "pads", [("pads_width", "width", 5), ("pads_depth", "depth", 1)]
)
def test_padding_is_masked_in_one_direction_alone(pads):
    name, of, size = pads
    with jax.enable_x64(True):
        expected = train(WHOLE, "adam", **{of: size})
        other = {"pads_width", "pads_depth"} - {name}
        variant = WHOLE._replace(**dict.fromkeys(other, False))
        assert_equal(train(variant, "adam", **{of: size}), expected)


def test_a_program_for_a_gpu_gives_what_one_for_a_cpu_does():
    choices = {"optimizer": optimizers.NAMES, "activation": networks.activations.NAMES}
    choices |= {"dropout_rate": [0.5], "weight_decay": [0.1]}
    cpu, gpu = (
        choose_variant(choices, is_for_cpu=is_for_cpu) for is_for_cpu in (True, False)
    )
    assert cpu == WHOLE._replace(pieces=("dropout_rate", "weight_decay"))
    assert gpu.update_levels == (optimizers.ADADELTA_TOO,)
    with jax.enable_x64(True):
        for optimizer in ("sgd", "adam", "adadelta"):
            expected = train(cpu, optimizer, rates=(0.5, 0.1))
            assert_equal(train(gpu, optimizer, rates=(0.5, 0.1)), expected)
