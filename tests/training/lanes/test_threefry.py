"""Random bits are those of JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo.training.lanes import threefry


@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 1, 7), (64, 33)])
def test_bits_are_those_of_jax(shape):
    for seed in (0, 1, 2**32 - 1):
        key = jax.random.fold_in(jax.random.key(seed), 5)
        expected = jax.random.bits(key, shape, jnp.uint32)
        np.testing.assert_array_equal(threefry.random_bits(key, shape), expected)


def test_keys_may_be_mapped_over():
    keys = jax.random.split(jax.random.key(3), 4)
    mapped = jax.jit(jax.vmap(lambda key: threefry.random_bits(key, (5,))))(keys)
    for key, bits in zip(keys, mapped, strict=True):
        np.testing.assert_array_equal(bits, jax.random.bits(key, (5,), jnp.uint32))


def test_keys_folded_on_the_host_are_those_of_jax():
    keys = jax.random.split(jax.random.key(7), 5)
    numbers = np.array([0, 1, 12345, 2**31, 2**32 - 1], np.uint32)
    expected = jax.random.key_data(jax.vmap(jax.random.fold_in)(keys, numbers))
    folded = threefry.fold_in(np.asarray(jax.random.key_data(keys)), numbers)
    np.testing.assert_array_equal(folded, expected)
