"""Memory that training may take: of a container, beside a data set, for all outputs."""

import jax
import jax.numpy as jnp
import pytest

from vecevo.training import epochs, memory, minibatches, planning
from vecevo.training.lanes import networks, stopping, variants


def test_the_tightest_limit_of_a_container_counts(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/memory.max").write_text("5000\n")
    (tmp_path / "a/b/memory.max").write_text("max\n")
    (tmp_path / "memory/c").mkdir(parents=True)
    (tmp_path / "memory/memory.limit_in_bytes").write_text("7000\n")
    assert memory.cgroup_limits(tmp_path, "0::/a/b\n") == [5000]
    groups = "4:cpu,memory:/c\n3:pids:/c\n0::/a\n"
    assert sorted(memory.cgroup_limits(tmp_path, groups)) == [5000, 7000]
    assert memory.cgroup_limits(tmp_path, "") == []


def test_the_budget_leaves_room_for_the_data_set(monkeypatch):
    monkeypatch.setattr(memory, "host_memory", lambda: 4000)
    assert memory.free_memory() == 1000
    assert memory.free_memory(300) == 700
    assert memory.free_memory(10_000) == 250


def bytes_of_program(num_lanes, *, width, num_features, num_classes, num_train, batch):
    """Bytes that XLA says a cohort takes while it trains, without its data."""
    module = networks.PaddedMLP(width, 1, num_classes, variants.Variant(("relu",)))
    lanes = minibatches.example_lanes(num_lanes)
    state = jax.eval_shape(
        lambda lanes: epochs.init_lanes(
            lanes, module=module, num_features=num_features
        ),
        lanes,
    )
    x, y = jnp.zeros((num_train, num_features), jnp.uint8), jnp.zeros(num_train, int)
    compiled = epochs.train_epoch.lower(
        *(state, lanes, minibatches.TrainingData(x, y, x[:2048], y[:2048])),
        stopping.StoppingRule(jnp.array(0), jnp.array(0), jnp.array(False)),
        *(jnp.array(0), jax.random.key(0)),
        module=module,
        batch_size=batch,
    ).compile()
    taken = compiled.memory_analysis().temp_size_in_bytes
    return taken + sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state))


@pytest.mark.parametrize(
    ("width", "num_classes", "num_train", "batch"),
    [(64, 1000, 2048, 64), (8, 3, 200_000, 16), (8, 3, 200_000, 128)],
    ids=["many classes", "many steps", "many examples"],
)
def test_a_lane_takes_what_was_planned(width, num_classes, num_train, batch):
    sizes = {"width": width, "num_features": 16, "num_classes": num_classes}
    sizes |= {"num_train": num_train, "batch": batch}
    # What all lanes share, such as the order of examples, is no lane's.
    taken = (bytes_of_program(8, **sizes) - bytes_of_program(4, **sizes)) / 4
    job = planning.Job(
        *(planning.CPU, 16, num_classes, batch, 1024),
        steps_per_epoch=-(-num_train // batch),
        expected_epochs=1,
        memory_bytes=1 << 40,
        num_workers=1,
    )
    planned = planning.lane_bytes(width, 1, job)
    assert taken <= planned < 3 * taken
