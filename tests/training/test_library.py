"""Lists of networks by a library call: successive halving among them."""

import numpy as np
import pytest

import vecevo
from tests.training.test_batches import SEED, SETTINGS, describe, make_dataset

LISTED = [
    describe(4 + row, 1 + row % 2, learning_rate=10 ** -(row % 4 + 1))
    for row in range(10)
]


def test_at_a_rung_the_best_third_goes_on():
    dataset = make_dataset()
    how = {"seed": SEED, **SETTINGS, "patience": 4}
    whole = vecevo.train_networks(LISTED, dataset, **how)
    short = vecevo.train_networks(LISTED, dataset, **how | {"max_epochs": 2})
    ranked = sorted(
        range(10),
        key=lambda row: (-short[row].validation_accuracy, short[row].validation_loss),
    )
    halved = vecevo.train_networks(LISTED, dataset, rungs=(2, 4), **how)
    assert [result.hyperparams for result in halved] == [r.hyperparams for r in whole]
    for row, result in enumerate(halved):
        goes_on = row in ranked[:4]
        same = whole[row] if goes_on else short[row]
        assert result.num_epochs == (4 if goes_on else 2)
        np.testing.assert_allclose(
            result.curves["validation_loss"], same.curves["validation_loss"], rtol=1e-4
        )
        assert bool(result.params) == goes_on
        assert (result.network is not None) == goes_on


@pytest.mark.parametrize(
    "rungs", [(), (4, 4), (0, 4), (2,), (2.5, 4), "24", 4, (True, 4), (5, 4)]
)
def test_rungs_that_are_none_are_named(rungs):
    with pytest.raises(ValueError, match=r"rungs=.* the last is max_epochs=4\.$"):
        vecevo.train_networks(LISTED, make_dataset(), rungs=rungs, **SETTINGS)
