"""What a run needs of its machine: a device, a cache, a folder to write to."""

import importlib.metadata
import pathlib
import platform
import shutil
import sys

import jax

from vecevo.errors import InputError, check_paths
from vecevo.folders import default_cache_dir, expand

PACKAGES = ("vecevo", "jax", "jaxlib", "flax", "optax", "numpy")


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that a result depends on."""
    of_packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **of_packages}


def select_device(device: str) -> None:
    """Selects what JAX runs on, and says loudly when a GPU lies idle."""
    if device != "auto":
        jax.config.update("jax_platforms", device)
    try:
        backend = jax.default_backend()
    except (RuntimeError, AssertionError) as error:  # JAX raises either
        extra = " (pip install 'vecevo[cuda]')" if device == "cuda" else ""
        raise InputError(
            f"device={device!r} is not there: JAX finds no such device or is installed "
            f"without it{extra}."
        ) from error
    if device == "auto" and backend == "cpu" and has_nvidia_card():
        print(
            "vecevo: WARNING: THERE IS AN NVIDIA CARD, BUT JAX CANNOT USE IT: "
            "pip install 'vecevo[cuda]', or say --device cpu.",
            file=sys.stderr,
        )


def has_nvidia_card() -> bool:
    """Whether the driver of an NVIDIA card is loaded."""
    is_loaded = pathlib.Path("/dev/nvidiactl").exists()
    return is_loaded or shutil.which("nvidia-smi") is not None


def set_up_cache(cache_dir: str | None) -> pathlib.Path | None:
    """Turns JAX's compilation cache on; returns the cache folder, or None."""
    if cache_dir == "none":
        return None
    folder = expand(cache_dir or default_cache_dir(), name="cache_dir")
    make_folder(folder, name="cache_dir", exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder / "xla"))
    # Without these two, JAX keeps only programs that took long to compile.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder


def make_folder(
    folder: pathlib.Path, *, name: str = "output_dir", exist_ok: bool = False
) -> None:
    """Makes a folder that can be written to."""
    check_paths(**{name: folder})
    try:
        folder.mkdir(parents=True, exist_ok=exist_ok)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)  # another process may look, too
    except OSError as error:
        raise InputError(
            f"{name}={str(folder)!r} cannot be written ({error.strerror}): name "
            f"another with --{name.replace('_', '-')}."
        ) from error
