"""A run's folder while the run goes on: its journal, its pool of weights, its lock."""

import contextlib
import fcntl
import pathlib
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

import numpy as np

from vecevo.errors import InputError
from vecevo.networks import saving
from vecevo.results import (
    Genome,
    NetworkResult,
    Progress,
    Shift,
    Work,
    genome_text,
)
from vecevo.runs.files import journal, queries

JOURNAL, LOCK, POOL = "run.sqlite", "run.lock", "pool"

Training = tuple[str, Genome, int]  # purpose, genome and replicate


class Recorded(NamedTuple):
    """What a run had written before it was resumed."""

    meta: Mapping[str, Any]
    populations: list[np.ndarray]  # int32[P, G], of all generations that were begun
    num_ended: int  # of these
    rows: dict[Training, dict[str, Any]]  # parsed; those partial left out
    work: Work
    seconds: float  # of the run's time


class Store:
    """What a run writes while it goes on; every error says that nothing is lost."""

    def __init__(
        self, folder: pathlib.Path, connection: sqlite3.Connection, lock: IO[str]
    ):
        self.folder, self._connection, self._lock = folder, connection, lock

    def write_meta(self, meta: Mapping[str, Any]) -> None:
        """Writes what the run is."""
        with telling(self.folder):
            journal.write_meta(self._connection, meta)

    def begin_generation(self, generation: int, population: np.ndarray) -> None:
        """Writes what a generation asks for, int[P, G]."""
        with telling(self.folder):
            genomes = population.tolist()
            journal.begin_generation(self._connection, generation, genomes)

    def record(
        self,
        generation: int,
        genomes: Sequence[Genome],
        results: Sequence[NetworkResult],
        work: Work,
        *,
        kept: Collection[Genome],
        purpose: str = "search",
        seconds: float,
    ) -> None:
        """Writes a cohort: weights of genomes that are kept, then the journal.

        Weights of others go last, so that what the journal has is always there.
        """
        with telling(self.folder):
            for genome, result in zip(genomes, results, strict=True):
                if purpose == "search" and genome in kept and not result.is_partial:
                    write_weights(self.folder, genome, result)
            settings: dict[str, Any] = {"purpose": purpose, "seconds": seconds}
            journal.record(
                *(self._connection, generation, genomes, results, work), **settings
            )
            names = {weights_path(self.folder, genome).name for genome in kept}
            for path in (self.folder / POOL).glob("*.safetensors"):
                if path.name not in names:
                    path.unlink()

    def record_shift(self, generation: int, shift: Shift, *, seconds: float) -> None:
        """Writes what a worker has trained."""
        with telling(self.folder):
            journal.record_shift(self._connection, generation, shift, seconds=seconds)

    def end_generation(self, progress: Progress, *, seconds: float) -> None:
        """Writes what a generation ended with."""
        with telling(self.folder):
            journal.end_generation(self._connection, progress, seconds=seconds)

    def close(self) -> None:
        """Lets others have the folder."""
        journal.close(self._connection)
        self._lock.close()


def start(folder: pathlib.Path, meta: Mapping[str, Any]) -> Store:
    """Makes the files of a run in a folder, which is made where it is not there.

    Raises:
      InputError: for a folder that has a run, or cannot be written.
    """
    with telling(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = _lock(folder)
        if (folder / JOURNAL).exists():
            lock.close()
            raise InputError(
                f"output_dir={str(folder)!r} has a run: resume it, or name another."
            )
        try:
            saving.make_folder(folder / POOL)
            return Store(folder, journal.create(folder / JOURNAL, meta), lock)
        except BaseException:  # it does not even say what it is
            for path in folder.glob(f"{JOURNAL}*"):
                path.unlink()
            lock.close()
            raise


def open_again(folder: pathlib.Path) -> tuple[Store, Recorded]:
    """Opens the files of a run that goes on.

    Raises:
      InputError: for what is no run, is damaged, or at work in another process.
    """
    path = folder / JOURNAL
    if not path.exists():
        raise InputError(
            f"resume={str(folder)!r} is no folder of a run: it has no {JOURNAL}."
        )
    with telling(folder):
        lock = _lock(folder)
        try:
            queries.check_whole(path)
            recorded = _read(path)
            saving.make_folder(folder / POOL)
            return Store(folder, journal.connect(path), lock), recorded
        except BaseException:
            lock.close()
            raise


def _read(path: pathlib.Path) -> Recorded:
    rows = [queries.parsed(row) for row in queries.read_rows(path)]
    whole = [row for row in rows if row["status"] != "partial"]
    work, seconds = queries.read_work(path)
    return Recorded(
        meta=queries.read_meta(path) or {},
        populations=[np.array(p, np.int32) for p in queries.read_populations(path)],
        num_ended=len(queries.read_generations(path)),
        rows={(r["purpose"], r["genome"], r["replicate"]): r for r in whole},
        work=work,
        seconds=seconds,
    )


def _lock(folder: pathlib.Path) -> IO[str]:
    """Takes the folder for this process, which ends with it however it ends."""
    file = open(folder / LOCK, "a")  # noqa: SIM115, as long as the run
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise InputError(
            f"output_dir={str(folder)!r} is in use: another process runs in it. Wait "
            "for it, or stop it."
        ) from None
    return file


@contextlib.contextmanager
def telling(folder: pathlib.Path) -> Iterator[None]:
    """Turns an error of writing into one line that says how to go on.

    Raises:
      InputError: instead of an OSError, or one of SQLite's.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"output_dir={str(folder)!r} cannot be written ({reason}): make room, or "
            "make it writable; what was written before stays, and a run in it goes on "
            "with --resume."
        ) from error


def weights_path(folder: pathlib.Path, genome: Genome) -> pathlib.Path:
    """Where the weights of a network of the pool are, in a run's folder."""
    return folder / POOL / f"{genome_text(genome)}.safetensors"


def write_weights(folder: pathlib.Path, genome: Genome, result: NetworkResult) -> None:
    """Writes Flax's params and, where known, what is said of the validation part."""
    if result.network is not None:
        arrays = {"validation_probabilities": result.validation_probabilities}
        content = saving.as_safetensors(result.network.params, arrays)
        saving.write_whole(weights_path(folder, genome), content)
