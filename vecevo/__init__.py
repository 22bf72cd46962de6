"""vecevo trains populations of different neural networks at once, and evolves them.

Axes of arrays, everywhere: P population, G genes, S selected, L lanes, W padded
width, D layers, F input features, C classes, N examples, B batch.
"""

from vecevo import landscapes, operators, strategies
from vecevo.datasets import Dataset, load_dataset, make_dataset
from vecevo.evaluation import NetworkResult, train_networks
from vecevo.search import Progress, SearchResult, accuracy_on, search
from vecevo.space import SearchSpace, article_space, decode, encode

__all__ = [
    "Dataset",
    "NetworkResult",
    "Progress",
    "SearchResult",
    "SearchSpace",
    "accuracy_on",
    "article_space",
    "decode",
    "encode",
    "landscapes",
    "load_dataset",
    "make_dataset",
    "operators",
    "search",
    "strategies",
    "train_networks",
]
