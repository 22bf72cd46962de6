"""Compiles the epoch program for a described NVIDIA H100, with no GPU in the machine.

    .gpu/bin/python -m bench.gpu.described WIDTH DEPTH LANES FEATURES FOLDER

Leaves `program.txt`, XLA's text of it, and `facts.json` in the folder. Nothing runs and
nothing is autotuned: a card may choose other products.
"""

import importlib.metadata
import json
import pathlib
import sys
from typing import Any

import jax
import jax.numpy as jnp
from jax.experimental import topologies

from bench.gpu import BATCH_SIZE, EXAMPLES, NUM_CLASSES, VALIDATION
from vecevo import article_space
from vecevo.keys import IMPLEMENTATION
from vecevo.training import epochs, minibatches
from vecevo.training.lanes.networks import PaddedMLP
from vecevo.training.lanes.stopping import StoppingRule
from vecevo.training.variants import choose_variant

# From NVIDIA's data sheet and what CUDA reports of an H100 80GB HBM3.
H100 = """
gpu_device_info {
  threads_per_block_limit: 1024
  threads_per_warp: 32
  shared_memory_per_block: 49152
  shared_memory_per_block_optin: 232448
  shared_memory_per_core: 233472
  threads_per_core_limit: 2048
  core_count: 132
  fpus_per_core: 128
  block_dim_limit_x: 2147483647
  block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  memory_bandwidth: 3352320000000
  l2_cache_size: 52428800
  clock_rate_ghz: 1.98
  device_memory_size: 84929347584
  cuda_compute_capability { major: 9 }
  registers_per_core_limit: 65536
  registers_per_block_limit: 65536
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 8 }
runtime_version { major: 13 minor: 0 patch: 0 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""


def main() -> None:
    """Compiles one shape, and leaves what XLA says of it."""
    *sizes, folder = sys.argv[1:]
    compiled = compile_epoch(*map(int, sizes))
    text, memory = compiled.as_text(), compiled.memory_analysis()
    if text is None or memory is None:
        raise RuntimeError("XLA says nothing of what it has compiled.")
    pathlib.Path(folder, "program.txt").write_text(text)
    facts = {
        "state_bytes": memory.output_size_in_bytes,
        "temporary_bytes": memory.temp_size_in_bytes,
        "jax": importlib.metadata.version("jax"),
    }
    pathlib.Path(folder, "facts.json").write_text(json.dumps(facts))


def compile_epoch(
    width: int, depth: int, num_lanes: int, num_features: int
) -> jax.stages.Compiled:
    """Compiles the epoch of a shape for the card."""
    topology = topologies.get_topology_desc(
        platform="cuda", target_config=H100, topology="1x1x1"
    )
    mesh = topologies.make_mesh(topology, (1,), ("device",))
    on_card = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())

    def described(shape: tuple[int, ...], dtype: jax.typing.DTypeLike) -> Any:
        return jax.ShapeDtypeStruct(shape, dtype, sharding=on_card)

    choices = {"weight_decay": (0.0,)} | dict(article_space().genes)
    variant = choose_variant(choices | {"dropout_rate": (0.2,)}, is_for_cpu=False)
    module = PaddedMLP(width, depth, NUM_CLASSES, variant)
    lanes = minibatches.example_lanes(num_lanes)
    state = jax.eval_shape(
        lambda lanes: epochs.init_lanes(
            lanes, module=module, num_features=num_features
        ),
        lanes,
    )
    data = minibatches.TrainingData(
        x_train=described((EXAMPLES, num_features), jnp.uint8),
        y_train=described((EXAMPLES,), jnp.int32),
        x_validation=described((VALIDATION, num_features), jnp.uint8),
        y_validation=described((VALIDATION,), jnp.int32),
    )
    rule = StoppingRule(jnp.array(0), jnp.array(0), jnp.array(False))
    order_key = jax.random.key(0, impl=IMPLEMENTATION)
    rest = (state, lanes, rule, jnp.array(0), order_key)
    state, lanes, rule, epoch, order_key = jax.tree.map(
        lambda leaf: described(leaf.shape, leaf.dtype), rest
    )
    with jax.default_matmul_precision("tensorfloat32"):
        return epochs.train_epoch.lower(
            *(state, lanes, data, rule, epoch, order_key),
            module=module,
            batch_size=BATCH_SIZE,
        ).compile()


if __name__ == "__main__":
    main()
