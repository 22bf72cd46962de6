"""Parts of a data set: to train on, to validate with, to test with."""

import numpy as np

from vecevo.errors import InputError, check_counts

LARGE, MOST_VALIDATION = 50_000, 10_000


def split_off(
    labels: np.ndarray, *, seed: int, num: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the examples that stay and the `num` split off, stratified, sorted."""
    taken = stratified_sample(labels, num, seed=seed)
    return np.setdiff1d(np.arange(len(labels)), taken), taken


def num_held_out(num_examples: int) -> int:
    """Examples to validate with: 10,000 of 50,000 and more, a fifth of fewer."""
    return MOST_VALIDATION if num_examples >= LARGE else max(1, round(num_examples / 5))


def limit(labels: np.ndarray, num: int | None, *, seed: int) -> np.ndarray:
    """Returns the examples to train on, sorted: all, or a stratified part.

    Raises:
      InputError: for more than there are.
    """
    if num is None:
        return np.arange(len(labels))
    check_counts(limit_train=num)
    if num > len(labels):
        raise InputError(
            f"limit_train={num} must be from 1 to {len(labels)}, the number of "
            "examples there are to train on."
        )
    return stratified_sample(labels, num, seed=seed)


def stratified_sample(labels: np.ndarray, num_samples: int, *, seed: int) -> np.ndarray:
    """Picks indices, sorted, such that each class keeps its share of the labels."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    # Evenly spaced positions in an order sorted by class take an equal share of each.
    positions = (np.arange(num_samples) + 0.5) * len(labels) / max(num_samples, 1)
    return np.sort(order[positions.astype(int)])
