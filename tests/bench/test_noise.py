"""The comparison of what searches report where results are noisy."""

import io

import numpy as np
import pytest
from rich.console import Console

from bench.harness import records
from bench.searching import compare, noise, rendering, sources, summary
from vecevo import strategies

VERSIONS = dict.fromkeys(("python", "jax", "flax", "optax"), "1")


@pytest.fixture
def small(monkeypatch):
    """Batches of 16, so that a model of 64 genomes does."""

    def make(recorded):
        sizes = {"population_size": 16, "capacity": 64}
        return strategies.recommended(recorded.num_choices, **sizes)

    monkeypatch.setattr(compare, "BATCH_SIZE", 16)
    monkeypatch.setattr(noise, "READ_AT", (32, 64))
    monkeypatch.setattr(compare, "PEERS", {})
    ours = {"recommended": (make, 4), "random": (compare.plain(compare.make_random), 4)}
    monkeypatch.setattr(compare, "OURS", ours)
    return make


def test_it_runs_in_smoke_and_writes_nothing(small, monkeypatch):
    written, rows = [], []
    monkeypatch.setattr(records, "write", lambda *args, **kwargs: written.append(args))
    monkeypatch.setattr(noise, "make_table", lambda found: rows.extend(found) or "")
    console = Console(file=io.StringIO(), width=200)
    noise.measure(console, smoke=True, full=False, data_dir=None)
    assert [row["method"] for row in rows] == ["recommended", "random"]
    assert not written


def test_without_noise_the_model_reports_as_good_a_network_as_the_best_told(small):
    recorded = sources.small_table()
    means = recorded.values.mean(axis=1, keepdims=True)
    recorded = recorded._replace(values=means)
    (curve,) = compare.search_with_strategy(
        small(recorded),
        *(recorded, [0]),
        num_generations=4,
        num_batches=4,
        batch_size=16,
    )
    judged = noise.judged_regrets(recorded, [0])
    assert judged.shape == (1, 2)
    # The search is the same one.
    assert judged[0, 1] <= curve.regret[3] + means.std() / 4


def test_rows_say_what_the_model_changed():
    best = {
        "recommended": np.array([[0.4, 0.3], [0.2, 0.5]]),
        "random": np.array([[0.2, 0.2], [0.2, 0.2]]),
    }
    judged = np.array([[0.1, 0.3], [0.1, 0.1]])
    rows = noise.summarize(best, judged, {})
    assert [row["mean_rank"] for row in rows] == [1.25, 1.75]
    assert [cell["mean"] for cell in rows[0]["cells"]] == pytest.approx([0.1, 0.2])
    assert [cell["mean"] for cell in rows[0]["best_told"]] == pytest.approx([0.3, 0.4])
    first, second = rows[0]["best_told_less_judged"]
    # Differences 0.3 and 0.1: their mean's standard error is 0.1.
    assert first == pytest.approx({"difference": 0.2, "low": 0.004, "high": 0.396})
    assert second["difference"] == pytest.approx(0.2)
    record = {"name": "search_digits", "rows": rows, "command": "", "commit": ""}
    text = rendering.noise_table(record | {"device": "", "versions": VERSIONS})
    assert "| recommended | 1.25 | 1.00e-01 ± 0e+00 |" in text
    assert "3.00e-01 after 128, by 2.0e-01 (4.0e-03 to 4.0e-01)" in text


def test_mean_differences_are_paired():
    found = summary.mean_difference([1.0, 2.0, 3.0], [0.5, 1.5, 2.5])
    assert found == {"difference": 0.5, "low": 0.5, "high": 0.5}
