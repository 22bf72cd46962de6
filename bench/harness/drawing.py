"""Pictures by Matplotlib: the same record gives the same file."""

import contextlib
import importlib

from vecevo.errors import InputError

# Text stays text; a fixed salt and no date.
SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "vecevo", "font.size": 9}


@contextlib.contextmanager
def new_picture(path):
    """Gives `matplotlib.pyplot`, and writes the figure drawn with it as an SVG file.

    Raises:
      ValueError: where Matplotlib is absent.
    """
    try:
        matplotlib = importlib.import_module("matplotlib")
    except ImportError:
        raise InputError(
            "the picture needs matplotlib: install vecevo's extra bench."
        ) from None
    matplotlib.use("svg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    with matplotlib.rc_context(SETTINGS):
        yield pyplot
        # White, whatever the page's colour is.
        pyplot.savefig(path, metadata={"Date": None}, facecolor="white")
        pyplot.close()
