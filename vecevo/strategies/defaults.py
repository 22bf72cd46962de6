"""The default of the command line."""

from vecevo.strategies.modelling import gaussian_process
from vecevo.strategies.repeats import without_repeats

MOST_MODELLED = 1024  # genomes; a generation takes the cube of that


def recommended(num_choices, *, population_size, capacity=640):
    """The strategy to take where nothing speaks for another one.

    `gaussian_process`, which asks for no genome twice. It was chosen among the others
    on NK landscapes and recorded tables (`python -m bench search_choice`), and then
    compared with other packages on other tables (`python -m bench search`).

    Args:
      num_choices: int32[G], static.
      population_size: P, asked in each generation.
      capacity: genomes that will be told; may be less, then the oldest are forgotten.
        The model takes the latest 1024 at most.
    """
    modelled = max(population_size, min(capacity, MOST_MODELLED))
    strategy = gaussian_process(
        num_choices,
        population_size=population_size,
        capacity=modelled,
        num_candidates=max(1024, 4 * population_size),
    )
    return without_repeats(
        strategy, num_choices, capacity=max(capacity, population_size)
    )
