"""The specification: one network in plain Flax and Optax.

No padding, no masks, no vmap, Flax's own `[in, out]` kernels and `nn.Dense`,
Optax's own optimizers. This is what a lane computes, the oracle of the tests and
the baseline of the benchmarks. It shares no code with the fast path, only the
contract of the random keys:

* a network's key splits into one for its initialisation and one for dropout;
* Flax derives a layer's key from its name, and output r of a kernel draws its
  weights from `fold_in(layer_key, r)`;
* the dropout of step t in hidden layer k draws 16-bit numbers `[units, B]`
  from `fold_in(dropout_key, 1024 t + k)`, two from each 32-bit word;
* epoch e visits the examples in the order drawn from `fold_in(order_key, e)`.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from vecevo.training.reference.optimizers import make_optimizer, make_schedule

ACTIVATIONS = {
    "relu": nn.relu,
    "elu": nn.elu,
    "tanh": nn.tanh,
    "sigmoid": nn.sigmoid,
    "gelu": nn.gelu,
    "silu": nn.silu,
    "selu": nn.selu,
    "leaky_relu": nn.leaky_relu,
}


def glorot_uniform(
    key: jax.Array, shape: tuple[int, int], dtype: Any = float, gain: float = 1.0
) -> jax.Array:
    """Draws a kernel [in, out], one output unit at a time."""
    num_in, num_out = shape
    limit = gain * (6 / (num_in + num_out)) ** 0.5
    unit_keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(num_out))

    def draw(unit_key: jax.Array) -> jax.Array:
        return jax.random.uniform(unit_key, (num_in,), dtype, -limit, limit)

    return jax.vmap(draw)(unit_keys).T


class MLP(nn.Module):
    """The network of the article: dense layers, each followed by dropout."""

    widths: Sequence[int]
    activation: str
    num_classes: int
    dropout_rate: float
    init_gain: float = 1.0
    norm: str = "none"
    skip: str = "none"

    @nn.compact
    def __call__(
        self,
        x: jax.Array,
        dropout_key: jax.Array | None = None,
        step: jax.Array | int = 0,
        batch_size: int = 0,
    ) -> jax.Array:
        """Returns the logits [n, C] of inputs [n, F]; without a key nothing drops."""
        kernel_init = functools.partial(glorot_uniform, gain=self.init_gain)
        dense = functools.partial(nn.Dense, kernel_init=kernel_init, param_dtype=float)
        for layer, width in enumerate(self.widths):
            before = x
            x = dense(width, name=f"hidden_{layer}")(x)
            if self.norm == "layer":
                norm = nn.LayerNorm(use_fast_variance=False, param_dtype=float)
                x = norm.copy(name=f"norm_{layer}")(x)
            x = ACTIVATIONS[self.activation](x)
            if dropout_key is not None:
                key = jax.random.fold_in(dropout_key, 1024 * step + layer)
                x = dropout(key, x, self.dropout_rate, batch_size)
            if self.skip == "identity" and layer > 0 and x.shape == before.shape:
                x = x + before
        return dense(self.num_classes, name="output")(x)


def dropout(key: jax.Array, x: jax.Array, rate: float, batch_size: int) -> jax.Array:
    """Drops entries of x [n, units], the first n of a minibatch of batch_size."""
    words = jax.random.bits(key, (x.shape[1], (batch_size + 1) // 2), jnp.uint32)
    draws = jnp.stack([words & 0xFFFF, words >> 16], axis=-1).reshape(x.shape[1], -1)
    threshold = jnp.round(rate * 2**16)
    is_kept = threshold <= draws[:, : x.shape[0]].T
    return jnp.where(is_kept, x / (1 - threshold / 2**16), 0)


class TrainState(NamedTuple):
    """One network while it trains."""

    params: dict
    opt_state: optax.OptState


class Trainer(NamedTuple):
    """The functions that train one network; see `make_trainer`."""

    init: Callable  # key -> TrainState
    train_step: Callable  # state, dropout_key, step, inputs, labels, weights -> state,
    # measures
    train_epoch: (
        jax.stages.Wrapped
    )  # state, dropout_key, epoch, order_key, x, y, weights -> state, measures
    evaluate: jax.stages.Wrapped  # params, x, y -> loss, accuracy


def make_trainer(
    hyperparams: Mapping[str, Any],
    *,
    num_features: int,
    num_classes: int,
    batch_size: int,
    num_steps: int = 1,
    metric_fn: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
) -> Trainer:
    """Returns the Trainer of one network; `train_epoch` is one jitted `lax.scan`.

    Minibatches hold `batch_size` examples and the last of an epoch what is left.

    Args:
      hyperparams: all of them, by name.
      num_features, num_classes, batch_size: of the data set.
      num_steps: to the cap on epochs, for schedules of the learning rate.
      metric_fn: logits [n, C] and labels -> what `evaluate` gives in place of the
        accuracy; None: that, or R2.
    """
    h = dict(hyperparams)
    names = ("activation", "dropout_rate", "init_gain", "norm", "skip")
    widths = [h.get(f"width_{k}") or h["width"] for k in range(1, h["depth"] + 1)]
    network = MLP(widths, num_classes=num_classes, **{name: h[name] for name in names})
    schedule = make_schedule(h["schedule"], h["learning_rate"], h["warmup"], num_steps)
    names = ("weight_decay", "momentum", "beta_2", "gradient_clip")
    transform = make_optimizer(
        h["optimizer"],
        lambda step: schedule(jnp.asarray(step, float)),
        **{name: h[name] for name in names},
    )

    def init(key: jax.Array) -> TrainState:
        params = dict(network.init(key, jnp.zeros((1, num_features)))["params"])
        return TrainState(params, transform.init(params))

    def loss_fn(
        params: dict,
        dropout_key: jax.Array,
        step: jax.Array,
        inputs: jax.Array,
        labels: jax.Array,
        weights: jax.Array | float,
    ) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        logits: Any = network.apply(
            {"params": params}, inputs, dropout_key, step, batch_size
        )
        losses = smoothed_losses(logits, labels, h["label_smoothing"])
        return (weights * losses).mean(), measure(logits, labels)

    def train_step(
        state: TrainState,
        dropout_key: jax.Array,
        step: jax.Array,
        inputs: jax.Array,
        labels: jax.Array,
        weights: jax.Array | float = 1.0,
    ) -> tuple[TrainState, tuple[jax.Array, jax.Array]]:
        (_, measures), grads = jax.value_and_grad(loss_fn, has_aux=True)(
            state.params, dropout_key, step, inputs, labels, weights
        )
        updates, opt_state = transform.update(grads, state.opt_state, state.params)
        params: Any = optax.apply_updates(state.params, updates)
        return TrainState(params, opt_state), measures

    @functools.partial(jax.jit, donate_argnames=("state",))
    def train_epoch(
        state: TrainState,
        dropout_key: jax.Array,
        epoch: jax.Array,
        order_key: jax.Array,
        x: jax.Array,
        y: jax.Array,
        weights: jax.Array | float = 1.0,
    ) -> tuple[TrainState, tuple[jax.Array, jax.Array]]:
        num_examples = x.shape[0]
        order = jax.random.permutation(
            jax.random.fold_in(order_key, epoch), num_examples
        )
        num_full, num_left = divmod(num_examples, batch_size)
        first_step = epoch * (num_full + (num_left > 0))

        def step_on(
            state: TrainState, step: jax.Array, indices: jax.Array
        ) -> tuple[TrainState, tuple[jax.Array, jax.Array]]:
            inputs, own = scale(x[indices]), jnp.broadcast_to(weights, len(x))[indices]
            return train_step(state, dropout_key, step, inputs, y[indices], own)

        full = order[: num_full * batch_size].reshape(num_full, batch_size)
        state, measures = jax.lax.scan(
            lambda state, xs: step_on(state, *xs),
            state,
            (first_step + jnp.arange(num_full), full),
        )
        totals = [measure.sum() * batch_size for measure in measures]
        if num_left:
            state, last = step_on(state, first_step + num_full, order[-num_left:])
            totals = [t + num_left * m for t, m in zip(totals, last, strict=True)]
        loss, accuracy = (total / num_examples for total in totals)
        return state, (loss, accuracy)

    @jax.jit
    def evaluate(
        params: dict, x: jax.Array, y: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        logits = jnp.asarray(network.apply({"params": params}, scale(x)))
        variance = y.var(axis=0)
        loss, accuracy = measure(logits, y, jnp.where(variance > 0, variance, 1))
        return loss, accuracy if metric_fn is None else metric_fn(logits, y)

    return Trainer(init, train_step, train_epoch, evaluate)


def average(params: Sequence[dict], decay: float) -> dict:
    """Mean of params at the ends of epochs, each weighing `decay` times the next."""
    weights = decay ** jnp.arange(len(params) - 1, -1, -1)
    weights = weights / weights.sum()
    return jax.tree.map(
        lambda *leaves: jnp.tensordot(weights, jnp.stack(leaves), 1), *params
    )


def smoothed_losses(
    logits: jax.Array, labels: jax.Array, smoothing: float
) -> jax.Array:
    """Losses of logits [n, C] by labels int[n] of which all classes have a share.

    Of standardised numbers float[n, K] it is the squared error.
    """
    if labels.ndim == 2:
        return optax.squared_error(logits, labels).mean(axis=1)
    targets = optax.smooth_labels(jax.nn.one_hot(labels, logits.shape[1]), smoothing)
    return optax.softmax_cross_entropy(logits, targets)


def measure(
    logits: jax.Array, labels: jax.Array, variance: jax.Array | float = 1.0
) -> tuple[jax.Array, jax.Array]:
    """Mean loss and accuracy of logits [n, C] and labels int[n].

    Of numbers float[n, K], squared error and R2, by the variance of each of the K.
    """
    if labels.ndim == 2:
        errors = optax.squared_error(logits, labels).mean(axis=0)
        return errors.mean(), (1 - errors / variance).mean()
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    is_right = logits.argmax(1) == labels
    return losses.mean(), is_right.astype(float).mean()


def scale(x: jax.Array) -> jax.Array:
    """Maps bytes to [0, 1], the range in which floats already come."""
    return x.astype(float) / 255 if x.dtype == jnp.uint8 else x


def split_network_key(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns the keys of a network's initialisation and of its dropout."""
    init_key, dropout_key = jax.random.split(key)
    return init_key, dropout_key
