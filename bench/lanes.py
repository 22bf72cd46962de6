"""Training throughput of mixed cohorts against one network after the other.

Networks of all activations and optimizers, with rates of their own, dropout and
weight decay on, are trained by vecevo in mixed cohorts, optimizers in rotation, and by
`vecevo.reference`: a jitted `lax.scan` over plain Flax and Optax, one network at a
time. A third side trains the same networks in cohorts as vecevo's plan packs them, with
like optimizers together. The sides take turns in one process, on the same data. A pass
is one epoch of training and the evaluation of one batch.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np
from rich.table import Table

from bench import records
from vecevo import (
    evaluation,
    hyperparams,
    make_dataset,
    networks,
    packing,
    reference,
    update_rules,
)
from vecevo import session as sessions

BATCH_SIZE, DEPTH, NUM_CLASSES = 64, 2, 10
NUM_FEATURES, WIDTHS = (64, 784, 3072), (64, 256, 512, 1024)
OPTIMIZERS = ("rmsprop", "adam", "sgd", "adagrad", "adadelta", "adamax", "nadam")
ACTIVATIONS = ("relu", "elu", "tanh", "sigmoid")
NUM_PAIRS = 7


def measure(console, *, smoke, data_dir):
    """Measures every cell of the table, shows it, and writes the record."""
    del data_dir  # the inputs are random bytes
    rows = []
    cells = [(f, w) for f in NUM_FEATURES for w in WIDTHS]
    for num_features, width in cells[:1] if smoke else cells:
        num_pairs, num_steps = (2, 2) if smoke else (NUM_PAIRS, 40)
        row = measure_cell(num_features, width, num_pairs, num_steps)
        rows.append(row)
        console.print(
            f"lanes: {num_features} features, width {width}, {row['num_lanes']} lanes: "
            f"{row['ratio']['median']:.2f} times the reference"
        )
    console.print(make_table(rows))
    if not smoke:
        command = "python -m bench lanes"
        console.print(f"record: {records.write('lanes', rows, command=command).name}")


def measure_cell(num_features, width, num_pairs, num_steps):
    """Measures one width and number of features; returns a row of the record."""
    dataset = random_dataset(num_features, num_steps * BATCH_SIZE)
    session, cohort_class = make_session(dataset, width)
    num_lanes = cohort_class.lane_counts[-1]
    described = describe_networks(width, len(OPTIMIZERS) * num_lanes)
    start = time.perf_counter()
    train_mixed = prepare_lanes(session, cohort_class, described, is_mixed=True)
    compile_lanes = time.perf_counter() - start
    start = time.perf_counter()
    train_reference = prepare_reference(session, described[: len(OPTIMIZERS)])
    compile_reference = time.perf_counter() - start
    train_planned = prepare_lanes(session, cohort_class, described, is_mixed=False)
    sides = {
        "mixed": (train_mixed, len(described)),
        "planned": (train_planned, len(described)),
        "reference": (train_reference, len(OPTIMIZERS)),
    }
    if num_lanes == 1:  # then both are the same
        del sides["planned"]
    rates = {side: [] for side in sides}
    for epoch in range(num_pairs + 1):
        for side, (train, num_networks) in sides.items():
            seconds = timed(train, epoch)
            if epoch:  # the first pass warms caches up
                rates[side].append(num_networks * num_steps * BATCH_SIZE / seconds)
    session.setup.programs.close()
    ratios = {
        side: [a / b for a, b in zip(rates[side], rates["reference"], strict=True)]
        for side in sides
    }
    planned = "planned" if "planned" in sides else "mixed"
    return {
        "num_features": num_features,
        "width": width,
        "depth": DEPTH,
        "batch_size": BATCH_SIZE,
        "num_lanes": num_lanes,
        "num_networks": len(described),
        "mixed_samples_per_second": records.spread(rates["mixed"]),
        "planned_samples_per_second": records.spread(rates[planned]),
        "reference_samples_per_second": records.spread(rates["reference"]),
        "ratio": records.spread(ratios["mixed"]),
        "ratio_planned": records.spread(ratios[planned]),
        "compile_seconds_lanes": compile_lanes,
        "compile_seconds_reference": compile_reference,
    }


def random_dataset(num_features, num_train):
    """Random bytes, exactly so many of them to train on."""
    rng = np.random.default_rng(0)
    num = num_train + num_train // 4  # a fifth of these is held out
    return make_dataset(
        x_train=rng.integers(0, 256, (num, num_features), np.uint8),
        y_train=np.arange(num) % NUM_CLASSES,
        x_test=rng.integers(0, 256, (10, num_features), np.uint8),
        y_test=np.arange(10),
    )._replace(
        x_validation=rng.integers(0, 256, (BATCH_SIZE, num_features), np.uint8),
        y_validation=np.arange(BATCH_SIZE, dtype=np.int32) % NUM_CLASSES,
    )


def make_session(dataset, width):
    """Plans as for a long run, so that compilation does not decide."""
    session = sessions.start_session(
        dataset,
        [(width, DEPTH)],
        list_size=7 * packing.LADDER[-1],
        num_lists=1000,
        batch_size=BATCH_SIZE,
        max_epochs=1000,
        patience=1000,
    )
    return session, session.classes[0]


def describe_networks(width, num_networks):
    """Every optimizer and activation in turn, with rates of their own."""
    described = []
    for number in range(num_networks):
        values = {
            "width": width,
            "depth": DEPTH,
            "activation": ACTIVATIONS[number % len(ACTIVATIONS)],
            "optimizer": OPTIMIZERS[number % len(OPTIMIZERS)],
            "dropout_rate": 0.1 + 0.01 * (number % 20),
            "weight_decay": 1e-4 * (1 + number),
        }
        values = hyperparams.complete(values)
        values["learning_rate"] *= 0.1 + 0.01 * (number % 10)
        described.append(values)
    return described


def prepare_lanes(session, cohort_class, described, *, is_mixed):
    """Compiles for a class; returns a function of the epoch that trains them all."""
    shapes = [
        (
            h["width"],
            h["depth"],
            # A plan sorts by this; of equals, cohorts are mixed as the list is.
            0 if is_mixed else update_rules.update_level(h["optimizer"]),
        )
        for h in described
    ]
    plan = packing.plan(shapes, [cohort_class])
    network = networks.PaddedMLP(cohort_class.width, cohort_class.depth, NUM_CLASSES)
    setup = session.setup
    init, train_epoch = setup.programs.get(network, cohort_class.lane_counts[-1])
    lanes = [evaluation.make_lanes(session.network_root, c, described) for c in plan]
    states = [init(lane) for lane in lanes]

    def train(epoch):
        reports = []
        for number, lane in enumerate(lanes):
            states[number], report = train_epoch(
                states[number], lane, setup.data, setup.rule, epoch, setup.order_key
            )
            reports.append(report)
        return reports

    return train


def prepare_reference(session, described):
    """Compiles each network's own program; returns a function that trains them."""
    data, runs = session.setup.data, []
    for values in described:
        trainer = reference.make_trainer(
            **values,
            num_features=data.x_train.shape[1],
            num_classes=NUM_CLASSES,
            batch_size=BATCH_SIZE,
        )
        key = evaluation.network_key(session.network_root, values)
        init_key, dropout_key = reference.split_network_key(key)
        state = trainer.init(init_key)
        first = (state, dropout_key, jnp.array(0), session.setup.order_key)
        train_epoch = trainer.train_epoch.lower(
            *first, data.x_train, data.y_train
        ).compile()
        evaluate = trainer.evaluate.lower(
            state.params, data.x_validation, data.y_validation
        ).compile()
        runs.append([state, dropout_key, train_epoch, evaluate])

    def train(epoch):
        reports = []
        for run in runs:
            state, dropout_key, train_epoch, evaluate = run
            run[0], loss = train_epoch(
                state,
                dropout_key,
                epoch,
                session.setup.order_key,
                data.x_train,
                data.y_train,
            )
            measured = evaluate(run[0].params, data.x_validation, data.y_validation)
            reports.append((loss, measured))
        return reports

    return train


def timed(train, epoch):
    """Seconds of one pass over all networks of a side."""
    epoch = jnp.array(epoch)
    start = time.perf_counter()
    jax.block_until_ready(train(epoch))
    return time.perf_counter() - start


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    names = ("features", "width", "lanes", "vecevo", "reference", "ratio", "min-max")
    for name in (*names, "as planned", "compile s"):
        table.add_column(name, justify="right")
    for row in rows:
        ratio = row["ratio"]
        table.add_row(
            str(row["num_features"]),
            str(row["width"]),
            str(row["num_lanes"]),
            f"{row['mixed_samples_per_second']['median']:,.0f}",
            f"{row['reference_samples_per_second']['median']:,.0f}",
            f"{ratio['median']:.2f}",
            f"{ratio['min']:.2f}-{ratio['max']:.2f}",
            f"{row['ratio_planned']['median']:.2f}",
            f"{row['compile_seconds_lanes']:.1f} / "
            f"{row['compile_seconds_reference']:.1f}",
        )
    return table
