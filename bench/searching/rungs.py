"""What pruning saves: regret of the network finally chosen, by epochs trained.

Searches of ten generations of 20 on tables with curves. A run observes one replicate of
each network; regret is how far the mean of the chosen network's replicates, trained to
the end, is below the best mean of the table. Training ends by a patience of 5, as a
run's does, whatever the rule. i-Epoch trains all for i epochs, and the five best to the
end (Egele et al., "Is one epoch all you need for multi-fidelity hyperparameter
optimization?", 2023); it is here to be beaten.
"""

import jax
import jax.numpy as jnp
import numpy as np
from rich.table import Table

import vecevo
from bench.harness import records
from bench.searching import compare, rungs_picture, sources, summary
from vecevo import strategies
from vecevo.strategies import pruning

POPULATION_SIZE, NUM_GENERATIONS, NUM_SEEDS = 20, 10, 50
PATIENCE = 5
NUM_FULL = 5  # networks that i-Epoch trains to the end
TABLES = {"fashion_mnist": "fashion_mnist"}
PICTURE = records.FOLDER / "rungs.svg"
STRATEGIES = {"random": compare.make_random}


def measure(console, *, smoke, full, data_dir):
    """Searches by every rule, and writes record and picture."""
    del full, data_dir
    rows = []
    for name, source in TABLES.items():
        table = vecevo.load_table(source)
        for strategy in STRATEGIES:
            seeds = range(2 if smoke else NUM_SEEDS)
            rows += measure_rules(table, strategy, list(seeds), smoke, table_name=name)
            console.print(f"rungs: {name}, {strategy}")
    console.print(make_table(rows))
    if not smoke:
        rungs_picture.draw(rows, PICTURE)
        records.write("rungs", rows, command=records.command("rungs"))


def make_rules(num_epochs):
    """Returns the rules by name; those of i-Epoch are followed by full trainings."""
    return {
        "none": pruning.train_all(),
        **{f"{i}-epoch": first_epochs(i) for i in (1, 2, 5, 10)},
        "median": median_rule(),
        "halving by 2": pruning.halving((3, 6, 12, num_epochs), factor=2),
        "halving by 3": pruning.halving((3, 9, num_epochs), factor=3),
    }


def first_epochs(num_epochs):
    """The rule of i-Epoch: none goes on."""

    def rule(curves, ties):
        del ties
        accuracy = curves.accuracy[:, num_epochs - 1]
        trained = jnp.minimum(num_epochs, curves.num_epochs)
        return pruning.Pruned(accuracy, trained, jnp.zeros_like(trained))

    return rule


def median_rule():
    """A network stops whose best is below the median of its generation's averages.

    At every epoch, over the networks that got there, averages of what each had so far.
    See Golovin et al., "Google Vizier", 2017.
    """

    def rule(curves, ties):
        del ties
        accuracy = curves.accuracy
        num_epochs = accuracy.shape[1]
        averages = jnp.cumsum(accuracy, axis=1) / jnp.arange(1, num_epochs + 1)
        is_there = jnp.ones(len(accuracy), bool)
        reached = jnp.full(len(accuracy), num_epochs)
        for epoch in range(num_epochs - 1):
            there = jnp.where(is_there, averages[:, epoch], jnp.nan)
            stops = is_there & (accuracy[:, epoch] < jnp.nanmedian(there))
            reached = jnp.where(stops, epoch + 1, reached)
            is_there &= ~stops
        at = jnp.take_along_axis(accuracy, reached[:, None] - 1, axis=1)[:, 0]
        fitness = pruning.sort_keys(is_there, at)
        trained = jnp.minimum(reached, curves.num_epochs)
        return pruning.Pruned(fitness, trained, is_there.astype(jnp.int32))

    return rule


def measure_rules(table, strategy, seeds, smoke, *, table_name):
    """Returns a row for each rule, with differences from no pruning."""
    curves = follow(table)
    rules = make_rules(curves.accuracy.shape[-1])
    names = list(rules)[:2] if smoke else list(rules)
    found = {
        name: search_by(rules[name], curves, table, strategy, seeds, name)
        for name in names
    }
    none = found["none"]
    rows = []
    for name, (regret, epochs) in found.items():
        share = epochs[:, -1] / none[1][:, -1]
        rows.append(
            {
                "table": table_name,
                "strategy": strategy,
                "rule": name,
                "num_seeds": len(seeds),
                "lane_epochs": np.round(np.median(epochs, axis=0)).tolist(),
                "regret": [bounds(column) for column in regret.T],
                "share_of_epochs": summary.round_to(np.median(share), 3),
                "less_none": summary.mean_difference(regret[:, -1], none[0][:, -1]),
            }
        )
    return rows


