"""The command on a recorded table, where nothing is trained."""

import pathlib
import shutil

from rich.console import Console

from vecevo.errors import InputError
from vecevo.networks import saving
from vecevo.results import Progress, metric_prefix
from vecevo.runs import environment
from vecevo.runs.configuration import RunConfig
from vecevo.runs.files.tables import load_table, metric_of
from vecevo.runs.files.toml import to_toml
from vecevo.runs.recorded import replay
from vecevo.runs.report import console as shown
from vecevo.runs.report import summary as summaries
from vecevo.runs.report.verdict import counted, saved_lines
from vecevo.runs.settling import check_new, make_strategy, resolve, rungs_of


def run_on_landscape(config: RunConfig, talk: Console, console: Console) -> None:
    """Searches a recorded table as configured; nothing is trained.

    Progress goes to `talk`, the result to `console`.
    """
    try:
        table = load_table(str(config.landscape))
    except InputError as error:
        raise InputError(f"landscape={config.landscape!r}: {error}") from error
    config = resolve(config, table.space)
    folder = pathlib.Path(str(config.output_dir))
    check_new(folder)
    num_replicates = counted(table.validation_accuracy.shape[1], "replicate")
    talk.print(
        f"{config.strategy} search over {table.space.num_genomes:,} recorded networks, "
        f"{num_replicates} of each: "
        f"{counted(config.num_generations, 'generation')} of {config.population_size}"
    )

    def progress_fn(progress: Progress) -> None:
        asked = (config.num_generations, metric_prefix(metric_of(table)))
        talk.print(shown.progress_line(progress, *asked, is_trained=False))

    result = replay(
        table,
        strategy=make_strategy(config, table.space),
        num_generations=config.num_generations,
        seed=config.seed,
        objectives=config.objectives,
        rungs=rungs_of(config),
        patience=config.patience,
        progress_fn=progress_fn,
    )
    for line in saved_lines({"saved": result.saved and result.saved._asdict()}):
        talk.print(line)
    environment.make_folder(folder)
    summary = summaries.replay_dict(result, table, config)
    try:
        saving.write_whole(folder / "config.toml", to_toml(config).encode())
        shown.leave_result(summary, table.space, folder, console)
    except InputError:
        shutil.rmtree(folder)  # made above, and nothing was trained
        raise
