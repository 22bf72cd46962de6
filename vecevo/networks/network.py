"""A trained network to take home: raw examples in, labels or numbers out."""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.datasets.alike import check_alike
from vecevo.datasets.columns import as_examples
from vecevo.datasets.inputs import Inputs, apply_inputs
from vecevo.datasets.labels import Label, as_labels, encode_labels, labels_of
from vecevo.datasets.targets import (
    Targets,
    as_targets,
    r_squared,
    restore,
    standardize,
)
from vecevo.errors import InputError, check_counts, first_few, repr_without
from vecevo.training import reference
from vecevo.training.lanes import losses, metrics, weights
from vecevo.training.lanes.networks import Architecture, PaddedMLP, architecture_of
from vecevo.training.lanes.variants import Variant
from vecevo.training.lanes.widths import LAYER_WIDTHS, widths_of

BATCH_SIZE = 1024  # examples predicted at once, where nothing else is asked

Params = dict[str, dict[str, np.ndarray]]
MeasureFn = Callable[[np.ndarray, np.ndarray], float]  # outputs, answers -> the metric


class Network(NamedTuple):
    """A trained network, with all that it takes to use it."""

    hyperparams: dict[str, Any]
    params: Params  # Flax's, kernels [in, out]
    inputs: Inputs  # how raw examples become what it reads
    classes: tuple[Label, ...]  # () where it predicts numbers
    facts: Mapping[str, Any] = {}  # accuracies, data set, versions: what is known
    targets: Targets | None = None  # the numbers that it predicts; None: classes

    def __repr__(self) -> str:
        return repr_without(self, {"params", "inputs"})

    @property
    def module(self) -> reference.MLP:
        """The plain Flax module: `module.apply({"params": params}, x)` gives logits.

        Its x are inputs as `vecevo.datasets.inputs.apply_inputs` gives them, bytes
        divided by 255. Of numbers it gives them standardised.
        """
        values = self.hyperparams
        names = ("activation", "dropout_rate", "norm", "skip")
        return reference.MLP(
            widths=widths_of(values),
            num_classes=num_outputs(self),
            **{name: values[name] for name in names},
        )

    def predict_proba(self, x: Any, *, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Returns float32[N, C], the probability of each class, in their order.

        Args:
          x: raw examples, as those of the data set: an array or a DataFrame.
          batch_size: examples on the device at once.

        Raises:
          InputError: for examples of another shape or kind, or of a network that
            predicts numbers.
        """
        check_classes(self.targets)
        return outputs_of_raw(self, x, batch_size)

    def predict(self, x: Any, *, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Returns the label of each of N raw examples; see `predict_proba`.

        Of numbers it is float64[N] in their unit, of several float64[N, K].
        """
        return answers_of(outputs_of_raw(self, x, batch_size), self)

    def score(
        self,
        x: Any,
        y: Any,
        *,
        metric: str | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> float:
        """Returns the accuracy on raw examples and their labels, of numbers R2.

        Args:
          x, y: raw examples, and labels or numbers.
          metric: another name of `training.lanes.metrics.TABLE`; larger is better, so
            that of log_loss and rmse it is the negative.
          batch_size: examples on the device at once.

        Raises:
          InputError: for other shapes, kinds or labels, or a metric that is none here.
        """
        return score_of(outputs_of_raw(self, x, batch_size), y, self, metric)


def num_outputs(network: Network) -> int:
    """How many numbers a network gives for an example: C, or K."""
    targets = network.targets
    return len(network.classes) if targets is None else len(targets.names)


def check_classes(targets: Targets | None) -> None:
    """Refuses to give probabilities where numbers are predicted.

    Raises:
      InputError: saying what to call.
    """
    if targets is not None:
        raise InputError(
            "predict_proba has no say in regression, where there are no classes: call "
            "predict."
        )


def outputs_of_raw(network: Network, x: Any, batch_size: int) -> np.ndarray:
    """Returns what a network says of raw examples, as `outputs_of` does.

    Raises:
      InputError: for examples of another shape or kind.
    """
    applied = apply_inputs(network.inputs, x)
    check_alike(network.inputs, as_examples(x, "x"), argument="x")
    return outputs_of(network, applied, batch_size)


def outputs_of(
    network: Network, x: np.ndarray, batch_size: int = BATCH_SIZE
) -> np.ndarray:
    """Returns what a network says of inputs [N, F] that are transformed already.

    It is computed as a lane computes it, in batches of sizes that repeat, so that the
    same inputs in the same order give the same bits.

    Returns:
      Probabilities float32[N, C]; of numbers float32[N, K], standardised.
    """
    check_counts(batch_size=batch_size)
    lane, of_numbers = as_lane(network), network.targets is not None
    parts = []
    for start in range(0, len(x), batch_size):
        batch = x[start : start + batch_size]
        # Padded to a power of two: few sizes to compile for.
        size = min(batch_size, 1 << (len(batch) - 1).bit_length())
        padded = np.pad(batch, ((0, size - len(batch)), (0, 0)))
        how = {"module": lane[2], "of_numbers": of_numbers}
        said = losses.outputs(*lane[:2], padded, **how)
        parts.append(np.asarray(said)[: len(batch)])
    return np.concatenate(parts)


def as_lane(network: Network) -> tuple[dict, Architecture, PaddedMLP]:
    """Returns the params [out, in] of a lane without padding, and what it is."""
    values = network.hyperparams
    widths = widths_of(values)
    is_even = min(widths) == max(widths)
    params = jax.tree.map(lambda leaf: np.ascontiguousarray(leaf.T), network.params)
    params = params if is_even else weights.pad(params, max(widths))
    architecture = jax.tree.map(
        lambda row: jnp.array(row[0]), architecture_of([values])
    )
    variant = Variant(
        activations=(values["activation"],),
        pieces=(
            *(name for name in ("norm", "skip") if values[name] != "none"),
            *(() if is_even else LAYER_WIDTHS),
        ),
        pads_width=not is_even,
        pads_depth=False,
    )
    shape = max(widths), values["depth"], num_outputs(network)
    return params, architecture, PaddedMLP(*shape, variant)


def answers_of(outputs: np.ndarray, network: Network) -> np.ndarray:
    """Returns outputs [N, C] or [N, K] of a network as labels [N] or numbers.

    Numbers are in their unit, float64[N], or, of several, float64[N, K].
    """
    if network.targets is not None:
        return restore(network.targets, outputs)
    return labels_of(outputs.argmax(axis=1), network.classes)


def score_of(
    outputs: np.ndarray, y: Any, network: Network, metric: str | None = None
) -> float:
    """Returns what outputs [N, C] or [N, K] of a network are worth.

    Args:
      outputs: of `outputs_of`.
      y: labels [N], or numbers [N] or [N, K].
      network: of the outputs.
      metric: by name; None: accuracy, or R2.

    Raises:
      InputError: for labels that are not as many, or no classes, or no numbers; for a
        metric that is none here, or has no value.
    """
    measure_fn = make_measure_fn(metric, network.classes, network.targets)
    codes = encode_answers(y, network)
    if len(codes) != len(outputs):
        raise InputError(
            f"y has {len(codes)} labels and x {len(outputs)} examples: give one for "
            "each."
        )
    found = measure_fn(outputs, codes)
    if np.isnan(found):
        raise InputError(
            f"metric={metric!r} has no value where y holds one class: give examples of "
            "both."
        )
    return found


def make_measure_fn(
    metric: str | None, classes: tuple[Label, ...], targets: Targets | None
) -> MeasureFn:
    """Returns what measures outputs [N, C] or [N, K], by places of classes or numbers.

    Args:
      metric: by name; None: accuracy, or R2.
      classes, targets: of the data set.

    Raises:
      InputError: for a metric that is none here.
    """
    name = metrics.choose(metric, num_classes=len(classes)).name
    if metrics.stops_by(name) is None:
        return measure_outputs
    units = np.ones(len(classes)) if targets is None else targets.deviation
    return functools.partial(_measure_by, name, units)


def metric_fact(metric: str | None) -> dict[str, str]:
    """Returns what is called an accuracy, for facts; {} where it is one, or R2."""
    name = metrics.stops_by(metric)
    return {} if name is None else {"metric": metrics.row_of(name).word}


def _measure_by(
    metric: str, units: np.ndarray, outputs: np.ndarray, answers: np.ndarray
) -> float:
    """Measures as lanes are measured, by logits and in float32."""
    if answers.ndim == 1:
        least = np.finfo(outputs.dtype).smallest_subnormal
        logits = np.log(np.maximum(outputs, least), dtype=np.float32)
    else:
        logits = outputs
    return float(metrics.measure(metric, logits.T, answers, units))


def encode_answers(y: Any, network: Network) -> np.ndarray:
    """Returns int32[N] of labels, or float32[N, K] of numbers, standardised.

    Raises:
      InputError: for no classes, or no such numbers.
    """
    targets = network.targets
    if targets is None:
        labels, _ = as_labels(y, "y")
        return encode_labels(labels, network.classes, "y")
    values, names = as_targets(y, "y")
    if len(names) != len(targets.names):
        raise InputError(
            f"y holds {len(names)} for each example, and the network predicts "
            f"{len(targets.names)} ({first_few(targets.names)}): give these."
        )
    if names != targets.names and sorted(names) == sorted(targets.names):
        raise InputError(
            f"y has the targets {', '.join(names)}, and the network predicts "
            f"{', '.join(targets.names)}: give them in this order."
        )
    return standardize(targets, values)


def measure_outputs(outputs: np.ndarray, answers: np.ndarray) -> float:
    """Returns the accuracy of probabilities [N, C], by places of classes int[N].

    Of numbers it is the R2 of float[N, K], by float[N, K], all standardised.
    """
    if answers.ndim == 2:
        return r_squared(outputs, answers)
    return float(np.mean(outputs.argmax(axis=1) == answers))
