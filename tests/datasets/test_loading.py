"""Data sets by name: files of all kinds, bundled sets, what is no data set."""

import io

import numpy as np
import pandas
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sklearn import datasets

import vecevo
from vecevo import extras
from vecevo.datasets import loading

SPECIES = ["cat", "dog", "emu"]


def make_arrays():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (120, 3, 2)).astype(np.uint8), np.arange(120) % 4
    return {
        "x_train": x[:100],
        "y_train": y[:100],
        "x_test": x[100:],
        "y_test": y[100:],
    }


def make_frame(num=60):
    rng = np.random.default_rng(0)
    return pandas.DataFrame(
        {
            "weight": rng.normal(50, 20, num),
            "colour": np.array(["red", "blue"])[rng.integers(0, 2, num)],
            "class": [SPECIES[i % 3] for i in range(num)],
            "legs": np.array([4, 4, 2])[np.arange(num) % 3],
        }
    )


def test_npz_files_are_read_or_refused_by_name(tmp_path):
    path = tmp_path / "my.npz"
    np.savez(path, **make_arrays())
    assert loading.load_dataset(str(path)).name == "my"
    np.savez(path, y_train=np.zeros(3, int))
    with pytest.raises(ValueError, match=r"my\.npz.*x_train"):
        loading.load_dataset(str(path))
    array = io.BytesIO()
    np.save(array, np.zeros(3))
    for content in (b"no archive", b"", array.getvalue()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"my\.npz.*cannot be read"):
            loading.load_dataset(str(path))
    with pytest.raises(ValueError, match="does not exist"):
        loading.load_dataset(str(tmp_path / "none.npz"))


def test_an_npz_file_may_leave_its_test_part_to_us(tmp_path):
    arrays = make_arrays()
    path = tmp_path / "MY.NPZ"
    with open(path, "wb") as file:
        np.savez(file, x_train=arrays["x_train"], y_train=arrays["y_train"])
    dataset = loading.load_dataset(path)
    assert len(dataset.x_test) == 20 and "were split off" in dataset.notes[0]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".CSV", ".Tsv"])
def test_tables_are_read_alike_from_files_of_any_kind(tmp_path, ending):
    frame, path = make_frame(), tmp_path / f"animals{ending}"
    if ending == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if "t" in ending.lower() else ",")
    dataset = loading.load_dataset(path)
    assert dataset.name == "animals" and dataset.classes == tuple(SPECIES)
    assert dataset.notes[0] == "target: the column 'class', by its name"
    assert dataset.inputs.columns == ("weight", "colour", "legs")
    x, y = frame.drop(columns="class"), frame["class"]
    other = vecevo.make_dataset(x, y)
    np.testing.assert_allclose(dataset.x_train, other.x_train, rtol=1e-6)
    np.testing.assert_array_equal(dataset.y_train, other.y_train)


def test_the_target_is_the_one_asked_for_or_named_so_or_the_last(tmp_path):
    path, frame = tmp_path / "t.csv", make_frame()
    frame.to_csv(path)  # with row numbers, which are no input
    by_name = loading.load_dataset(path)
    assert by_name.inputs.columns == ("weight", "colour", "legs")
    asked = loading.load_dataset(path, target="legs")
    assert asked.classes == (2, 4) and "as asked" in asked.notes[0]
    renamed = frame.rename(columns={"class": "species"})
    renamed.to_csv(path, index=False, sep=";")
    last = loading.load_dataset(path)
    assert last.classes == (2, 4) and "'legs', the last one" in last.notes[0]
    for spelled in ("Target", "LABEL", " y"):
        frame.rename(columns={"class": spelled}).to_csv(path, index=False)
        assert loading.load_dataset(path).classes == tuple(SPECIES)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_sets_of_scikit_learn_go_by_name(name):
    dataset = vecevo.load_dataset(f"sklearn:{name}")
    loaded = getattr(datasets, f"load_{name}")()
    num = len(dataset.y_train) + len(dataset.y_validation) + len(dataset.y_test)
    assert num == len(loaded.target)
    assert sorted(dataset.classes) == sorted(loaded.target_names.tolist())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "is a folder"),
        ("folder.csv", "is a folder"),
        ("one.npy", "holds one array.*numpy.savez"),
        ("book.xlsx", r"no file that can be read.*\.parquet"),
        ("none.csv", "does not exist"),
        ("none.PARQUET", "does not exist"),
        ("sklearn:boston", "sklearn:wine"),
        ("notes", "no file that can be read"),
    ],
)
def test_what_is_no_data_set_has_a_message_of_its_own(
    tmp_path, monkeypatch, name, words
):
    monkeypatch.chdir(tmp_path)
    for folder in ("folder", "folder.csv"):
        (tmp_path / folder).mkdir()
    (tmp_path / "notes").touch()
    with pytest.raises(vecevo.InputError, match=words) as caught:
        loading.load_dataset(name)
    assert "TensorFlow" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot be read"),
        (b"a,b\n", "has no rows"),
        (b"a\n1\n", "has 1 column"),
        (b"1.5,2\n3,0\n4,1\n", "has numbers in its first row"),
        (b"a,b\n1,2,3\n1,2,3,4,5\n", "cannot be read"),
        (b"\xff\xfe\x00,b\n1,2\n", "cannot be read"),
        (b"a,y\n1,0\n2,0\n3,0\n", "holds one class"),
        (b"a,y\n1,0\n2,1\n3,1\n", "has 1 example of the class 0"),
        (b"a,y\n1,0.5\n2,1.5\n3,0.5\n", "has 3 examples: give 4"),
        (b"a,y\n" + b"7,0\n7,1\n" * 9, "no column that varies"),
        (b"a,y\n" + b",0\n,1\n" * 9, "no column that varies"),
        (b"a,y\n" + b"inf,0\n7,1\n" * 9, "infinite value, in column 'a'"),
        (b"a,y\n" + b"3,0\n7,\n" * 9, "missing label"),
    ],
)
def test_bad_tables_are_one_clear_error(tmp_path, content, words):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(vecevo.InputError, match=words) as caught:
        loading.load_dataset(path)
    assert "\n" not in str(caught.value)


