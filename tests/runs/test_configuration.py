"""Command line and TOML file: the same settings, one line for a mistake."""

import dataclasses
import subprocess
import sys
import typing

import pytest

from vecevo import catalogue
from vecevo.runs import command, configuration, parsing, resolving
from vecevo.runs.files import toml
from vecevo.space import SpaceName, named_space, recipe_space
from vecevo.training import recipe
from vecevo.training.lanes import activations, optimizers


def test_the_command_line_overrides_the_file(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text('dataset = "mnist"\nwidth = [8, 16]\nmax_seconds = 5\nseed = 3\n')
    parsed = parsing.parse(["--seed", "4", "--config", str(path), "--depth", "2"])
    assert parsed == configuration.RunConfig(
        dataset="mnist", width=(8, 16), max_seconds=5, seed=4, depth=(2,)
    )
    assert parsing.parse([f"--config={path}"]).seed == 3


def test_a_resolved_configuration_can_be_run_again(tmp_path):
    settings = configuration.RunConfig(
        learning_rate=(0.1, 0.2), limit_train=5, data_dir="x"
    )
    settings = dataclasses.replace(settings, strategy="random", precision="float32")
    path = tmp_path / "config.toml"
    path.write_text(toml.to_toml(settings))
    assert parsing.parse(["--config", str(path)]) == settings


def test_a_named_space_gives_what_is_not_given(tmp_path):
    args = ["--space", "recipe", "--width", "8"]
    config, genes = parsing.parse(args), dict(recipe_space().genes)
    space, fixed = resolving.make_space(config)
    assert dict(space.genes) == genes | {"width": (8,)} and not fixed
    path = tmp_path / "my.toml"
    path.write_text('space = "recipe"\nwidth = [8]\n')
    assert parsing.parse(["--config", str(path)]) == config
    path.write_text(toml.to_toml(config))
    assert parsing.parse(["--config", str(path)]) == config
    small = parsing.parse(["--config", str(path), "--space=small"])
    assert small == parsing.parse(["--space", "small", "--width", "8"])
    with pytest.raises(ValueError, match="space"):
        parsing.parse(["--space", "large"])


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_file_of_a_run_gives_way_to_another_space(tmp_path, task):
    ran = resolving.resolve_space(parsing.parse(["--space", "recipe"]), task)
    path = tmp_path / "config.toml"
    path.write_text(toml.to_toml(ran))
    for name in typing.get_args(SpaceName):
        parsed = parsing.parse(["--config", str(path), "--space", name])
        assert parsed == parsing.parse(["--space", name])


def test_the_spaces_of_the_command_line_and_of_the_library_are_the_same():
    for name in typing.get_args(SpaceName):
        space, fixed = resolving.make_space(parsing.parse(["--space", name]))
        has = {k: v for k, v in space.genes if len(v) > 1}
        assert has == {k: v for k, v in named_space(name).genes if len(v) > 1}
        assert set(fixed) <= {"dropout_rate", "weight_decay"}


def test_a_named_space_is_that_for_the_task_and_what_is_given_stays():
    named = parsing.parse(["--space", "recipe"])
    numbers = resolving.resolve_space(named, "regression")
    genes = dict(resolving.make_space(numbers)[0].genes)
    assert genes == dict(recipe_space("regression").genes)
    assert numbers.label_smoothing == (0.0,)
    assert resolving.resolve_space(named, "classification") == named
    given = parsing.parse(["--space", "recipe", "--label-smoothing", "0", "0.1"])
    assert resolving.resolve_space(given, "regression") == given
    with pytest.raises(ValueError, match="task"):
        recipe_space("auto")


def test_a_search_is_chosen_by_the_size_of_the_space_for_the_task():
    one = {"depth": 1, "width": 8, "activation": "relu", "optimizer": "adam"}
    one |= {"learning-rate": 0.01, "dropout-rate": 0, "weight-decay": 0}
    one |= {"schedule": "constant", "norm": "none", "skip": "none"}
    args = ["--space", "recipe", *(f"--{name}={value}" for name, value in one.items())]
    for dataset, num in (("sklearn:diabetes", 3), ("sklearn:wine", 12)):
        config = parsing.parse([*args, "--plan", "--dataset", dataset])
        settled, _ = command.settle(config, None)
        assert (settled.strategy, settled.population_size) == ("grid", num)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1", "unknown key 'colour'"),
        ('population_size = "20"', "population_size='20': it must be a whole number"),
        ("seed = true", "seed=True: it must be a whole number"),
        ("width = 64", "width=64: it must be a list, each a whole number"),
        ('strategy = "best"', "strategy='best': it must be one of recommended"),
        ('precision = "half"', "precision='half': it must be one of float32"),
        ("dropout_rate = [0.1, true]", "dropout_rate"),
        ("seed = ", "cannot be read"),
        ("seed = ", "; give a TOML file of settings"),
    ],
)
def test_mistakes_in_a_file_are_named(tmp_path, text, words):
    path = tmp_path / "my.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match="config=") as caught:
        parsing.parse(["--config", str(path)])
    message = str(caught.value)
    assert words in message and str(path) in message and "\n" not in message


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--seed", "x"], "--seed"),
        (["--nonesuch", "1"], "--nonesuch"),
        (["--strategy", "best"], "--strategy"),
        (["--width", "8", "wide"], "--width"),
        (["--seed"], "--seed"),
        (["--config", "nonesuch.toml"], "config='nonesuch.toml' cannot be read"),
        (["--config"], "config=''"),
    ],
)
def test_mistakes_on_the_command_line_are_one_line(args, words):
    with pytest.raises(ValueError, match=r".") as caught:
        parsing.parse(args)
    message = str(caught.value)
    assert words in message and "\n" not in message and "│" not in message


