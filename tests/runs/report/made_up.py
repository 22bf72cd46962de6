"""Runs made up for the tests of reports, each a value without a folder."""

import pathlib

import numpy as np

from vecevo.runs.files.reading import RecordedGeneration, RecordedNetwork, Run
from vecevo.space import SearchSpace, decode

SPACE = SearchSpace(
    {
        "depth": (1, 2, 3),
        "width": (16, 32, 64, 128),
        "activation": ("relu", "elu", "tanh"),
        "optimizer": ("adam", "sgd", "nadam", "adagrad", "rmsprop"),
        "learning_rate": (0.001, 0.003, 0.01, 1.0),
    }
)


def make_run(
    space=SPACE, num_networks=60, *, per_generation=20, failed_share=0.1, seed=0
):
    """Returns a run of distinct random genomes, whose first gene counts most."""
    rng = np.random.default_rng(seed)
    shape = (3 * num_networks, len(space.genes))
    genomes = np.unique(rng.integers(0, space.num_choices, shape), axis=0)
    genomes = rng.permutation(genomes)[:num_networks]
    num_networks = len(genomes)
    quality = genomes[:, 0] / space.num_choices[0]
    accuracies = 1 - np.exp(-2 - quality - rng.exponential(0.3, num_networks))
    accuracies = np.where(rng.random(num_networks) < 0.05, 0.1, accuracies)
    is_failed = rng.random(num_networks) < failed_share
    accuracies = np.where(is_failed, -np.inf, accuracies)
    networks = [
        make_network(space, genome, float(accuracy), place // per_generation)
        for place, (genome, accuracy) in enumerate(
            zip(genomes, accuracies, strict=True)
        )
    ]
    return Run(
        folder=pathlib.Path("runs/made-up"),
        space=space,
        fixed={"weight_decay": 0.0},
        config={"dataset": "digits", "strategy": "genetic", "seed": 7},
        versions={"vecevo": "0.1.0", "jax": "0.11.0"},
        device="cpu",
        networks=networks,
        generations=make_generations(networks),
        summary=make_summary(networks),
    )


def make_network(space, genome, accuracy, generation):
    """Returns a network with curves; one of accuracy -inf failed in its last epoch."""
    num_epochs, is_failed = 6, not np.isfinite(accuracy)
    loss = (1.5 - max(accuracy, 0)) / np.arange(1, num_epochs + 1)
    if is_failed:
        loss = np.where(np.arange(num_epochs) < num_epochs - 1, 1e20, np.nan)
    return RecordedNetwork(
        genome=tuple(map(int, genome)),
        generation=generation,
        replicate=0,
        rung=0,
        purpose="search",
        hyperparams={**decode(space, genome), "weight_decay": 0.0},
        num_params=int(500 * (1 + sum(genome)) ** 2),
        status="failed" if is_failed else "trained",
        validation_accuracy=accuracy,
        validation_loss=np.inf if is_failed else float(loss[-1]),
        num_epochs=num_epochs,
        failed_epoch=num_epochs - 1 if is_failed else None,
        curves={
            "train_loss": loss,
            "validation_loss": 1.1 * loss,
            "validation_accuracy": np.linspace(0.1, max(accuracy, 0.1), num_epochs),
        },
    )


def make_generations(networks):
    """Returns what generations of these networks ended with."""
    rows = []
    for generation in sorted({n.generation for n in networks}):
        so_far = [n for n in networks if n.generation <= generation]
        own = [n.validation_accuracy for n in networks if n.generation == generation]
        whole = [accuracy for accuracy in own if np.isfinite(accuracy)]
        rows.append(
            RecordedGeneration(
                generation=generation,
                best_accuracy=max(n.validation_accuracy for n in so_far),
                mean_accuracy=float(np.mean(whole)) if whole else -np.inf,
                median_accuracy=float(np.median(own)) if whole else -np.inf,
                num_trained=len(so_far),
                num_failed=sum(n.status == "failed" for n in so_far),
            )
        )
    return rows


def make_summary(networks):
    """Returns the part of a result.json that a report reads."""
    whole = [n for n in networks if n.status == "trained"]
    ranked = sorted(
        whole, key=lambda n: (-n.validation_accuracy, n.validation_loss, n.genome)
    )[:5]
    return {
        "top": [
            {"genome": list(n.genome), "test_accuracy": n.validation_accuracy - 0.01}
            for n in ranked
        ],
        "time_seconds": {"total": 100.0, "compile": 20.0, "train": 60.0},
        "dataset": {"name": "digits"},
    }
