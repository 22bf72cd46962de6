"""What packing wastes, for recorded stopping times: useful work, programs, bytes.

Networks stop when those of the recorded table of the digits did. Useful work is the
share of the executed lane-epochs times padded parameters that the networks needed.
Plans for a CPU and for an accelerator are compared with masking every network to depth
4 in cohorts of as many lanes that are never cut down, and with one network at a time.
"""

import jax
import jax.numpy as jnp
import numpy as np
from rich.table import Table

from bench.harness import records
from vecevo import decode, load_table
from vecevo.operators import grid_population
from vecevo.training import epochs, minibatches, planning
from vecevo.training.classes import choose_classes
from vecevo.training.lanes import losses, networks, optimizers, stopping, weights

DATA_SHAPES = {"digits": (1150, 64), "cifar10": (40_000, 3072)}
NUM_CLASSES, BATCH_SIZE, MAX_EPOCHS = 10, 64, 25
KINDS = {"CPU": (planning.CPU, 2), "accelerator": (planning.ACCELERATOR, 1)}
MEMORY_BYTES = 6 << 30
NUM_GENERATIONS, POPULATION_SIZE = 10, 20
MEASURED_SHAPES = ((64, 2, 2), (256, 2, 1), (1024, 2, 1), (1024, 4, 1))


def measure(console, *, smoke, full, data_dir):
    """Packs lists of networks by plans and by the alternatives; writes the record."""
    del full, data_dir
    described, epochs = recorded_networks()
    rng = np.random.default_rng(0)
    lists = {
        "grid": [np.arange(len(described))],
        "generations of 20": [
            rng.integers(0, len(described), POPULATION_SIZE)
            for _ in range(NUM_GENERATIONS)
        ],
    }
    rows = []
    for data, data_shape in DATA_SHAPES.items():
        for kind, (costs, num_workers) in KINDS.items():
            for name, groups in lists.items():
                job = make_job(data_shape, costs, num_workers)
                counts = pack(described, epochs, groups, job)
                rows.append({"data": data, "device": kind, "networks": name, **counts})
    for shape in MEASURED_SHAPES[:1] if smoke else MEASURED_SHAPES:
        rows.append({"memory": "epoch program", **measure_bytes(*shape)})
    for table in make_tables(rows):
        console.print(table)
    if not smoke:
        records.write("packing", rows, command=records.command("packing"))


