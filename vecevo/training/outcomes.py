"""What lanes leave when they stop: results, or themselves, to go on from a rung."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vecevo.keys import IMPLEMENTATION
from vecevo.training.lanes import losses
from vecevo.training.lanes.networks import Architecture, PaddedMLP
from vecevo.training.lanes.stopping import LaneState
from vecevo.training.programs import Setup, products_in

CURVES = (
    *("train_loss", "train_accuracy"),
    *("validation_loss", "validation_accuracy"),
)


class Parked(NamedTuple):
    """A lane that was active at a rung, on the host: all that it needs to go on."""

    state: LaneState  # padded, NumPy, without the axis of lanes
    curves: np.ndarray  # float[4, num_epochs], CURVES
    best_epoch: int  # of the lowest loss; -1: none


class LaneResult(NamedTuple):
    """What training gave in one lane, on the host; curves have one entry an epoch."""

    train_loss: np.ndarray  # float32[num_epochs]
    train_accuracy: np.ndarray  # float32[num_epochs]
    validation_loss: np.ndarray  # float32[num_epochs]
    validation_accuracy: np.ndarray  # float32[num_epochs]
    kept_epoch: int  # the epoch that `params` are from
    is_failed: bool  # the loss of the last epoch was not finite
    params: dict | None  # padded, NumPy; None where they were not wanted
    probabilities: np.ndarray | None = None  # float16[N', C] on the validation part, or
    # float32[N', K], numbers
    parked: Parked | None = None  # of a lane that has not stopped
    is_partial: bool = False  # its training was cut short; what there was by then

    @property
    def accuracy(self) -> float:
        """The validation accuracy of the kept epoch; -inf: failed."""
        accuracy = self.validation_accuracy[self.kept_epoch]
        return -np.inf if self.is_failed else float(accuracy)


def take_lanes[Tree](tree: Tree, indices: np.ndarray, *, is_for_cpu: bool) -> Tree:
    """Picks lanes int[L'] of every leaf [L, ...] of a tree.

    A CPU's arrays are the host's too: there nothing is compiled for it.
    """
    if not is_for_cpu:
        return _take_on_device(tree, indices)

    def take(leaf: jax.Array) -> jax.Array:
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            words = take(jax.random.key_data(leaf))
            return jax.random.wrap_key_data(words, impl=IMPLEMENTATION)
        return jnp.asarray(np.asarray(leaf)[indices])

    return jax.tree.map(take, tree)


@jax.jit
def _take_on_device[Tree](tree: Tree, indices: jax.Array) -> Tree:
    return jax.tree.map(lambda leaf: leaf[indices], tree)


def measure(setup: Setup, curves: np.ndarray, best_epoch: int) -> LaneResult:
    """What a lane has measured, float[4, epochs]; without weights."""
    by_name = dict(zip(CURVES, curves, strict=True))
    is_last = bool(setup.rule.keeps_last) or best_epoch < 0
    last = by_name["train_loss"][-1], by_name["validation_loss"][-1]
    return LaneResult(
        **by_name,
        kept_epoch=curves.shape[1] - 1 if is_last else best_epoch,
        is_failed=not np.isfinite(last).all(),
        params=None,
    )


def park(
    setup: Setup,
    curves: np.ndarray,
    best_epoch: int,
    lanes: tuple[LaneState, Architecture],
    position: int,
) -> LaneResult:
    """What a lane has measured, float[4, epochs], and the lane; the stack is NumPy."""
    state = _copy_lane(lanes[0], position)
    parked = Parked(state, curves.copy(), best_epoch)
    return measure(setup, curves, best_epoch)._replace(parked=parked)


def stack_states(parked: Sequence[Parked]) -> LaneState:
    """Returns the LaneState, on the device, of parked lanes; one may be there twice."""
    states = [lane.state for lane in parked]
    return jax.device_put(jax.tree.map(lambda *leaves: np.stack(leaves), *states))


def _copy_lane[Tree](tree: Tree, position: int) -> Tree:
    """Copies a lane out of a stack of NumPy's, as a view would hold the stack."""
    return jax.tree.map(lambda leaf: np.array(leaf[position]), tree)


def finish(
    setup: Setup,
    module: PaddedMLP,
    wants_params_fn: Callable[[float], bool],
    curves: np.ndarray,
    best_epoch: int,
    lanes: tuple[LaneState, Architecture],
    position: int,
) -> LaneResult:
    """What a lane has measured, float[4, epochs]; if they are wanted, its weights."""
    result = measure(setup, curves, best_epoch)
    if not wants_params_fn(result.accuracy):
        return result
    kept = lanes[0].kept_params, lanes[1]
    # Of a stack of lanes, only what is wanted leaves the device.
    if not module.variant.is_for_cpu:
        one = np.array([position])
        kept, position = jax.device_get(_take_on_device(kept, one)), 0
    params, architecture = _copy_lane(kept, position)
    probabilities = None
    if setup.keeps_probabilities:
        x, y = setup.data.x_validation, setup.data.y_validation
        of_numbers = losses.are_numbers(y)
        how = {"module": module, "of_numbers": of_numbers}
        with products_in(setup.precision):
            said = losses.outputs(params, architecture, x, **how)
        probabilities = np.asarray(said).astype(
            np.float32 if of_numbers else np.float16
        )
    return result._replace(params=params, probabilities=probabilities)
