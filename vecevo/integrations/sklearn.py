"""scikit-learn: a search as a classifier or regressor, for its pipelines and grids."""

from typing import Any, Self

import numpy as np

from vecevo.datasets.fitting import Scaling
from vecevo.datasets.targets import Task
from vecevo.errors import InputError
from vecevo.extras import import_extra
from vecevo.integrations.sklearn_examples import (
    check_examples,
    check_labels,
    check_numbers,
    make_parts,
    num_validation,
    split,
    take_examples,
)
from vecevo.networks.ensembles import Ensemble
from vecevo.results import SearchResult
from vecevo.runs.evolve import search
from vecevo.runs.rungs import Rungs
from vecevo.space import SearchSpace
from vecevo.strategies import Strategy

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted
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
      metric: what networks are judged by, as in `vecevo.search`; `score` is accuracy,
        or R2, all the same.
      class_weight: as in `vecevo.search`: None, balanced, or numbers by label.
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
        metric: str | None = None,
        class_weight: Any = None,
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
        self.metric = metric
        self.class_weight = class_weight
        self.rungs: Rungs = rungs
        self.ensemble = ensemble
        self.inputs: Scaling = inputs
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Searches on examples and their labels [N].

        Args:
          X: an array [N, F], of images an array [N, ...], or a DataFrame; tables may
            have missing values and columns of texts.
          y: texts, whole numbers or truth values.
          sample_weight: numbers [N] from 0 up, what an example weighs while it is
            learned; of those that validate it says nothing.

        Raises:
          ValueError: for what cannot be learned, an InputError among others.
        """
        X, labels = take_examples(self, X, y, check_labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"y holds one class, {self.classes_.tolist()[0]!r}: give examples of "
                "at least two."
            )
        self.result_ = _search(self, X, labels, codes, "classification", sample_weight)
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
        X = check_examples(self, X, reset=False)
        return (self.ensemble_ or self.network_).predict_proba(X)

    def predict(self, X: Any) -> np.ndarray:
        """Returns the label of each of N examples; see `predict_proba`."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        return _say_inputs(super().__sklearn_tags__())


class VecevoRegressor(RegressorMixin, BaseEstimator):
    """Searches for the best network to predict numbers, one or several an example.

    It has the arguments of VecevoClassifier but class_weight, and all that holds for
    that; networks are compared by R2, or `metric`, which is what `result_` calls an
    accuracy.

    After `fit`:
      n_features_in_, feature_names_in_: as scikit-learn has them.
      result_, network_, best_hyperparams_, ensemble_: as for VecevoClassifier.
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
        metric: str | None = None,
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
        self.metric = metric
        self.rungs: Rungs = rungs
        self.ensemble = ensemble
        self.inputs: Scaling = inputs
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Searches on examples and their numbers [N], or several, [N, K].

        Args:
          X: as for VecevoClassifier.
          y: finite numbers.
          sample_weight: as for VecevoClassifier.

        Raises:
          ValueError: for what cannot be learned, an InputError among others.
        """
        X, numbers = take_examples(self, X, y, check_numbers)
        strata = np.zeros(len(numbers), int)
        self.result_ = _search(self, X, numbers, strata, "regression", sample_weight)
        self.network_ = self.result_.best
        self.best_hyperparams_ = self.network_.hyperparams
        self.ensemble_ = _better_ensemble(self.result_.ensemble)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Returns float64[N], or float64[N, K], what is predicted of N examples.

        Raises:
          NotFittedError: before `fit`.
          ValueError: for examples of another shape or kind.
        """
        check_is_fitted(self, "ensemble_")  # what a fit sets last
        X = check_examples(self, X, reset=False)
        return (self.ensemble_ or self.network_).predict(X)

    def __sklearn_tags__(self) -> Any:
        tags = _say_inputs(super().__sklearn_tags__())
        tags.target_tags.multi_output = True
        return tags


def _search(
    estimator: VecevoClassifier | VecevoRegressor,
    x: Any,
    y: np.ndarray,
    strata: np.ndarray,
    task: Task,
    sample_weight: Any,
) -> SearchResult:
    """Searches as an estimator is set.

    Args:
      estimator: to be fitted.
      x, y: checked.
      strata: int[N], of each of which an example is trained on.
      task: of the search.
      sample_weight: as given.
    """
    seed = int(check_random_state(estimator.random_state).randint(MOST_SEED))
    num = num_validation(len(y), estimator.validation_fraction)
    stay, held_out = split(strata, num, seed)
    return search(
        SMALL_SPACE if estimator.space is None else estimator.space,
        make_parts(
            *(x, y, stay, held_out),
            sample_weight=sample_weight,
            inputs=estimator.inputs,
            task=task,
        ),
        strategy=estimator.strategy,
        population_size=estimator.population_size,
        num_generations=estimator.num_generations,
        seed=seed,
        max_seconds=estimator.max_seconds,
        rungs=estimator.rungs,
        confirm=0,
        ensemble=estimator.ensemble,
        max_epochs=estimator.max_epochs,
        metric=estimator.metric,
        class_weight=getattr(estimator, "class_weight", None),
    )


def _say_inputs(tags: Any) -> Any:
    """Says what examples may be, in scikit-learn's tags."""
    tags.input_tags.allow_nan = True
    tags.input_tags.string = True
    tags.input_tags.categorical = True
    tags.input_tags.three_d_array = True
    return tags


def _better_ensemble(ensemble: Ensemble | None) -> Ensemble | None:
    """Returns an ensemble that was at least as good as the best network, or None."""
    if ensemble is None:
        return None
    held_out, best = (
        ensemble.facts[name] for name in ("held_out_accuracy", "held_out_best")
    )
    is_better = held_out is not None and held_out >= best
    return ensemble if is_better else None
