"""What the pieces of a recipe cost: a cohort of which half has one, against without.

The lanes are of adam and sgd in turn. Each program trains epochs of the same examples,
all in turn in one process; a ratio is of two that followed each other.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np
from rich.table import Table

from bench.harness import markdown, records
from vecevo.training import batches, epochs, minibatches, planning, recipe
from vecevo.training.lanes import networks, stopping
from vecevo.training.lanes.augmentation import Augmentation
from vecevo.training.variants import choose_variant

# By name, what every other network has. An optimizer takes only its own.
PIECES = {
    "schedule": {"schedule": "cosine", "warmup": 0.1},
    "momentum": {"momentum": 0.9},
    "beta_2": {"beta_2": 0.99},
    "label_smoothing": {"label_smoothing": 0.1},
    "gradient_clip": {"gradient_clip": 1.0},
    "averaging": {"averaging": 0.5},
    "init_gain": {"init_gain": 0.5},
    "norm": {"norm": "layer"},
    "skip": {"skip": "identity"},
    "silu": {"activation": "silu"},
}
IMAGES = {"flip, shift": ("flip", "shift"), "cutout": ("cutout",)}
SHAPE, NUM_CLASSES, BATCH_SIZE, DEPTH = (28, 28, 1), 10, 128, 3
CELLS = ((64, 8), (512, 4))  # width and lanes
NUM_STEPS, NUM_TURNS = 40, 9


def measure(console, *, smoke, full, data_dir):
    """Measures every piece at both widths, and writes the record."""
    del full, data_dir
    rows = []
    for width, num_lanes in CELLS[:1] if smoke else CELLS:
        rows += measure_width(8 if smoke else width, num_lanes, smoke)
        console.print(make_table(rows))
    if not smoke:
        records.write("pieces", rows, command=records.command("pieces"))


def measure_width(width, num_lanes, smoke):
    """Returns a row for each piece, for all together, and for changed images."""
    start(width - 1, num_lanes, {})  # the first compilation warms the compiler up
    sides = {name: start(width, num_lanes, piece) for name, piece in PIECES.items()}
    whole = {k: v for piece in PIECES.values() for k, v in piece.items()}
    sides["all of these"] = start(width, num_lanes, whole)
    for name, names in IMAGES.items():
        done = Augmentation(SHAPE, names)
        sides[name] = start(width, num_lanes, {}, augmentation=done)
    sides["mixup"] = start(
        width, num_lanes, {}, augmentation=Augmentation(SHAPE, mixup=0.2)
    )
    train_plain, plain_seconds = start(width, num_lanes, {})
    rows = []
    for name, (train, compile_seconds) in sides.items():
        ratios = []
        for _ in range(1 + (1 if smoke else NUM_TURNS)):
            before = train_plain()
            ratios.append(train() / before)
        rows.append(
            {
                "piece": name,
                "width": width,
                "num_lanes": num_lanes,
                "ratio": records.spread(ratios[1:]),  # the first warms caches up
                "compile_ratio": compile_seconds / plain_seconds,
            }
        )
    return rows


def start(width, num_lanes, piece, *, augmentation=None):
    """Compiles a program; returns a function that times an epoch, and its seconds."""
    described = [describe(width, lane, piece) for lane in range(num_lanes)]
    choices = {name: {h[name] for h in described} for name in recipe.NAMES}
    for name in ("momentum", "beta_2"):
        if name not in piece:
            del choices[name]  # by default, which differs between optimizers
    variant = choose_variant(choices, is_for_cpu=True)
    variant = variant._replace(augmentation=augmentation)
    module = networks.PaddedMLP(width, DEPTH, NUM_CLASSES, variant)
    cohort = planning.Cohort(
        planning.CohortClass(width, DEPTH, (num_lanes,)), tuple(range(num_lanes))
    )
    lanes = batches.make_lanes(jax.random.key(0), cohort, described)
    state = epochs.init_lanes(lanes, module=module, num_features=np.prod(SHAPE).item())
    arguments = (lanes, make_data(), make_rule(), jnp.array(1), jax.random.key(1))
    how = {"module": module, "batch_size": BATCH_SIZE}
    begin = time.perf_counter()
    program = epochs.train_epoch.lower(state, *arguments, **how).compile()
    compile_seconds = time.perf_counter() - begin
    states = [state]

    def train():
        begin = time.perf_counter()
        states[0], report = program(states[0], *arguments)
        jax.block_until_ready(report)
        return time.perf_counter() - begin

    return train, compile_seconds


def describe(width, lane, piece):
    """A network; in pairs of adam and sgd, one in two has the piece."""
    values = {"width": width, "depth": DEPTH, "activation": "relu"}
    values["optimizer"] = ("adam", "sgd")[lane % 2]
    values["dropout_rate"], values["weight_decay"] = 0.1, 0.01
    return recipe.complete(values | (piece if lane // 2 % 2 == 0 else {}))


def make_data():
    """Random bytes, for so many steps."""
    rng = np.random.default_rng(0)
    num = NUM_STEPS * BATCH_SIZE
    x = jnp.array(rng.integers(0, 256, (num, np.prod(SHAPE)), np.uint8))
    y = jnp.array(rng.integers(0, NUM_CLASSES, num), jnp.int32)
    return minibatches.TrainingData(x, y, x[:BATCH_SIZE], y[:BATCH_SIZE])


def make_rule():
    """Lanes do not stop."""
    return stopping.StoppingRule(*map(jnp.array, (1000, 1000, False)))


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("piece", "width", "lanes", "times the plain cohort", "compile"):
        table.add_column(name)
    for row in rows:
        table.add_row(
            *(row["piece"], str(row["width"]), str(row["num_lanes"])),
            *(ratio_text(row), f"{row['compile_ratio']:.2f}"),
        )
    return table


def ratio_text(row):
    """The time of an epoch, in those of the plain cohort: median and spread."""
    ratio = row["ratio"]
    return f"{ratio['median']:.2f} ({ratio['min']:.2f}-{ratio['max']:.2f})"


def pieces_table(record):
    """The record, a line for each piece, for the report."""
    by_piece = {}
    for row in record["rows"]:
        by_piece.setdefault(row["piece"], []).append(row)
    widths = dict.fromkeys(row["width"] for row in record["rows"])
    lines = markdown.head(
        ("piece", *(f"step at width {width}" for width in widths)),
        [f"compiling at width {width}" for width in widths],
    )
    for piece, rows in by_piece.items():
        compiling = (f"{row['compile_ratio']:.2f}" for row in rows)
        lines.append(markdown.row([piece, *map(ratio_text, rows), *compiling]))
    num_turns = record["rows"][0]["ratio"]["n"]
    how = f"Times the cohort without; medians (spreads) of {num_turns} turns"
    return markdown.finish(lines, record, how)
