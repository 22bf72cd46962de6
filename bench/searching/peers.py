"""Other packages' searches on a space of integer genes, in batches of 64.

Each is a function (evaluate, num_choices, is_ordered, seed) that asks without end:
`evaluate` takes int[n, G] and returns float[n], the higher the better, and ends the
search with an exception. Genes whose choices are numbers are given as ordered ones
(their places as integers), the others as categories; all else is the package's default
but for the batch and population of 64.
"""

import importlib
import logging
import pathlib
import tempfile
import warnings

import numpy as np

BATCH_SIZE = 64


def optuna_tpe(evaluate, num_choices, is_ordered, seed):
    """Optuna's TPE; those asked and not told count as bad ones (`constant_liar`)."""
    optuna = importlib.import_module("optuna")

    sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    run_study(sampler, evaluate, num_choices, is_ordered)


def optuna_nsga2(evaluate, num_choices, is_ordered, seed):
    """Optuna's NSGA-II with one objective."""
    optuna = importlib.import_module("optuna")

    sampler = optuna.samplers.NSGAIISampler(seed=seed, population_size=BATCH_SIZE)
    run_study(sampler, evaluate, num_choices, is_ordered)


def optuna_gp(evaluate, num_choices, is_ordered, seed):
    """Optuna's Gaussian process, with its log-expected improvement."""
    optuna = importlib.import_module("optuna")

    sampler = optuna.samplers.GPSampler(seed=seed)
    run_study(sampler, evaluate, num_choices, is_ordered)


def run_study(sampler, evaluate, num_choices, is_ordered):
    """Asks an Optuna sampler for batches without end."""
    optuna = importlib.import_module("optuna")

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = {}
    for gene, (number, ordered) in enumerate(zip(num_choices, is_ordered, strict=True)):
        integer = optuna.distributions.IntDistribution(0, number - 1)
        category = optuna.distributions.CategoricalDistribution(tuple(range(number)))
        space[str(gene)] = integer if ordered else category
    study = optuna.create_study(direction="maximize", sampler=sampler)
    while True:
        trials = [study.ask(space) for _ in range(BATCH_SIZE)]
        genomes = [[trial.params[gene] for gene in space] for trial in trials]
        for trial, value in zip(trials, evaluate(np.array(genomes)), strict=True):
            study.tell(trial, float(value))


def pygad_ga(evaluate, num_choices, is_ordered, seed):
    """PyGAD's genetic algorithm; half of the population are parents."""
    pygad = importlib.import_module("pygad")

    def fitness_batch(search, genomes, places):
        del search, places
        return evaluate(np.asarray(genomes, int)).tolist()

    # It would print the exception that ends the search.
    logger = logging.Logger("pygad", level=logging.CRITICAL + 1)
    search = pygad.GA(
        num_generations=10**6,
        num_parents_mating=BATCH_SIZE // 2,
        sol_per_pop=BATCH_SIZE,
        num_genes=len(num_choices),
        gene_type=int,
        gene_space=[list(range(number)) for number in num_choices],
        gene_categorical=[not ordered for ordered in is_ordered],
        fitness_func=fitness_batch,
        fitness_batch_size=BATCH_SIZE,
        random_seed=seed,
        suppress_warnings=True,
        logger=logger,
    )
    search.run()


def pymoo_mixed(evaluate, num_choices, is_ordered, seed):
    """pymoo's genetic algorithm for mixed variables."""
    core = {
        name: importlib.import_module(f"pymoo.core.{name}")
        for name in ("evaluator", "mixed", "problem", "variable")
    }
    static = importlib.import_module("pymoo.problems.static")

    genes = {
        str(gene): core["variable"].Integer(bounds=(0, number - 1))
        if ordered
        else core["variable"].Choice(options=list(range(number)))
        for gene, (number, ordered) in enumerate(
            zip(num_choices, is_ordered, strict=True)
        )
    }
    problem = core["problem"].Problem(vars=genes, n_obj=1)
    search = core["mixed"].MixedVariableGA(pop_size=BATCH_SIZE)
    search.setup(problem, termination=("n_gen", 10**6), seed=seed, verbose=False)
    while search.has_next():
        asked = search.ask()
        genomes = [[int(one.X[gene]) for gene in genes] for one in asked]
        values = evaluate(np.array(genomes))
        told = static.StaticProblem(problem, F=-values[:, None])
        core["evaluator"].Evaluator().eval(told, asked)
        search.tell(infills=asked)


def nevergrad_portfolio(evaluate, num_choices, is_ordered, seed):
    """nevergrad's PortfolioDiscreteOnePlusOne, told of 64 workers."""
    nevergrad = importlib.import_module("nevergrad")

    genes = {
        str(gene): (
            nevergrad.p.TransitionChoice(range(number), ordered=True)
            if ordered
            else nevergrad.p.Choice(range(number))
        )
        for gene, (number, ordered) in enumerate(
            zip(num_choices, is_ordered, strict=True)
        )
    }
    space = nevergrad.p.Dict(**genes)
    space.random_state = np.random.RandomState(seed)
    optimizer = nevergrad.optimizers.registry["PortfolioDiscreteOnePlusOne"]
    search = optimizer(space, budget=None, num_workers=BATCH_SIZE)
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            asked = [search.ask() for _ in range(BATCH_SIZE)]
            genomes = np.array([[one.value[gene] for gene in genes] for one in asked])
            for one, value in zip(asked, evaluate(genomes), strict=True):
                search.tell(one, -value)


def smac_forest(evaluate, num_choices, is_ordered, seed):
    """SMAC3's random forest for hyperparameters; its first design is the first 64."""
    config_space, smac = map(importlib.import_module, ("ConfigSpace", "smac"))

    space = config_space.ConfigurationSpace(seed=seed)
    for gene, (number, ordered) in enumerate(zip(num_choices, is_ordered, strict=True)):
        if ordered:
            one = config_space.Integer(str(gene), (0, number - 1))
        else:
            one = config_space.Categorical(str(gene), list(range(number)))
        space.add(one)
    facade = smac.HyperparameterOptimizationFacade
    with tempfile.TemporaryDirectory() as folder:
        scenario = smac.Scenario(
            space,
            output_directory=pathlib.Path(folder),
            deterministic=True,
            n_trials=10**6,
            seed=seed,
        )
        search = facade(
            scenario,
            lambda config, seed: 0.0,  # never called: trials are asked for and told
            initial_design=facade.get_initial_design(scenario, n_configs=BATCH_SIZE),
            logging_level=logging.CRITICAL,
        )
        while True:
            trials = [search.ask() for _ in range(BATCH_SIZE)]
            genomes = [
                [trial.config[str(gene)] for gene in range(len(num_choices))]
                for trial in trials
            ]
            for trial, value in zip(trials, evaluate(np.array(genomes)), strict=True):
                search.tell(trial, smac.runhistory.TrialValue(cost=-float(value)))


# Names of packages, that of the version first, and the function.
PEERS = {
    "Optuna TPE": (("optuna",), optuna_tpe),
    "Optuna NSGA-II": (("optuna",), optuna_nsga2),
    "PyGAD": (("pygad",), pygad_ga),
    "pymoo MixedVariableGA": (("pymoo",), pymoo_mixed),
    "nevergrad PortfolioDiscreteOnePlusOne": (("nevergrad",), nevergrad_portfolio),
}
# They take minutes for a search, and stand in `models`.
MODELS = {
    "Optuna GPSampler": (("optuna", "torch"), optuna_gp),
    "SMAC3": (("smac",), smac_forest),
}
