"""What a recipe is worth on CIFAR-10: beside the article's best network of 2017.

The recipe is what the search of `ladder` found on Fashion-MNIST, a layer deeper, with a
higher learning rate, skip connections and flips: the best of six tried by hand, by
the validation part. The test part is asked once for each training, and chose nothing.
"""

import vecevo
from bench.training import ladder
from vecevo.runs import environment

EPOCHS = 30
BEST = {"depth": 2, "width": 512, "activation": "elu", "optimizer": "adamax"}
RECIPE = {
    **{"depth": 3, "width": 512, "activation": "gelu", "optimizer": "adam"},
    **{"learning_rate": 0.002, "dropout_rate": 0.2, "weight_decay": 0.01},
    **{"schedule": "cosine", "label_smoothing": 0.1, "averaging": 0.5},
    **{"norm": "layer", "skip": "identity"},
}
STEPS = {"article's best": (BEST, ()), "recipe": (RECIPE, ("flip",))}
SMALL = {"depth": 1, "width": 8}


def measure(console, *, smoke, full, data_dir):
    """Trains both, seed by seed, and writes the record."""
    del full
    environment.set_up_cache(None)
    name, limit = ("digits", 200) if smoke else ("cifar10", None)
    dataset = vecevo.load_dataset(name, data_dir=data_dir, limit_train=limit)
    rows = [
        ladder.start_row(
            *(step, [values | SMALL if smoke else values], dataset),
            augment=() if smoke else changes,
            max_epochs=2 if smoke else EPOCHS,
        )
        for step, (values, changes) in STEPS.items()
    ]
    ladder.climb(console, "cifar", rows, dataset, smoke)
