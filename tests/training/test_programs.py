"""Programs that several wait for, and that do not compile."""

import contextlib
import threading

import jax
import pytest

from tests.training.test_cohorts import make_setup
from vecevo.training import cohorts, programs
from vecevo.training.lanes import networks

MODULE = networks.PaddedMLP(8, 1, 4)


def test_two_that_wait_for_a_program_get_one_error_and_may_ask_again(monkeypatch):
    is_asked, may_fail, may_go_on = (threading.Event() for _ in range(3))
    calls, found = [], []

    def compile_programs(*args):
        calls.append(args)
        if len(calls) > 1:
            return "init", "train_epochs"
        assert may_fail.wait(60)
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")

    def ask_and_linger():
        is_asked.set()
        assert may_go_on.wait(60)  # until the other has its error, and has asked again
        return False

    def wait(shared):
        try:
            found.append(cohorts._get_programs(shared, MODULE, 4, ask_and_linger))
        except jax.errors.JaxRuntimeError as error:
            found.append(str(error))

    monkeypatch.setattr(programs, "compile_programs", compile_programs)
    with contextlib.closing(make_setup(max_epochs=1).programs) as shared:
        waiting = threading.Thread(target=wait, args=[shared])
        waiting.start()
        assert is_asked.wait(60)
        may_fail.set()
        with pytest.raises(jax.errors.JaxRuntimeError, match="RESOURCE_EXHAUSTED"):
            shared.get(MODULE, 4)
        assert shared.get(MODULE, 4) == ("init", "train_epochs")
        may_go_on.set()
        waiting.join(60)
        assert found == ["RESOURCE_EXHAUSTED: Out of memory"]
        assert shared.get(MODULE, 4) == ("init", "train_epochs")
    assert len(calls) == 2
