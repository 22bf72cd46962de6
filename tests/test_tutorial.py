"""The tutorial runs from top to bottom, and is stored with what it shows."""

import base64
import contextlib
import io
import json
import os
import pathlib
import re
import struct

import matplotlib
import pytest

import vecevo

NOTEBOOK = pathlib.Path(vecevo.__file__).parent / "docs/tutorial.ipynb"
CELLS = json.loads(NOTEBOOK.read_text())["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]
MOST_BYTES = 400_000
LEAST_PICTURES = 4
# What only the machine has that the notebook was stored on.
OF_A_MACHINE = re.compile(
    r"/tmp\b|/home\b|/root\b|/work\b|/Users\b|site-packages|0x[0-9a-f]{6}"
)


def cell_text(cell):
    return "".join(cell["source"])


def pictures():
    for cell in CODE:
        for output in cell["outputs"]:
            if "image/png" in output.get("data", {}):
                yield base64.b64decode(output["data"]["image/png"])


def texts(output):
    data = output.get("data", {})
    shown = [text for name, text in data.items() if name != "image/png"]
    return "".join("".join(text) for text in (output.get("text", ""), *shown))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_cells_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed, names = io.StringIO(), {}
    with matplotlib.rc_context({"backend": "Agg"}), contextlib.redirect_stdout(printed):
        for number, cell in enumerate(CODE):
            code = compile(cell_text(cell), f"cell {number}", "exec")
            exec(code, names)
    names["plt"].close("all")
    assert pathlib.Path(os.getcwd()) == tmp_path
    assert names["winner"].test_accuracy > 0.6  # the most frequent label has 0.43
    assert len(names["run"].networks) > names["result"].num_trained
    share = {name: there[:, -1].mean() for name, there in names["is_there"].items()}
    assert share["pool search"] > share["random"] + 0.1
    assert "True" in printed.getvalue()  # a loaded network is the saved one
    stored = "".join(texts(output) for cell in CODE for output in cell["outputs"])
    assert str(names["dataset"]) in stored


def test_no_cell_is_for_ipython_alone():
    for cell in CODE:
        assert not re.search(r"^\s*[%!?]|\?$|get_ipython", cell_text(cell), re.M)


def test_outputs_are_stored():
    numbers = [cell["execution_count"] for cell in CODE]
    assert numbers == list(range(1, len(CODE) + 1))
    outputs = [output for cell in CODE for output in cell["outputs"]]
    kinds = {output["output_type"] for output in outputs}
    assert kinds == {"stream", "execute_result", "display_data"}
    assert all(output.get("name") != "stderr" for output in outputs)
    for cell in CODE:
        # What is printed, and what a last line is worth.
        if re.search(r"^print\(|^show\(|^plt\.show|^\w+$", cell_text(cell), re.M):
            assert cell["outputs"], cell_text(cell)


def test_pictures_are_stored():
    found = list(pictures())
    assert len(found) >= LEAST_PICTURES
    for picture in found:
        assert picture.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", picture[16:24])
        assert 300 <= width <= 1000 and 200 <= height <= 1000


def test_the_file_is_small_and_tells_nothing_of_a_machine():
    assert NOTEBOOK.stat().st_size < MOST_BYTES
    for cell in CODE:
        assert "execution" not in cell["metadata"]
        for output in cell["outputs"]:
            assert not OF_A_MACHINE.search(texts(output))
