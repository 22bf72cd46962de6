"""Networks on the disk: weights as safetensors, all else as JSON beside them.

A folder holds `network.safetensors`, Flax's params by names like `hidden_0/kernel`,
and `network.json`; one of an ensemble holds `ensemble.json` and such folders.
"""

import hashlib
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import flax.traverse_util
import numpy as np
import safetensors.numpy

from vecevo.datasets.columns import Categories
from vecevo.datasets.inputs import Inputs
from vecevo.datasets.targets import Targets
from vecevo.errors import InputError, check_paths, describe
from vecevo.networks.ensembles import Ensemble
from vecevo.networks.network import Network, Params, num_outputs
from vecevo.training.lanes.widths import widths_of
from vecevo.training.recipe import complete

FORMAT_VERSION = 1
WEIGHTS, FACTS, ENSEMBLE = "network.safetensors", "network.json", "ensemble.json"
BEST = "best"  # of a run's folder


def save_network(network: Network | Ensemble, folder: str | os.PathLike) -> None:
    """Writes a network, or an ensemble, into a folder; one that is there is replaced.

    Raises:
      InputError: for what is neither, or where it cannot be written.
    """
    if isinstance(network, Ensemble):
        save_ensemble(network, folder)
        return
    if not isinstance(network, Network):
        raise InputError(
            f"network={describe(network)} is no Network: give result.best, or the "
            "network of a result."
        )
    weights = as_safetensors(network.params)
    values = network.hyperparams
    facts = {
        "format_version": FORMAT_VERSION,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "hyperparams": values,
        "layer_sizes": [
            network.inputs.num_features,
            *widths_of(values),
            num_outputs(network),
        ],
        "classes": list(network.classes),
        "targets": _targets_as_json(network.targets),
        "inputs": _inputs_as_json(network.inputs),
        "facts": dict(network.facts),
    }
    folder = make_folder(folder)
    # The weights first: what the JSON file says is then there.
    write_whole(folder / WEIGHTS, weights)
    write_whole(folder / FACTS, _as_bytes(facts))


def as_safetensors(
    params: Params, arrays: Mapping[str, np.ndarray | None] | None = None
) -> bytes:
    """Returns params, and other arrays that are not None, as a file's content."""
    tensors = flax.traverse_util.flatten_dict(params, sep="/")
    more = {name: array for name, array in (arrays or {}).items() if array is not None}
    return safetensors.numpy.save(
        {name: np.ascontiguousarray(t) for name, t in {**tensors, **more}.items()}
    )


def save_ensemble(ensemble: Ensemble, folder: str | os.PathLike) -> None:
    """Writes an ensemble into a folder, its networks into folders of it.

    Raises:
      InputError: where it cannot be written.
    """
    folder = make_folder(folder)
    members = []
    for place, network in enumerate(ensemble.networks, start=1):
        save_network(network, folder / str(place))
        members.append({"folder": str(place), "picks": ensemble.picks[place - 1]})
    content = {
        "format_version": FORMAT_VERSION,
        "members": members,
        "facts": dict(ensemble.facts),
    }
    write_whole(folder / ENSEMBLE, _as_bytes(content))


