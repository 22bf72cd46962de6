"""How the tests compile."""

import os
import signal

import jax
import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--dependencies",
        action="store_true",
        help="let the wheel's environment install all dependencies anew",
    )


OPTION = "jax_disable_most_optimizations"


def pytest_collection_modifyitems(items):
    """Puts optimized tests first: at a change all that was compiled is dropped."""
    items.sort(key=lambda item: item.get_closest_marker("optimized") is None)


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_session(tmp_path_factory):
    """Lets tests, and the workers that share them, check the compiler once."""
    folder = tmp_path_factory.getbasetemp()
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder.parent if is_worker else folder))
        yield


def set_quick(is_quick):
    """Lets all programs from now on be compiled without XLA's optimizations, or with.

    JAX keeps what it has compiled, whatever the option is by then: all is dropped.
    """
    if jax.config.read(OPTION) != is_quick:
        jax.clear_caches()
        jax.config.update(OPTION, is_quick)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Compiles without XLA's optimizations, as most tests run a program once.

    Tests marked `optimized` compile as a user's run does. It is set before any fixture
    is: what one of a module trains is compared bit by bit with what its tests do.
    """
    set_quick(item.get_closest_marker("optimized") is None)


@pytest.fixture(autouse=True)
def handlers_of_signals():
    """Puts back what a command does with signals, as it does not end the process."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(name="set_quick")
def get_set_quick():
    """The function, for the test of it."""
    return set_quick
