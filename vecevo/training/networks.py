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

from vecevo.training import threefry

ACTIVATIONS = ("relu", "elu", "tanh", "sigmoid")
RELU, ELU, TANH, SIGMOID = range(4)

DROPOUT_LEVELS = 1 << 16  # a dropout draw is 16 bits of a 32-bit random word
MOST_LAYERS = 1024  # so that no two steps and layers share a dropout key


class Architecture(NamedTuple):
    """What a lane's network is, as data: a new value never compiles anything."""

    width: jax.Array  # int32[], units of every hidden layer
    depth: jax.Array  # int32[], number of hidden layers
    activation: jax.Array  # int32[], index into ACTIVATIONS


class Dropout(NamedTuple):
    """What one forward pass needs to drop units."""

    key: jax.Array  # random key of this network
    step: jax.Array  # int32[], number of the minibatch since training began
    rate: jax.Array  # float[], probability of dropping a unit


class PaddedMLP(nn.Module):
    """An MLP of at most `depth` hidden layers of at most `width` units.

    With `architecture` equal to `width` and `depth` nothing is padded, and this
    is a plain MLP. `init` gives padding zero weights, and training keeps them.
    """

    width: int
    depth: int
    num_classes: int

    @nn.compact
    def __call__(self, inputs, architecture, dropout=None):
        """Returns the logits [C, B] of inputs [F, B]; no `dropout`: no dropping."""
        is_real_unit = (jnp.arange(self.width) < architecture.width)[:, None]
        x, num_in = inputs, inputs.shape[0]
        draws = None
        if dropout is not None:
            draws = dropout_draws(dropout, self.depth, self.width, x.shape[1])
        for layer in range(self.depth):
            is_real_layer = layer < architecture.depth
            num_out = jnp.where(is_real_layer, architecture.width, 0)
            hidden = Dense(self.width, name=f"hidden_{layer}")(x, num_out, num_in)
            hidden = activate(architecture.activation, hidden)
            if dropout is not None and draws is not None:
                hidden = drop_units(draws[layer], hidden, rate=dropout.rate)
            hidden = jnp.where(is_real_unit, hidden, 0)
            x = hidden if layer == 0 else jnp.where(is_real_layer, hidden, x)
            num_in = architecture.width
        return Dense(self.num_classes, name="output")(x, self.num_classes, num_in)


class Dense(nn.Module):
    """A fully connected layer on `[in, B]` whose kernel is `[out, in]`."""

    features: int

    @nn.compact
    def __call__(self, x, num_out, num_in):
        """Returns [features, B]; the real part of the kernel is [num_out, num_in]."""

        def kernel_init(key, shape):
            return padded_glorot_uniform(key, shape, num_out=num_out, num_in=num_in)

        kernel = self.param("kernel", kernel_init, (self.features, x.shape[0]))
        bias = self.param("bias", nn.initializers.zeros, (self.features,), kernel.dtype)
        return product(kernel, x) + bias[:, None]


@jax.custom_vjp
def product(kernel, x):
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


def padded_glorot_uniform(key, shape, *, num_out, num_in):
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


def dropout_draws(dropout, num_layers, num_units, batch_size):
    """Draws uint16[num_layers, num_units, batch_size], two from each random word.

    Layer k of step t draws from `fold_in(key, 1024 t + k)`, all layers in one call,
    which compiles once. The first layers and units do not depend on how many follow.
    """
    numbers = MOST_LAYERS * dropout.step + jnp.arange(num_layers)
    layer_keys = jax.vmap(jax.random.fold_in, (None, 0))(dropout.key, numbers)
    shape = (num_units, (batch_size + 1) // 2)
    words = jax.vmap(lambda k: threefry.random_bits(k, shape))(layer_keys)
    draws = jax.lax.bitcast_convert_type(words, jnp.uint16)
    draws = draws.reshape(num_layers, num_units, -1)[:, :, :batch_size]
    # Else every use in the forward and in the backward pass would draw them anew.
    return jax.lax.optimization_barrier(draws)


def drop_units(draws, hidden, *, rate):
    """Zeroes each entry of hidden [units, B] with probability `rate`.

    The rest is scaled to keep the expectation ("inverted" dropout; Srivastava et
    al., 2014). The rate is rounded to a multiple of 1 / DROPOUT_LEVELS.
    """
    threshold = jnp.round(rate * DROPOUT_LEVELS)
    scale = (DROPOUT_LEVELS / (DROPOUT_LEVELS - threshold)).astype(hidden.dtype)
    return jnp.where(draws >= threshold.astype(jnp.uint32), hidden * scale, 0)


@jax.custom_jvp
def activate(activation, x):
    """Applies one of the four ACTIVATIONS, chosen by a scalar, to an array.

    One `tanh` serves all of them; with t = tanh(x / 2), sigmoid(x) = (1 + t) / 2
    and exp(x) - 1 = 2 t / (1 - t).
    """
    is_tanh = activation == TANH
    t = jnp.tanh(jnp.where(is_tanh, x, 0.5 * x))
    elu = jnp.where(x > 0, x, 2 * t / (1 - t))
    y = jnp.where(activation == ELU, elu, jnp.maximum(x, 0))
    y = jnp.where(activation == SIGMOID, 0.5 + 0.5 * t, y)
    return jnp.where(is_tanh, t, y)


@activate.defjvp
def _activate_jvp(primals, tangents):
    """All four derivatives are polynomials of the output y."""
    activation, x = primals
    y = activate(activation, x)
    relu_slope = (y > 0).astype(y.dtype)
    slope = jnp.where(activation == ELU, jnp.where(y > 0, 1, y + 1), relu_slope)
    slope = jnp.where(activation == SIGMOID, y * (1 - y), slope)
    slope = jnp.where(activation == TANH, 1 - y * y, slope)
    return y, slope * tangents[1]


def count_params(width, depth, *, num_features, num_classes):
    """Number of weights of a network; arrays and scalars alike."""
    first = num_features * width + width
    return first + (depth - 1) * (width * width + width) + (width + 1) * num_classes


def crop(params, *, width, depth):
    """Cuts the real network out of the params of one padded lane."""
    layers = {}
    for layer in range(depth):
        kernel = params[f"hidden_{layer}"]["kernel"][:width]
        kernel = kernel if layer == 0 else kernel[:, :width]
        bias = params[f"hidden_{layer}"]["bias"][:width]
        layers[f"hidden_{layer}"] = {"kernel": kernel, "bias": bias}
    output = params["output"]
    layers["output"] = {"kernel": output["kernel"][:, :width], "bias": output["bias"]}
    return layers