@pytest.mark.parametrize(
    ("args", "near"),
    [
        (["--populaton-size", "5"], "--population-size"),
        (["--confg=my.toml"], "--config"),
        (["--no-reprot"], "--no-report"),
        (["reprot", "runs/first"], "report"),
        (["--strategy", "genetc"], "genetic"),
        (["--space", "recipes"], "recipe"),
    ],
)
def test_the_nearest_right_word_of_the_command_line_is_named(args, near):
    with pytest.raises(ValueError, match=rf" \(did you mean {near}\?\)"):
        parsing.parse(args)


@pytest.mark.parametrize(
    ("text", "near"),
    [("populatoin_size = 5", "population_size"), ('strategy = "genetc"', "genetic")],
)
def test_the_nearest_right_word_of_a_file_is_named(tmp_path, text, near):
    path = tmp_path / "my.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf" \(did you mean {near}\?\)"):
        parsing.parse(["--config", str(path)])


def test_an_option_of_two_lines_is_named_in_one():
    with pytest.raises(ValueError, match=r"^'--\\n' is no option: see") as caught:
        parsing.parse(["--strategy", "--\n"])
    assert "\n" not in str(caught.value)


def test_what_is_like_no_right_word_has_no_nearest():
    for args in (["--nonesuch"], ["--strategy", "best"], ["5"]):
        with pytest.raises(ValueError, match="see vecevo --help") as caught:
            parsing.parse(args)
        assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"population_size": 0}, "population_size=0"),
        ({"limit_train": 0}, "limit_train=0"),
        ({"max_seconds": 0.0}, "max_seconds=0"),
        ({"seed": -1}, "seed=-1"),
        ({"memory_gib": float("inf")}, "memory_gib=inf"),
        ({"strategy": "grid", "start_from": "runs/x"}, "start_from='runs/x'"),
        ({"depth": (1001,)}, "depth=1001"),
        ({"width": (8, 8)}, "repeats a choice"),
        ({"width": (0,)}, "width=0"),
        ({"activation": ()}, "activation=()"),
        ({"optimizer": ("lion",)}, "optimizer='lion'"),
        ({"optimizer": ("admm",)}, "optimizer='admm' (did you mean adam?)"),
        ({"metric": "aucc"}, "metric='aucc' (did you mean auc?)"),
        ({"dropout_rate": (1.5,)}, "dropout_rate=1.5"),
        ({"dropout_rate": ()}, "dropout_rate=()"),
    ],
)
def test_values_that_cannot_be_run_with_are_named(changes, words):
    with pytest.raises(ValueError, match=r".") as caught:
        resolving.check(dataclasses.replace(configuration.RunConfig(), **changes))
    assert words in str(caught.value)


def test_settings_with_choices_become_genes():
    settings = configuration.RunConfig(dropout_rate=(0.0, 0.5), learning_rate=(0.01,))
    space, fixed = resolving.make_space(settings)
    assert [name for name, _ in space.genes] == [
        *("depth", "width", "activation", "optimizer", "dropout_rate"),
    ]
    assert fixed == {"learning_rate": 0.01, "weight_decay": 0.0}
    default_space, _ = resolving.make_space(configuration.RunConfig())
    assert default_space.num_genomes == 672


def test_defaults_are_those_of_the_recipe():
    for row in recipe.TABLE:
        default = getattr(configuration.RunConfig(), row.name)
        if row.default is not None:
            assert default == (() if callable(row.default) else (row.default,))


def test_the_help_comes_in_groups_without_jax_and_without_none():
    command = [sys.executable, "-c", HELP]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for group in ("data", "space", "search", "training", "output"):
        assert f"{group} options" in done.stdout
    assert "None" not in done.stdout and "Examples:" in done.stdout
    for name in (*activations.NAMES, *optimizers.NAMES, *catalogue.NAMES):
        assert name in done.stdout
    assert done.stderr.split()[-1] == "no-jax"


HELP = """
import sys
from vecevo import run
sys.argv = ["vecevo", "--help"]
try:
    run.main()
finally:
    print("with" if "jax" in sys.modules else "no-jax", file=sys.stderr)
"""
