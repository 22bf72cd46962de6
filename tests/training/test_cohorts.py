"""A cohort from its first epoch to its last."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vecevo import keys
from vecevo.training import cohorts, minibatches, programs, recipe
from vecevo.training.lanes import activations, networks, optimizers, stopping

NUM_LANES, WIDTH = 4, 8
PLAIN = {"width": WIDTH, "depth": 1, "optimizer": "sgd"}


def make_setup(*, max_epochs, keeps_last=False):
    rng = np.random.default_rng(0)
    y = np.arange(80) % 4
    x = np.clip(0.5 + rng.normal(0, 0.2, (4, 6))[y] + rng.normal(0, 0.1, (80, 6)), 0, 1)
    x, y = jnp.array(x, jnp.float32), jnp.array(y, jnp.int32)
    data = minibatches.TrainingData(x[:60], y[:60], x[60:], y[60:])
    return programs.Setup(
        programs=programs.Programs(data, batch_size=16),
        data=data,
        rule=stopping.StoppingRule(
            jnp.array(2), jnp.array(max_epochs), jnp.array(keeps_last)
        ),
        order_key=jax.random.key(1),
    )


def train(
    setup,
    learning_rates,
    lane_counts,
    is_stopped_fn=lambda: False,
    weight_decay=None,
    **settings,
):
    module = networks.PaddedMLP(WIDTH, 1, 4)
    described = [
        recipe.complete({**PLAIN, "activation": name})
        for name in activations.NAMES[:NUM_LANES]
    ]
    lanes = minibatches.example_lanes(NUM_LANES)._replace(
        architecture=jax.tree.map(jnp.array, networks.architecture_of(described)),
        optimizer=jnp.full(NUM_LANES, optimizers.NAMES.index("sgd")),
    )
    rates = {"learning_rate": jnp.array([rate or 0.0 for rate in learning_rates])}
    rates["init_gain"] = jnp.ones(NUM_LANES)
    if weight_decay is not None:
        rates["weight_decay"] = jnp.array(weight_decay)
    lanes = lanes._replace(rates=lanes.rates | rates)
    is_occupied = np.array([rate is not None for rate in learning_rates])
    try:
        return cohorts.train_cohort(
            setup,
            module,
            lanes,
            is_occupied,
            lane_counts,
            is_stopped_fn=is_stopped_fn,
            **settings,
        )
    finally:
        setup.programs.close()


def test_a_cohort_is_cut_down_to_the_lanes_that_train_on():
    nan = float("nan")
    rates = [nan, 0.1, nan, 0.3]
    setup = make_setup(max_epochs=6)
    whole, num_whole, *_ = train(make_setup(max_epochs=6), rates, (4,))
    cut, num_cut, *_ = train(setup, rates, (1, 2, 4))
    assert (num_whole, num_cut) == (6 * 4, 4 + 5 * 2)
    assert setup.programs.num_programs == 2
    for lane in (0, 2):
        assert whole[lane].is_failed and cut[lane].is_failed
        assert len(cut[lane].train_loss) == 1
    for lane in (1, 3):
        assert (
            not cut[lane].is_failed and cut[lane].kept_epoch == whole[lane].kept_epoch
        )
        # Another lane count rounds products differently.
        for got, expected in zip(
            jax.tree.leaves(cut[lane]), jax.tree.leaves(whole[lane]), strict=True
        ):
            np.testing.assert_allclose(got, expected, atol=1e-5)


# A decay of weights that makes them grow by a factor at each of four steps an epoch.
@pytest.mark.parametrize(("growth", "epoch"), [(1e30, 0), (1e4, 1), (1e2, 2)])
def test_when_a_lane_fails_the_others_do_not_change(growth, epoch):
    others = [0.1, 0.2, 0.05]
    healthy = train(make_setup(max_epochs=6), [0.1, *others], (4,))
    decay = [10 * growth, 0.0, 0.0, 0.0]
    ill = train(make_setup(max_epochs=6), [0.1, *others], (4,), weight_decay=decay)
    assert not healthy.lane_results[0].is_failed
    failed, *alive = ill.lane_results
    assert failed.is_failed and len(failed.train_loss) == epoch + 1
    for got, expected in zip(alive, healthy.lane_results[1:], strict=True):
        assert len(got.train_loss) > epoch  # they trained on
        jax.tree.map(np.testing.assert_array_equal, got, expected)


def test_empty_lanes_have_no_result_and_are_not_waited_for():
    results, num_lane_epochs, *_ = train(
        make_setup(max_epochs=3), [None, 0.1, None, None], (4,)
    )
    assert [result is None for result in results] == [True, False, True, True]
    assert len(results[1].validation_loss) == 3 and num_lane_epochs == 12


@pytest.mark.parametrize("keeps_last", [False, True])
def test_the_best_or_the_last_epoch_is_kept(keeps_last):
    setup = make_setup(max_epochs=8, keeps_last=keeps_last)
    results, *_ = train(setup, [3.0, 0.1, 0.0, 8.0], (4,))
    for result in results:
        best = int(np.argmin(result.validation_loss))
        last = len(result.validation_loss) - 1
        assert result.kept_epoch == (last if keeps_last else best)
        # Patience: two epochs in a row without a strictly lower loss.
        assert last == min(7, best + 2)


def test_a_cohort_that_is_stopped_gives_what_it_had(monkeypatch):
    monkeypatch.setattr(cohorts, "CALL_SECONDS", 0.0)  # an epoch in each call
    rates = [float("nan"), 0.1, 0.0, 0.2]  # of which two end before it is stopped
    whole = train(make_setup(max_epochs=6), rates, (4,))
    answers, setup = iter([False, False, False, True]), make_setup(max_epochs=6)
    setup.programs.get(networks.PaddedMLP(WIDTH, 1, 4), NUM_LANES)  # and so at hand
    stopped = train(setup, rates, (4,), lambda: next(answers))
    are_partial = [lane.is_partial for lane in stopped.lane_results]
    assert are_partial == [False, True, False, True]
    assert not any(lane.is_partial for lane in whole.lane_results)
    assert [len(lane.train_loss) for lane in stopped.lane_results] == [1, 3, 3, 3]
    for lane, to_the_end in zip(stopped.lane_results, whole.lane_results, strict=True):
        num_epochs = len(lane.train_loss)
        losses = to_the_end.validation_loss[:num_epochs]
        np.testing.assert_array_equal(lane.validation_loss, losses)
        if not lane.is_failed:
            assert lane.kept_epoch == np.argmin(losses)
            assert lane.params is not None
    none = train(make_setup(max_epochs=6), [0.1] * 4, (4,), lambda: True)
    assert none.lane_results == [None] * 4


@pytest.mark.parametrize("lane_counts", [(4,), (1, 2, 4)])
def test_epochs_of_one_call_are_those_of_many(monkeypatch, lane_counts):
    rates, results = [float("nan"), 0.1, 3.0, None], []
    for seconds in (0.0, 1e6):
        monkeypatch.setattr(cohorts, "CALL_SECONDS", seconds)
        results.append(train(make_setup(max_epochs=12), rates, lane_counts))
    assert results[0].num_lane_epochs == results[1].num_lane_epochs
    many, one = (trained.lane_results[:3] for trained in results)
    jax.tree.map(np.testing.assert_array_equal, one, many)


def test_a_parked_lane_is_a_copy_and_goes_on_beside_an_empty_one():
    rates = [0.1, float("nan"), 0.2, None]
    whole = train(make_setup(max_epochs=6), rates, (4,))
    first = train(make_setup(max_epochs=6), rates, (4,), end_epoch=2)
    lanes = first.lane_results
    assert [lane is not None and lane.parked is not None for lane in lanes] == [
        *(True, False, True, False)
    ]
    assert first.num_lane_epochs == 8
    assert not any(lane.is_partial for lane in lanes if lane is not None)
    parked = [lanes[0].parked, lanes[2].parked]
    leaves = jax.tree.leaves([(lane.state, lane.curves) for lane in parked])
    # A view would hold the stack of all lanes.
    assert all(isinstance(leaf, np.ndarray) and leaf.base is None for leaf in leaves)
    rest = train(make_setup(max_epochs=6), [0.1, None, 0.2, None], (4,), parked=parked)
    assert rest.num_lane_epochs == 16
    assert [lane is None for lane in rest.lane_results] == [False, True, False, True]
    for place in (0, 2):
        got, expected = rest.lane_results[place], whole.lane_results[place]
        jax.tree.map(np.testing.assert_array_equal, got, expected)


def test_at_a_rung_no_smaller_program_is_waited_for():
    nan, setup = float("nan"), make_setup(max_epochs=6)
    at_rung = train(setup, [nan, 0.1, nan, 0.2], (1, 2, 4), end_epoch=1)
    assert [lane.parked is None for lane in at_rung.lane_results] == [
        *(True, False, True, False)
    ]
    assert setup.programs.num_programs == 1


def test_replicates_see_the_examples_in_another_order():
    orders = [
        jax.random.permutation(keys.order_key_of(jax.random.key(1), replicate), 40)
        for replicate in (0, 1, 2)
    ]
    assert len({tuple(order.tolist()) for order in orders}) == 3
    first = jax.random.permutation(jax.random.key(1), 40)
    np.testing.assert_array_equal(orders[0], first)
