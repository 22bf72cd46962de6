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
from scipy import stats

import vecevo
from bench.harness import records
from bench.searching import compare, picture, rules, sources, summary
from vecevo import strategies
from vecevo.strategies import pruning

POPULATION_SIZE, NUM_GENERATIONS, NUM_SEEDS = 20, 10, 50
PATIENCE = 5
NUM_FULL = 5  # networks that i-Epoch trains to the end
NUM_BEST = 5  # networks, of which so many are to be among as many at an epoch
RANKED_AT = (1, 2, 3, 5, 7, 9, 15, 25)
TABLES = ("digits_curves", "fashion_mnist")
PICTURE = records.FOLDER / "rungs.svg"


def measure(console, *, smoke, full, data_dir):
    """Searches by every rule, and writes record and picture."""
    del full, data_dir
    rows, ranks = [], []
    for name in TABLES:
        table = vecevo.load_table(name)
        ranks.append({"table": name, **rank_by_epoch(follow(table))})
        for strategy in STRATEGIES:
            seeds = range(2 if smoke else NUM_SEEDS)
            rows += measure_rules(table, strategy, list(seeds), smoke, table_name=name)
            console.print(f"rungs: {name}, {strategy}")
    console.print(make_table(rows))
    if not smoke:
        picture.draw_rungs(rows, PICTURE)
        records.write("rungs", rows, command=records.command("rungs"))
        records.write("rung_ranks", ranks, command=records.command("rungs"))


def make_recommended(num_choices, *, population_size):
    """Recommended search, with a model that has room for all it is told."""
    return strategies.recommended(
        num_choices,
        population_size=population_size,
        capacity=NUM_GENERATIONS * population_size,
    )


