"""Compares compiled gradients with NumPy's, once for each compiler and device.

Compilers have been seen to miscompile batched products without a word, so the program
that trains networks is tried on four small ones first: a step of plain gradient
descent with a rate of 1 moves their weights by their gradients.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.errors import InputError
from vecevo.folders import default_cache_dir
from vecevo.keys import IMPLEMENTATION
from vecevo.training.devices import is_on_cpu
from vecevo.training.epochs import Call
from vecevo.training.lanes import optimizers
from vecevo.training.lanes.networks import PaddedMLP, architecture_of
from vecevo.training.lanes.stopping import StoppingRule
from vecevo.training.lanes.variants import Variant
from vecevo.training.minibatches import TrainingData, example_lanes
from vecevo.training.programs import Programs
from vecevo.training.recipe import complete

WIDTH, DEPTH, NUM_FEATURES, NUM_CLASSES, BATCH_SIZE = 16, 2, 24, 3, 8
WIDTHS, DEPTHS = np.array([16, 7, 16, 5]), np.array([2, 2, 1, 1])  # of the lanes
# Of the lanes, in NumPy. Not all there are: what is tried is how products compile.
PLAIN_ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
TOLERANCE = 1e-4  # float32 rounds at 1e-7
ROUGH_TOLERANCE = 0.05  # bfloat16 rounds at 0.004
STEP = 1e-6  # of the central differences, in float64

Params = dict[str, dict[str, np.ndarray]]


def check_compiler(precision: str | None = None) -> None:
    """Checks, unless it is known that this compiler and device passed.

    That is remembered in the user's cache folder.

    Args:
      precision: of the networks' products, a key of `programs.MATMUL_PRECISIONS`.

    Raises:
      InputError: when the gradients differ.
    """
    version, device = importlib.metadata.version("jaxlib"), jax.devices()[0].device_kind
    flags = os.environ.get("XLA_FLAGS", "")
    is_quick = jax.config.read("jax_disable_most_optimizations")
    own = importlib.metadata.version("vecevo")
    products = jax.config.jax_default_matmul_precision  # where there is no precision
    compiler = f"{own} {version} {device} {flags} {precision} {products} {is_quick}"
    passed = _marker_of(compiler)
    with contextlib.suppress(OSError, RuntimeError):
        if passed.exists():
            return
    is_exact = precision == "float32" or is_on_cpu()
    difference = _difference_of(compiler, precision)
    if not difference <= (TOLERANCE if is_exact else ROUGH_TOLERANCE):
        raise InputError(
            f"jaxlib={version} compiles wrong gradients on {device} (they "
            f"differ by {difference:.2g}): use another version, or set "
            "XLA_FLAGS=--xla_cpu_experimental_ynn_fusion_type= on a CPU."
        )
    with contextlib.suppress(OSError):  # a folder that is read-only, or full
        passed.parent.mkdir(parents=True, exist_ok=True)
        passed.touch()


def _marker_of(compiler: str) -> pathlib.Path:
    """The file that says that a compiler passed."""
    name = hashlib.sha256(compiler.encode()).hexdigest()[:16]
    return default_cache_dir() / "selfcheck" / name


@functools.cache
def _difference_of(compiler: str, precision: str | None) -> float:
    del compiler  # one process has one, but for what tests pretend
    with jax.enable_x64(False):
        return gradient_difference(precision)


def gradient_difference(precision: str | None = None) -> float:
    """Largest relative error of compiled slopes along random directions.

    The slope of a lane's loss along a direction within one weight matrix is the
    product of direction and compiled gradient; NumPy takes it by central differences.
    """
    rng = np.random.default_rng(0)
    inputs = rng.random((NUM_FEATURES, BATCH_SIZE))
    params = _draw_params(rng)
    compiled = _compiled_gradients(params, inputs, precision)
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
    return float(np.max(errors))


def _draw_params(rng: np.random.Generator) -> Params:
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


def _compiled_gradients(
    params: Params, inputs: np.ndarray, precision: str | None
) -> Params:
    """Takes the gradients from what a step of the epoch program changes."""
    x = jnp.array(inputs.T, jnp.float32)
    y = jnp.arange(BATCH_SIZE) % NUM_CLASSES
    data = TrainingData(x, y, x, y)
    networks = [
        complete(dict(width=width, depth=depth, activation=name, optimizer="sgd"))
        for width, depth, name in zip(WIDTHS, DEPTHS, PLAIN_ACTIVATIONS, strict=True)
    ]
    lanes = example_lanes(len(WIDTHS))
    lanes = lanes._replace(
        architecture=jax.tree.map(jnp.array, architecture_of(networks)),
        optimizer=jnp.full(len(WIDTHS), optimizers.NAMES.index("sgd")),
        rates=lanes.rates | {"learning_rate": jnp.ones(len(WIDTHS))},
    )
    programs = Programs(data, BATCH_SIZE, precision)
    pieces = ("dropout_rate", "weight_decay")
    variant = Variant(tuple(PLAIN_ACTIVATIONS), pieces=pieces, is_for_cpu=is_on_cpu())
    module = PaddedMLP(WIDTH, DEPTH, NUM_CLASSES, variant)
    with contextlib.closing(programs):
        init, train_epochs = programs.get(module, len(WIDTHS))
    before = jax.tree.map(lambda leaf: jnp.array(leaf, jnp.float32), params)
    state = init(lanes)._replace(params=before)
    rule = StoppingRule(jnp.array(1), jnp.array(1), jnp.array(False))
    state, *_ = train_epochs(
        *(state, lanes, data, rule, Call(*map(jnp.array, (0, 1, 0)))),
        jax.random.key(0, impl=IMPLEMENTATION),
    )
    return jax.tree.map(lambda old, new: old - np.asarray(new), params, state.params)


def _loss(params: Params, lane: int, inputs: np.ndarray) -> float:
    """Mean cross-entropy of one lane, in NumPy."""
    x, activate = inputs, list(PLAIN_ACTIVATIONS.values())[lane]
    for layer in range(DEPTHS[lane]):
        hidden = params[f"hidden_{layer}"]
        x = hidden["kernel"][lane] @ x + hidden["bias"][lane][:, None]
        x = activate(x) * (np.arange(WIDTH) < WIDTHS[lane])[:, None]
    logits = params["output"]["kernel"][lane] @ x
    logits = logits + params["output"]["bias"][lane][:, None]
    chosen = logits[np.arange(BATCH_SIZE) % NUM_CLASSES, np.arange(BATCH_SIZE)]
    return float(np.mean(np.log(np.exp(logits).sum(0)) - chosen))
