"""The ensemble of a run: which networks are kept for it, and how it is made."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from vecevo.datasets.making import Dataset
from vecevo.datasets.targets import rmse
from vecevo.errors import InputError, is_whole
from vecevo.networks.ensembles import Ensemble, ensemble_outputs, select
from vecevo.networks.network import make_measure_fn, metric_fact, outputs_of
from vecevo.results import Genome, NetworkResult
from vecevo.runs.files.journal import finite_or_none

POOL_SIZE, POOL_BYTES = 50, 2**30


def count_pool(num_params: int, dataset: Dataset, *, least: int) -> int:
    """How many networks are kept: 50, or as many of the largest as a gibibyte holds.

    Args:
      num_params: of the largest network there may be.
      dataset: of the run.
      least: so many in any case.
    """
    num_bytes = 2 if dataset.targets is None else 4
    outputs = num_bytes * len(dataset.y_validation) * dataset.num_outputs
    return max(least, min(POOL_SIZE, POOL_BYTES // (4 * num_params + outputs)))


def check_picks(ensemble: Any) -> None:
    """Refuses a number of picks that is no whole number from 0 up.

    Raises:
      InputError: naming it.
    """
    if not is_whole(ensemble) or ensemble < 0:
        raise InputError(f"ensemble={ensemble!r} must be a whole number from 0 up.")


def make_ensemble(
    pool: Sequence[tuple[Genome, NetworkResult]],
    dataset: Dataset,
    *,
    num_picks: int,
    metric: str | None = None,
) -> Ensemble | None:
    """Picks networks of a pool, and measures their mean on the test part, once.

    Args:
      pool: the best networks first, with their weights.
      dataset: of the run.
      num_picks: with repetition; 0: no ensemble. By the article's protocol there is
        none: it would be chosen on the test part.
      metric: that it is measured by; None: accuracy, or R2.
    """
    if not num_picks or not pool or dataset.is_article:
        return None
    said = np.stack([_outputs(result, dataset) for _, result in pool])
    found = select(
        said,
        dataset.y_validation,
        num_picks=num_picks,
        measure_fn=make_measure_fn(metric, dataset.classes, dataset.targets),
    )
    picked = [(n, r) for n, (_, r) in zip(found.picks.tolist(), pool, strict=True) if n]
    ensemble = Ensemble(
        networks=tuple(r.network for _, r in picked if r.network is not None),
        picks=tuple(n for n, _ in picked),
    )
    facts = {
        "num_picks": num_picks,
        "num_networks": len(picked),
        "pool_size": len(pool),
        "validation_accuracy": found.validation_accuracy,
        "held_out_accuracy": finite_or_none(found.held_out_accuracy),
        "held_out_best": finite_or_none(found.held_out_best),
        **metric_fact(metric),
        **measure_test(ensemble_outputs(ensemble, dataset.x_test), dataset, metric),
    }
    return ensemble._replace(facts=facts)


def measure_winner(
    result: NetworkResult, dataset: Dataset, metric: str | None
) -> NetworkResult:
    """Measures a network on the test part: at the end of a run, to choose nothing."""
    network = result.network
    if network is None:
        return result
    measured = measure_test(outputs_of(network, dataset.x_test), dataset, metric)
    facts = {**network.facts, **measured}
    return result._replace(
        test_accuracy=measured["test_accuracy"], network=network._replace(facts=facts)
    )


def measure_test(
    outputs: np.ndarray, dataset: Dataset, metric: str | None = None
) -> dict[str, Any]:
    """Returns what outputs [N, C] of the test part are worth, by name.

    Of numbers, beside the metric, the root mean squared error by target, in its unit.
    """
    measure_fn = make_measure_fn(metric, dataset.classes, dataset.targets)
    measured: dict[str, Any] = {"test_accuracy": measure_fn(outputs, dataset.y_test)}
    targets = dataset.targets
    if targets is None:
        return measured
    errors = rmse(targets, outputs, dataset.y_test)
    return measured | {"test_rmse": dict(zip(targets.names, errors, strict=True))}


def _outputs(result: NetworkResult, dataset: Dataset) -> np.ndarray:
    """What a network says of the validation part; a run without an ensemble kept none.

    Raises:
      TypeError: for a result without weights.
    """
    if result.validation_probabilities is not None:
        return result.validation_probabilities
    if result.network is None:
        raise TypeError("the session did not keep weights")
    outputs = outputs_of(result.network, dataset.x_validation)
    return outputs.astype(np.float16 if dataset.targets is None else np.float32)
