"""Ray, as far as it is needed: a cluster to be at, its devices, its end."""

import contextlib
import logging
import os
import pathlib
import signal
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from vecevo.errors import InputError
from vecevo.extras import import_extra
from vecevo.training.memory import num_cores

ANSWER_SECONDS = 3.0  # that the head of a cluster has to answer in
MOST_TRIES, TRY_SECONDS = 3, 1.0  # while a run is under way, and between them
LONGEST_FOLDER = 40  # characters, beyond which Ray's sockets have no valid names
# Ray asks these of the environment, and before it is imported.
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_worker_niceness": "0",  # of processes that do what this one would
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # of what workers and nodes would have printed
}
OF_A_CLUSTER = {"RAY_NUM_REDIS_GET_RETRIES": "4"}  # tries to join, a second each
TOKEN = pathlib.Path("~/.ray/auth_token")


class Cluster(NamedTuple):
    """Ray's module, at work with a cluster."""

    ray: Any
    address: str  # host:port of its head

    def is_there(self) -> bool:
        """Whether the head of the cluster answers, to one of a few tries."""
        for number in range(MOST_TRIES):
            if number:
                time.sleep(TRY_SECONDS)
            if answers(self.address):
                return True
        return False


@contextlib.contextmanager
def join(address: str | None, num_cores_used: int | None) -> Iterator[Cluster]:
    """Joins a cluster, or starts one on this machine that ends with the block.

    A cluster that this process has joined before is used, and left as it is.

    Args:
      address: host:port of the head, or auto; None: this machine alone.
      num_cores_used: of a cluster that is started; None: all.

    Raises:
      InputError: where Ray is not installed, or the cluster does not answer.
    """
    quiet = QUIET | (OF_A_CLUSTER if address else {})
    if address and TOKEN.expanduser().exists():
        quiet |= {"RAY_AUTH_MODE": "token"}  # as a head has it, where there is one
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
    ray = import_extra("ray", "ray")
    logging.getLogger("ray").setLevel(logging.ERROR)
    if ray.is_initialized():
        yield _joined(ray, address)
        return
    if address is not None:
        check_address(address)
    settings: dict[str, Any] = {"address": address}
    if address is None:
        settings = {
            "address": "local",
            "num_cpus": num_cores_used or num_cores(),
            "include_dashboard": False,
        }
        if len(tempfile.gettempdir()) > LONGEST_FOLDER:
            settings["_temp_dir"] = "/tmp/ray"
    try:
        silence = _silent() if address else contextlib.nullcontext()
        with _own_signals(), warnings.catch_warnings(), silence:
            # That a process of several threads starts others, which begin anew.
            warnings.filterwarnings("ignore", message=".*fork", category=RuntimeWarning)
            ray.init(**settings, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, RuntimeError, ValueError) as error:
        ray.shutdown()
        raise InputError(
            f"ray={address!r} cannot be joined ({_first_line(error)}): see by ray "
            "status that it is up, that this is one of its machines, and that all of "
            "them have the same RAY_AUTH_MODE and token."
        ) from error
    try:
        yield Cluster(ray, ray.get_runtime_context().gcs_address)
    finally:
        with _own_signals():
            ray.shutdown()


def _joined(ray: Any, address: str | None) -> Cluster:
    """The cluster that this process is in; refuses it where another is asked for."""
    known = ray.get_runtime_context().gcs_address
    if address not in (None, "auto", known):
        raise InputError(
            f"ray={address!r} is not {known}, the cluster that this process is in: "
            "leave it out, or call ray.shutdown() before."
        )
    return Cluster(ray, known)


def answers(address: str) -> bool:
    """Whether something listens at host:port."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS):
            return True
    except (OSError, ValueError, OverflowError):
        return False


def check_address(address: str) -> None:
    """Refuses what is no address of a cluster that answers.

    Raises:
      InputError: naming it.
    """
    if address == "auto":
        return
    if "://" in address or not address.rpartition(":")[2].isdecimal():
        raise InputError(
            f"ray={address!r} is no address of a cluster: give host:port of its head, "
            "as ray start --head prints it, or auto."
        )
    if not answers(address):
        raise InputError(
            f"ray={address!r} does not answer: start the head with ray start --head, "
            "or see that this machine reaches it."
        )


def count_devices(ray: Any, device: str) -> tuple[int, bool]:
    """How many workers a cluster has room for, and whether each has a GPU.

    Args:
      ray: the module.
      device: auto, cpu or cuda; auto are GPUs where there are any.
    """
    resources = ray.cluster_resources()
    num_gpus = int(resources.get("GPU", 0))
    if device == "cuda" or (device == "auto" and num_gpus):
        return num_gpus, True
    return int(resources.get("CPU", 0)), False


def make_actor(ray: Any, kind: type, *, has_gpu: bool) -> Any:
    """Starts an actor with a device of its own: a GPU, or a thread of computation."""
    environment = {
        name: os.environ[name]
        for name in ("XLA_FLAGS", "XDG_CACHE_HOME")
        if name in os.environ
    }
    if has_gpu:
        environment["JAX_PLATFORMS"] = "cuda,cpu"
    else:  # PJRT_NPROC is how many threads XLA computes with
        environment |= {"JAX_PLATFORMS": "cpu", "PJRT_NPROC": "1"}
    actor = ray.remote(
        num_cpus=0 if has_gpu else 1,
        num_gpus=1 if has_gpu else 0,
        max_restarts=0,
        max_task_retries=0,
        concurrency_groups={"training": 1, "control": 1},
        runtime_env={"env_vars": environment},
    )(kind)
    return actor.remote()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM do after the block what they did before it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Lets what is written to the standard error go nowhere: Ray logs its tries."""
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
