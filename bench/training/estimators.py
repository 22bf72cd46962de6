"""A search of `recipe` beside scikit-learn's estimators, all with their defaults.

Ten tables, five of classes and five of numbers, that scikit-learn ships or makes; split
s leaves a fifth out for the test, on which all are measured alike. The search is
`vecevo.search` with no setting but the space: 200 networks, of which a part of the rest
chooses; what predicts is the ensemble where that was at least as good, as the run says.
"""

import time
import warnings
from typing import Any

import numpy as np
from rich.table import Table

import vecevo
from bench.harness import markdown, records
from vecevo.extras import import_extra
from vecevo.runs import environment

SHIPPED = ("digits", "wine", "breast_cancer", "diabetes")
MADE = {  # scikit-learn's functions, with what they are called with
    "classification": {"n_samples": 2000, "n_informative": 10, "n_classes": 3},
    "moons": {"n_samples": 1000, "noise": 0.3},
    "friedman1": {"n_samples": 1000, "noise": 1.0},
    "friedman2": {"n_samples": 1000, "noise": 50.0},
    "friedman3": {"n_samples": 1000, "noise": 0.1},
    "sparse_uncorrelated": {"n_samples": 1000},
}
_FRIEDMAN = ("friedman1", "friedman2", "friedman3")
TABLES = {
    "classification": ("digits", "wine", "breast_cancer", "classification", "moons"),
    "regression": ("diabetes", *_FRIEDMAN, "sparse_uncorrelated"),
}
OTHERS = ("MLP", "HistGradientBoosting", "RandomForest")
SIDES = ("vecevo", *OTHERS)
SCALED = "MLP, targets scaled"  # of numbers, beside its default; not among the ranks
NUM_SPLITS = 5


def measure(console, *, smoke, full, data_dir):
    """Measures split by split, and writes the record anew after each."""
    del full, data_dir
    environment.set_up_cache(None)
    rows = [
        {"table": name, "task": task, "splits": []}
        for task, names in TABLES.items()
        for name in names[: 1 if smoke else None]
    ]
    for split in range(1 if smoke else NUM_SPLITS):
        for row in rows:
            x, y = load(row["table"])
            row["splits"].append(measure_split(x, y, row["task"], split, smoke))
            console.print(f"estimators: {row['table']}, {split}: {row['splits'][-1]}")
        console.print(make_table(rows))
        if not smoke:
            records.write("estimators", rows, command=records.command("estimators"))


def load(name):
    """Returns the examples [N, F] of a table and what is to be said of them [N]."""
    datasets = import_extra("sklearn.datasets", "sklearn")
    if name in SHIPPED:
        return getattr(datasets, f"load_{name}")(return_X_y=True)
    return getattr(datasets, f"make_{name}")(random_state=0, **MADE[name])


def measure_split(x, y, task, split, smoke):
    """Returns accuracy, or R2, of every side on the test part, and vecevo's seconds."""
    selection = import_extra("sklearn.model_selection", "sklearn")
    x_train, x_test, y_train, y_test = selection.train_test_split(
        *(x, y),
        test_size=0.2,
        random_state=split,
        stratify=y if task == "classification" else None,
    )
    start = time.perf_counter()
    best, chosen = search(x_train, y_train, x_test, y_test, task, split, smoke)
    row = {
        "seconds": round(time.perf_counter() - start, 1),
        "best network": score(y_test, best.predict(x_test), task),
        "vecevo": score(y_test, chosen.predict(x_test), task),
    }
    for side in (*OTHERS, *([SCALED] if task == "regression" else [])):
        estimator = make_estimator(side, task, split)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 200 iterations are an MLP's default
            estimator.fit(x_train, y_train)
        row[side] = score(y_test, estimator.predict(x_test), task)
    return row