def test_numbers_in_another_spelling_are_read_or_refused(tmp_path):
    path, rows = tmp_path / "t.csv", [f"{i},5;{i % 2}" for i in range(40)]
    path.write_text("\n".join(["a;class", *rows]))
    dataset = loading.load_dataset(path)
    numbers = dataset.raw_x_test["a"].to_numpy()
    assert (numbers % 1 == 0.5).all() and numbers.max() <= 39.5
    rows = [f'"1,{i:03}",{i % 2}' for i in range(40)]
    path.write_text("\n".join(["a,class", *rows]))
    with pytest.raises(vecevo.InputError, match=r"'a' holds texts like '1,.*decimal"):
        loading.load_dataset(path)


def test_a_target_that_is_no_column_is_named(tmp_path):
    path = tmp_path / "t.csv"
    make_frame().to_csv(path, index=False)
    with pytest.raises(vecevo.InputError, match=r"target='kind' is no column.*'legs'"):
        loading.load_dataset(path, target="kind")
    with pytest.raises(vecevo.InputError, match=r"\(did you mean legs\?\)"):
        loading.load_dataset(path, target="Leg")
    with pytest.raises(vecevo.InputError, match=r"\(did you mean wine\?\)"):
        loading.load_dataset("sklearn:wnie")
    with pytest.raises(vecevo.InputError, match=r"\(did you mean digits\?\)"):
        loading.load_dataset("digts", data_dir=tmp_path)
    with pytest.raises(vecevo.InputError, match="target='kind' has no say"):
        loading.load_dataset("digits", target="kind")


def test_several_targets_are_numbers_by_a_list_or_with_commas(tmp_path):
    path, rng = tmp_path / "t.csv", np.random.default_rng(0)
    frame = pandas.DataFrame(rng.normal(size=(30, 3)), columns=["a", "b", "c"])
    frame.assign(town=["here", "there"] * 15).to_csv(path, index=False)
    for target in ("a,c", ["a", "c"], ("a", "c")):
        dataset = loading.load_dataset(path, target=target)
        assert dataset.targets is not None and dataset.targets.names == ("a", "c")
        assert dataset.inputs.columns == ("b", "town")
    with pytest.raises(vecevo.InputError, match=r"'town' holds texts, and of several"):
        loading.load_dataset(path, target=["a", "town"])
    with pytest.raises(vecevo.InputError, match=r"target=3 must be the name of a col"):
        loading.load_dataset(path, target=3)


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    make_frame().to_csv(path, index=False)

    def refuse(module):
        raise ImportError(module)

    monkeypatch.setattr(extras.importlib, "import_module", refuse)
    with pytest.raises(vecevo.InputError, match=r"pandas.*vecevo\[tables\]"):
        loading.load_dataset(path)
    with pytest.raises(vecevo.InputError, match=r"sklearn.*vecevo\[sklearn\]"):
        loading.load_dataset("sklearn:wine")


CELLS = st.sampled_from(["1", "2.5", "-3e4", "", "red", "blue", "nan", "inf", "?", '"'])


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(rows=[], noise=b"")
@given(
    rows=st.lists(st.lists(CELLS, min_size=0, max_size=4), max_size=30),
    noise=st.binary(max_size=6),
)
def test_any_table_is_right_or_one_clear_line(tmp_path, rows, noise):
    path = tmp_path / "any.csv"
    lines = ["a,b,target", *(",".join(row) for row in rows)]
    path.write_bytes("\n".join(lines).encode() + noise)
    try:
        dataset = loading.load_dataset(path)
    except vecevo.InputError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert np.isfinite(dataset.x_train).all() and np.isfinite(dataset.x_test).all()
        assert dataset.num_classes >= 2


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 3000), flip=st.integers(0, 3000), bits=st.integers(0, 255))
def test_a_damaged_npz_file_is_right_or_one_clear_line(
    tmp_path_factory, cut, flip, bits
):
    file = io.BytesIO()
    np.savez(file, **make_arrays())
    content = bytearray(file.getvalue())
    content[flip % len(content)] ^= bits
    path = tmp_path_factory.mktemp("npz") / "damaged.npz"
    path.write_bytes(content[: len(content) - cut])
    try:
        assert loading.load_dataset(path).num_classes == 4
    except vecevo.InputError as error:
        assert len(str(error).splitlines()) == 1
