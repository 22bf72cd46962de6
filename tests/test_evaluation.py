"""Which network trains in which lane."""

import jax

from vecevo import evaluation, packing
from vecevo.hyperparams import complete


def test_lanes_hold_the_networks_of_their_cohort_in_any_order():
    hyperparams = [
        complete({"width": width, "depth": 1, "activation": "relu", "optimizer": "sgd"})
        for width in (3, 4, 5)
    ]
    cohort = packing.Cohort(packing.CohortClass(8, 1, (4,)), (2, 0, 1, -1))
    lanes = evaluation.make_lanes(jax.random.key(0), cohort, hyperparams)
    assert lanes.architecture.width.tolist() == [5, 3, 4, 5]