def follow(table):
    """Returns the Curves of a table, with the patience of a run."""
    return pruning.follow(
        table.curves,
        num_epochs=table.num_epochs,
        is_failed=np.isneginf(table.validation_accuracy),
        patience=PATIENCE,
    )


def search_by(rule, curves, table, strategy, seeds, name):
    """Returns float64[S, T] twice: regret of the network chosen, and epochs trained."""
    num_choices = tuple(table.space.num_choices)
    make = STRATEGIES[strategy](num_choices, population_size=POPULATION_SIZE)
    finals = np.asarray(curves.accuracy[..., -1], np.float64)
    recorded = sources.Recorded(table.source, num_choices, (), finals)
    columns = np.array([sources.draw_replicates(recorded, seed) for seed in seeds])

    @jax.jit
    @jax.vmap
    def run(seed, replicate):
        evaluate = pruning.look_up(curves, num_choices, rule, replicate=replicate)
        _, trace = strategies.run_strategy(
            jax.random.key(seed),
            make,
            lambda population: evaluate(population).fitness,
            NUM_GENERATIONS,
        )
        return trace, jax.vmap(evaluate)(trace.offspring).num_epochs

    trace, num_epochs = jax.tree.map(np.asarray, run(np.asarray(seeds), columns))
    means = finals.mean(axis=1)
    regrets, epochs = [], []
    for seed, offspring, told, trained in zip(
        range(len(seeds)), trace.offspring, trace.fitness, num_epochs, strict=True
    ):
        numbers = np.ravel_multi_index(tuple(np.moveaxis(offspring, 2, 0)), num_choices)
        chosen, more = choose(
            *(numbers, told, trained),
            observed=np.take_along_axis(finals, columns[seed][:, None], axis=1)[:, 0],
            whole=np.take_along_axis(
                np.asarray(curves.num_epochs), columns[seed][:, None], axis=1
            )[:, 0],
            num_full=NUM_FULL if name.endswith("-epoch") else 0,
        )
        regrets.append(means.max() - means[chosen])
        epochs.append(np.cumsum(trained.sum(axis=1)) + more)
    return np.array(regrets), np.array(epochs)


def choose(numbers, told, trained, *, observed, whole, num_full):
    """Follows which network a search would end with.

    Args:
      numbers: int[T, P], networks by their place in the table.
      told: float[T, P], what the search was told of them.
      trained: int[T, P], epochs.
      observed: float[N], accuracy of every network at its end.
      whole: int[N], epochs to its end.
      num_full: networks that are trained to the end before one is chosen.

    Returns:
      int[T], the network chosen after each generation, and int[T], further epochs.
    """
    chosen, more = [], []
    for generation in range(1, len(numbers) + 1):
        seen, first = np.unique(numbers[:generation], return_index=True)
        order = np.argsort(-told[:generation].ravel()[first], kind="stable")
        if not num_full:
            chosen.append(seen[order[0]])
            more.append(0)
            continue
        best = seen[order[:num_full]]
        rest = whole[best] - trained[:generation].ravel()[first][order[:num_full]]
        chosen.append(best[np.argmax(observed[best])])
        more.append(rest.sum())
    return np.array(chosen), np.array(more)


def bounds(values):
    """Returns mean and median with bootstrap intervals of 95 %."""
    rng = np.random.default_rng(0)
    drawn = values[rng.integers(len(values), size=(summary.NUM_RESAMPLES, len(values)))]
    said = {}
    for name, statistic in {"mean": np.mean, "median": np.median}.items():
        low, high = np.quantile(statistic(drawn, axis=1), (0.025, 0.975))
        rounded = map(summary.round_to, (statistic(values), low, high))
        said |= dict(zip((name, f"{name}_low", f"{name}_high"), rounded, strict=True))
    return said


def make_table(rows):
    """Returns the rows of the record as a table for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("table", "strategy", "rule", "share of epochs", "mean regret"):
        table.add_column(name)
    table.add_column("median regret")
    table.add_column("mean less that of none")
    for row in rows:
        end, less = row["regret"][-1], row["less_none"]
        table.add_row(
            *(row["table"], row["strategy"], row["rule"]),
            f"{row['share_of_epochs']:.2f}",
            f"{100 * end['mean']:.2f}",
            f"{100 * end['median']:.2f}",
            f"{100 * less['difference']:+.2f} ({100 * less['low']:+.2f} to "
            f"{100 * less['high']:+.2f})",
        )
    return table
