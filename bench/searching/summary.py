"""What the curves of searches say: medians, ranks, and differences beyond chance."""

import numpy as np

LEVEL, NUM_RESAMPLES = 0.95, 10_000


def quartiles(values):
    """Returns the count, quartiles and median of some values, as JSON has them."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return {
        "n": len(values),
        "median": round_to(middle),
        "quartiles": [round_to(low), round_to(high)],
    }


def round_to(value, digits=6):
    """Rounds a number to so many significant digits."""
    return float(f"{value:.{digits}g}")


def rank(values):
    """Returns ranks from 1, the lowest; equal values share the mean of theirs."""
    values = np.asarray(values)
    below = (values[None, :] < values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1)
    return below + (equal + 1) / 2


def mean_ranks(medians):
    """Returns the mean rank of every method over the cells.

    Args:
      medians: dict of methods to lists of one median for each cell.
    """
    by_cell = np.apply_along_axis(rank, 0, np.array(list(medians.values())))
    return dict(zip(medians, by_cell.mean(axis=1).tolist(), strict=True))


def bootstrap_difference(ours, theirs, *, num_resamples, seed):
    """Bounds the difference of two medians over the same seeds.

    Seeds are drawn with replacement, the same for both; the bounds are the quantiles of
    the difference (Efron & Tibshirani, "An introduction to the bootstrap", 1993).

    Args:
      ours: float[n], regrets by seed.
      theirs: float[n].
      num_resamples: of the seeds.
      seed: of the draws.

    Returns:
      Dict with the difference, its bounds, and whether ours is worse beyond chance.
    """
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(ours), size=(num_resamples, len(ours)))
    differences = np.median(ours[drawn], axis=1) - np.median(theirs[drawn], axis=1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(differences, (tail, 1 - tail))
    return {
        "difference": round_to(np.median(ours) - np.median(theirs)),
        "low": round_to(low),
        "high": round_to(high),
        "is_worse": bool(low > 0),
        "is_better": bool(high < 0),
    }


def compare_centres(name, regrets, *, seed):
    """Compares a method's median and mean with the lowest of the others.

    Args:
      name: of the method.
      regrets: dict of methods to float[n], each with a number of seeds of its own,
        which are drawn apart.
      seed: of the draws.

    Returns:
      Dict by `median` and `mean`, with the name of the `peer`, the difference, its
      bounds, and whether it is beyond chance; empty where there is no other method.
    """
    others = [other for other in regrets if other != name]
    compared = {}
    for place, centre in enumerate((np.median, np.mean) if others else ()):
        best = min(others, key=lambda other, centre=centre: centre(regrets[other]))
        rng = np.random.default_rng([seed, place])
        ours, theirs = (np.asarray(regrets[method]) for method in (name, best))
        drawn = [
            centre(rng.choice(values, (NUM_RESAMPLES, len(values))), axis=1)
            for values in (ours, theirs)
        ]
        low, high = np.quantile(drawn[0] - drawn[1], ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        compared[centre.__name__] = {
            "peer": best,
            "difference": round_to(centre(ours) - centre(theirs)),
            "low": round_to(low),
            "high": round_to(high),
            "is_worse": bool(low > 0),
            "is_better": bool(high < 0),
        }
    return compared


def mean_difference(one, other):
    """Returns the mean of paired differences and its normal interval of 95 %."""
    differences = np.asarray(one) - np.asarray(other)
    error = differences.std(ddof=1) / len(differences) ** 0.5
    mean = differences.mean()
    return {
        "difference": round_to(mean),
        "low": round_to(mean - 1.96 * error),
        "high": round_to(mean + 1.96 * error),
    }


def compare_with_best(name, others, regrets):
    """Compares a method in every cell with the other one of the lowest median.

    Args:
      name: of the method.
      others: names; none, and nothing is compared.
      regrets: dict of methods to lists of float[n] for each cell.

    Returns:
      A list of `bootstrap_difference` for each cell, with the name of the `peer`.
    """
    compared = []
    for number, ours in enumerate(regrets[name] if others else []):
        best = min(others, key=lambda other: np.median(regrets[other][number]))
        bounds = bootstrap_difference(
            ours, regrets[best][number], num_resamples=NUM_RESAMPLES, seed=number
        )
        compared.append({"peer": best, **bounds})
    return compared