def search(x_train, y_train, x_test, y_test, task, split, smoke):
    """Returns the best network of a search, and what is to predict: it or a vote."""
    small: dict[str, Any] = {"num_generations": 1, "population_size": 3}
    result = vecevo.search(
        vecevo.recipe_space(task),
        vecevo.make_dataset(x_train, y_train, x_test, y_test, task=task, seed=split),
        seed=split,
        **(small if smoke else {}),
    )
    voting = result.ensemble
    if voting is None or voting.facts["held_out_accuracy"] is None:
        return result.best, result.best
    is_better = voting.facts["held_out_accuracy"] >= voting.facts["held_out_best"]
    return result.best, voting if is_better else result.best


def make_estimator(side, task, seed):
    """Returns an estimator of scikit-learn's, the MLP behind a StandardScaler."""
    scaling = import_extra("sklearn.preprocessing", "sklearn")
    if side == SCALED:
        scaled = import_extra("sklearn.compose", "sklearn").TransformedTargetRegressor
        mlp = make_estimator("MLP", task, seed)
        return scaled(mlp, transformer=scaling.StandardScaler())
    modules = {
        "MLP": "sklearn.neural_network",
        "HistGradientBoosting": "sklearn.ensemble",
        "RandomForest": "sklearn.ensemble",
    }
    kind = "Classifier" if task == "classification" else "Regressor"
    module = import_extra(modules[side], "sklearn")
    estimator = getattr(module, f"{side}{kind}")(random_state=seed)
    if side != "MLP":
        return estimator
    pipelines = import_extra("sklearn.pipeline", "sklearn")
    return pipelines.make_pipeline(scaling.StandardScaler(), estimator)


def score(y_test, said, task):
    """Returns the accuracy, or R2, by scikit-learn."""
    metrics = import_extra("sklearn.metrics", "sklearn")
    is_classes = task == "classification"
    measure_fn = metrics.accuracy_score if is_classes else metrics.r2_score
    return round(float(measure_fn(y_test, said)), 5)


def mean_ranks(rows):
    """Returns by side the mean over tables of its mean rank over splits, from 1.

    Sides that are equally good share the mean of their ranks.
    """
    by_table = []
    for row in rows:
        values = np.array([[s[side] for side in SIDES] for s in row["splits"]])
        better = (values[:, None, :] > values[:, :, None]).sum(2)
        alike = (values[:, None, :] == values[:, :, None]).sum(2)
        by_table.append((better + (alike + 1) / 2).mean(0))
    return dict(zip(SIDES, np.mean(by_table, 0).tolist(), strict=True))


def make_table(rows):
    """Returns the rows as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = ("best network", *SIDES, "seconds")
    for name in ("table", *names):
        table.add_column(name)
    for row in rows:
        means = (np.mean([split[name] for split in row["splits"]]) for name in names)
        table.add_row(row["table"], *(f"{mean:.4g}" for mean in means))
    return table


def estimators_table(record):
    """Means over splits by table, and mean ranks, as Markdown."""
    rows, names = record["rows"], ("best network", *SIDES, SCALED)
    lines = markdown.head(("table", "its best network", *SIDES, SCALED))
    for row in rows:
        unit = "accuracy, %" if row["task"] == "classification" else "R2, %"
        cells = [f"{row['table']}, {unit}"]
        for name in names:
            values = 100 * np.array([s[name] for s in row["splits"] if name in s])
            cell = f"{values.mean():.2f} ± {values.std():.2f}" if values.size else ""
            cells.append(cell)
        lines.append(markdown.row(cells))
    kinds = {
        "mean rank": rows,
        "of classes": [row for row in rows if row["task"] == "classification"],
        "of numbers": [row for row in rows if row["task"] == "regression"],
    }
    for kind, some in ((kind, some) for kind, some in kinds.items() if some):
        ranks = mean_ranks(some)
        lines.append(markdown.row([kind, "", *(f"{ranks[s]:.2f}" for s in SIDES), ""]))
    num = len(rows[0]["splits"])
    how = f"Means ± standard deviations over {num} splits, which share examples"
    return markdown.finish(lines, record, how)
