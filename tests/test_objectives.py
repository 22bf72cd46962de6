"""Objectives: their values, the front, and what is refused."""

import numpy as np
import pytest

from vecevo import objectives

BOTH = ("accuracy", "num_params")


def test_values_are_the_higher_the_better_and_a_failure_is_the_worst_in_all():
    accuracy, num_params = [0.5, -np.inf, 0.7], [30, 10, 20]
    values = objectives.objective_values(BOTH, accuracy, num_params)
    assert values.dtype == np.float32
    expected = np.array([[0.5, -30], [-np.inf, -np.inf], [0.7, -20]], np.float32)
    np.testing.assert_array_equal(values, expected)
    swapped = objectives.objective_values(BOTH[::-1], accuracy, num_params)
    np.testing.assert_array_equal(swapped, expected[:, ::-1])
    alone = objectives.objective_values(BOTH[:1], accuracy, num_params)
    np.testing.assert_array_equal(alone, np.array(accuracy, np.float32))


def test_the_front_is_what_no_other_row_dominates():
    # The second is as large as the first, and the fourth as accurate: both lose.
    values = np.array([[0.9, -5], [0.8, -5], [0.7, -3], [0.9, -6], [0.1, -1]])
    assert objectives.pareto_front(values) == [0, 2, 4]
    assert objectives.pareto_front(np.repeat(values[4:], 2, axis=0)) == [0, 1]


@pytest.mark.parametrize(
    "names", [(), ("num_params",), ("accuracy", "accuracy"), ("accuracy", "speed")]
)
def test_other_objectives_are_refused(names):
    with pytest.raises(ValueError, match="objectives="):
        objectives.check_objectives(names)
