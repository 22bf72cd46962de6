"""A trained network to take home: raw examples in, labels out."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.datasets.alike import check_alike
from vecevo.datasets.columns import as_examples
from vecevo.datasets.inputs import Inputs, apply_inputs
from vecevo.datasets.labels import Label, as_labels, encode_labels, labels_of
from vecevo.errors import InputError, check_counts
from vecevo.training import reference
from vecevo.training.lanes import losses
from vecevo.training.lanes.networks import Architecture, PaddedMLP, architecture_of
from vecevo.training.lanes.variants import Variant

BATCH_SIZE = 1024  # examples predicted at once, where nothing else is asked

Params = dict[str, dict[str, np.ndarray]]


class Network(NamedTuple):
    """A trained network, with all that it takes to use it."""

    hyperparams: dict[str, Any]
    params: Params  # Flax's, kernels [in, out]
    inputs: Inputs  # how raw examples become what it reads
    classes: tuple[Label, ...]
    facts: Mapping[str, Any] = {}  # accuracies, data set, versions: what is known

    @property
    def module(self) -> reference.MLP:
        """The plain Flax module: `module.apply({"params": params}, x)` gives logits.

        Its x are inputs as `vecevo.datasets.inputs.apply_inputs` gives them, bytes
        divided by 255.
        """
        values = self.hyperparams
        names = ("width", "depth", "activation", "dropout_rate", "norm", "skip")
        return reference.MLP(
            num_classes=len(self.classes), **{name: values[name] for name in names}
        )

    def predict_proba(self, x: Any, *, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Returns float32[N, C], the probability of each class, in their order.

        Args:
          x: raw examples, as those of the data set: an array or a DataFrame.
          batch_size: examples on the device at once.

        Raises:
          InputError: for examples of another shape or kind.
        """
        applied = apply_inputs(self.inputs, x)
        check_alike(self.inputs, as_examples(x, "x"), argument="x")
        return probabilities_of(self, applied, batch_size)

    def predict(self, x: Any, *, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Returns the label of each of N raw examples; see `predict_proba`."""
        return most_probable(self.predict_proba(x, batch_size=batch_size), self.classes)

    def score(self, x: Any, y: Any, *, batch_size: int = BATCH_SIZE) -> float:
        """Returns the accuracy on raw examples and their labels.

        Raises:
          InputError: for other shapes, kinds or labels.
        """
        said = self.predict_proba(x, batch_size=batch_size)
        return share_right(said, y, self.classes)


def probabilities_of(
    network: Network, x: np.ndarray, batch_size: int = BATCH_SIZE
) -> np.ndarray:
    """Returns float32[N, C] of inputs [N, F] that are transformed already.

    It is computed as a lane computes it, in batches of sizes that repeat, so that the
    same inputs in the same order give the same bits.
    """
    check_counts(batch_size=batch_size)
    lane = as_lane(network)
    parts = []
    for start in range(0, len(x), batch_size):
        batch = x[start : start + batch_size]
        # Padded to a power of two: few sizes to compile for.
        size = min(batch_size, 1 << (len(batch) - 1).bit_length())
        padded = np.pad(batch, ((0, size - len(batch)), (0, 0)))
        parts.append(np.asarray(_softmax(*lane[:2], padded, module=lane[2])))
        parts[-1] = parts[-1][: len(batch)]
    return np.concatenate(parts)


def as_lane(network: Network) -> tuple[dict, Architecture, PaddedMLP]:
    """Returns the params [out, in] of a lane without padding, and what it is."""
    params = jax.tree.map(lambda leaf: np.ascontiguousarray(leaf.T), network.params)
    values = network.hyperparams
    architecture = jax.tree.map(
        lambda row: jnp.array(row[0]), architecture_of([values])
    )
    variant = Variant(
        activations=(values["activation"],),
        pieces=tuple(name for name in ("norm", "skip") if values[name] != "none"),
        pads_width=False,
        pads_depth=False,
    )
    shape = values["width"], values["depth"], len(network.classes)
    return params, architecture, PaddedMLP(*shape, variant)


@functools.partial(jax.jit, static_argnames="module")
def _softmax(
    params: dict, architecture: Architecture, x: jax.Array, *, module: PaddedMLP
) -> jax.Array:
    return losses.probabilities(params, architecture, x, module=module)


def most_probable(probabilities: np.ndarray, classes: tuple[Label, ...]) -> np.ndarray:
    """Returns the labels [N] of the largest of probabilities [N, C]."""
    return labels_of(probabilities.argmax(axis=1), classes)


def share_right(probabilities: np.ndarray, y: Any, classes: tuple[Label, ...]) -> float:
    """Returns the accuracy of probabilities [N, C], by labels [N].

    Raises:
      InputError: for labels that are not as many, or no classes.
    """
    labels, _ = as_labels(y, "y")
    if len(labels) != len(probabilities):
        raise InputError(
            f"y has {len(labels)} labels and x {len(probabilities)} examples: give one "
            "for each."
        )
    codes = encode_labels(labels, classes, "y")
    return float(np.mean(probabilities.argmax(axis=1) == codes))
