"""The specification of steps: Optax's own optimizers and schedules."""

from collections.abc import Callable
from typing import Any

import jax
import optax

# By the rate, its schedule, momentum and the decay of the second moment.
OPTIMIZERS = {
    "rmsprop": lambda rate, momentum, beta_2: optax.rmsprop(rate, decay=beta_2),
    "adam": lambda rate, momentum, beta_2: optax.adam(rate, b2=beta_2),
    "sgd": lambda rate, momentum, beta_2: optax.sgd(rate, momentum),
    "adagrad": lambda rate, momentum, beta_2: optax.adagrad(rate),
    "adadelta": lambda rate, momentum, beta_2: optax.adadelta(rate, rho=0.95),
    "adamax": lambda rate, momentum, beta_2: optax.adamax(rate, b2=beta_2),
    "nadam": lambda rate, momentum, beta_2: optax.nadam(rate, b2=beta_2),
    "nesterov": lambda rate, momentum, beta_2: optax.sgd(rate, momentum, nesterov=True),
}


def make_schedule(
    schedule: str, rate: float, warmup: float, num_steps: int
) -> optax.Schedule:
    """Optax's schedule of a learning rate, after a rise over a share of all steps."""
    if schedule == "one_cycle":
        return optax.cosine_onecycle_schedule(num_steps, rate)
    num_rising: Any = warmup * num_steps  # need not be whole
    num_left: Any = num_steps - num_rising
    after = {
        "constant": optax.constant_schedule(rate),
        "cosine": optax.cosine_decay_schedule(rate, num_left),
        "linear": optax.linear_schedule(rate, 0.0, num_left),
    }[schedule]
    if not num_rising:
        return after
    rising = optax.linear_schedule(0.0, rate, num_rising)
    return optax.join_schedules([rising, after], [num_rising])


def make_optimizer(
    optimizer: str,
    rate: Callable[[Any], Any],
    weight_decay: float,
    *,
    momentum: float,
    beta_2: float,
    gradient_clip: float,
) -> optax.GradientTransformationExtraArgs:
    """Optax's optimizer, with decoupled weight decay on the kernels."""

    def is_kernel(params: dict) -> Any:
        return jax.tree.map(lambda p: p.ndim > 1, params)

    def decay(step: Any) -> Any:
        return -rate(step) * weight_decay

    return optax.named_chain(
        ("clip", optax.clip_by_global_norm(gradient_clip or float("inf"))),
        ("step", OPTIMIZERS[optimizer](rate, momentum, beta_2)),
        ("decay", optax.add_decayed_weights(decay, mask=is_kernel)),
    )
