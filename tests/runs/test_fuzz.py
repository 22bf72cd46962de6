"""Whatever is typed: exit code 0, or 2 with one line that says what to do."""

import contextlib
import datetime
import io
import itertools
import pathlib
import re
import shutil
import types
import typing
import warnings

import jax
import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jax.experimental.compilation_cache import compilation_cache

from vecevo import run
from vecevo.runs.configuration import RunConfig

FIELDS = typing.get_type_hints(RunConfig)
QUICK = {  # a run of two networks, an epoch each
    **{"width": (8,), "depth": (1,), "activation": ("relu", "tanh")},
    **{"optimizer": ("adam",), "max_epochs": 1, "limit_train": 100},
    **{"population_size": 2, "num_generations": 1, "confirm": 0, "report": False},
}
COSTLY = {*QUICK, "batch_size", "replicates", "num_runs", "workers", "ray"}
COSTLY -= {"report", "confirm"}
PATHS = ("folder", "file.txt", "broken.csv", "broken.npz", "broken", "none/none")
ODD_PATHS = ("", ".", "-", "/", "file.txt/x", "a\0b", "n" * 300, "~nobody-is-that/x")
ODD_TEXTS = ("[red]", "ü\n2", "\udcff", "none", "digits", "genetic", "NaN", "1", "--")
NAMES = ("digits", "sklearn:iris", "mnist", "relu", "adam", "elu", "sgd", "none")
OF_OTHERS = ("--rank 1", "--csv", "--optuna x", "--output x", "predict", "report x")
STRAY = ("--colour", "--colour=1", "--", "-", "-x", "", "--help", "--version", "=")
HUGE = (2**31 - 1, 2**31, 2**63, 2**64 - 1, 2**64, 10**30, 16**4000)
OF_COMMANDS = ("config", "rank", "run", "data", "network", "path", "output", "argument")
WAYS_OUT = ("must", "give", "use", "leave", "see", "name", "choose", "check", "save")
WAYS_OUT += ("cannot be read", "add", "set", "run", "start", "take", "allow", "make")

fuzz = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder to be in, where some things are broken, and what a command changes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "sets"))
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    for folder in ("folder", "broken"):
        pathlib.Path(folder).mkdir()
    for name in ("file.txt", "broken.csv", "broken.npz", "broken/run.sqlite"):
        pathlib.Path(name).write_bytes(b"\xff\0, \n")
    before = {name: getattr(jax.config, name) for name in JAX_OPTIONS}
    yield
    compilation_cache.reset_cache()
    for name, value in before.items():
        jax.config.update(name, value)


JAX_OPTIONS = (
    *("jax_platforms", "jax_compilation_cache_dir"),
    "jax_persistent_cache_min_compile_time_secs",
    "jax_persistent_cache_min_entry_size_bytes",
)


def call(main, args):
    """Runs a command in this process; returns its exit code and what it printed."""
    # As a terminal's: what cannot be encoded is an error on one of them alone.
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace")
    code = 0
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr("sys.argv", ["vecevo", *args])
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    out.flush(), err.flush()
    return code, err.buffer.getvalue().decode()


def check(main, args):
    """Asserts that a command goes to its end, or says in one line why it does not."""
    code, error = call(main, args)
    assert code in (0, 2), (code, args)
    assert "Traceback" not in error
    if code == 2:
        assert error.startswith("vecevo: ") and error.count("\n") == 1, error
        assert error.endswith(".\n"), error
        assert any(word in error for word in WAYS_OUT), error
        typed = "=".join(arg.lstrip("-") for arg in args).split("=")
        names = {squeezed(name) for name in (*FIELDS, *OF_COMMANDS, *typed)}
        assert any(name in squeezed(error) for name in names), error


def squeezed(text):
    """A text as messages have it: parts of a long one apart, names with either line."""
    return "".join(text.split()).replace("-", "_")


