"""Rungs: whose weights are asked for, and what cannot be chosen."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.training.test_rungs import (
    FAILS,
    LISTED,
    MAX_EPOCHS,
    assert_same,
    choose,
    choose_all,
    climb,
    last_results,
    start,
    train_whole,
)


def test_weights_are_asked_for_of_networks_that_have_stopped_alone():
    asked = []

    def wants(accuracy, replicate):
        asked.append((accuracy, replicate))
        return replicate == 1

    listed, replicates = [LISTED[0], LISTED[FAILS], LISTED[5]], [1, 1, 0]
    yielded, *_ = climb(
        start(), (2, MAX_EPOCHS), choose_all, listed, replicates, wants_params_fn=wants
    )
    assert sorted(asked)[0] == (-np.inf, 1) and len(asked) == 3
    assert {row: bool(r.params) for row, r in yielded[0].items()} == {
        **{0: False, 1: True, 2: False}
    }
    assert {row: bool(r.params) for row, r in yielded[1].items()} == {0: True, 2: False}


def test_where_none_is_chosen_no_more_is_asked():
    yielded, asked, _ = climb(start(), (1, 2, MAX_EPOCHS), choose(()), LISTED[:2])
    assert len(asked) == 1 and not yielded[1] and not yielded[2]


@pytest.mark.parametrize("steps", [(), (2, 2, MAX_EPOCHS), (0, MAX_EPOCHS), (1, 3)])
def test_rungs_that_do_not_lead_to_the_cap_are_named(steps):
    with pytest.raises(ValueError, match=rf"rungs=\(.*max_epochs={MAX_EPOCHS}"):
        climb(start(), steps, choose_all)


def test_a_row_that_is_not_at_the_rung_cannot_go_on():
    with pytest.raises(ValueError, match=r"rows \[2\], which are not at the rung"):
        climb(start(), (1, MAX_EPOCHS), choose({0, 2}), LISTED[:2])


def test_the_last_weights_are_kept_where_the_rule_says_so():
    def start_to_keep_the_last():
        session = start()
        rule = session.setup.rule._replace(keeps_last=jnp.array(True))
        return session._replace(setup=session.setup._replace(rule=rule))

    with jax.enable_x64(True):
        whole = train_whole(session=start_to_keep_the_last())
        yielded, *_ = climb(start_to_keep_the_last(), (3, MAX_EPOCHS), choose_all)
    for row, result in last_results(yielded).items():
        assert_same(result, whole[row], rtol=0, atol=1e-8)
    for result in yielded[0].values():
        if result.failed_epoch is None:
            assert result.validation_loss == result.curves["validation_loss"][-1]
