"""The plan: which networks train together in which compiled program.

Everything is decided by constants, never by the clock, so a plan can be repeated.
"""

import itertools
from typing import NamedTuple

LADDER = (1, 2, 4, 8, 16)  # lane counts that programs are compiled for

# Two shared AVX-512 cores: one more compiled program, one more weight for a step.
COMPILE_SECONDS = 3.0
SECONDS_PER_WEIGHT_STEP = 3.0e-9
SECONDS_PER_STEP = 4e-4  # of a small cohort, whatever its lanes
EXPECTED_EPOCHS = 25

CACHE_WEIGHTS = 1_000_000  # weights of a cohort that keep within a CPU's cache
BYTES_PER_WEIGHT = 24  # params, two slots, best weights, gradients, one to spare


class Cohort(NamedTuple):
    """One compiled program's worth of networks."""

    width: int
    depth: int
    individuals: tuple[int, ...]  # rows of the hyperparams; -1 is an empty lane


def plan(shapes, *, class_widths, num_features, steps_per_epoch, memory_bytes):
    """Packs networks into cohorts.

    Args:
      shapes: (width, depth, is_adadelta) of each network.
      class_widths: padded widths, ascending; a wider network is its own class.
      num_features: F.
      steps_per_epoch: minibatches in an epoch.
      memory_bytes: what the state of a cohort may take.

    Returns:
      A list of Cohorts that holds every network once.
    """
    by_width = {}
    for individual, (width, depth, is_adadelta) in enumerate(shapes):
        padded = min((w for w in class_widths if w >= width), default=width)
        member = (depth, is_adadelta, individual)
        by_width.setdefault(padded, []).append(member)
    cohorts = []
    for width, members in sorted(by_width.items()):
        groups = _split_by_depth(sorted(members), width, num_features, steps_per_epoch)
        for depth, group in groups:
            most = _most_lanes(width, depth, num_features, memory_bytes)
            cohorts += _chunk(width, depth, group, most)
    return cohorts


def _split_by_depth(members, width, num_features, steps_per_epoch):
    """Cuts a width class, sorted by depth, where masking costs more than compiling.

    Exact, by dynamic programming: groups never share a deepest depth, hence never
    a program.
    """
    by_depth = [
        (depth, list(group))
        for depth, group in itertools.groupby(members, key=lambda member: member[0])
    ]
    best = [(0.0, [])]
    for stop in range(1, len(by_depth) + 1):
        options = []
        for start in range(stop):
            depth = by_depth[stop - 1][0]
            group = [m for _, ms in by_depth[start:stop] for m in ms]
            weights = num_weights(width, depth, num_features)
            seconds = SECONDS_PER_STEP + len(group) * weights * SECONDS_PER_WEIGHT_STEP
            cost = COMPILE_SECONDS + EXPECTED_EPOCHS * steps_per_epoch * seconds
            before, groups = best[start]
            options.append((before + cost, [*groups, (depth, group)]))
        best.append(min(options, key=lambda option: option[0]))
    return best[-1][1]


def _most_lanes(width, depth, num_features, memory_bytes):
    weights = num_weights(width, depth, num_features)
    fits = min(CACHE_WEIGHTS // weights, memory_bytes // (weights * BYTES_PER_WEIGHT))
    return max((rung for rung in LADDER if rung <= fits), default=1)


def _chunk(width, depth, group, most):
    """Fills cohorts of the largest rung, and smaller rungs with the rest."""
    individuals = [m[2] for m in sorted(group, key=lambda m: (m[1], m[0], m[2]))]
    cohorts = []
    while individuals:
        rung = min(most, min(r for r in LADDER if r >= min(len(individuals), most)))
        taken, individuals = individuals[:rung], individuals[rung:]
        lanes = (*taken, *[-1] * (rung - len(taken)))
        cohorts.append(Cohort(width=width, depth=depth, individuals=lanes))
    return cohorts


def num_weights(width, depth, num_features):
    """Weights of the kernels before the output layer."""
    return width * num_features + (depth - 1) * width * width
