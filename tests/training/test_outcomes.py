"""What lanes leave: a loss that is not finite fails them, and nothing else."""

import types

import numpy as np
import pytest

from vecevo.training import outcomes

HUGE = 2e38  # two of them are more than float32 holds


@pytest.mark.parametrize(
    ("train_loss", "validation_loss", "is_failed"),
    [
        *((HUGE, HUGE, False), (1.0, np.inf, True), (np.nan, 1.0, True)),
        (np.inf, -np.inf, True),
    ],
)
def test_a_lane_fails_by_one_loss(train_loss, validation_loss, is_failed):
    curves = np.array([[train_loss], [0.5], [validation_loss], [0.5]], np.float32)
    rule = types.SimpleNamespace(keeps_last=False)
    result = outcomes.finish(
        types.SimpleNamespace(rule=rule),
        *(None, lambda accuracy: False, curves, 0, (None, None), 0),
    )
    assert result.is_failed is is_failed
