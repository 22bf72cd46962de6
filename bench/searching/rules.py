"""The rules of pruning that are compared, those of others among them."""

import jax.numpy as jnp

from vecevo.operators.checks import check_whole
from vecevo.strategies import pruning

HALVING = (  # rungs before the last, and the factor
    *(((5,), 3), ((3, 9), 3), ((2, 7), 3), ((1, 5), 3)),
    *(((3, 9), 2), ((2, 9), 2)),
)


def make_rules(num_epochs):
    """Returns the rules by name; those of i-Epoch are followed by full trainings."""
    halving = {
        f"halving {', '.join(map(str, rungs))} by {factor}": pruning.halving(
            (*rungs, num_epochs), factor=factor
        )
        for rungs, factor in HALVING
    }
    return {
        "none": pruning.train_all(),
        **{f"{i}-epoch": first_epochs(i) for i in (1, 2, 5, 10)},
        "median": median_rule(),
        **halving,
    }


def first_epochs(num_epochs):
    """The rule of i-Epoch: none goes on.

    Raises:
      InputError: from the rule, for curves of fewer epochs.
    """

    def rule(curves, ties):
        del ties
        longest = curves.accuracy.shape[1]
        check_whole(1, longest, "the epochs of the curves", num_epochs=num_epochs)
        accuracy = curves.accuracy[:, num_epochs - 1]
        trained = jnp.minimum(num_epochs, curves.num_epochs)
        return pruning.Pruned(accuracy, trained, jnp.zeros_like(trained))

    return rule


def median_rule():
    """A network stops whose accuracy is below the median of its generation's averages.

    A variant of the rule of Golovin et al., "Google Vizier", 2017: what a network has
    at an epoch is the accuracy at its lowest loss so far, and it is averaged over the
    epochs so far. The median is over those that were not stopped before; a network
    whose training ended of itself stays among them with what it has.
    """

    def rule(curves, ties):
        del ties
        accuracy = curves.accuracy
        num_epochs = accuracy.shape[1]
        averages = jnp.cumsum(accuracy, axis=1) / jnp.arange(1, num_epochs + 1)
        is_there = jnp.ones(len(accuracy), bool)
        reached = jnp.full(len(accuracy), num_epochs)
        for epoch in range(num_epochs - 1):
            there = jnp.where(is_there, averages[:, epoch], jnp.nan)
            stops = is_there & (accuracy[:, epoch] < jnp.nanmedian(there))
            reached = jnp.where(stops, epoch + 1, reached)
            is_there &= ~stops
        at = jnp.take_along_axis(accuracy, reached[:, None] - 1, axis=1)[:, 0]
        fitness = pruning.sort_keys(is_there, at)
        trained = jnp.minimum(reached, curves.num_epochs)
        return pruning.Pruned(fitness, trained, is_there.astype(jnp.int32))

    return rule
