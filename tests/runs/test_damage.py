"""Files of runs that are damaged, foreign or in the way: a line, and nothing lost."""

import shutil
import sqlite3

import numpy as np
import pytest

import vecevo
from tests.runs.test_killing import table
from vecevo import predict, report, run

SPACE = vecevo.SearchSpace({"width": (8, 16), "optimizer": ("adam", "sgd", "nadam")})
SETTINGS = {
    "fixed": {"depth": 1, "activation": "relu"},
    "strategy": "random",
    "population_size": 2,
    "num_generations": 3,
    "max_epochs": 2,
    "confirm": 0,
}
FOREIGN = {
    "empty": b"",
    "text": b"depth,width\n1,8\n" * 400,
    "picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
}


def search(folder, **settings):
    with pytest.MonkeyPatch.context() as patch:  # no fork of a session for a test
        patch.chdir(folder.parent)
        return vecevo.search(
            SPACE, "digits", output_dir=folder, **{**SETTINGS, **settings}
        )


@pytest.fixture(scope="module", name="whole")
def get_whole(tmp_path_factory):
    """A run to its end, and beside it what a kill in its second generation leaves."""
    folder = tmp_path_factory.mktemp("runs") / "whole"

    def take_copy(generation, genomes, results):
        if generation == 1 and not (folder.parent / "killed").exists():
            shutil.copytree(folder, folder.parent / "killed")

    search(folder, record_fn=take_copy)
    assert (folder.parent / "killed" / "run.sqlite-wal").stat().st_size > 0
    return folder


@pytest.fixture(name="killed")
def get_killed(whole, tmp_path):
    return shutil.copytree(whole.parent / "killed", tmp_path / "killed")


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.lock"
    }


def check_refused(folder, match):
    """Resuming says in one line what is wrong, and what was there stays."""
    before = files_of(folder)
    with pytest.raises(vecevo.InputError, match=match) as caught:
        search(folder, resume=True)
    assert "\n" not in str(caught.value)
    after = files_of(folder)
    kept = [name for name in before if not name.startswith("run.sqlite-")]
    try:
        rows = table(folder)
    except sqlite3.Error:  # none, before as after
        assert after == before
    else:
        shutil.rmtree(folder)
        for name in kept:
            assert name == "run.sqlite" or after[name] == before[name]
        folder.mkdir()
        for name, content in before.items():
            if name.startswith("run.sqlite"):
                (folder / name).write_bytes(content)
        assert table(folder) == rows


def test_what_a_kill_leaves_goes_on(whole, killed):
    search(killed, resume=True)
    assert table(killed) == table(whole)


def check_log(whole, folder, content):
    """A log cut anywhere loses what was in flight then, or is said to be no use."""
    (folder / "run.sqlite-wal").write_bytes(content)
    try:
        search(folder, resume=True)
    except vecevo.InputError as error:
        assert "\n" not in str(error)
        assert (folder / "run.sqlite-wal").read_bytes() == content
    else:
        assert table(folder) == table(whole)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.999])
def test_a_log_that_was_cut_is_as_an_earlier_kill(whole, killed, share):
    content = (killed / "run.sqlite-wal").read_bytes()
    check_log(whole, killed, content[: int(share * len(content))])


@pytest.mark.kill
@pytest.mark.parametrize("share", np.linspace(0.02, 0.98, 25))
def test_a_log_cut_anywhere(whole, killed, share):
    content = (killed / "run.sqlite-wal").read_bytes()
    check_log(whole, killed, content[: int(share * len(content))])


@pytest.mark.parametrize("name", FOREIGN)
def test_a_log_that_is_none_is_as_an_earlier_kill(whole, killed, name):
    check_log(whole, killed, FOREIGN[name])


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_journal_is_refused(killed, name):
    (killed / "run.sqlite-wal").unlink()
    (killed / "run.sqlite").write_bytes(FOREIGN[name])
    check_refused(killed, "cannot be read|is empty")
    with pytest.raises(vecevo.InputError):
        vecevo.load_run(killed)


