"""A run as a library call: ask, train what is new, tell, record; confirm at the end."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import jax

from vecevo import evaluation
from vecevo.datasets.loading import as_dataset
from vecevo.datasets.making import Dataset
from vecevo.errors import (
    InputError,
    check_callable,
    check_counts,
    check_positive,
    describe,
)
from vecevo.keys import split_run_key
from vecevo.results import SearchResult
from vecevo.runs.budget import plan_in_time
from vecevo.runs.course import Course
from vecevo.runs.ending import choosing
from vecevo.runs.ending.confirming import check_confirm
from vecevo.runs.ending.voting import check_picks
from vecevo.runs.expecting import (
    check_space,
    choose_pool_size,
    count_lists,
    expected_networks,
)
from vecevo.runs.files import opening
from vecevo.runs.ledger import NUM_TOP, Ledger, RecordFn, summarize
from vecevo.runs.loop import ProgressFn, play
from vecevo.runs.rungs import Rungs, choose_rungs, count_saved
from vecevo.runs.starting import Start, start_search
from vecevo.runs.stopping import Stop, watch
from vecevo.space import SearchSpace
from vecevo.strategies import Strategy
from vecevo.training import sessions, settings
from vecevo.training.workers.opening import (
    Workers,
    at_work,
    check_workers,
    recorded_of,
)


def search(
    space: SearchSpace,
    dataset: Dataset | str | os.PathLike,
    *,
    strategy: Strategy | str | None = None,
    population_size: int | None = None,
    num_generations: int = 10,
    seed: int = 0,
    max_seconds: float | None = None,
    initial_population: jax.typing.ArrayLike | None = None,
    objectives: Sequence[str] = ("accuracy",),
    fixed: Mapping[str, Any] | None = None,
    replicates: int = 1,
    rungs: Rungs = "auto",
    confirm: int = 5,
    ensemble: int = 10,
    output_dir: str | os.PathLike | None = None,
    resume: bool = False,
    record_fn: RecordFn | None = None,
    progress_fn: ProgressFn | None = None,
    stop: Stop | None = None,
    workers: Workers = None,
    meta: Mapping[str, Any] | None = None,
    **training: Any,
) -> SearchResult:
    """Evolves networks on a data set; a network is trained once.

    A first Ctrl-C ends the search at the end of an epoch, and returns what there is.

    Args:
      space: of the networks.
      dataset: from `load_dataset` or `make_dataset`, or a name to load.
      strategy: of `vecevo.strategies`, or its name; None is a grid where the budget
        covers the space, nsga2 for several objectives, and else recommended.
      population_size: P; None is the strategy's own, or 20.
      num_generations: the initial one included; a grid takes as many as it needs.
      seed: of every random draw, from 0 to 2^64 - 1.
      max_seconds: budget for all of it, from now on. None is no limit.
      initial_population: int[P, G]; None is the strategy's own.
      objectives: names; `accuracy` is maximised, and `num_params` minimised beside it.
      fixed: hyperparams that are no genes, by name.
      replicates: trainings of each network, whose mean accuracy the search is told.
      rungs: epochs, ascending to the cap, at each of which the best third of a
        generation's new networks goes on, and the others stop; "auto": for the
        strategies "recommended" and "random" a fifth of the cap, and the cap, where
        that fifth has 50 steps, but none for several objectives or the article's
        protocol; None or "none": all train to their end.
      confirm: networks that are trained again at the end, from other initial weights
        and by other orders of examples; the one of the best mean wins. 0: none.
      ensemble: picks of the ensemble, chosen among the best 50 networks; 0: none.
      output_dir: folder to record the run in, so that it can go on; None: it is not
        recorded.
      resume: goes on with the run in output_dir; what it has trained is read back.
      record_fn: called with generation, genomes and NetworkResults of every cohort, or
        of all that end at a rung, those read back included.
      progress_fn: called with a Progress after every generation.
      stop: by which another thread, or a handler of signals, ends the search; None:
        Ctrl-C does.
      workers: processes that train, by Ray: how many, "auto" for one a device, or what
        `open_workers` gives; None: threads of this process.
      meta: what else to record of the run, as JSON.
      **training: `batch_size`, `max_epochs`, `patience`, `metric`, `class_weight`,
        `augment`, `mixup`, `precision`, `memory_bytes` and `planned_workers`, as in
        `training.settings.TrainingSettings`.

    Returns:
      SearchResult. The best networks have their weights, and, unless a signal ended
      the search, their accuracy on the test part, which chooses nothing. `stopped_by`
      says whether time or a signal did.

    Raises:
      InputError: for genomes that are none of the space, values that no network
        takes, settings that nothing can be trained with, or a run that cannot go on.
    """
    check_positive(max_seconds=max_seconds)
    check_callable(record_fn=record_fn, progress_fn=progress_fn)
    check_picks(ensemble)
    check_confirm(confirm)
    check_counts(replicates=replicates)
    check_workers(workers)
    check_space(space)
    fixed = {} if fixed is None else fixed
    if not isinstance(fixed, Mapping):
        raise InputError(f"fixed={describe(fixed)} must be a dict of values by name.")
    if resume and output_dir is None:
        raise InputError("resume=True needs output_dir, the folder of the run.")
    keys, dataset = split_run_key(seed), as_dataset(dataset)
    start = start_search(
        strategy,
        keys.start,
        space,
        population_size=population_size,
        num_generations=num_generations,
        initial_population=initial_population,
        objectives=objectives,
    )
    size, num_generations = len(start.state.population), start.num_generations
    num_lists = count_lists(
        space, fixed, start.strategy.share_new, size, num_generations
    )
    with contextlib.ExitStack() as stack:
        crew = stack.enter_context(at_work(workers))
        resolved = settings.resolve(training, dataset)
        steps = choose_rungs(
            rungs, dataset, resolved, strategy=start.name, objectives=objectives
        )
        if steps is not None:  # of what it is told then, a model expects no accuracy
            start = start._replace(strategy=start.strategy._replace(judge=None))
        expected = expected_networks(
            space, fixed, list_size=size, num_lists=num_lists, rungs=steps
        )
        data_shape = sessions.shape_of(dataset)
        planned = plan_in_time(data_shape, expected, resolved, max_seconds)
        if stop is None:
            stop = Stop()
            stack.enter_context(watch(stop, ends_process=False))
        stop.limit(max_seconds)
        session = sessions.start_session(
            dataset,
            planned.expected,
            resolved,
            seed=seed,
            is_time_up_fn=stop.is_set,
            keeps_probabilities=ensemble > 0,
            crew=crew,
        )
        stack.enter_context(contextlib.closing(session.setup.programs))
        opened = opening.open_run(
            *(session, space, fixed),
            output_dir=output_dir,
            resume=resume,
            num_generations=start.num_generations,
            meta={**(meta or {}), **recorded_of(crew)},
            strategy=start.name,
            population_size=size,
            objectives=list(objectives),
            seed=int(seed),
            replicates=replicates,
            rungs=steps,
            start=opening.hash_of(initial_population),
        )
        if opened.files is not None:
            stack.callback(opened.files.close)
        pool_size = choose_pool_size(expected, dataset) if confirm or ensemble else 0
        course = Course(
            opened.session,
            Ledger(record_fn, max(NUM_TOP, pool_size), replicates, len(steps or [0])),
            stop,
            files=opened.files,
            confirm=confirm,
            recorded=opened.recorded,
            progress_fn=progress_fn,
        )
        if crew is not None:
            crew.shift_fn = course.record_shift
            stack.callback(setattr, crew, "shift_fn", None)
        return _search(
            *(course, opened, space, fixed, start, keys.search),
            objectives=objectives,
            ensemble=ensemble,
            rungs=steps,
        )


def _search(
    course: Course,
    opened: opening.Opened,
    space: SearchSpace,
    fixed: Mapping[str, Any],
    start: Start,
    key: jax.Array,
    *,
    objectives: Sequence[str],
    ensemble: int,
    rungs: Sequence[int] | None,
) -> SearchResult:
    """Searches, and ends the search."""
    ledger, session, recorded = course.ledger, course.session, opened.recorded
    known = {
        (genome, replicate): result
        for (purpose, genome, replicate), result in opened.known.items()
        if purpose == "search"
    }
    evaluate_fn = evaluation.make_evaluate_fn(
        session,
        space,
        fixed,
        lookup_fn=ledger.accuracy.get,
        take_in_fn=course.take_in,
        read_back_fn=course.read_back,
        wants_params_fn=ledger.wants_params,
        num_replicates=ledger.num_replicates,
        rungs=rungs,
        known=known,
    )
    played = play(
        *(start.strategy, start.state, key, space, evaluate_fn, ledger),
        num_generations=start.num_generations,
        objectives=objectives,
        progress_fn=course.end,
        begin_fn=course.begin,
        canonical_fn=evaluation.make_canonical_fn(space, fixed),
        populations=recorded.populations,
        num_ended=recorded.num_ended,
        seconds_before=recorded.seconds,
    )
    reason = course.stop.reason if played.is_stopped else None
    ending = choosing.end_run(
        *(course, space, fixed),
        strategy=start.strategy,
        state=played.state,
        known=opened.known,
        num_picks=ensemble,
    )
    work = ledger.work
    num_workers = sessions.count_workers(session.job, session.crew)
    # Among networks that were stopped the accuracy alone ranks.
    is_by_model = not ledger.partial and (
        choosing.expect(ledger.pool, start.strategy, played.state) is not None
    )
    return summarize(
        ledger,
        played.progress,
        objectives,
        **ending._asdict(),
        is_by_model=is_by_model,
        stopped_by=reason or course.stop.signal,
        num_capped=sum(
            result.num_epochs == session.settings.max_epochs
            for result in ledger.results.values()
        ),
        saved=count_saved(ledger, rungs),
        num_evaluated=len(start.state.population) * len(played.progress),
        num_programs=session.setup.programs.num_programs,
        classes=session.classes,
        time_seconds={
            "total": course.seconds,
            "compile": work.wait_seconds / num_workers,
            "train": work.train_seconds / num_workers,
        },
    )
