"""Several networks that vote: greedy selection on the validation part.

See Caruana et al., "Ensemble selection from libraries of models", 2004.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vecevo.datasets.labels import Label
from vecevo.datasets.targets import Targets
from vecevo.errors import repr_without
from vecevo.networks.network import (
    BATCH_SIZE,
    MeasureFn,
    Network,
    answers_of,
    check_classes,
    measure_outputs,
    outputs_of,
    outputs_of_raw,
    score_of,
)

LEAST_PROBABILITY = 1e-6  # float16 has none smaller than 6e-8 but 0


class Ensemble(NamedTuple):
    """Networks of one data set; what it says are means, by how often picked."""

    networks: tuple[Network, ...]
    picks: tuple[int, ...]  # how often each was picked
    facts: Mapping[str, Any] = {}  # accuracies, what was found

    def __repr__(self) -> str:
        return repr_without(self, {"networks"})

    @property
    def classes(self) -> tuple[Label, ...]:
        """The labels, in the order of probabilities."""
        return self.networks[0].classes

    @property
    def targets(self) -> Targets | None:
        """The numbers that it predicts; None: classes."""
        return self.networks[0].targets

    def predict_proba(self, x: Any, *, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Returns float32[N, C] of raw examples; see `Network.predict_proba`."""
        check_classes(self.targets)
        return _outputs_of_raw(self, x, batch_size)

    def predict(self, x: Any, *, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Returns the labels or numbers of raw examples; see `Network.predict`."""
        return answers_of(_outputs_of_raw(self, x, batch_size), self.networks[0])

    def score(
        self,
        x: Any,
        y: Any,
        *,
        metric: str | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> float:
        """Returns the accuracy, of numbers R2, or a metric; see `Network.score`."""
        outputs = _outputs_of_raw(self, x, batch_size)
        return score_of(outputs, y, self.networks[0], metric)


class Found(NamedTuple):
    """What ensemble selection found on the validation part."""

    picks: np.ndarray  # int[K], how often each network was picked
    validation_accuracy: float  # of the ensemble, on what it was picked by
    # Picked by one half and measured on the other, of networks that were kept by both;
    # NaN where there are no halves.
    held_out_accuracy: float
    held_out_best: float  # of the network that is best on the first half


def weighted_mean(
    parts: Sequence[np.ndarray] | np.ndarray, picks: Sequence[int] | np.ndarray
) -> np.ndarray:
    """Returns the mean float32[N, C] of K times [N, C], weighted by picks [K]."""
    picked = [(p, n) for p, n in zip(parts, picks, strict=True) if n]
    shares = np.array([n for _, n in picked], np.float32)
    stacked = np.stack([p for p, _ in picked]).astype(np.float32)
    return np.tensordot(shares / shares.sum(), stacked, axes=1)


def _outputs_of_raw(ensemble: Ensemble, x: Any, batch_size: int) -> np.ndarray:
    parts = [outputs_of_raw(network, x, batch_size) for network in ensemble.networks]
    return weighted_mean(parts, ensemble.picks)


def ensemble_outputs(ensemble: Ensemble, x: np.ndarray) -> np.ndarray:
    """Returns what it says of inputs [N, F] that are transformed; see `outputs_of`."""
    parts = [outputs_of(network, x) for network in ensemble.networks]
    return weighted_mean(parts, ensemble.picks)


def select(
    outputs: np.ndarray,
    answers: np.ndarray,
    *,
    num_picks: int,
    measure_fn: MeasureFn = measure_outputs,
) -> Found:
    """Picks networks by the loss of their mean, and checks that on held-out halves.

    Args:
      outputs: of each network on the validation part, the best networks first:
        probabilities float16[K, N, C], or numbers float32[K, N, T].
      answers: int32[N], or float32[N, T].
      num_picks: a network may be picked again.
      measure_fn: outputs and answers -> what Found calls an accuracy.
    """
    picks = pick_greedily(outputs, answers, num_picks=num_picks)
    held_out = [
        _check_half(outputs, answers, half, num_picks, measure_fn)
        for half in (slice(0, None, 2), slice(1, None, 2))
    ]
    return Found(
        picks,
        measure_fn(weighted_mean(outputs, picks), answers),
        *map(float, np.mean(held_out, axis=0)),
    )


def pick_greedily(
    outputs: np.ndarray, answers: np.ndarray, *, num_picks: int
) -> np.ndarray:
    """Returns int[K]: each pick lowers the loss of the mean the most.

    That is the log loss, and of numbers the squared error.

    Args:
      outputs: float[K, N, C], or numbers float[K, N, T].
      answers: int32[N], or float32[N, T].
      num_picks: with replacement. Of equals the first is picked.
    """
    of_classes = answers.ndim == 1
    if of_classes:
        telling = outputs[:, np.arange(len(answers)), answers].astype(np.float64)
    else:
        telling = (outputs - answers).astype(np.float64)
    loss_fn = _log_losses if of_classes else _squared_errors
    picks, total = np.zeros(len(outputs), int), np.zeros(telling.shape[1:])
    for num in range(1, num_picks + 1):
        best = int(loss_fn((total + telling) / num).argmin())
        picks[best] += 1
        total += telling[best]
    return picks


def _log_losses(means: np.ndarray) -> np.ndarray:
    """Returns float64[K] of probabilities of the labels, float64[K, N]."""
    return -np.log(np.maximum(means, LEAST_PROBABILITY)).mean(axis=1)


def _squared_errors(means: np.ndarray) -> np.ndarray:
    """Returns float64[K] of errors float64[K, N, T]."""
    return np.square(means).mean(axis=(1, 2))


def _check_half(
    outputs: np.ndarray,
    answers: np.ndarray,
    half: slice,
    num_picks: int,
    measure_fn: MeasureFn,
) -> tuple[float, float]:
    """Accuracies, off a half, of what is picked on it: an ensemble, and one network."""
    is_in = np.zeros(len(answers), bool)
    is_in[half] = True
    if is_in.all() or not is_in.any():  # a single example
        return np.nan, np.nan
    seen, other = outputs[:, is_in], outputs[:, ~is_in]
    picks = pick_greedily(seen, answers[is_in], num_picks=num_picks)
    best = int(np.argmax([measure_fn(p, answers[is_in]) for p in seen]))
    mean = weighted_mean(other, picks)
    rest = answers[~is_in]
    return measure_fn(mean, rest), measure_fn(other[best], rest)
