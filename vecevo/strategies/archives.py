"""Memories of the genomes that a search was told, of a size that never changes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from vecevo import operators
from vecevo.errors import InputError
from vecevo.operators import initialization
from vecevo.operators.checks import NumChoices

MOST_MAPPED = 1 << 22  # genomes; a map of more takes too much memory


FillFn = Callable[[jax.Array, Any, jax.Array, jax.Array], tuple[jax.Array, jax.Array]]


class Archive(NamedTuple):
    """A kind of memory; `told` is its content, as arrays.

    `fill` puts genomes that are new, all equally likely, in the places of those that
    are missing, as long as there are any.
    """

    start: Callable[[], Any]  # -> told
    has: Callable[[Any, jax.Array], jax.Array]  # told, int32[P, G] -> bool[P]
    add: Callable[[Any, jax.Array], Any]  # told, int32[P, G] -> told
    fill: FillFn  # key, told, genomes, is_missing bool[P] -> genomes, is_missing
    is_full: Callable[[Any], jax.Array]  # told -> bool[], whether all were told


class Map(NamedTuple):
    """What a `map_archive` was told."""

    is_told: jax.Array  # bool[number of genomes]


class Recent(NamedTuple):
    """What a `list_archive` was told last."""

    genomes: jax.Array  # int32[capacity, G]; -1 in the places not yet taken
    num_told: jax.Array  # int32[]


def map_archive(num_choices: NumChoices) -> Archive:
    """Remembers every genome, in a map of the whole space."""
    num_genomes = initialization.count_genomes(num_choices)

    def start() -> Map:
        return Map(jnp.zeros(num_genomes, bool))

    def has(told: Map, genomes: jax.Array) -> jax.Array:
        return told.is_told[initialization.numbers_of_genomes(genomes, num_choices)]

    def add(told: Map, genomes: jax.Array) -> Map:
        numbers = initialization.numbers_of_genomes(genomes, num_choices)
        return Map(told.is_told.at[numbers].set(True))

    def fill(
        key: jax.Array, told: Map, genomes: jax.Array, is_missing: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        numbers = initialization.numbers_of_genomes(genomes, num_choices)
        numbers = jnp.where(is_missing, num_genomes, numbers)  # beyond the map
        is_free = ~told.is_told.at[numbers].set(True, mode="drop")
        count = jnp.cumsum(is_free)
        num_free = jnp.maximum(count[-1], 1)
        place = jnp.cumsum(is_missing) - 1  # of a missing one among these
        num_filled = jnp.clip(is_missing.sum(), 1, num_free)
        # Evenly spaced from a random start: all different, and all equally likely.
        start = jax.random.randint(key, (), 0, num_free)
        rank = (start + place * (num_free // num_filled)) % num_free
        fresh = jnp.searchsorted(count, rank + 1)
        fresh = initialization.genomes_of_numbers(fresh, num_choices)
        is_filled = is_missing & (place < count[-1])
        genomes = jnp.where(is_filled[:, None], fresh, genomes)
        return genomes, is_missing & ~is_filled

    return Archive(start, has, add, fill, lambda told: told.is_told.all())


def list_archive(num_choices: NumChoices, capacity: int) -> Archive:
    """Remembers the latest genomes, in a list; for spaces much larger than that."""

    def start() -> Recent:
        return Recent(
            genomes=jnp.full((capacity, len(num_choices)), -1, jnp.int32),
            num_told=jnp.zeros((), jnp.int32),
        )

    def has(told: Recent, genomes: jax.Array) -> jax.Array:
        same = jnp.ones((len(genomes), capacity), bool)
        for gene, told_gene in zip(genomes.T, told.genomes.T, strict=True):
            same &= gene[:, None] == told_gene
        return same.any(axis=1)

    def add(told: Recent, genomes: jax.Array) -> Recent:
        places = (told.num_told + jnp.arange(len(genomes))) % capacity
        return Recent(
            genomes=told.genomes.at[places].set(genomes),
            num_told=told.num_told + len(genomes),
        )

    def fill(
        key: jax.Array, told: Recent, genomes: jax.Array, is_missing: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        def redraw(carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
            key, genomes, is_missing = carry
            key, fresh_key = jax.random.split(key)
            fresh = operators.random_population(
                fresh_key, num_choices, population_size=len(genomes)
            )
            genomes = jnp.where(is_missing[:, None], fresh, genomes)
            return key, genomes, is_known(archive, told, genomes, is_missing)

        carry = (key, genomes, is_missing)
        _, genomes, is_missing = jax.lax.while_loop(
            lambda carry: carry[2].any(), redraw, carry
        )
        return genomes, is_missing

    archive = Archive(start, has, add, fill, lambda told: jnp.zeros((), bool))
    return archive


def is_known(
    archive: Archive, told: Any, genomes: jax.Array, is_late: jax.Array
) -> jax.Array:
    """Returns bool[P]: genomes told, or met before in the list; the late come last."""
    in_list = initialization.repeats(genomes, is_late=is_late)
    return archive.has(told, genomes) | in_list


def make_archive(num_choices: NumChoices, capacity: int | None) -> Archive:
    """Returns the Archive for a space.

    Raises:
      InputError: for a space too large for a map, without a fitting capacity.
    """
    num_genomes = initialization.count_genomes(num_choices)
    if num_genomes <= MOST_MAPPED:
        return map_archive(num_choices)
    if capacity is None or not 1 <= capacity <= MOST_MAPPED // 4:
        raise InputError(
            f"capacity={capacity} does not do for the {num_genomes} genomes of the "
            "space, too many for a map of all: give the number of genomes that will "
            f"be told, from 1 to {MOST_MAPPED // 4}."
        )
    return list_archive(num_choices, capacity)
