"""The network of a lane: an MLP padded to a width and a depth, features first.

Kernels are `[out, in]` and activations `[units, B]`. Under `jax.vmap` over lanes
with a shared minibatch, XLA then sees the first layer of all lanes as one matrix
product; Flax's own `[in, out]` layout costs two weight-sized transposes a step.

What padding may not change: padded units have zero weights, are masked after the
activation (the sigmoid of 0 is 0.5), and no random draw depends on the padding.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from vecevo.training.lanes import activations
from vecevo.training.lanes.dropout import Dropout, drop_units, dropout_draws
from vecevo.training.lanes.variants import Variant
from vecevo.training.lanes.widths import LAYER_WIDTHS

NORM_EPSILON = 1e-6  # added to a variance


class Architecture(NamedTuple):
    """What a lane's network is, as data: a new value never compiles anything."""

    width: jax.Array  # int32[], units of every hidden layer beyond the next ones
    layer_widths: jax.Array  # int32[4], units of the first hidden layers
    depth: jax.Array  # int32[], number of hidden layers
    activation: jax.Array  # int32[], index into activations.NAMES
    is_normed: jax.Array  # bool[], layer norm before every activation
    is_skipping: jax.Array  # bool[], hidden layers but the first add their inputs


def architecture_of(hyperparams: Sequence[Mapping[str, Any]]) -> Architecture:
    """Returns the Architecture of lanes, NumPy's arrays, by their hyperparameters."""

    def column(values: Iterable[Any], kind: type) -> Any:
        return np.array(list(values), kind)

    # Of no layer 0, or what is masked in the end would not be finite before.
    own = ([h[name] or h["width"] for name in LAYER_WIDTHS] for h in hyperparams)
    names = (h["activation"] for h in hyperparams)
    return Architecture(
        width=column((h["width"] for h in hyperparams), np.int32),
        layer_widths=column(own, np.int32),
        depth=column((h["depth"] for h in hyperparams), np.int32),
        activation=column(map(activations.NAMES.index, names), np.int32),
        is_normed=column((h["norm"] == "layer" for h in hyperparams), bool),
        is_skipping=column((h["skip"] == "identity" for h in hyperparams), bool),
    )


class PaddedMLP(nn.Module):
    """An MLP of at most `depth` hidden layers of at most `width` units.

    With `architecture` equal to `width` and `depth` nothing is padded, and this
    is a plain MLP. `init` gives padding zero weights, and training keeps them.
    """

    width: int
    depth: int
    num_classes: int
    variant: Variant = Variant()

    @nn.compact
    def __call__(
        self,
        inputs: jax.Array,
        architecture: Architecture,
        dropout: Dropout | None = None,
    ) -> jax.Array:
        """Returns the logits [C, B] of inputs [F, B]; no `dropout`: no dropping."""
        variant = self.variant
        x, num_in = inputs, inputs.shape[0]
        draws = None
        if dropout is not None:
            draws = dropout_draws(dropout.keys, self.width, x.shape[1])
        for layer in range(self.depth):
            is_real_layer = layer < architecture.depth
            units = self._units(architecture, layer)
            is_real_unit = (jnp.arange(self.width) < units)[:, None]
            num_out = jnp.where(is_real_layer, units, 0)
            hidden = self._dense(self.width, f"hidden_{layer}")(x, num_out, num_in)
            if variant.has("norm"):
                normed = LayerNorm(name=f"norm_{layer}")(hidden, is_real_unit)
                hidden = jnp.where(architecture.is_normed, normed, hidden)
            hidden = activations.activate(
                variant.activations, architecture.activation, hidden
            )
            if dropout is not None and draws is not None:
                hidden = drop_units(draws[layer], hidden, dropout.rate)
            if variant.pads_width:
                hidden = jnp.where(is_real_unit, hidden, 0)
            if variant.has("skip") and layer > 0:
                is_skipping = architecture.is_skipping & (units == num_in)
                hidden = hidden + jnp.where(is_skipping, x, 0)
            if variant.pads_depth and layer > 0:
                hidden = jnp.where(is_real_layer, hidden, x)
            x, num_in = hidden, jnp.where(is_real_layer, units, num_in)
        return self._dense(self.num_classes, "output")(x, self.num_classes, num_in)

    def _units(self, architecture: Architecture, layer: int) -> jax.Array:
        """The units of a hidden layer; those of layers beyond the depth do not count.

        Where no lane has layers of several widths, they are the same for all layers.
        """
        if self.variant.has_layer_widths and layer < len(LAYER_WIDTHS):
            return architecture.layer_widths[layer]
        return architecture.width

    def _dense(self, features: int, name: str) -> "Dense":
        return Dense(features, self.variant.is_for_cpu, name=name)


