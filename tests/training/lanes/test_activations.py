"""Activations are finite wherever numbers are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo.training.lanes import activations

LARGE = np.array([1e4, 1e18, 1e19, 1e20, 1e30, 3e38], np.float32)
# Right of all else.
SLOPES = {"relu": 1, "elu": 1, "tanh": 0, "sigmoid": 0, "gelu": 1, "silu": 1}
SLOPES |= {"selu": activations.SELU_SCALE, "leaky_relu": 1}


@pytest.mark.parametrize("name", activations.NAMES)
def test_values_and_slopes_of_large_numbers_are_finite(name):
    def value(x):
        index = jnp.array(activations.NAMES.index(name))
        return activations.activate(activations.NAMES, index, x)

    left = activations.LEAK if name == "leaky_relu" else 0
    for x, slope in ((LARGE, SLOPES[name]), (-LARGE, left)):
        y, slopes = jax.vmap(jax.value_and_grad(value))(jnp.array(x))
        assert np.isfinite(y).all()
        np.testing.assert_allclose(slopes, slope, atol=1e-6)
