"""What operators are given, looked at before anything is drawn.

Of a traced value there is only the shape to look at: under `jax.jit` nothing is left
of a check once the program is traced.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike

from vecevo.errors import InputError

Array = jax.Array | np.ndarray
NumChoices = Array | Sequence[int]  # int32[G]
MOST_CHOICES = 2**31 - 1


def check_numbers(
    is_good: Callable[[np.ndarray], Any],
    words: str,
    *,
    num_axes: int | None = None,
    **numbers: Any,
) -> None:
    """Refuses settings that are no real numbers, or not those that `words` say.

    Args:
      is_good: which of several numbers are as they must be.
      words: what a number must be.
      num_axes: 0 for lone numbers, 1 for lists of them; None takes any array.
      **numbers: the settings, by name.

    Raises:
      InputError: naming the first of them, and what is wrong in it.
    """
    for name, number in numbers.items():
        values = _look_at(number)
        if values is None:
            continue
        is_number = _is_real(values.dtype) and num_axes in (None, values.ndim)
        good = np.asarray(is_good(values) if is_number else False)
        if not good.all():
            shown = f"{name} is {values.dtype}{list(values.shape)}, and"
            if values.ndim == 0:
                shown = f"{name}={values.item()!r}"
            elif is_number:
                shown = f"{name} has {values[~good][0].item()!r}, and"
            raise InputError(f"{shown} must be {words}.")


def check_whole(
    least: int, most: int | None = None, most_is: str = "", **numbers: Any
) -> None:
    """Refuses settings that are no lone whole number from `least` to `most`.

    `most_is` says what `most` is; None is no limit.

    Raises:
      InputError: naming the first of them.
    """
    limit = "up" if most is None else f"to {most}"
    words = f"a whole number from {least} {limit}{most_is and ', ' + most_is}"
    check_numbers(
        lambda values: _is_whole_within(values, least, most),
        words,
        num_axes=0,
        **numbers,
    )


def check_rates(*, shape: tuple[int, ...] | None = None, **rates: Any) -> None:
    """Refuses probabilities below 0 or above 1, or that do not broadcast to a shape.

    Raises:
      InputError: naming the first of them.
    """
    check_numbers(lambda rate: (rate >= 0) & (rate <= 1), "from 0 to 1", **rates)
    for name, rate in rates.items():
        given = np.shape(rate)
        if shape is not None and not _broadcasts(given, shape):
            raise InputError(
                f"{name} has the shape {list(given)}: give one number, or an array "
                f"that broadcasts to {list(shape)}."
            )


def check_num_choices(num_choices: NumChoices) -> None:
    """Refuses what is no list of numbers of choices, one for each gene.

    Raises:
      InputError: naming the first number that is none.
    """
    words = f"whole numbers from 1 to {MOST_CHOICES}, one for each gene"
    check_numbers(
        lambda values: _is_whole_within(values, 1, MOST_CHOICES),
        words,
        num_axes=1,
        num_choices=num_choices,
    )
    if len(num_choices) == 0:
        raise InputError(f"num_choices=[] must be {words}.")


def as_static(num_choices: NumChoices) -> np.ndarray:
    """Returns numbers of choices as int32[G] of NumPy, which is static under `jit`.

    Raises:
      InputError: for other numbers than `check_num_choices` takes.
    """
    check_num_choices(num_choices)
    return np.asarray(num_choices, np.int32)


def as_genomes(
    genomes: ArrayLike, *, name: str, shape: tuple[int | None, ...]
) -> jax.Array:
    """Returns genomes as an array; where `shape` has None, any number does.

    Raises:
      InputError: for another shape, or for numbers that are not whole.
    """
    genomes = jnp.asarray(genomes)
    fits = genomes.ndim == 2 and jnp.issubdtype(genomes.dtype, jnp.integer)
    pairs = zip(shape, genomes.shape, strict=False)
    if not fits or any(want not in (None, is_now) for want, is_now in pairs):
        size, num_genes = ("P" if shape[0] is None else shape[0], shape[1] or "G")
        raise InputError(
            f"{name} is {genomes.dtype}{list(genomes.shape)}: give genomes of whole "
            f"numbers, int32[{size}, {num_genes}]."
        )
    return genomes


def as_population(population: ArrayLike, num_choices: NumChoices) -> jax.Array:
    """Returns a population as an array, after a look at it and at its num_choices.

    Raises:
      InputError: for numbers of choices below 1, or genomes of other genes.
    """
    check_num_choices(num_choices)
    return as_genomes(population, name="population", shape=(None, len(num_choices)))


def check_indices(population: ArrayLike, num_choices: NumChoices) -> None:
    """Refuses genomes int[P, G] with an index that is no choice of its gene.

    Raises:
      InputError: naming the first such index, and the numbers of choices.
    """
    numbers = _look_at(num_choices)
    if numbers is not None:
        check_numbers(
            lambda indices: (indices >= 0) & (indices < numbers),
            f"the index of a choice, from 0: genes have {numbers.tolist()} choices",
            population=population,
        )


def as_fitness(fitness: ArrayLike, *, name: str = "fitness") -> jax.Array:
    """Returns numbers of individuals as an array.

    Raises:
      InputError: for another shape than [P], P at least 1.
    """
    fitness = jnp.asarray(fitness)
    if fitness.ndim != 1 or not fitness.size:
        raise InputError(
            f"{name} is {fitness.dtype}{list(fitness.shape)}: give one number for "
            "each individual."
        )
    return fitness


def _look_at(number: Any) -> np.ndarray | None:
    """Returns a number or several as an array; None where one is traced."""
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(number)):
        return None
    try:
        return np.asarray(number)
    except ValueError:  # lists of different lengths
        return np.empty(1, object)


def _is_real(dtype: np.dtype) -> bool:
    return jnp.issubdtype(dtype, jnp.integer) or jnp.issubdtype(dtype, jnp.floating)


def _is_whole_within(values: np.ndarray, least: int, most: int | None) -> np.ndarray:
    good = np.issubdtype(values.dtype, np.integer) & (values >= least)
    return good if most is None else good & (values <= most)


def _broadcasts(given: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    pairs = zip(given[::-1], shape[::-1], strict=False)
    return len(given) <= len(shape) and all(g in (1, s) for g, s in pairs)
