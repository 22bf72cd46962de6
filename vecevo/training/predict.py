"""What a trained network says of new examples."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.errors import InputError, describe
from vecevo.results import NetworkResult
from vecevo.training.lanes import activations, losses
from vecevo.training.lanes.networks import Architecture, PaddedMLP


def accuracy_on(
    result: NetworkResult, x: jax.typing.ArrayLike, y: jax.typing.ArrayLike
) -> float:
    """Accuracy of a result's network on inputs [N, F] and labels int[N].

    Args:
      result: of `train_networks`, or one of the best of a search.
      x: as in the data set that it was trained on.
      y: labels from 0 up.

    Raises:
      InputError: for a result without weights, or other shapes.
    """
    if not isinstance(result, NetworkResult):
        raise InputError(f"result={describe(result)} must be a NetworkResult.")
    if not result.params:
        raise InputError(
            "result has no weights: a search keeps them for result.top alone; train "
            "the network again by train_networks([result.hyperparams], dataset)."
        )
    x, y = np.asarray(x), np.asarray(y)
    num_features = result.params["hidden_0"]["kernel"].shape[1]
    if y.ndim != 1 or not y.size or x.shape != (len(y), num_features):
        raise InputError(
            f"x has shape {x.shape} and y {y.shape}: give [N, {num_features}] inputs, "
            "as those the network was trained on, and [N] labels."
        )
    width, depth = result.hyperparams["width"], result.hyperparams["depth"]
    name = result.hyperparams["activation"]
    architecture = Architecture(
        *map(jnp.array, (width, depth, activations.NAMES.index(name)))
    )
    params, architecture = jax.tree.map(
        lambda leaf: jnp.asarray(leaf)[None], (result.params, architecture)
    )
    num_classes = len(result.params["output"]["bias"])
    module = PaddedMLP(width, depth, num_classes, (name,))
    measure = jax.jit(functools.partial(losses.evaluate, module=module))
    _, accuracy = measure(params, architecture, jnp.asarray(x), jnp.asarray(y))
    return float(accuracy[0])
