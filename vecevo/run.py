"""`python -m vecevo.run`: parses, shows progress, calls search; no algorithm."""

import dataclasses
import functools
import json
import pathlib
import sys

import jax
import tomli_w
import tyro
from rich.console import Console

from vecevo import datasets, journal, operators, search, strategies
from vecevo.space import SearchSpace


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """Evolves neural networks on a data set."""

    dataset: str = "digits"
    """`digits`, or the path of an .npz file with x_train, y_train, x_test, y_test."""
    strategy: str = "genetic"
    """genetic, random or grid."""
    depth: tuple[int, ...] = (1, 2, 3, 4)
    """Choices for the number of hidden layers."""
    width: tuple[int, ...] = (64, 128, 256, 512, 768, 1024)
    """Choices for the units of each hidden layer."""
    activation: tuple[str, ...] = ("relu", "elu", "tanh", "sigmoid")
    """Choices for the activation."""
    optimizer: tuple[str, ...] = (
        "rmsprop",
        "adam",
        "sgd",
        "adagrad",
        "adadelta",
        "adamax",
        "nadam",
    )
    """Choices for the optimizer."""
    population_size: int = 20
    """Networks per generation."""
    num_generations: int = 10
    """Generations, the random first one included; a grid runs until it is done."""
    max_epochs: int = 30
    """Cap on the epochs of a network."""
    patience: int = 5
    """Epochs in a row without a lower validation loss before a network stops."""
    batch_size: int = 64
    """Examples in a minibatch."""
    seed: int = 0
    """Seed of every random draw of the run."""
    output_dir: str = ""
    """Where results go; by default runs/<dataset>-<strategy>-<seed>."""
    cache_dir: str = "~/.cache/vecevo/xla"
    """Where compiled programs are kept; `none` keeps none."""


def check_config(config):
    """Raises ValueError, naming the argument, for values that cannot be run."""
    counts = ("population_size", "num_generations", "max_epochs", "patience")
    for name in (*counts, "batch_size"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name}={getattr(config, name)} must be at least 1.")
    for name in ("depth", "width"):
        if min(getattr(config, name), default=0) < 1:
            raise ValueError(f"{name}={getattr(config, name)} must be 1 or more each.")
    known = {
        "activation": RunConfig.activation,
        "optimizer": RunConfig.optimizer,
        "strategy": ("genetic", "random", "grid"),
    }
    for name, choices in known.items():
        value = getattr(config, name)
        for choice in (value,) if isinstance(value, str) else value:
            if choice not in choices:
                raise ValueError(
                    f"{name}={choice!r} is unknown: use {', '.join(choices)}."
                )


def make_strategy(name, num_choices, population_size):
    """The one table from names to functions; genetic as in the article's text."""
    if name == "random":
        return strategies.random(num_choices)
    if name == "grid":
        return strategies.grid(num_choices)
    # The article: keep the top 25 % and 3 of 20 at random, then mutate a few.
    num_best = max(1, population_size // 4)
    num_random = min(round(0.15 * population_size), population_size - num_best)
    return strategies.genetic(
        num_choices,
        survive_fn=functools.partial(
            operators.random_count_survival, num_best=num_best, num_random=num_random
        ),
        mutation_rate=0.2,
        mutates_survivors=True,
    )


def run(config, console):
    """Runs a configuration and leaves its results in the output folder."""
    check_config(config)
    genes = ("depth", "width", "activation", "optimizer")
    space = SearchSpace(tuple((name, getattr(config, name)) for name in genes))
    dataset = datasets.load_dataset(config.dataset, seed=config.seed)
    num_generations = config.num_generations
    if config.strategy == "grid":
        num_generations = -(-space.num_genomes // config.population_size)
    name = f"{dataset.name}-{config.strategy}-{config.seed}"
    folder = pathlib.Path(config.output_dir or f"runs/{name}")
    if folder.exists():
        raise ValueError(
            f"output_dir={str(folder)!r} exists: name another --output-dir or move it."
        )
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ValueError(
            f"output_dir={str(folder)!r} cannot be made ({error.strerror}): "
            "name another --output-dir."
        ) from error
    if config.cache_dir != "none":
        cache = pathlib.Path(config.cache_dir).expanduser()
        jax.config.update("jax_compilation_cache_dir", str(cache))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    (folder / "config.toml").write_text(tomli_w.dumps(dataclasses.asdict(config)))
    connection = journal.create(folder / "run.sqlite")
    result = search.search(
        space,
        dataset,
        strategy=make_strategy(
            config.strategy, space.num_choices, config.population_size
        ),
        population_size=config.population_size,
        num_generations=num_generations,
        seed=config.seed,
        batch_size=config.batch_size,
        max_epochs=config.max_epochs,
        patience=config.patience,
        record_fn=functools.partial(journal.record, connection),
        progress_fn=functools.partial(show_progress, console),
    )
    connection.close()
    report = describe(result, dataset, config.seed)
    (folder / "result.json").write_text(json.dumps(report, indent=2) + "\n")
    for row in report["top"]:
        console.print(
            f"{row['hyperparams']}  {row['num_params']} params  validation "
            f"{row['validation_accuracy']:.4f}  test {row['test_accuracy']:.4f}"
        )
    console.print(
        f"{result.num_trained} distinct networks of {result.num_evaluated} in "
        f"{result.time_seconds:.0f} s; results in {folder}"
    )


def show_progress(console, progress):
    """Prints a line for a generation."""
    console.print(
        f"generation {progress.generation}: best {progress.best_accuracy:.4f}, "
        f"mean {progress.mean_accuracy:.4f}, {progress.num_trained} distinct networks "
        f"trained, {progress.networks_per_hour:.0f} networks/h"
    )


def describe(result, dataset, seed):
    """Returns the dict of result.json; the test part is used here, and only here."""
    trained = [pair for pair in result.top if pair[1].failed_epoch is None]
    top = [
        {
            "genome": list(genome),
            "hyperparams": network.hyperparams,
            "num_params": network.num_params,
            "validation_accuracy": float(network.validation_accuracy),
            "test_accuracy": search.accuracy_on(
                network,
                dataset.x_test,
                dataset.y_test,
                num_classes=dataset.num_classes,
            ),
        }
        for genome, network in trained
    ]
    return {
        "best": top[0] if top else None,
        "top": top,
        "num_generations": len(result.progress),
        "num_evaluated": result.num_evaluated,
        "num_trained": result.num_trained,
        "num_failed": result.num_failed,
        "first_generation_median": _finite(result.progress[0].median_accuracy),
        "time_seconds": {"total": result.time_seconds},
        "networks_per_hour": 3600 * result.num_trained / result.time_seconds,
        "device": jax.devices()[0].device_kind,
        "versions": {"python": sys.version.split()[0], "jax": jax.__version__},
        "seed": seed,
        "dataset": {
            "name": dataset.name,
            "num_train": len(dataset.y_train),
            "num_validation": len(dataset.y_validation),
            "num_test": len(dataset.y_test),
        },
    }


def _finite(number):
    return number if number > float("-inf") else None


def main():
    """Parses the command line; bad input ends with one line and exit code 2."""
    config = tyro.cli(RunConfig, prog="python -m vecevo.run")
    try:
        run(config, Console(soft_wrap=True, highlight=False))
    except ValueError as error:
        print(f"vecevo: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
