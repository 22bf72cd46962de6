"""The compiled programs of a run: each is compiled once, ahead in a thread.

Also what JAX's settings mean to them: a precision is that of the networks' products
alone, and a setting made by a context holds in the threads that a context starts.
"""

import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import NamedTuple

import jax
import jax.numpy as jnp

from vecevo.keys import IMPLEMENTATION
from vecevo.training.devices import is_on_cpu
from vecevo.training.epochs import Call, init_lanes, train_epochs
from vecevo.training.lanes.networks import PaddedMLP
from vecevo.training.lanes.stopping import StoppingRule
from vecevo.training.minibatches import TrainingData, example_lanes

# What JAX calls the precisions of products; None is the device's default.
MATMUL_PRECISIONS = {
    None: None,
    "float32": "highest",
    "tf32": "TF32_TF32_F32",
    "bfloat16": "BF16_BF16_F32",
}


POLL_SECONDS = 0.2  # between looks whether to go on waiting for a compiler


class Shape(NamedTuple):
    """What a program is compiled for, beside the data set."""

    module: PaddedMLP
    num_lanes: int


class Compiled(NamedTuple):
    """The two programs of a shape."""

    init: Callable  # Lanes -> LaneState
    train_epochs: Callable  # as in `epochs`, without its static arguments


def with_settings_of_this_thread[**Params, Returned](
    fn: Callable[Params, Returned],
) -> Callable[Params, Returned]:
    """Returns the function under JAX's settings of now, for another thread to call.

    A thread does not inherit settings made by a context, such as `jax.enable_x64`.
    """
    is_x64 = jax.config.jax_enable_x64
    precision = jax.config.jax_default_matmul_precision

    def call(*args: Params.args, **kwargs: Params.kwargs) -> Returned:
        with jax.enable_x64(is_x64), jax.default_matmul_precision(precision):
            return fn(*args, **kwargs)

    return call


@contextlib.contextmanager
def products_in(precision: str | None) -> Iterator[None]:
    """Sets the precision of products; None is that of the context, or the device's."""
    name = MATMUL_PRECISIONS[precision] or jax.config.jax_default_matmul_precision
    with jax.default_matmul_precision(name):
        yield


class Programs:
    """The compiled programs of a run."""

    def __init__(
        self, data: TrainingData, batch_size: int, precision: str | None = None
    ):
        self._data, self._batch_size = data, batch_size
        self._precision = precision
        self._futures: dict[Shape, Future] = {}
        self._lock = threading.Lock()
        self._executor = concurrent.futures.ThreadPoolExecutor(max_workers=1)

    @property
    def num_programs(self) -> int:
        """Shapes compiled so far; two programs, for init and epochs, make one."""
        return sum(f.done() and not f.cancelled() for f in list(self._futures.values()))

    def request(self, module: PaddedMLP, num_lanes: int) -> Future:
        """Starts compiling for a shape in the background, unless that was done."""
        shape = Shape(module, num_lanes)
        with self._lock:
            if shape not in self._futures:
                compile_shape = with_settings_of_this_thread(self._compile)
                self._futures[shape] = self._executor.submit(compile_shape, shape)
            return self._futures[shape]

    def get(self, module: PaddedMLP, num_lanes: int) -> Compiled:
        """Returns the programs of a shape, once they are compiled.

        Raises:
          Exception: the compiler's; the shape is then forgotten, and is compiled anew
            for whoever asks next.
        """
        future = self.request(module, num_lanes)
        return self._result(Shape(module, num_lanes), future)

    def wait(
        self, module: PaddedMLP, num_lanes: int, is_stopped_fn: Callable[[], bool]
    ) -> Compiled | None:
        """Does as `get`, but asks meanwhile; None: it was stopped before."""
        future = self.request(module, num_lanes)
        while not concurrent.futures.wait([future], timeout=POLL_SECONDS).done:
            if is_stopped_fn():
                return None
        return self._result(Shape(module, num_lanes), future)

    def _result(self, shape: Shape, future: Future) -> Compiled:
        try:
            return Compiled(*future.result())
        except BaseException:
            # The error would hold the frames it went through, and what is in them.
            with self._lock:
                # Another that waited for the same may have asked anew by now.
                if self._futures.get(shape) is future:
                    del self._futures[shape]
            raise

    def close(self) -> None:
        """Drops what is not compiled yet; a program under way is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _compile(self, shape: Shape) -> tuple[Callable, Callable]:
        with products_in(self._precision):
            return compile_programs(shape, self._data, self._batch_size)


class Setup(NamedTuple):
    """What all cohorts of a run share, in the threads that train them."""

    programs: Programs
    data: TrainingData
    rule: StoppingRule
    order_key: jax.Array  # random key of the order of examples
    keeps_probabilities: bool = False  # of lanes whose weights are wanted
    precision: str | None = None  # of products


def compile_programs(
    shape: Shape, data: TrainingData, batch_size: int
) -> tuple[Callable, Callable]:
    """Returns the init and the epoch program of a shape, as every run compiles them."""
    lanes = example_lanes(shape.num_lanes)
    init = init_lanes.lower(
        lanes, module=shape.module, num_features=data.x_train.shape[1]
    ).compile({"xla_backend_optimization_level": 1} if is_on_cpu() else None)
    epoch = train_epochs.lower(
        init.out_info,
        lanes,
        data,
        StoppingRule(jnp.array(0), jnp.array(0), jnp.array(False)),
        Call(*[jnp.array(0)] * 3),
        jax.random.key(0, impl=IMPLEMENTATION),
        module=shape.module,
        batch_size=batch_size,
    ).compile()
    return init, epoch
