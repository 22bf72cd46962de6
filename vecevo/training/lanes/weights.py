"""The weights of a network: how many, and cut out of the padded ones of a lane."""

from typing import Any


def count_params[Number: Any](
    width: Number,
    depth: Number,
    *,
    num_features: int,
    num_classes: int,
    is_normed: bool = False,
) -> Number:
    """Number of weights of a network; arrays and scalars alike."""
    first = num_features * width + width
    norms = depth * 2 * width if is_normed else 0
    hidden = (depth - 1) * (width * width + width)
    return first + hidden + norms + (width + 1) * num_classes


def crop(
    params: dict[str, dict[str, Any]], *, width: int, depth: int, is_normed: bool
) -> dict[str, dict[str, Any]]:
    """Cuts the real network out of the params of one padded lane."""
    layers = {}
    for layer in range(depth):
        kernel = params[f"hidden_{layer}"]["kernel"][:width]
        kernel = kernel if layer == 0 else kernel[:, :width]
        bias = params[f"hidden_{layer}"]["bias"][:width]
        layers[f"hidden_{layer}"] = {"kernel": kernel, "bias": bias}
        if is_normed:
            norm = params[f"norm_{layer}"]
            layers[f"norm_{layer}"] = {name: norm[name][:width] for name in norm}
    output = params["output"]
    layers["output"] = {"kernel": output["kernel"][:, :width], "bias": output["bias"]}
    return layers
