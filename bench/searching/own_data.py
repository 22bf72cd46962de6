"""The default run on one's own tables, against scikit-learn's MLPClassifier.

Each set is written as CSV and loaded by its path; split s is the test part, a fifth,
that `load_dataset(path, seed=s)` splits off. The classifier has its defaults, behind a
StandardScaler, and trains on all the rest; the run trains on four fifths of that, and
chooses by the last. It is `vecevo --dataset FILE --seed s` with smaller generations.
"""

import pathlib
import tempfile
import time
import warnings

import numpy as np
from rich.table import Table

import vecevo
from bench.harness import markdown, records
from vecevo.datasets import splitting
from vecevo.extras import import_extra
from vecevo.runs import environment

NAMES = ("iris", "wine", "breast_cancer", "digits", "make_classification")
NUM_SPLITS, POPULATION_SIZE = 20, 2


def measure(console, *, smoke, full, data_dir):
    """Runs every set over all splits, and writes the record."""
    del full, data_dir
    environment.set_up_cache(None)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES[: 1 if smoke else None]:
            path = write_csv(name, pathlib.Path(folder))
            splits = []
            for split in range(2 if smoke else NUM_SPLITS):
                splits.append(measure_split(path, split))
                console.print(f"own_data: {name}, split {split}: {splits[-1]}")
            rows.append({"data set": name, **summarize(splits)})
            console.print(make_table(rows[-1:]))
    if not smoke:
        records.write("own_data", rows, command=records.command("own_data"))


def write_csv(name, folder):
    """Writes a set with its labels in the column target, and returns the path."""
    datasets = import_extra("sklearn.datasets", "sklearn")
    pandas = import_extra("pandas", "tables")
    if name == "make_classification":
        x, y = datasets.make_classification(5000, n_features=20, random_state=0)
        frame = pandas.DataFrame(x, columns=[f"x{i}" for i in range(20)])
    else:
        loaded = getattr(datasets, f"load_{name}")(as_frame=True)
        frame, y = loaded.data.copy(), loaded.target_names[loaded.target]
    path = folder / f"{name}.csv"
    frame.assign(target=y).to_csv(path, index=False)
    return path


def measure_split(path, split):
    """Returns test accuracies on one split, and the seconds of the run."""
    dataset = vecevo.load_dataset(path, seed=split)
    start = time.perf_counter()
    result = vecevo.search(
        vecevo.article_space(),
        dataset,
        population_size=POPULATION_SIZE,
        seed=split,
        confirm=0,
    )
    seconds = time.perf_counter() - start
    return {
        "vecevo": result.top[0][1].test_accuracy,
        "ensemble": (result.ensemble or result.best).facts["test_accuracy"],
        "MLPClassifier": classify(path, split, dataset),
        "seconds": seconds,
        "networks": result.num_trained,
    }


def classify(path, split, dataset):
    """Returns the test accuracy of the classifier on the same split."""
    pandas = import_extra("pandas", "tables")
    networks = import_extra("sklearn.neural_network", "sklearn")
    scaling = import_extra("sklearn.preprocessing", "sklearn")
    pipelines = import_extra("sklearn.pipeline", "sklearn")
    frame = pandas.read_csv(path)
    y = frame.pop("target").to_numpy()
    codes = np.unique(y, return_inverse=True)[1]
    num = round(len(y) / 5)
    rest, test = splitting.split_off(codes, seed=split, num=num)
    if not np.array_equal(frame.iloc[test], dataset.raw_x_test):
        raise RuntimeError("these are other splits than load_dataset's")
    classifier = pipelines.make_pipeline(
        scaling.StandardScaler(), networks.MLPClassifier(random_state=split)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 200 iterations are its default
        classifier.fit(frame.iloc[rest], y[rest])
    return float(classifier.score(frame.iloc[test], y[test]))


def summarize(splits):
    """Returns means over splits, and the standard error of the difference."""
    columns = {name: np.array([s[name] for s in splits]) for name in splits[0]}
    difference = columns["vecevo"] - columns["MLPClassifier"]
    return {
        "n": len(splits),
        **{name: round(float(values.mean()), 4) for name, values in columns.items()},
        "difference": round(float(difference.mean()), 4),
        "standard error": round(float(difference.std(ddof=1) / len(splits) ** 0.5), 4),
        "splits": [{k: round(float(v), 4) for k, v in s.items()} for s in splits],
    }


def own_data_table(record):
    """Test accuracies by data set, as Markdown."""
    lines = markdown.head(
        ("data set", "vecevo's best", "its ensemble", "MLPClassifier"),
        ("difference in points", "networks", "seconds"),
    )
    for row in record["rows"]:
        accuracies = (row[name] for name in ("vecevo", "ensemble", "MLPClassifier"))
        cells = [row["data set"], *(f"{100 * value:.2f} %" for value in accuracies)]
        difference, error = (100 * row[n] for n in ("difference", "standard error"))
        cells += [f"{difference:+.2f} ± {error:.2f}", f"{row['networks']:.0f}"]
        lines.append(markdown.row([*cells, f"{row['seconds']:.0f}"]))
    n = record["rows"][0]["n"]
    how = (
        f"Means over {n} splits, differences with their standard errors; generations "
        f"of {POPULATION_SIZE} instead of 20; seconds of a run while other work went "
        "on, no measure of speed"
    )
    return markdown.finish(lines, record, how)


def make_table(rows):
    """Returns the rows as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = [name for name in rows[0] if name != "splits"]
    for name in names:
        table.add_column(name)
    for row in rows:
        table.add_row(*(str(row[name]) for name in names))
    return table
