"""Optimized tests run optimized programs, whatever was compiled before them."""

import jax
import jax.numpy as jnp


def test_a_program_is_compiled_anew_for_an_optimized_test(set_quick):
    compiled = []

    def count(event, seconds, **kwargs):
        del seconds, kwargs
        compiled.append(event.endswith("backend_compile_duration"))

    jax.monitoring.register_event_duration_secs_listener(count)
    double, x = jax.jit(lambda x: 2 * x + 1), jnp.ones(8)
    counts = []
    for is_quick in (True, True, False, False, True):
        set_quick(is_quick)
        compiled.clear()
        double(x)
        counts.append(sum(compiled))
    assert counts == [1, 0, 1, 0, 1]
