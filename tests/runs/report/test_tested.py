"""What the best network says of the test part, in pictures."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from tests.runs.report import made_up
from vecevo.runs.report import page, tested, verdict

CLASSES = np.array(["cat", "a dog of a very long name", "emu"])


def make_run(tmp_path, **arrays):
    run = made_up.make_run()._replace(folder=tmp_path)
    (tmp_path / "best").mkdir()
    np.savez(tmp_path / "best" / "tested.npz", **arrays)
    return run


@pytest.fixture
def run(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50)
    predicted = np.where(rng.random(50) < 0.7, labels, rng.integers(0, 3, 50))
    wrong = np.flatnonzero(labels != predicted)[:7]
    return make_run(
        tmp_path,
        labels=labels,
        predicted=predicted,
        classes=CLASSES,
        wrong=wrong,
        examples=rng.integers(0, 256, (len(wrong), 5, 4, 3), np.uint8),
    )


def test_confusions_are_counted_and_drawn(run):
    said = tested.read_tested(run)
    counts = tested.count_confusions(said)
    expected = confusion_matrix(said["labels"], said["predicted"])
    np.testing.assert_array_equal(counts, expected)
    figure = tested.draw_confusions(run)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == [str(n) for n in expected.ravel() if n]
    right = np.trace(expected)
    assert f"{right} of 50 test examples are right" in tested.describe_confusions(run)


def test_mistakes_are_shown_with_their_labels(run):
    said = tested.read_tested(run)
    figure = tested.draw_mistakes(run)
    titles = [panel.get_title() for panel in figure.axes if panel.get_title()]
    assert len(titles) == len(said["wrong"])
    row = said["wrong"][0]
    names = [str(CLASSES[said[name][row]])[:3] for name in ("labels", "predicted")]
    first, second = titles[0].split(",\nsaid ")
    assert [first[:3], second[:3]] == names
    text = page.report_page([run])
    assert "What it gets wrong" in text and "a dog of a ve…" in text


def test_of_many_targets_the_first_are_named(tmp_path):
    names = np.array([f"t{place}" for place in range(50)])
    right = np.random.default_rng(0).normal(size=(20, 50))
    run = make_run(tmp_path, right=right, said=right + 3, targets=names)
    said = tested.describe_errors(run)
    assert "; t5 3, where" in said and "t6" not in said and said.endswith("44 more.")
    summary = {"best": {"test_rmse": dict.fromkeys(names.tolist(), 0.5)}}
    (line,) = verdict.error_lines(summary)
    assert line.endswith("t3 0.5, t4 0.5 and 45 more")


def test_where_there_is_nothing_to_draw_a_sentence_says_so(tmp_path):
    many = np.arange(40)
    run = make_run(tmp_path, labels=many, predicted=many, classes=many.astype(str))
    assert tested.draw_confusions(run) is None and tested.draw_mistakes(run) is None
    assert tested.describe_confusions(run) == "40 of 40 test examples are right."
    (tmp_path / "best" / "tested.npz").write_bytes(b"cut off")
    assert tested.read_tested(run) == {}
    assert "not there, or there are more" in page.report_page([run])


def test_numbers_are_drawn_against_the_right_ones(tmp_path):
    rng = np.random.default_rng(0)
    right = rng.normal(size=(50, 2)) * [10, 1]
    said = np.add(right, [3, -1])
    run = make_run(tmp_path, right=right, said=said, targets=np.array(["a", "b"]))
    run = run._replace(metric="R2", task="regression")
    figure = tested.draw_errors(run)
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == ["a, right", "b, right"]
    points = figure.axes[0].lines[1]
    np.testing.assert_array_equal(points.get_xydata(), np.c_[right[:, 0], said[:, 0]])
    assert "a 3, where right ones have a deviation" in tested.describe_errors(run)
    assert "; b 1, where" in tested.describe_errors(run)
    text = page.report_page([run])
    assert "What the best network predicts" in text and "confuses" not in text
    assert "ccurac" not in text[: text.index("<h2>Settings")]
    assert tested.draw_confusions(run) is None and tested.draw_mistakes(run) is None
    assert tested.draw_errors(run._replace(folder=tmp_path / "none")) is None