def measure_rules(table, strategy, seeds, smoke, *, table_name):
    """Returns a row for each rule, with differences from no pruning."""
    curves = follow(table)
    by_name = rules.make_rules(curves.accuracy.shape[-1])
    if smoke:
        by_name = dict(list(by_name.items())[:2])
    search = make_search(curves, list(by_name.values()), table, strategy)
    found = {
        name: search_by(search, number, curves, seeds, is_followed="epoch" in name)
        for number, name in enumerate(by_name)
    }
    none = found["none"]
    rows = []
    for name, (regret, epochs) in found.items():
        share = epochs[:, -1] / none[1][:, -1]
        less = bounds(regret[:, -1] - none[0][:, -1])
        rows.append(
            {
                "table": table_name,
                "strategy": strategy,
                "rule": name,
                "num_seeds": len(seeds),
                "epochs_trained": np.round(np.median(epochs, axis=0)).tolist(),
                "regret": [bounds(column) for column in regret.T],
                "share_of_epochs": summary.round_to(np.median(share), 3),
                "less_none": {
                    "difference": less["mean"],
                    "low": less["mean_low"],
                    "high": less["mean_high"],
                },
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


def rank_by_epoch(curves):
    """Says how well accuracy at an epoch ranks networks as their ends do.

    One replicate's accuracies are compared with the means of all replicates' ends; what
    is said are means over the replicates.
    """
    accuracy = np.asarray(curves.accuracy, np.float64)
    means = accuracy[..., -1].mean(axis=1)
    best = np.argsort(-means, kind="stable")[:NUM_BEST]
    epochs = [epoch for epoch in RANKED_AT if epoch <= accuracy.shape[-1]]
    taus, recalls = [], []
    for epoch in epochs:
        columns = accuracy[..., epoch - 1].T
        found = [np.argsort(-column, kind="stable")[:NUM_BEST] for column in columns]
        recalls.append(float(np.isin(found, best).mean()))
        tau = np.mean([stats.kendalltau(column, means)[0] for column in columns])
        taus.append(summary.round_to(tau, 3))
    return {"epochs": epochs, "kendall_tau": taus, "recall_of_best": recalls}


def make_search(curves, list_of_rules, table, strategy):
    """Makes the program of all searches on a table; a rule is its place in a list.

    Returns:
      A function: place, seeds int[S], replicates int[S, N] -> the networks asked for
      int[S, T, P], by place in the table, what the search was told of them
      float32[S, T, P], and the epochs that they trained int32[S, T, P].
    """
    num_choices = tuple(table.space.num_choices.tolist())
    make = STRATEGIES[strategy](num_choices, population_size=POPULATION_SIZE)

    @jax.jit
    def run(place, seeds, replicates):
        def rule(curves, ties):
            return jax.lax.switch(place, list_of_rules, curves, ties)

        def search(seed, replicate):
            evaluate = pruning.look_up(curves, num_choices, rule, replicate=replicate)
            _, trace = strategies.run_strategy(
                jax.random.key(seed),
                make,
                lambda population: evaluate(population).fitness,
                NUM_GENERATIONS,
            )
            numbers = jnp.ravel_multi_index(
                tuple(jnp.moveaxis(trace.offspring, 2, 0)), num_choices, mode="clip"
            )
            trained = jax.vmap(evaluate)(trace.offspring).num_epochs
            return numbers, trace.fitness, trained

        return jax.vmap(search)(seeds, replicates)

    return run


def search_by(search, place, curves, seeds, *, is_followed):
    """Searches by a rule, with some seeds.

    Args:
      search: of `make_search`.
      place: of the rule.
      curves: Curves [N, R].
      seeds: of the searches.
      is_followed: whether the best networks are trained to the end then.

    Returns:
      float64[S, T] twice: regret of the network chosen, and epochs trained.
    """
    finals = np.asarray(curves.accuracy[..., -1], np.float64)
    recorded = sources.Recorded("", (), (), finals)
    columns = np.array([sources.draw_replicates(recorded, seed) for seed in seeds])
    found = jax.tree.map(np.asarray, search(place, np.asarray(seeds), columns))
    means = finals.mean(axis=1)
    regrets, epochs = [], []
    for numbers, told, trained, column in zip(*found, columns, strict=True):
        rows = np.arange(len(finals))
        chosen, more = choose(
            *(numbers, told, trained),
            observed=finals[rows, column],
            whole=np.asarray(curves.num_epochs)[rows, column],
            num_full=NUM_FULL if is_followed else 0,
        )
        regrets.append(means.max() - means[chosen])
        epochs.append(np.cumsum(trained.sum(axis=1)) + more)
    return np.array(regrets), np.array(epochs)


def choose(numbers, told, trained, *, observed, whole, num_full):
    """Follows which network a search would end with.

    A network that was asked for again counts with the best that was told of it, as
    `EvolutionState.best_fitness` does.

    Args:
      numbers: int[T, P], networks by their place in the table.
      told: float[T, P], what the search was told of them.
      trained: int[T, P], epochs.
      observed: float[N], accuracy of every network at its end.
      whole: int[N], epochs to its end.
      num_full: networks that are trained to the end before one is chosen; 0: none.

    Returns:
      int[T], the network chosen after each generation, and int[T], further epochs.
    """
    chosen, more = [], []
    for generation in range(1, len(numbers) + 1):
        asked = numbers[:generation].ravel()
        order = np.lexsort((asked, -told[:generation].ravel()))
        _, first = np.unique(asked[order], return_index=True)
        ranked = order[np.sort(first)]  # a row for each network, the best first
        if not num_full:
            chosen.append(asked[ranked[0]])
            more.append(0)
            continue
        best = asked[ranked[:num_full]]
        rest = whole[best] - trained[:generation].ravel()[ranked[:num_full]]
        chosen.append(best[np.argmax(observed[best])])
        more.append(rest.sum())
    return np.array(chosen), np.array(more)


STRATEGIES = {
    "random": compare.make_random,
    "genetic": compare.make_genetic,
    "regularized_evolution": strategies.regularized_evolution,
    "recommended": make_recommended,
}


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
