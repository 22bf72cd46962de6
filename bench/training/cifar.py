"""What a recipe is worth on CIFAR-10: the article's best network without and with one.

The recipe is all pieces of the ladder at once, chosen by hand before anything was
trained here.
"""

import vecevo
from bench.training import ladder
from vecevo.runs import environment

EPOCHS = 30
BEST = {"depth": 2, "width": 512, "activation": "elu", "optimizer": "adamax"}
SMALL = {"depth": 1, "width": 8}


def measure(console, *, smoke, full, data_dir):
    """Trains both, seed by seed, and writes the record."""
    del full
    environment.set_up_cache(None)
    name, limit = ("digits", 200) if smoke else ("cifar10", None)
    dataset = vecevo.load_dataset(name, data_dir=data_dir, limit_train=limit)
    pieces = {k: v for _, step in ladder.STEPS for k, v in step.items()}
    steps = {"article's best": BEST, "recipe": BEST | pieces}
    rows = [
        ladder.start_row(
            step,
            [values | SMALL if smoke else values],
            dataset,
            augment=() if smoke or step == "article's best" else ladder.CHANGED,
            max_epochs=2 if smoke else EPOCHS,
        )
        for step, values in steps.items()
    ]
    ladder.climb(console, "cifar", rows, dataset, smoke)
