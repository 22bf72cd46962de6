"""Compiled gradients are compared with NumPy's before they are trusted."""

import jax
import pytest

from vecevo.errors import InputError
from vecevo.training import selfcheck
from vecevo.training.lanes import networks


def test_what_the_compiler_makes_is_right_here_and_remembered(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    selfcheck.check_compiler()
    selfcheck._difference_of.cache_clear()
    monkeypatch.setattr(selfcheck, "gradient_difference", lambda precision: 1.0)
    selfcheck.check_compiler()  # not asked again
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    with pytest.raises(InputError, match=r"jaxlib=.* compiles wrong gradients .* 1\)"):
        selfcheck.check_compiler()  # another compiler, as it were
    assert len(list((tmp_path / "vecevo/selfcheck").iterdir())) == 1
    selfcheck._difference_of.cache_clear()


def test_a_context_of_another_precision_is_another_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    selfcheck._difference_of.cache_clear()
    monkeypatch.setattr(selfcheck, "gradient_difference", lambda precision: 0.0)
    selfcheck.check_compiler()
    monkeypatch.setattr(selfcheck, "gradient_difference", lambda precision: 1.0)
    with (
        jax.default_matmul_precision("bfloat16"),
        pytest.raises(InputError, match="compiles wrong gradients"),
    ):
        selfcheck.check_compiler()
    selfcheck.check_compiler()  # not asked again
    selfcheck._difference_of.cache_clear()


@pytest.mark.parametrize("fault", [1.001, float("nan")])
def test_a_wrong_product_is_noticed(fault, monkeypatch):
    @jax.custom_vjp
    def product(kernel, x):
        return kernel @ x

    def backward(operands, error):
        kernel, x = operands
        return error @ x.T * fault, kernel.T @ error

    product.defvjp(lambda kernel, x: (kernel @ x, (kernel, x)), backward)
    monkeypatch.setattr(networks, "product", product)
    # Of another shape, or what was traced with the right product would be taken.
    monkeypatch.setattr(selfcheck, "BATCH_SIZE", 9 if fault > 1 else 10)
    difference = selfcheck.gradient_difference()
    assert not difference <= selfcheck.TOLERANCE
