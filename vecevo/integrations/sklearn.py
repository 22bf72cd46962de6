"""scikit-learn: a search as a classifier, for its pipelines, folds and grids."""

import math
from typing import Any, Self

import numpy as np

from vecevo.datasets.columns import is_frame, take_rows
from vecevo.datasets.fitting import Scaling
from vecevo.datasets.inputs import apply_inputs
from vecevo.datasets.making import Dataset, make_dataset
from vecevo.datasets.splitting import num_held_out, split_off
from vecevo.errors import InputError, describe, is_number
from vecevo.extras import import_extra
from vecevo.networks.ensembles import Ensemble
from vecevo.runs.evolve import search
from vecevo.runs.rungs import Rungs
from vecevo.space import SearchSpace
from vecevo.strategies import Strategy

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils import assert_all_finite, check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data
except ImportError:
    import_extra("sklearn", "sklearn")  # raises, and says how to install it
    raise

MOST_SEED = 2**31 - 1  # that a RandomState draws
SMALL_SPACE = SearchSpace(
    {
        "depth": (1, 2),
        "width": (32, 64, 128),
        "activation": ("relu", "tanh", "gelu"),
        "optimizer": ("adam", "nesterov"),
        "learning_rate": (0.001, 0.003, 0.01),
        "dropout_rate": (0.0, 0.2),
    }
)


