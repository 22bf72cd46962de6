"""Compares compiled gradients with NumPy's, once for each compiler and device.

Compilers have been seen to miscompile batched products without a word, so what trains
networks is tried on a population of four small ones first.
"""

import functools
import hashlib
import importlib.metadata
import os
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.training import epochs, networks

WIDTH, DEPTH, NUM_FEATURES, NUM_CLASSES, BATCH_SIZE = 16, 2, 24, 3, 8
WIDTHS, DEPTHS = np.array([16, 7, 16, 5]), np.array([2, 2, 1, 1])  # of the lanes
TOLERANCE = 1e-4  # float32 rounds at 1e-7
STEP = 1e-6  # of the central differences, in float64


def check_compiler(cache_dir):
    """Checks, unless the cache knows that this compiler and device passed.

    Args:
      cache_dir: folder to remember it in, or None.

    Raises:
      ValueError: when the gradients differ.
    """
    version, device = importlib.metadata.version("jaxlib"), jax.devices()[0].device_kind
    compiler = f"{version} {device} {os.environ.get('XLA_FLAGS', '')}"
    name = hashlib.sha256(compiler.encode()).hexdigest()[:16]
    passed = pathlib.Path(cache_dir) / "selfcheck" / name if cache_dir else None
    if passed is not None and passed.exists():
        return
    difference = _difference_of(compiler)
    if not difference <= TOLERANCE:
        raise ValueError(
            f"jaxlib={version} compiles wrong gradients on {device} (they "
            f"differ by {difference:.2g}): use another version, or set "
            "XLA_FLAGS=--xla_cpu_experimental_ynn_fusion_type= on a CPU."
        )
    if passed is not None:
        passed.parent.mkdir(exist_ok=True)
        passed.touch()


@functools.cache
def _difference_of(compiler):
    del compiler  # one process has one, but for what tests pretend
    return gradient_difference()


def gradient_difference():
    """Largest relative error of compiled slopes along random directions.

    The slope of a lane's loss along a direction within one weight matrix is the
    product of direction and compiled gradient; NumPy takes it by central differences.
    """
    rng = np.random.default_rng(0)
    inputs = rng.random((NUM_FEATURES, BATCH_SIZE))
    params = _draw_params(rng)
    compiled = _compiled_gradients(params, inputs)
    errors = []
    for lane in range(len(WIDTHS)):
        for name in (*list(params)[: DEPTHS[lane]], "output"):
            for kind in ("kernel", "bias"):
                weights = params[name][kind]
                direction = rng.normal(size=weights[lane].shape) * (weights[lane] != 0)
                losses = []
                for sign in (-1, 1):
                    weights[lane] += sign * STEP * direction
                    losses.append(_loss(params, lane, inputs))
                    weights[lane] -= sign * STEP * direction
                slope = (losses[1] - losses[0]) / (2 * STEP)
                gradient = np.asarray(compiled[name][kind][lane], np.float64)
                scale = np.linalg.norm(direction) * np.linalg.norm(gradient)
                errors.append(abs(np.sum(gradient * direction) - slope) / scale)
    return np.max(errors)


def _draw_params(rng):
    """Draws float64 params of all lanes, zero where a lane is padded."""
    sizes = {"hidden_0": NUM_FEATURES, "hidden_1": WIDTH, "output": WIDTH}
    is_real = np.arange(WIDTH) < WIDTHS[:, None]
    params = {}
    for name, num_in in sizes.items():
        num_out = NUM_CLASSES if name == "output" else WIDTH
        kernel = rng.normal(0, num_in**-0.5, (len(WIDTHS), num_out, num_in))
        bias = rng.normal(0, 0.1, (len(WIDTHS), num_out))
        if name != "output":
            kernel, bias = kernel * is_real[:, :, None], bias * is_real
        if name != "hidden_0":
            kernel = kernel * is_real[:, None, :]
        params[name] = {"kernel": kernel, "bias": bias}
    return params


def _compiled_gradients(params, inputs):
    network = networks.PaddedMLP(WIDTH, DEPTH, NUM_CLASSES)
    labels, weights = jnp.arange(BATCH_SIZE) % NUM_CLASSES, jnp.ones(BATCH_SIZE)
    architecture = networks.Architecture(*map(jnp.array, (WIDTHS, DEPTHS, range(4))))

    def gradient(params, architecture):
        loss_fn = functools.partial(
            epochs.mean_loss,
            *(network, architecture, None, jnp.array(inputs, float), labels, weights),
        )
        return jax.grad(loss_fn)(params)

    params = jax.tree.map(lambda leaf: jnp.array(leaf, float), params)
    with jax.default_matmul_precision("highest"):
        return jax.jit(jax.vmap(gradient))(params, architecture)


def _loss(params, lane, inputs):
    """Mean cross-entropy of one lane, in NumPy."""
    x = inputs
    for layer in range(DEPTHS[lane]):
        hidden = params[f"hidden_{layer}"]
        x = hidden["kernel"][lane] @ x + hidden["bias"][lane][:, None]
        x = (
            lambda x: np.maximum(x, 0),
            lambda x: np.where(x > 0, x, np.expm1(x)),
            np.tanh,
            lambda x: 1 / (1 + np.exp(-x)),
        )[lane](x)
        x = x * (np.arange(WIDTH) < WIDTHS[lane])[:, None]
    logits = params["output"]["kernel"][lane] @ x
    logits = logits + params["output"]["bias"][lane][:, None]
    chosen = logits[np.arange(BATCH_SIZE) % NUM_CLASSES, np.arange(BATCH_SIZE)]
    return np.mean(np.log(np.exp(logits).sum(0)) - chosen)
