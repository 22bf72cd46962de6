"""Several networks that vote: greedy selection on the validation part.

See Caruana et al., "Ensemble selection from libraries of models", 2004.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from vecevo.datasets.labels import Label
from vecevo.networks.network import (
    BATCH_SIZE,
    Network,
    most_probable,
    probabilities_of,
    share_right,
)

LEAST_PROBABILITY = 1e-6  # float16 has none smaller than 6e-8 but 0


class Ensemble(NamedTuple):
    """Networks of one data set; the probabilities are means, by how often picked."""

    networks: tuple[Network, ...]
    picks: tuple[int, ...]  # how often each was picked
    facts: Mapping[str, Any] = {}  # accuracies, what was found

    @property
    def classes(self) -> tuple[Label, ...]:
        """The labels, in the order of probabilities."""
        return self.networks[0].classes

    def predict_proba(self, x: Any, *, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Returns float32[N, C] of raw examples; see `Network.predict_proba`."""
        parts = [n.predict_proba(x, batch_size=batch_size) for n in self.networks]
        return weighted_mean(parts, self.picks)

    def predict(self, x: Any, *, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Returns the label of each of N raw examples."""
        return most_probable(self.predict_proba(x, batch_size=batch_size), self.classes)

    def score(self, x: Any, y: Any, *, batch_size: int = BATCH_SIZE) -> float:
        """Returns the accuracy on raw examples and their labels."""
        said = self.predict_proba(x, batch_size=batch_size)
        return share_right(said, y, self.classes)


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


def ensemble_probabilities(ensemble: Ensemble, x: np.ndarray) -> np.ndarray:
    """Returns float32[N, C] of inputs [N, F] that are transformed already."""
    parts = [probabilities_of(network, x) for network in ensemble.networks]
    return weighted_mean(parts, ensemble.picks)


def select(probabilities: np.ndarray, labels: np.ndarray, *, num_picks: int) -> Found:
    """Picks networks by the log loss of their mean, and checks that on held-out halves.

    Args:
      probabilities: float16[K, N, C], of each network on the validation part, the
        best networks first.
      labels: int32[N].
      num_picks: a network may be picked again.
    """
    picks = pick_greedily(probabilities, labels, num_picks=num_picks)
    held_out = [
        _check_half(probabilities, labels, half, num_picks)
        for half in (slice(0, None, 2), slice(1, None, 2))
    ]
    return Found(
        picks,
        _accuracy(weighted_mean(probabilities, picks), labels),
        *map(float, np.mean(held_out, axis=0)),
    )


def pick_greedily(
    probabilities: np.ndarray, labels: np.ndarray, *, num_picks: int
) -> np.ndarray:
    """Returns int[K]: each pick lowers the log loss of the mean the most.

    Args:
      probabilities: float[K, N, C].
      labels: int32[N].
      num_picks: with replacement. Of equals the first is picked.
    """
    of_label = probabilities[:, np.arange(len(labels)), labels].astype(np.float64)
    picks, total = np.zeros(len(of_label), int), np.zeros(len(labels))
    for num in range(1, num_picks + 1):
        means = np.maximum((total + of_label) / num, LEAST_PROBABILITY)
        best = int(np.log(means).mean(axis=1).argmax())
        picks[best] += 1
        total += of_label[best]
    return picks


def _check_half(
    probabilities: np.ndarray, labels: np.ndarray, half: slice, num_picks: int
) -> tuple[float, float]:
    """Accuracies, off a half, of what is picked on it: an ensemble, and one network."""
    is_in = np.zeros(len(labels), bool)
    is_in[half] = True
    if is_in.all() or not is_in.any():  # a single example
        return np.nan, np.nan
    seen, other = probabilities[:, is_in], probabilities[:, ~is_in]
    picks = pick_greedily(seen, labels[is_in], num_picks=num_picks)
    best = int(np.argmax([_accuracy(p, labels[is_in]) for p in seen]))
    mean = weighted_mean(other, picks)
    return _accuracy(mean, labels[~is_in]), _accuracy(other[best], labels[~is_in])


def _accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(probabilities.argmax(axis=1) == labels))
