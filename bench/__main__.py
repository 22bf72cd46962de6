"""`python -m bench NAME ...`: runs benchmarks, writes records, renders reports."""

import argparse
import sys

from rich.console import Console

from bench.gpu import program
from bench.harness import report
from bench.searching import (
    choice,
    compare,
    curve_tables,
    digits_table,
    evolution,
    models,
    noise,
    operators,
    own_data,
    rungs,
    runs,
    trainings,
)
from bench.training import (
    cifar,
    costs,
    equivalence,
    estimators,
    gpu,
    jobs,
    ladder,
    lanes,
    packing,
    parity,
    pieces,
    recording,
    rung_seconds,
    small,
    startup,
)
from vecevo.errors import InputError

BENCHMARKS = {
    "lanes": lanes,
    "jobs": jobs,
    "small": small,
    "packing": packing,
    "startup": startup,
    "recording": recording,
    "equivalence": equivalence,
    "operators": operators,
    "runs": runs,
    "search": compare,
    "search_models": models,
    "search_digits": noise,
    "search_choice": choice,
    "trainings": trainings,
    "rungs": rungs,
    "rung_seconds": rung_seconds,
    "evolution": evolution,
    "own_data": own_data,
    "estimators": estimators,
    "costs": costs,
    "pieces": pieces,
    "ladder": ladder,
    "cifar": cifar,
    "parity": parity,
    "gpu": gpu,
    "gpu_program": program,
}
# What keeps finished runs, given by --runs.
KEEPING = {"digits_table": digits_table, "curve_tables": curve_tables}
DEFAULT = ("lanes", "jobs", "packing", "equivalence", "operators")
LONG = ("small", "startup", "recording", "runs")  # only with --full, or by name


def main():
    """Runs the benchmarks that the command line names, then renders the report."""
    described = "\n".join(
        f"  {name:13} {str(module.__doc__).partition('\n')[0]}"
        for name, module in (BENCHMARKS | KEEPING).items()
    )
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"Measures vecevo against plain baselines.\n\n{described}\n"
        f"  report        Renders tables and pictures from the records.\n\n"
        f"Without names: {', '.join(DEFAULT)}, report; with --full also "
        f"{', '.join(LONG)}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="one of the above")
    parser.add_argument(
        "--smoke", action="store_true", help="take seconds; write no records"
    )
    parser.add_argument("--full", action="store_true", help="the long sizes as well")
    parser.add_argument(
        "--data-dir", help="where tensorflow-datasets has its prepared sets"
    )
    parser.add_argument(
        "--runs", nargs="+", default=[], help="folders of grid runs, for the tables"
    )
    args = parser.parse_args()
    console = Console(
        soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else 200
    )
    try:
        default = (*DEFAULT, *(LONG if args.full else ()), "report")
        for name in args.names or default:
            if name == "report":
                report.render(console)
            elif name in KEEPING:
                KEEPING[name].record(console, runs=args.runs, smoke=args.smoke)
            elif name in BENCHMARKS:
                BENCHMARKS[name].measure(
                    console, smoke=args.smoke, full=args.full, data_dir=args.data_dir
                )
            else:
                names = ", ".join((*BENCHMARKS, *KEEPING, "report"))
                raise InputError(f"{name!r} is no benchmark: name one of {names}.")
    except InputError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