class VecevoClassifier(ClassifierMixin, BaseEstimator):
    """Searches for the best network, and predicts by it, or by an ensemble.

    A fifth of the examples, or 10,000 of 50,000 and more, validates; all others are
    trained on, as no test part is split off. What `result_` calls an accuracy on the
    test part is one on the part that validates: other examples measure honestly.

    Args:
      space: a SearchSpace; None is `SMALL_SPACE`.
      strategy, population_size, num_generations, max_seconds, max_epochs: as in
        `vecevo.search`.
      rungs: as in `vecevo.search`; without any, which is the default, more networks
        train to their end and vote in the ensemble.
      ensemble: picks of the ensemble; 0: none.
      inputs: as in `vecevo.make_dataset`.
      validation_fraction: of the examples, between 0 and 1; None as above.
      random_state: of every draw, as scikit-learn takes it.

    After `fit`:
      classes_: the labels [C], sorted.
      n_features_in_, feature_names_in_: as scikit-learn has them.
      result_: the SearchResult.
      network_: its best Network.
      best_hyperparams_: of that.
      ensemble_: the Ensemble that predicts: one that was at least as good as the best
        network, by halves of the part that validates; else None, and `network_` does.
    """

    def __init__(
        self,
        space: SearchSpace | None = None,
        *,
        strategy: Strategy | str | None = None,
        population_size: int | None = None,
        num_generations: int = 3,
        max_seconds: float | None = None,
        max_epochs: int | None = None,
        rungs: Rungs = None,
        ensemble: int = 10,
        inputs: Scaling = "auto",
        validation_fraction: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.space = space
        self.strategy = strategy
        self.population_size = population_size
        self.num_generations = num_generations
        self.max_seconds = max_seconds
        self.max_epochs = max_epochs
        self.rungs: Rungs = rungs
        self.ensemble = ensemble
        self.inputs: Scaling = inputs
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Searches on examples and their labels [N].

        Args:
          X: an array [N, F], of images an array [N, ...], or a DataFrame; tables may
            have missing values and columns of texts.
          y: texts, whole numbers or truth values.

        Raises:
          ValueError: for what cannot be learned, an InputError among others.
        """
        X, labels = _take_examples(self, X, y)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"y holds one class, {self.classes_.tolist()[0]!r}: give examples of "
                "at least two."
            )
        seed = int(check_random_state(self.random_state).randint(MOST_SEED))
        num = _num_validation(len(codes), self.validation_fraction)
        stay, held_out = _split(codes, num, seed)
        self.result_ = search(
            SMALL_SPACE if self.space is None else self.space,
            _make_dataset(X, labels, stay, held_out, self.inputs),
            strategy=self.strategy,
            population_size=self.population_size,
            num_generations=self.num_generations,
            seed=seed,
            max_seconds=self.max_seconds,
            rungs=self.rungs,
            confirm=0,
            ensemble=self.ensemble,
            max_epochs=self.max_epochs,
        )
        self.network_ = self.result_.best
        self.best_hyperparams_ = self.network_.hyperparams
        self.ensemble_ = _better_ensemble(self.result_.ensemble)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Returns float32[N, C], the probability of each class, in their order.

        Raises:
          NotFittedError: before `fit`.
          ValueError: for examples of another shape or kind.
        """
        check_is_fitted(self, "ensemble_")  # what a fit sets last
        X = _check_examples(self, X, reset=False)
        return (self.ensemble_ or self.network_).predict_proba(X)

    def predict(self, X: Any) -> np.ndarray:
        """Returns the label of each of N examples; see `predict_proba`."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.three_d_array = True
        return tags


def _take_examples(estimator: VecevoClassifier, x: Any, y: Any) -> tuple[Any, Any]:
    """Returns examples and labels [N] as they were given, checked."""
    x = _check_examples(estimator, x, reset=True)
    if y is None:
        raise InputError(
            "VecevoClassifier requires y to be passed, but the target y is None."
        )
    labels = column_or_1d(y, warn=True)
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    if len(labels) != len(x):
        raise InputError(
            f"X has {len(x)} examples and y {len(labels)} labels: give one for each."
        )
    return x, labels


def _check_examples(estimator: VecevoClassifier, x: Any, *, reset: bool) -> Any:
    """Refuses what scikit-learn refuses, but missing values, texts and images."""
    if is_frame(x):
        validate_data(estimator, x, reset=reset, skip_check_array=True)
        return x
    return validate_data(
        estimator,
        x,
        reset=reset,
        dtype=None,
        ensure_all_finite="allow-nan",
        allow_nd=True,
    )


def _num_validation(num_examples: int, fraction: Any) -> int:
    """Returns how many examples validate."""
    if fraction is None:
        return num_held_out(num_examples)
    if not is_number(fraction) or not 0 < fraction < 1:
        raise InputError(
            f"validation_fraction={describe(fraction)} must be between 0 and 1, or "
            "None."
        )
    return math.ceil(fraction * num_examples)


def _split(codes: np.ndarray, num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the examples to train on, one of each class at least, and the others."""
    _, first = np.unique(codes, return_index=True)
    free = np.setdiff1d(np.arange(len(codes)), first)
    if not len(free):
        raise InputError(
            f"X has {len(codes)} samples of {len(first)} classes, one of each: give "
            "more, as some are to validate with."
        )
    _, taken = split_off(codes[free], seed=seed, num=min(num, len(free)))
    held_out = free[taken]
    return np.setdiff1d(np.arange(len(codes)), held_out), held_out


def _make_dataset(
    x: Any, y: np.ndarray, stay: np.ndarray, held_out: np.ndarray, inputs: Scaling
) -> Dataset:
    """Makes a data set whose test part is the one that validates.

    The part trained on stands for the test part at first: what is refused of a test
    part, as one on another scale, is no reason to refuse to learn.
    """
    known = take_rows(x, stay), y[stay]
    dataset = make_dataset(*known, *known, inputs=inputs, is_article=True)
    raw = take_rows(x, held_out)
    examples = apply_inputs(dataset.inputs, raw, argument="X")
    codes = np.searchsorted(np.unique(y), y[held_out]).astype(np.int32)
    return dataset._replace(
        x_validation=examples,
        y_validation=codes,
        x_test=examples,
        y_test=codes,
        raw_x_test=raw,
        is_article=False,
    )


def _better_ensemble(ensemble: Ensemble | None) -> Ensemble | None:
    """Returns an ensemble that was at least as good as the best network, or None."""
    if ensemble is None:
        return None
    held_out, best = (
        ensemble.facts[name] for name in ("held_out_accuracy", "held_out_best")
    )
    is_better = held_out is not None and held_out >= best
    return ensemble if is_better else None
