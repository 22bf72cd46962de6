"""The comparison with other packages' models, without them."""

import io

import numpy as np
import pytest
from rich.console import Console

from bench.harness import records
from bench.searching import compare, models, rendering, sources, summary


def random_peer(evaluate, num_choices, is_ordered, seed):
    rng = np.random.default_rng(seed)
    assert len(is_ordered) == len(num_choices)
    while True:
        evaluate(rng.integers(0, num_choices, (compare.BATCH_SIZE, len(num_choices))))


def test_it_runs_in_smoke_and_writes_nothing(monkeypatch):
    written, rows, output = [], [], io.StringIO()
    monkeypatch.setattr(records, "write", lambda *args, **kwargs: written.append(args))
    monkeypatch.setattr(compare, "BATCH_SIZE", 16)
    peers = {
        "here": (("numpy",), random_peer),
        "gone": (("numpy", "no-such-package"), random_peer),
    }
    monkeypatch.setattr(models, "PEERS", peers)
    monkeypatch.setattr(models, "make_table", lambda found: rows.extend(found) or "")
    console = Console(file=output, width=200)
    models.measure(console, smoke=True, full=False, data_dir=None)
    assert "gone is absent" in output.getvalue() and not written
    assert [row["num_distinct"] for row in rows] == [16, 32, 48, 64]
    assert set(rows[0]["cells"]) == {"recommended", "here"}
    record = {
        **{"rows": rows, "name": "models", "command": "", "commit": "", "device": ""},
        "versions": dict.fromkeys(("python", "jax", "flax", "optax"), "1"),
    }
    text = rendering.models_table(record)
    assert f"here {np.__version__} (2)" in text and "| small | 16 |" in text


def test_curves_of_another_version_are_run_anew_and_others_go_on():
    recorded = sources.small_table()
    seeds, saved = [], []

    def peer(evaluate, num_choices, is_ordered, seed):
        seeds.append(seed)
        random_peer(evaluate, num_choices, is_ordered, seed)

    cached = {}
    for version, upto in (("1", 2), ("1", 3), ("2", 2)):
        entry = compare.go_on(
            *("here", peer, version, recorded, range(upto), cached),
            num_batches=1,
            save=lambda: saved.append(True),
        )
        assert entry is cached["here"] or entry == cached["here"]
        assert entry["version"] == version and len(entry["regret"]) == upto
    assert seeds == [0, 1, 2, 0, 1] and len(saved) == 5
    assert len(entry["regret"][0]) == 1


def test_medians_and_means_are_compared_with_the_lowest_of_the_others():
    rng = np.random.default_rng(0)
    regrets = {
        "ours": rng.normal(1.0, 0.1, 30),
        "far": rng.normal(3.0, 0.1, 8),
        "near": np.concatenate([rng.normal(2.0, 0.1, 7), [90.0]]),  # in the mean, last
    }
    found = summary.compare_centres("ours", regrets, seed=1)
    assert found["median"]["peer"] == "near" and found["mean"]["peer"] == "far"
    for centre, peer in ((np.median, "near"), (np.mean, "far")):
        cell = found[centre.__name__]
        ours, theirs = regrets["ours"], regrets[peer]
        less = centre(ours) - centre(theirs)
        assert cell["difference"] == pytest.approx(less, rel=1e-5)
        assert cell["low"] < cell["difference"] < cell["high"] < 0
        assert cell["is_better"] and not cell["is_worse"]
    # The mean's bounds are those of the normal law.
    error = (regrets["ours"].var() / 30 + regrets["far"].var() / 8) ** 0.5
    width = found["mean"]["high"] - found["mean"]["low"]
    assert width == pytest.approx(2 * 1.96 * error, rel=0.1)
    even = summary.compare_centres("near", {"near": [1.0, 2], "a": [1.0, 2]}, seed=0)
    assert not any(one["is_better"] or one["is_worse"] for one in even.values())
    assert summary.compare_centres("ours", {"ours": [1.0]}, seed=0) == {}
