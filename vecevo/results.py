"""What training and searching give: plain values, without a device or a genome's space.

A network that failed, because a loss was not finite, has the worst values there are:
accuracy -inf and loss inf; `failed_epoch` says when. Only curves may hold NaN: they
say what was measured.

What is called an accuracy is, where numbers are predicted, R2: the mean over targets of
1 - squared error / variance in the part that is measured, in `train_accuracy` in the
part trained on. A loss is then the squared error of standardised targets, their mean.
Where a run is judged by another metric, all but `train_accuracy` is that. It is larger
where a network is better: of a log loss or an RMSE it is the negative.
"""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vecevo.errors import InputError, repr_without

if TYPE_CHECKING:
    from vecevo.networks.ensembles import Ensemble
    from vecevo.networks.network import Network

ACCURACY, R2 = "accuracy", "R2"  # what networks are compared by, if nothing is asked
Genome = tuple[int, ...]  # indices of choices, one a gene


class NetworkResult(NamedTuple):
    """What training one network gave; curves have one entry an epoch."""

    hyperparams: dict[str, Any]
    num_params: int
    validation_accuracy: float  # at the epoch whose weights are kept; -inf: failed
    validation_loss: float  # at that epoch; inf: failed
    num_epochs: int
    failed_epoch: int | None  # the epoch, from 0, whose loss was not finite
    curves: dict[str, np.ndarray]  # by name float32[epochs]: loss and accuracy, of the
    # minibatches (train_), with dropout, and of the validation part (validation_)
    params: dict[str, dict[str, np.ndarray]]  # of the kept epoch, kernels [out, in],
    # without padding; {} where nothing was kept
    test_accuracy: float | None = None  # of the winners of a search alone
    network: "Network | None" = None  # to use; None where nothing was kept
    validation_probabilities: np.ndarray | None = None  # float16[N', C], where a search
    # keeps them, for its ensemble; of numbers what it predicts, float32[N', K]
    replicate: int = 0  # which of its trainings it was
    is_partial: bool = False  # it was stopped; what it had by then
    rung: int = 0  # the last that it came to, from 0; without rungs there is one
    is_stopped: bool = False  # at that rung, from which others went on

    def __repr__(self) -> str:
        large = {"curves", "params", "network", "validation_probabilities"}
        return repr_without(self, large)


class Work(NamedTuple):
    """What training took; work is epochs of lanes times parameters of lanes."""

    needed: int = 0  # by the true parameters and epochs of the networks
    executed: int = 0  # by the padded parameters of all lanes, empty or stopped too
    train_seconds: float = 0.0  # of all workers together
    wait_seconds: float = 0.0  # of all workers, for programs to be compiled


class Shift(NamedTuple):
    """A cohort as a worker has trained it."""

    worker: int  # its number
    node: str  # the name of its machine
    device: str  # its kind
    width: int  # of the cohort, as all of its lanes are padded
    depth: int
    num_networks: int
    seconds: float  # from when it was handed out until it came back


class Progress(NamedTuple):
    """What a run says after each generation."""

    generation: int  # from 0
    best_accuracy: float  # validation accuracy, of the run so far
    mean_accuracy: float  # of this generation, those that failed left out
    median_accuracy: float  # of this generation, those that failed counted
    num_trained: int  # distinct networks of the run so far
    num_failed: int  # of these
    networks_per_hour: float
    seconds_left: float  # if the generations left take as long as those before
    num_new_failed: int = 0  # of the networks that this generation trained
    num_new: int = 0  # networks that this generation trained
    is_read_back: bool = False  # its networks were trained before the run was resumed


class Confirmed(NamedTuple):
    """One of the best networks, trained again; replicates of all share their R rows."""

    genome: Genome
    hyperparams: dict[str, Any]
    validation_accuracy: np.ndarray  # float64[R], one for each replicate; -inf: failed
    test_accuracy: np.ndarray  # float64[R]; NaN: failed
    p_value: float | None  # that it is as good as the first, adjusted by Holm; None: it
    # is the first, or there are too few replicates to tell
    is_tied: bool | None  # with the first: it cannot be told from it; None: as above
    search_accuracy: float | None = None  # on the validation part, in the search


class Saved(NamedTuple):
    """What rungs have saved in a search."""

    rungs: tuple[int, ...]  # epochs
    num_stopped: tuple[int, ...]  # networks, at each rung but the last
    num_epochs: int  # of all networks
    num_without: float  # expected of them, had all trained to their end; estimated by
    # those that came to the last rung