def make_job(data_shape, costs, num_workers):
    """Returns the planning.Job of the article's space on some data."""
    num_train, num_features = data_shape
    return planning.Job(
        costs=costs,
        num_features=num_features,
        num_classes=NUM_CLASSES,
        batch_size=BATCH_SIZE,
        examples_at_once=losses.EVALUATION_BATCH,
        steps_per_epoch=-(-num_train // BATCH_SIZE),
        expected_epochs=MAX_EPOCHS,
        memory_bytes=MEMORY_BYTES,
        num_workers=num_workers,
    )


def pack(described, epochs, groups, job):
    """Returns useful-work ratios and numbers of programs of every way to pack."""
    shapes = [(network.width, network.depth) for network in described]
    classes = choose_classes(
        shapes, job, list_size=len(groups[0]), num_lists=len(groups)
    )
    plans = [
        [
            cohort._replace(
                individuals=tuple(g[i] if i >= 0 else -1 for i in cohort.individuals)
            )
            for cohort in planning.plan([described[i] for i in g], classes)
        ]
        for g in groups
    ]
    needed = sum(
        epochs[i] * count_params(shapes[i], job) for group in groups for i in group
    )
    executed, shapes_used, executed_masked, masked_used = 0, set(), 0, set()
    for cohort in (cohort for plan in plans for cohort in plan):
        width, depth, lane_counts = cohort.cohort_class
        stops = [epochs[i] if i >= 0 else 0 for i in cohort.individuals]
        used = lane_epochs(stops, lane_counts)
        executed += sum(used.values()) * count_params((width, depth), job)
        shapes_used |= {(width, depth, lanes) for lanes in used}
        never_cut = len(stops) * max(stops)
        executed_masked += never_cut * count_params((width, 4), job)
        masked_used.add((width, len(stops)))
    return {
        "useful_work_ratio": needed / executed,
        "num_programs": len(shapes_used),
        "most_programs": sum(len(c.lane_counts) for c in classes),
        "useful_work_ratio_masked": needed / executed_masked,
        "num_programs_masked": len(masked_used),
        "num_programs_one_by_one": len({described[i] for g in groups for i in g}),
    }


def lane_epochs(stops, lane_counts):
    """Lane-epochs executed at each lane count, when lanes stop after so many epochs."""
    used, num_lanes = {}, len(stops)
    for epoch in range(max(stops)):
        used[num_lanes] = used.get(num_lanes, 0) + num_lanes
        num_active = sum(stop > epoch + 1 for stop in stops)
        if num_active:
            num_lanes = min(n for n in lane_counts if n >= num_active)
    return used


def count_params(shape, job):
    """Parameters of a network of (width, depth)."""
    width, depth = shape
    return weights.count_params(
        [width] * depth, num_features=job.num_features, num_classes=NUM_CLASSES
    )


def measure_bytes(width, depth, num_lanes):
    """Peak bytes per parameter of a compiled epoch program, by its own account."""
    num_train, num_features = 2 * BATCH_SIZE, DATA_SHAPES["cifar10"][1]
    module = networks.PaddedMLP(width, depth, NUM_CLASSES)
    lanes = minibatches.example_lanes(num_lanes)
    state = jax.eval_shape(
        lambda lanes: epochs.init_lanes(
            lanes, module=module, num_features=num_features
        ),
        lanes,
    )
    x, y = jnp.zeros((num_train, num_features), jnp.uint8), jnp.zeros(num_train, int)
    data = minibatches.TrainingData(x, y, x, y)
    rule = stopping.StoppingRule(jnp.array(0), jnp.array(0), jnp.array(False))
    compiled = epochs.train_epoch.lower(
        *(state, lanes, data, rule, jnp.array(0), jax.random.key(0)),
        module=module,
        batch_size=BATCH_SIZE,
    ).compile()
    analysis = compiled.memory_analysis()
    temporary = analysis.temp_size_in_bytes if analysis else float("nan")
    num_params = num_lanes * weights.count_params(
        [width] * depth, num_features=num_features, num_classes=NUM_CLASSES
    )
    state_bytes = sum(leaf.size * 4 for leaf in jax.tree.leaves(state))
    return {
        "width": width,
        "depth": depth,
        "num_lanes": num_lanes,
        "state_bytes_per_param": state_bytes / num_params,
        "peak_bytes_per_param": (state_bytes + temporary) / num_params,
    }


def make_tables(rows):
    """Returns tables of the plans and of the memory for the console."""
    plans, memory = Table(box=None), Table(box=None)
    names = ("data", "device", "networks", "useful work", "programs", "at most")
    for name in (*names, "masked to depth 4", "programs", "one by one: programs"):
        plans.add_column(name, justify="right")
    for name in ("width", "depth", "lanes", "state B/param", "peak B/param"):
        memory.add_column(name, justify="right")
    for row in rows:
        if "memory" in row:
            memory.add_row(
                *(str(row[name]) for name in ("width", "depth", "num_lanes")),
                f"{row['state_bytes_per_param']:.1f}",
                f"{row['peak_bytes_per_param']:.1f}",
            )
        else:
            plans.add_row(
                *(row[name] for name in ("data", "device", "networks")),
                f"{row['useful_work_ratio']:.3f}",
                str(row["num_programs"]),
                str(row["most_programs"]),
                f"{row['useful_work_ratio_masked']:.3f}",
                str(row["num_programs_masked"]),
                str(row["num_programs_one_by_one"]),
            )
    return plans, memory


def recorded_networks():
    """Returns the Trainees of the embedded table, and the epochs they trained for."""
    table = load_table("digits")
    genomes = grid_population(
        table.space.num_choices, start=0, population_size=table.space.num_genomes
    )
    decoded = [decode(table.space, genome) for genome in np.asarray(genomes)]
    described = [
        planning.Trainee(
            width=values["width"],
            depth=values["depth"],
            update_level=optimizers.row_of(values["optimizer"]).level,
        )
        for values in decoded
    ]
    return described, table.num_epochs[:, 0].tolist()