def load_network(path: str | os.PathLike) -> Network | Ensemble:
    """Reads a network, or an ensemble, that a run has left.

    Args:
      path: a run's folder, whose best network it is; or a folder in it, such as
        `best`, `top/2` or `ensemble`.

    Raises:
      InputError: for what holds no network, or a damaged one.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"path={describe(path)} is no path: give a network's folder.")
    folder = pathlib.Path(path)
    folder = folder.parent if folder.name in (WEIGHTS, FACTS, ENSEMBLE) else folder
    check_paths(path=folder / FACTS)
    if (folder / BEST / FACTS).exists():
        folder = folder / BEST
    try:
        if (folder / ENSEMBLE).exists():
            return _read_ensemble(folder)
        if (folder / FACTS).exists():
            return _read_network(folder)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, safetensors.SafetensorError) as e:
        reason = " ".join(str(e).split())[:200]
        raise InputError(
            f"path={str(path)!r} cannot be read as a network ({reason}): export it "
            "again."
        ) from e
    inner = sorted(found.parts[-3] for found in folder.glob(f"*/{BEST}/{FACTS}"))
    such = f", such as {inner[0]} in it" if inner else ""
    raise InputError(
        f"path={str(path)!r} holds no network: give the folder of a run that ended"
        f"{such}, or one with a {FACTS} or an {ENSEMBLE}."
    )


def _read_network(folder: pathlib.Path) -> Network:
    content = _read_json(folder / FACTS)
    weights = (folder / WEIGHTS).read_bytes()
    if hashlib.sha256(weights).hexdigest() != content["weights_sha256"]:
        raise ValueError(f"{WEIGHTS} is not the one that {FACTS} was written for")
    tensors = safetensors.numpy.load(weights)
    _check_shapes(tensors, content["layer_sizes"], content)
    return Network(
        hyperparams=complete(content["hyperparams"]),
        params=flax.traverse_util.unflatten_dict(tensors, sep="/"),
        inputs=_inputs_from_json(content["inputs"]),
        classes=tuple(content["classes"]),
        facts=content["facts"],
        targets=_targets_from_json(content.get("targets")),
    )


def _check_shapes(
    tensors: Mapping[str, np.ndarray], sizes: list[int], content: Mapping[str, Any]
) -> None:
    """Refuses weights that are not those of layers of such sizes."""
    names = [f"hidden_{layer}" for layer in range(len(sizes) - 2)] + ["output"]
    expected = {}
    for name, num_in, num_out in zip(names, sizes, sizes[1:], strict=False):
        expected |= {f"{name}/kernel": (num_in, num_out), f"{name}/bias": (num_out,)}
    values = complete(content["hyperparams"])
    if values["norm"] == "layer":
        for layer, size in enumerate(sizes[1:-1]):
            names_of_norm = (f"norm_{layer}/scale", f"norm_{layer}/bias")
            expected |= dict.fromkeys(names_of_norm, (size,))
    found = {name: tensor.shape for name, tensor in tensors.items()}
    is_same = tuple(sizes[1:-1]) == widths_of(values)
    said = (content.get("targets") or {"names": content["classes"]})["names"]
    if found != expected or not is_same or sizes[-1] != len(said):
        raise ValueError(f"the weights have the shapes {found}, not {expected}")


def _read_ensemble(folder: pathlib.Path) -> Ensemble:
    content = _read_json(folder / ENSEMBLE)
    members = content["members"]
    if not members:
        raise ValueError("it has no networks")
    return Ensemble(
        networks=tuple(_read_network(folder / m["folder"]) for m in members),
        picks=tuple(m["picks"] for m in members),
        facts=content["facts"],
    )


def _read_json(path: pathlib.Path) -> dict[str, Any]:
    content = json.loads(path.read_bytes())
    version = content["format_version"]
    if version != FORMAT_VERSION:
        raise ValueError(f"format version {version}, not {FORMAT_VERSION}")
    return content


def _inputs_as_json(inputs: Inputs) -> dict[str, Any]:
    """All fields; Python writes a float64 such that it reads the same again."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in inputs._asdict().items()
    }


def _inputs_from_json(values: Mapping[str, Any]) -> Inputs:
    types = {"numeric": np.int32, "indicated": np.int32}
    floats = ("shift", "scale", "fill", "mean", "deviation")
    types |= dict.fromkeys(floats, np.float64)
    arrays = {name: np.array(values[name], kind) for name, kind in types.items()}
    pairs = values["categories"]
    return Inputs(
        words=values["words"],
        shape=tuple(values["shape"]),
        columns=tuple(values["columns"]),
        is_bytes=values["is_bytes"],
        kind=values["kind"],
        categories=tuple(Categories(c, tuple(choices)) for c, choices in pairs),
        **arrays,
    )


def _targets_as_json(targets: Targets | None) -> dict[str, Any] | None:
    if targets is None:
        return None
    mean, deviation = targets.mean.tolist(), targets.deviation.tolist()
    return {"names": list(targets.names), "mean": mean, "deviation": deviation}


def _targets_from_json(values: Mapping[str, Any] | None) -> Targets | None:
    """None of classes, and of files of before there were targets."""
    if values is None:
        return None
    mean, deviation = (np.array(values[n], float) for n in ("mean", "deviation"))
    return Targets(tuple(values["names"]), mean, deviation)


def _as_bytes(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, default=float) + "\n").encode()


def make_folder(folder: str | os.PathLike) -> pathlib.Path:
    """Makes a folder, and those that it is in, where they are not there.

    Raises:
      InputError: where it cannot be made.
    """
    if not isinstance(folder, str | os.PathLike):
        raise InputError(f"folder={describe(folder)} is no path: give a folder's.")
    folder = pathlib.Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"folder={str(folder)!r} cannot be made ({error.strerror}): name another."
        ) from error
    return folder


def write_whole(path: pathlib.Path, content: bytes) -> None:
    """Writes a file under another name, then renames it: it is whole or not there.

    Raises:
      InputError: where it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be written ({error.strerror}): make room, or name "
            "another folder."
        ) from error
