"""vecevo trains populations of different neural networks at once, and evolves them.

Axes of arrays, everywhere: P population, G genes, S selected, L lanes, W padded
width, D layers, F input features, C classes, N examples, B batch.
"""

from vecevo import landscapes, operators, strategies
from vecevo.datasets.making import Dataset, load_dataset, make_dataset
from vecevo.evaluation import NetworkResult, train_networks
from vecevo.runs.evolve import accuracy_on, search
from vecevo.runs.loop import Progress, SearchResult
from vecevo.runs.recorded import replay
from vecevo.runs.tables import Table, load_table, merge_tables, save_table
from vecevo.space import SearchSpace, article_space, decode, encode

__all__ = [
    "Dataset",
    "NetworkResult",
    "Progress",
    "SearchResult",
    "SearchSpace",
    "Table",
    "accuracy_on",
    "article_space",
    "decode",
    "encode",
    "landscapes",
    "load_dataset",
    "load_table",
    "make_dataset",
    "merge_tables",
    "operators",
    "replay",
    "save_table",
    "search",
    "strategies",
    "train_networks",
]
