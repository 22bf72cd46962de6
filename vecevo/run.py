"""The command line, `vecevo` or `python -m vecevo.run`: parses, calls, reports."""

import importlib
import sys
import warnings

import vecevo
from vecevo.runs import stopping


def main() -> None:
    """Runs the command line; bad input ends with one line and exit code 2."""
    stopping.end_by_signals("stopped")
    # Only now, as it takes a while: a signal meets no traceback.
    from rich.console import Console

    from vecevo.errors import InputError
    from vecevo.runs import parsing

    # Where it is not a terminal, nothing need be cut to a width.
    width = None if sys.stdout.isatty() else 200
    # Texts of users are no markup: what is styled is so by style= alone.
    console = Console(
        soft_wrap=True, highlight=False, width=width, markup=False, emoji=False
    )
    warnings.formatwarning = lambda message, *_, **__: f"vecevo: {message}\n"
    if sys.argv[1:2] and sys.argv[1] in parsing.COMMANDS:
        name = sys.argv.pop(1)
        importlib.import_module(f"vecevo.{name}").main()
        return
    if sys.argv[1:] == ["--version"]:
        with stopping.ending_with_reader():
            print(f"vecevo {vecevo.__version__}")
        return
    stopping.end_by_signals("stopped before anything was trained")
    try:
        with stopping.ending_with_reader():  # of --help
            config = parsing.parse(sys.argv[1:])
        # Only now, as it imports JAX: help and mistakes are shown without the wait.
        from vecevo.runs import command

        code = command.run(config, console)
    except InputError as error:
        print(f"vecevo: {error}", file=sys.stderr)
        code = 2
    if code:
        sys.exit(code)
    stopping.ignore_signals()  # all is written, and shown


if __name__ == "__main__":
    main()
