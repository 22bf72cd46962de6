"""vecevo trains populations of different neural networks at once, and evolves them.

Axes of arrays, everywhere: P population, G genes, S selected, L lanes, W padded
width, D layers, F input features, C classes, K targets, N examples, B batch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vecevo import landscapes, operators, strategies
    from vecevo.datasets.loading import load_dataset
    from vecevo.datasets.making import Dataset, make_dataset
    from vecevo.errors import InputError
    from vecevo.networks.ensembles import Ensemble
    from vecevo.networks.network import Network
    from vecevo.networks.saving import load_network, save_network
    from vecevo.results import NetworkResult, Progress, SearchResult
    from vecevo.runs.evolve import search
    from vecevo.runs.files.reading import Run, load_run
    from vecevo.runs.files.tables import Table, load_table, merge_tables, save_table
    from vecevo.runs.recorded import replay
    from vecevo.space import (
        SearchSpace,
        article_space,
        decode,
        encode,
        recipe_space,
        small_space,
    )
    from vecevo.training.library import train_networks
    from vecevo.training.workers.opening import open_workers

__version__ = "0.1.0"
__all__ = [
    "Dataset",
    "Ensemble",
    "InputError",
    "Network",
    "NetworkResult",
    "Progress",
    "Run",
    "SearchResult",
    "SearchSpace",
    "Table",
    "article_space",
    "decode",
    "encode",
    "landscapes",
    "load_dataset",
    "load_network",
    "load_run",
    "load_table",
    "make_dataset",
    "merge_tables",
    "open_workers",
    "operators",
    "recipe_space",
    "replay",
    "save_network",
    "save_table",
    "search",
    "small_space",
    "strategies",
    "train_networks",
]
# Where the names live, which are imported when they are first used: most need JAX,
# and the help of the command line should not wait for it.
_HOMES = {
    "vecevo.datasets.loading": ("load_dataset",),
    "vecevo.datasets.making": ("Dataset", "make_dataset"),
    "vecevo.errors": ("InputError",),
    "vecevo.networks.ensembles": ("Ensemble",),
    "vecevo.networks.network": ("Network",),
    "vecevo.networks.saving": ("load_network", "save_network"),
    "vecevo.results": ("NetworkResult", "Progress", "SearchResult"),
    "vecevo.runs.evolve": ("search",),
    "vecevo.runs.files.reading": ("Run", "load_run"),
    "vecevo.runs.recorded": ("replay",),
    "vecevo.runs.files.tables": ("Table", "load_table", "merge_tables", "save_table"),
    "vecevo.space": (
        *("SearchSpace", "article_space", "decode", "encode", "recipe_space"),
        "small_space",
    ),
    "vecevo.training.library": ("train_networks",),
    "vecevo.training.workers.opening": ("open_workers",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value = getattr(importlib.import_module(_HOME_OF[name]), name)
    elif name in ("landscapes", "operators", "strategies"):
        value = importlib.import_module(f"vecevo.{name}")
    else:
        raise AttributeError(f"module 'vecevo' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
