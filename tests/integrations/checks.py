"""The checks of scikit-learn's for an estimator, as parameters of a test."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

# Of these an estimator whose parts and minibatches are drawn is none, nor one that is
# validated by examples that weigh alike.
NOT_PASSED = (
    "check_sample_weight_equivalence_on_dense_data",
    "check_class_weight_classifiers",
)


def list_checks(estimator):
    return [
        pytest.param(
            *(one, check),
            id=f"{number}-{(name := check.func.__name__)}",
            marks=[pytest.mark.xfail] if name in NOT_PASSED else [],
        )
        for number, (one, check) in enumerate(estimator_checks_generator(estimator))
    ]
