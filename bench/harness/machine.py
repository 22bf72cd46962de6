"""What the machine can do at best: the ceilings that throughput is measured against.

MFU is the share of the measured rate of matrix products: 6 P_w - 2 F W operations a
network-sample (two products forward, four backward, but no gradient of the inputs),
P_w being the weights in kernels. MBU is the share of the measured bandwidth of a copy:
36 P + 4 (P - F W) bytes a network-step, what is read and written at least when float32
gradients and both slots are (activations left out).
"""

import statistics
import time

import jax
import jax.numpy as jnp

SIZE, NUM_PRODUCTS, COPY_BYTES, NUM_COPIES = 2048, 8, 1 << 28, 16


def measure_ceilings():
    """Returns a dict of `matrix_rate` and `copy_rate`, as `matrix` and `copy`."""
    return {"matrix": matrix_rate(), "copy": copy_rate()}


def matrix_rate(*, num_times=5):
    """Floating-point operations a second of large float32 matrix products."""
    if jax.default_backend() == "cpu":
        size, num_products = SIZE // 2, NUM_PRODUCTS
    else:
        size, num_products = 4 * SIZE, 4 * NUM_PRODUCTS
    matrix = jnp.full((size, size), 1 / size)

    @jax.jit
    def multiply(matrix):
        def body(_, x):
            return x @ matrix

        return jax.lax.fori_loop(0, num_products, body, matrix)

    seconds = median_seconds(multiply, matrix, num_times=num_times)
    return 2 * num_products * size**3 / seconds


def copy_rate(*, num_times=5):
    """Bytes read and written a second, over an array larger than caches, in place."""

    @jax.jit
    def add(array):
        return jax.lax.fori_loop(0, NUM_COPIES, lambda _, x: x + 1, array)

    array = jnp.zeros(COPY_BYTES // 4)
    seconds = median_seconds(add, array, num_times=num_times)
    return 2 * COPY_BYTES * NUM_COPIES / seconds


def median_seconds(fn, *args, num_times):
    """Median time of a call, after one that compiles."""
    jax.block_until_ready(fn(*args))
    seconds = []
    for _ in range(num_times):
        start = time.perf_counter()
        jax.block_until_ready(fn(*args))
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def sample_operations(width, depth, *, num_features, num_classes):
    """Floating-point operations to train a network on one example."""
    weights = num_features * width + (depth - 1) * width * width + width * num_classes
    return 6 * weights - 2 * num_features * width


def step_bytes(width, depth, *, num_features, num_classes):
    """Bytes that a network's step moves at least."""
    hidden = (depth - 1) * (width * width + width) + (width + 1) * num_classes
    return 36 * (num_features * width + width + hidden) + 4 * (width + hidden)


def least_seconds(trained, dataset, batch_size, ceilings):
    """What training takes at the least by the machine's rates, evaluation left out.

    Args:
      trained: (width, depth, number of epochs) of each network.
      dataset: making.Dataset.
      batch_size: examples in a step.
      ceilings: of `measure_ceilings`.

    Returns:
      Dict of the seconds of matrix `products` and of moving `bytes`. A cohort that
      keeps within the cache moves fewer.
    """
    num_examples, num_features = dataset.x_train.shape
    sizes = {"num_features": num_features, "num_classes": dataset.num_classes}
    num_steps = -(-num_examples // batch_size)
    operations = moved = 0
    for width, depth, num_epochs in trained:
        one = sample_operations(width, depth, **sizes)
        operations += num_epochs * num_examples * one
        moved += num_epochs * num_steps * step_bytes(width, depth, **sizes)
    return {
        "products": operations / ceilings["matrix"],
        "bytes": moved / ceilings["copy"],
    }