def test_a_database_of_something_else_is_refused(killed):
    for path in killed.glob("run.sqlite*"):
        path.unlink()
    connection = sqlite3.connect(killed / "run.sqlite")
    connection.execute("CREATE TABLE books (title TEXT)")
    connection.commit()
    connection.close()
    check_refused(killed, "is empty, or of another")
    with pytest.raises(vecevo.InputError, match="is empty, or of another"):
        vecevo.load_run(killed)


def test_the_journal_of_another_run_is_refused(killed, tmp_path):
    search(tmp_path / "other", max_epochs=1, num_generations=1)
    for path in killed.glob("run.sqlite*"):
        path.unlink()
    shutil.copy(tmp_path / "other/run.sqlite", killed / "run.sqlite")
    check_refused(killed, "max_epochs was 1 and is 2")


@pytest.mark.parametrize("damage", ["cut", "foreign", "swapped", "gone", "a folder"])
def test_weights_that_are_damaged_are_trained_again(whole, tmp_path, damage):
    folder = shutil.copytree(whole, tmp_path / "run")
    first, second = sorted((folder / "pool").iterdir())[:2]
    content = first.read_bytes()
    if damage == "swapped":
        first.write_bytes(second.read_bytes())
    elif damage in ("cut", "foreign"):
        first.write_bytes(content[:100] if damage == "cut" else FOREIGN["picture"])
    else:
        first.unlink()
    if damage == "a folder":
        first.mkdir()
    with pytest.warns(UserWarning, match="the weights of 1 networks are not in the"):
        result = search(folder, resume=True)
    expected = search(tmp_path / "again")
    for (genome, found), (same, plain) in zip(result.top, expected.top, strict=True):
        assert genome == same
        for name, layer in plain.params.items():
            # Trained in a smaller cohort: equal but for rounding.
            kernel = found.params[name]["kernel"]
            np.testing.assert_allclose(kernel, layer["kernel"], rtol=1e-4, atol=1e-6)
    assert table(folder) == table(whole)


def test_a_journal_that_cannot_be_written_is_said(killed, monkeypatch):
    connect = sqlite3.connect

    def connect_to_read(path, uri=False):
        return connect(path if uri else f"file:{path}?mode=ro", uri=True)

    monkeypatch.setattr(sqlite3, "connect", connect_to_read)
    check_refused(killed, "cannot be written .*--resume")


def command(module, *args):
    """Returns the exit code of a command in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["vecevo", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            module.main()
    return caught.value.code


@pytest.mark.parametrize("name", FOREIGN)
def test_a_page_of_a_damaged_run_is_refused_in_a_line(whole, tmp_path, name, capsys):
    folder = shutil.copytree(whole, tmp_path / "run")
    (folder / "run.sqlite").write_bytes(FOREIGN[name])
    before = files_of(folder)
    assert command(report, folder) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert files_of(folder) == before


@pytest.mark.parametrize("name", FOREIGN)
def test_networks_that_are_damaged_predict_nothing(tmp_path, name, capsys):
    given = "--width 8 --depth 1 --activation relu --optimizer adam --max-epochs 1"
    folder, path = tmp_path / "run", tmp_path / "x.npy"
    with pytest.MonkeyPatch.context() as patch:
        rest = f"--confirm 0 --ensemble 0 --no-report --output-dir {folder}"
        patch.setattr("sys.argv", ["run", *given.split(), *rest.split()])
        run.main()
    np.save(path, np.zeros((2, 64)))
    capsys.readouterr()
    for file in sorted((folder / "best").glob("network.*")):
        content = file.read_bytes()
        file.write_bytes(FOREIGN[name])
        assert command(predict, folder, path) == 2, file
        assert capsys.readouterr().err.count("\n") == 1, file
        file.write_bytes(content)


def test_another_data_set_is_said_to_be_one(killed):
    changed = vecevo.load_dataset("digits", limit_train=100)
    settings = {**SETTINGS, "output_dir": killed, "resume": True, "batch_size": 64}
    with pytest.raises(vecevo.InputError, match=r"another run: .*data set has changed"):
        vecevo.search(SPACE, changed, **settings)


def test_a_run_of_the_library_goes_on_from_the_library(killed, capsys):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr("sys.argv", ["vecevo", "--resume", str(killed)])
        run.main()
    assert stop.value.code == 2
    said = "Python, vecevo.search(..., output_dir=..., resume=True).\n"
    assert capsys.readouterr().err.endswith(said)