def right(name, kind):
    """Values of a field's type, such as may be meant."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return right(name, parts[0])
    if origin is typing.Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        return st.lists(right(name, parts[0]), max_size=3, unique=True).map(tuple)
    return {
        bool: st.booleans(),
        int: st.integers(1, 12),
        float: st.floats(0.0, 1.0),
        str: st.sampled_from((*NAMES, *PATHS)),
    }[kind]


numbers = st.one_of(
    st.integers(-2, 3),
    st.sampled_from([*HUGE, *(-n for n in HUGE)]),
    st.floats(),
    st.sampled_from([1e-300, 1e300, 5e-324, -0.0]),
)
texts = st.one_of(st.sampled_from((*ODD_PATHS, *ODD_TEXTS)), st.text("ab.é=-0\n☃[]"))
wrong = st.one_of(numbers, texts, st.booleans(), st.lists(numbers | texts, max_size=3))


def chosen(names, *, most=4):
    """Some settings by name, of which about a quarter are absurd."""
    pairs = [
        st.tuples(
            st.just(name),
            st.one_of(*[right(name, FIELDS[name])] * 3, wrong),
        )
        for name in names
    ]
    return st.lists(st.one_of(pairs), max_size=most)


def tokens(pair):
    """The command line of a setting."""
    name, value = pair
    flag = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [flag] if value else [flag.replace("--", "--no-", 1)]
    return [flag, *(text_of(v) for v in (value if is_list(value) else [value]))]


def is_list(value):
    return isinstance(value, tuple | list)


def text_of(value):
    """A number as it is typed: some have more digits than Python shows."""
    return hex(value) if is_huge(value) else str(value)


def is_huge(value):
    return isinstance(value, int) and abs(value) > 10**40


def spoil(args, draw):
    """Drops, repeats, joins or adds an argument of a command line."""
    place = draw(st.integers(0, len(args)))
    how = draw(st.sampled_from(["drop", "repeat", "join", "add", "other"]))
    before, here, after = args[:place], args[place : place + 1], args[place + 1 :]
    between = {
        "drop": [],
        "repeat": here * 2,
        "join": ["=".join(here + after[:1])],
        "add": [draw(st.sampled_from(STRAY)), *here],
        "other": [*draw(st.sampled_from(OF_OTHERS)).split(), *here],
    }[how]
    return [*before, *between, *(after[1:] if how == "join" else after)]


@st.composite
def command_lines(draw, names=tuple(FIELDS), most=4):
    """Settings as arguments, about half of them with a mistake in the line itself."""
    pairs = draw(chosen(names, most=most))
    args = list(itertools.chain.from_iterable(map(tokens, pairs)))
    return spoil(args, draw) if draw(st.booleans()) else args


@settings(fuzz, max_examples=200)
@given(args=command_lines())
def test_any_command_line_is_planned_or_refused(args):
    check(run.main, ["--cache-dir=none", *args, "--plan"])


plain = st.one_of(
    st.integers(),
    st.floats(),
    st.booleans(),
    st.text(),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.sampled_from([2**63, 10**400, -(10**400), datetime.date(1, 1, 1)]),
)
tables = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=2)
    ),
    max_leaves=5,
)


def storable(value):
    """A value with huge whole numbers as texts: tomli_w cannot write them."""
    if is_list(value):
        return [storable(v) for v in value]
    return hex(abs(value)) if is_huge(value) else value


@st.composite
def files(draw):
    """TOML of known and unknown keys, right and wrong values, or anything else."""
    values = dict(draw(chosen(tuple(FIELDS))))
    strange = st.dictionaries(st.sampled_from(tuple(FIELDS)) | st.text(), tables)
    values |= draw(st.one_of(st.just({}), st.just({}), strange))
    content = tomli_w.dumps({name: storable(v) for name, v in values.items()})
    content = re.sub('"(0x[0-9a-f]+)"', r"\1", content)
    content = content.encode(errors="surrogateescape")
    how = draw(st.integers(0, 7))
    if how == 0:
        return draw(st.binary(max_size=40))
    if how == 1:
        return content[: draw(st.integers(0, len(content)))]
    return content


@settings(fuzz, max_examples=120)
@given(content=files(), args=command_lines(most=1))
def test_any_file_of_settings_is_planned_or_refused(content, args):
    pathlib.Path("my.toml").write_bytes(content)
    check(run.main, ["--config", "my.toml", *args, "--cache-dir=none", "--plan"])


SEARCHED = ("strategy", "seed", "objectives", "without_repeats", "population_size")
TRAINED = tuple(set(FIELDS) - {*COSTLY, "cache_dir", "ensemble", "landscape", "plan"})


@settings(fuzz, max_examples=20)
@given(table=st.sampled_from(("digits", *PATHS)) | texts, args=command_lines(SEARCHED))
def test_any_search_of_a_table_ends_or_is_refused(table, args):
    shutil.rmtree("out", ignore_errors=True)
    fixed = ["--num-generations", "2", "--output-dir", "out"]
    check(run.main, ["--landscape", table, *args, *fixed])


@settings(fuzz, max_examples=8)
@given(args=command_lines(tuple(sorted(TRAINED)), most=3))
def test_any_small_run_ends_or_is_refused(args):
    quick = itertools.chain.from_iterable(map(tokens, QUICK.items()))
    check(run.main, ["--cache-dir=none", *args, *quick])


@settings(fuzz, max_examples=80)
@given(
    command=st.sampled_from(("predict", "report", "export")),
    args=st.lists(
        st.sampled_from((*PATHS, *ODD_PATHS, *STRAY, *ODD_TEXTS))
        | st.sampled_from(("--output", "--rank", "--genome", "--target", "--csv")),
        max_size=4,
    ),
)
def test_any_other_command_ends_or_is_refused(command, args):
    check(run.main, [command, *args])
