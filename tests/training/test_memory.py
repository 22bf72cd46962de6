"""Memory that training may take: of a container, beside a data set, for all outputs."""

import jax
import jax.numpy as jnp

from vecevo.training import epochs, memory, planning
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


def test_a_program_of_a_thousand_classes_takes_what_was_planned():
    num_lanes, num_features, num_classes = 4, 16, 1000
    module = networks.PaddedMLP(64, 1, num_classes, variants.Variant(("relu",)))
    lanes = epochs.example_lanes(num_lanes)
    state = jax.eval_shape(
        lambda lanes: epochs.init_lanes(
            lanes, module=module, num_features=num_features
        ),
        lanes,
    )
    x, y = jnp.zeros((2048, num_features), jnp.uint8), jnp.zeros(2048, int)
    compiled = epochs.train_epoch.lower(
        *(state, lanes, epochs.TrainingData(x, y, x, y)),
        stopping.StoppingRule(jnp.array(0), jnp.array(0), jnp.array(False)),
        *(jnp.array(0), jax.random.key(0)),
        module=module,
        batch_size=64,
    ).compile()
    taken = compiled.memory_analysis().temp_size_in_bytes
    taken += sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    job = planning.Job(
        planning.CPU, num_features, num_classes, 64, 1024, 1, 1, 1 << 40, 1
    )
    planned = num_lanes * planning.lane_bytes(64, 1, job)
    assert taken <= planned < 3 * taken