class Dense(nn.Module):
    """A fully connected layer on `[in, B]` whose kernel is `[out, in]`."""

    features: int
    is_for_cpu: bool

    @nn.compact
    def __call__(
        self, x: jax.Array, num_out: jax.Array | int, num_in: jax.Array | int
    ) -> jax.Array:
        """Returns [features, B]; the real part of the kernel is [num_out, num_in]."""

        def kernel_init(key: jax.Array, shape: tuple[int, int]) -> jax.Array:
            return padded_glorot_uniform(key, shape, num_out=num_out, num_in=num_in)

        kernel = self.param("kernel", kernel_init, (self.features, x.shape[0]))
        bias = self.param("bias", nn.initializers.zeros, (self.features,), kernel.dtype)
        multiply = product if self.is_for_cpu else jnp.matmul
        return multiply(kernel, x) + bias[:, None]


class LayerNorm(nn.Module):
    """Shifts and scales real units to a mean of 0 and a variance of 1, of an example.

    Then each unit has a gain and a bias of its own. See Ba et al., "Layer
    normalization", 2016.
    """

    @nn.compact
    def __call__(self, x: jax.Array, is_real_unit: jax.Array) -> jax.Array:
        """Returns [units, B] of [units, B], of which some rows bool[units, 1] count."""
        scale = self.param("scale", nn.initializers.ones, (len(x),), x.dtype)
        bias = self.param("bias", nn.initializers.zeros, (len(x),), x.dtype)

        def mean(values: jax.Array) -> jax.Array:
            real = jnp.where(is_real_unit, values, 0)
            return jnp.sum(real, axis=0) / jnp.sum(is_real_unit)

        centred = x - mean(x)
        normed = centred * jax.lax.rsqrt(mean(centred**2) + NORM_EPSILON)
        return normed * scale[:, None] + bias[:, None]


@jax.custom_vjp
def product(kernel: jax.Array, x: jax.Array) -> jax.Array:
    """Returns kernel @ x, with a backward pass that suits CPUs.

    As `kernel.T @ error`, the gradient of x takes twice the time of its
    transpose for large kernels.
    """
    return kernel @ x


def _product_forward(kernel, x):
    return kernel @ x, (kernel, x)


def _product_backward(operands, error):
    kernel, x = operands
    kernel_gradient = jax.lax.dot_general(error, x, (((1,), (1,)), ((), ())))
    return kernel_gradient, (jax.lax.optimization_barrier(error.T) @ kernel).T


product.defvjp(_product_forward, _product_backward)


def padded_glorot_uniform(
    key: jax.Array,
    shape: tuple[int, int],
    *,
    num_out: jax.Array | int,
    num_in: jax.Array | int,
) -> jax.Array:
    """Draws a Glorot-uniform kernel whose padding is zero.

    Row r comes from `fold_in(key, r)`, so the real part of a padded kernel is the
    kernel of the unpadded network, and its limit, sqrt(6 / (in + out)), is that of
    the real layer. See Glorot & Bengio, "Understanding the difficulty of training
    deep feedforward neural networks", 2010.

    Args:
      key: random key, consumed.
      shape: (out, in) with padding, static.
      num_out: real outputs, may be traced; 0 gives a kernel of zeros.
      num_in: real inputs, may be traced.

    Returns:
      float[out, in].
    """
    rows, columns = shape
    limit = jnp.sqrt(6 / (jnp.asarray(num_in, float) + num_out))
    row_keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(rows))
    draws = jax.vmap(lambda k: jax.random.uniform(k, (columns,), float, -1, 1))(
        row_keys
    )
    is_real = (jnp.arange(rows) < num_out)[:, None] & (jnp.arange(columns) < num_in)
    return jnp.where(is_real, limit * draws, 0)
