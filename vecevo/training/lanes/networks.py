"""The network of a lane: an MLP padded to a width and a depth, features first.

Kernels are `[out, in]` and activations `[units, B]`. Under `jax.vmap` over lanes
with a shared minibatch, XLA then sees the first layer of all lanes as one matrix
product; Flax's own `[in, out]` layout costs two weight-sized transposes a step.

What padding may not change: padded units have zero weights, are masked after the
activation (the sigmoid of 0 is 0.5), and no random draw depends on the padding.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from vecevo.training.lanes import activations
from vecevo.training.lanes.dropout import Dropout, drop_units, dropout_draws
from vecevo.training.lanes.variants import Variant


class Architecture(NamedTuple):
    """What a lane's network is, as data: a new value never compiles anything."""

    width: jax.Array  # int32[], units of every hidden layer
    depth: jax.Array  # int32[], number of hidden layers
    activation: jax.Array  # int32[], index into activations.NAMES


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
        is_real_unit = (jnp.arange(self.width) < architecture.width)[:, None]
        x, num_in = inputs, inputs.shape[0]
        draws = None
        if dropout is not None:
            draws = dropout_draws(dropout.keys, self.width, x.shape[1])
        for layer in range(self.depth):
            is_real_layer = layer < architecture.depth
            num_out = jnp.where(is_real_layer, architecture.width, 0)
            hidden = self._dense(self.width, f"hidden_{layer}")(x, num_out, num_in)
            hidden = activations.activate(
                variant.activations, architecture.activation, hidden
            )
            if dropout is not None and draws is not None:
                hidden = drop_units(draws[layer], hidden, dropout.rate)
            if variant.pads_width:
                hidden = jnp.where(is_real_unit, hidden, 0)
            if variant.pads_depth and layer > 0:
                hidden = jnp.where(is_real_layer, hidden, x)
            x, num_in = hidden, architecture.width
        return self._dense(self.num_classes, "output")(x, self.num_classes, num_in)

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