class SearchResult(NamedTuple):
    """What a run leaves, the best networks first."""

    top: list[tuple[Genome, NetworkResult]]
    front: list[tuple[Genome, NetworkResult]]  # of several objectives the Pareto
    # front, without weights
    progress: list[Progress]
    num_evaluated: int
    num_trained: int
    num_failed: int
    num_programs: int
    classes: list  # planning.CohortClasses, as they were at the end
    time_seconds: dict[str, float]  # total; of a worker: compile (waited for), train
    useful_work_ratio: float | None  # None when nothing was trained
    ensemble: "Ensemble | None" = None  # of the best networks
    confirmation: tuple[Confirmed, ...] = ()  # the best by their mean first
    is_by_model: bool = False  # a model of the strategy's ranked the networks, by what
    # it expects of them; confirmation comes after it
    failed_epochs: tuple[int, ...] = ()  # of networks that failed, ascending, from 0
    num_capped: int = 0  # networks that the cap on epochs stopped
    unconfirmed_seconds: float | None = None  # that confirmation was expected to take,
    # where max_seconds did not suffice for it
    saved: Saved | None = None  # by rungs; None: there were none
    stopped_by: str | None = None  # max_seconds, SIGINT or SIGTERM; None: it went to
    # its end

    def __repr__(self) -> str:
        large = {"top", "front", "progress", "classes", "ensemble", "confirmation"}
        best = [f"best {result!r} of " for _, result in self.top[:1]]
        return f"{''.join(best)}{repr_without(self, large)}"

    @property
    def best(self) -> "Network":
        """The best network, to use.

        Raises:
          InputError: where no network was trained to its end.
        """
        if self.top and self.top[0][1].network is not None:
            return self.top[0][1].network
        if self.stopped_by is not None:
            raise InputError(
                f"no network was trained to its end before {self.stopped_by} stopped "
                "the search: give it more time."
            )
        raise InputError("there is no best network: none was trained to its end.")


def in_metric(text: str, metric: str) -> str:
    """Returns a text about accuracies as one about what a run is compared by.

    >>> in_metric("Accuracies, the best accuracy", "R2")
    'R2, the best R2'
    >>> in_metric("Accuracy; no network has an accuracy", "negative RMSE")
    'Negative RMSE; no network has a negative RMSE'
    >>> in_metric(in_metric("accuracy", "balanced accuracy"), "balanced accuracy")
    'balanced accuracy'
    """
    if metric == ACCURACY:
        return text
    capital = metric[0].upper() + metric[1:]
    if metric[0].islower():  # with a consonant
        text = re.sub(r"\b([Aa])n(?= accuracy)", r"\1", text)
    return re.sub(
        "(balanced )?accurac(y|ies)",  # once is enough: a text may come twice
        lambda found: capital if found[0][0].isupper() else metric,
        text,
        flags=re.IGNORECASE,
    )


def metric_prefix(metric: str) -> str:
    """Returns what stands before a number that is an accuracy where nothing does.

    >>> metric_prefix("accuracy"), metric_prefix("R2")
    ('', 'R2 ')
    """
    return "" if metric == ACCURACY else f"{metric} "


def genome_text(genome: Genome) -> str:
    """A genome as files and tables have it: 0-2-1."""
    return "-".join(map(str, genome))


def rank_key(network: Any, genome: Genome) -> tuple[int, float, float, Genome]:
    """Sorts networks, the best first: by rung, accuracy, loss, and then by genome.

    Accuracies of two rungs do not compare: the network that came further is better.

    Args:
      network: with rung, validation_accuracy and validation_loss.
      genome: of it.
    """
    accuracy, loss = network.validation_accuracy, network.validation_loss
    return -network.rung, -accuracy, loss, genome


def mean_of(replicates: Mapping[int, NetworkResult]) -> NetworkResult:
    """Returns the first replicate with the mean accuracy and loss of all.

    Where one of them failed, the network did.
    """
    results = [replicates[replicate] for replicate in sorted(replicates)]
    first, failed = results[0], [r for r in results if r.failed_epoch is not None]
    if len(results) == 1:
        return first
    first = first._replace(is_stopped=any(r.is_stopped for r in results))
    if failed:
        worst = {"validation_accuracy": -math.inf, "validation_loss": math.inf}
        failed_epoch = failed[0].failed_epoch
        return first._replace(**worst, failed_epoch=failed_epoch, network=None)
    return first._replace(
        validation_accuracy=float(np.mean([r.validation_accuracy for r in results])),
        validation_loss=float(np.mean([r.validation_loss for r in results])),
    )


def add_work(work: Work, more: Work) -> Work:
    """Returns the sum of two Works."""
    return Work(
        needed=work.needed + more.needed,
        executed=work.executed + more.executed,
        train_seconds=work.train_seconds + more.train_seconds,
        wait_seconds=work.wait_seconds + more.wait_seconds,
    )
