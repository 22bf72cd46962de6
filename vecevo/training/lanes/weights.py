"""The weights of a network: how many, and cut out of the padded ones of a lane."""

from typing import Any


def count_params[Number: Any](
    width: Number, depth: Number, *, num_features: int, num_classes: int
) -> Number:
    """Number of weights of a network; arrays and scalars alike."""
    first = num_features * width + width
    return first + (depth - 1) * (width * width + width) + (width + 1) * num_classes


def crop(
    params: dict[str, dict[str, Any]], *, width: int, depth: int
) -> dict[str, dict[str, Any]]:
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
