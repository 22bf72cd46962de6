"""The training step as XLA compiles it for an H100, with no GPU in the machine.

    make gpu-program

Kernels a step, bytes a weight, what waits for the host, and memory against the
planner's. Nothing runs: the times are PROJECTED, by bytes and launches alone.
"""

import json
import os
import pathlib
import subprocess
import tempfile

from rich.table import Table

from bench.gpu import BATCH_SIZE, EXAMPLES, NUM_CLASSES, hlo
from bench.harness import records
from vecevo.errors import InputError
from vecevo.training import planning
from vecevo.training.lanes.losses import EVALUATION_BATCH

ROOT = pathlib.Path(__file__).parent.parent.parent
PYTHON = ROOT / ".gpu" / "bin" / "python"
# Width, depth, lanes and features.
CASES = (
    *((64, 2, 64, 3072), (256, 2, 64, 3072), (1024, 2, 32, 3072)),
    *((1024, 4, 16, 3072), (64, 2, 64, 64)),
)
BANDWIDTH = 3.0e12  # bytes a second: what a copy moves on an H100 80GB HBM3
LAUNCH_SECONDS = 2e-6  # of a kernel
NO_CARD = {
    "JAX_PLATFORMS": "cpu",
    "JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "XLA_FLAGS": "--xla_gpu_autotune_level=0",
}


def measure(console, *, smoke, full, data_dir):
    """Compiles every case, and writes the record."""
    del data_dir
    if not PYTHON.exists():
        raise InputError(f"{PYTHON} is not there: make gpu-program makes it.")
    rows = []
    for case in CASES[-1:] if smoke else CASES:
        text, facts = compile_case(case)
        rows.append(make_row(case, text, facts))
        if full:
            console.print(kernels_table(hlo.read_step(text, "train_step")))
    console.print(make_table(rows))
    if not smoke:
        records.write("gpu_program", rows, command=records.command("gpu_program"))


def compile_case(case):
    """Returns XLA's text of a case, and facts, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [PYTHON, "-m", "bench.gpu.described", *map(str, case), folder]
        subprocess.run(command, check=True, cwd=ROOT, env=os.environ | NO_CARD)
        text = pathlib.Path(folder, "program.txt").read_text()
        return text, json.loads(pathlib.Path(folder, "facts.json").read_text())


def make_row(case, text, facts):
    """What is known of a case."""
    width, depth, num_lanes, num_features = case
    step = hlo.read_step(text, "train_step")
    moved = step.num_bytes
    job = make_job(num_features)
    weights = num_lanes * planning.num_weights(width, depth, job)
    seconds = moved / BANDWIDTH + len(step.kernels) * LAUNCH_SECONDS
    planned = num_lanes * planning.lane_bytes(width, depth, job)
    return {
        **{"width": width, "depth": depth, "num_lanes": num_lanes},
        "num_features": num_features,
        "kernels": len(step.kernels),
        "bytes_per_weight": moved / weights,
        "conditionals": step.num_conditionals,
        "transfers": step.num_transfers,
        "projected_step_seconds": seconds,
        "projected_samples_per_second": num_lanes * BATCH_SIZE / seconds,
        "memory_of_planned": (facts["state_bytes"] + facts["temporary_bytes"])
        / planned,
        "jax": facts["jax"],
    }


def make_job(num_features):
    """The Job of a case, as the planner has it on an accelerator."""
    return planning.Job(
        costs=planning.ACCELERATOR,
        num_features=num_features,
        num_classes=NUM_CLASSES,
        batch_size=BATCH_SIZE,
        examples_at_once=EVALUATION_BATCH,
        steps_per_epoch=EXAMPLES // BATCH_SIZE,
        expected_epochs=25,
        memory_bytes=1 << 40,
        num_workers=1,
    )


def kernels_table(step):
    """Returns the kernels of a step, in order, as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("MB", "kernel", "from"):
        table.add_column(name, justify="right" if name == "MB" else "left")
    for kernel in step.kernels:
        size = f"{kernel.num_bytes / 1e6:,.2f}"
        table.add_row(size, kernel.name, kernel.origin[-70:])
    return table


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = ("width", "depth", "lanes", "features", "kernels", "bytes a weight")
    for name in (*names, "conditionals", "transfers", "memory", "PROJECTED us"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(
            *(str(row[n]) for n in ("width", "depth", "num_lanes", "num_features")),
            str(row["kernels"]),
            f"{row['bytes_per_weight']:.1f}",
            str(row["conditionals"]),
            str(row["transfers"]),
            f"{row['memory_of_planned']:.2f}",
            f"{1e6 * row['projected_step_seconds']:,.0f}",
        )
    return table
