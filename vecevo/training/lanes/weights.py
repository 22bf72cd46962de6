"""The weights of a network: how many, and cut out of the padded ones of a lane."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np


def count_params(
    widths: Sequence[int],
    *,
    num_features: int,
    num_classes: int,
    is_normed: bool = False,
) -> int:
    """Number of weights of a network of hidden layers of some units."""
    sizes = [num_features, *widths, num_classes]
    kernels = sum(num_in * num_out for num_in, num_out in itertools.pairwise(sizes))
    norms = 2 * sum(widths) if is_normed else 0
    return kernels + sum(widths) + num_classes + norms


def pad(params: dict[str, dict[str, Any]], width: int) -> dict[str, dict[str, Any]]:
    """Pads hidden layers with units of zero weights, to `width` of them."""

    def of_layer(name: str, leaf: np.ndarray) -> np.ndarray:
        wanted = (len(leaf) if name == "output" else width, width)
        if name == "hidden_0" and leaf.ndim == 2:
            wanted = (width, leaf.shape[1])
        more = [(0, n - m) for m, n in zip(leaf.shape, wanted, strict=False)]
        return np.pad(leaf, more)

    return {
        name: {part: of_layer(name, leaf) for part, leaf in layer.items()}
        for name, layer in params.items()
    }


def crop(
    params: dict[str, dict[str, Any]], *, widths: Sequence[int], is_normed: bool
) -> dict[str, dict[str, Any]]:
    """Cuts the real network out of the params of one padded lane."""
    layers = {}
    for layer, width in enumerate(widths):
        kernel = params[f"hidden_{layer}"]["kernel"][:width]
        kernel = kernel if layer == 0 else kernel[:, : widths[layer - 1]]
        bias = params[f"hidden_{layer}"]["bias"][:width]
        layers[f"hidden_{layer}"] = {"kernel": kernel, "bias": bias}
        if is_normed:
            norm = params[f"norm_{layer}"]
            layers[f"norm_{layer}"] = {name: norm[name][:width] for name in norm}
    output = params["output"]
    kernel = output["kernel"][:, : widths[-1]]
    layers["output"] = {"kernel": kernel, "bias": output["bias"]}
    return layers
