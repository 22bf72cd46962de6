"""How the tests compile."""

import jax
import pytest


@pytest.fixture(autouse=True)
def quick_compilation(request):
    """Compiles without XLA's optimizations, as most tests run a program once.

    Tests marked `optimized` compile as a user's run does.
    """
    is_quick = request.node.get_closest_marker("optimized") is None
    jax.config.update("jax_disable_most_optimizations", is_quick)
