"""The report in Chromium, light and dark: `make test-browser` sets it up."""

import shutil
import subprocess
import sys

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="make test-browser")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SETTINGS = (
    *("--width", "8", "16", "--depth", "1", "2", "--learning-rate", "0.01", "1e30"),
    *("--max-epochs", "3", "--population-size", "8", "--num-generations", "3"),
    *("--strategy", "genetic", "--limit-train", "300"),
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    command = [sys.executable, "-m", "vecevo", *SETTINGS, "--output-dir", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        options = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
        opened = started.chromium.launch(**options)
        yield opened
        opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_is_there_and_readable(browser, path, scheme, tmp_path):
    page = browser.new_page(
        color_scheme=scheme, viewport={"width": 1000, "height": 800}
    )
    problems = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: problems.append(request.url))
    page.goto(path.as_uri())
    assert problems == [path.as_uri()]  # and nothing else was asked for
    figures = page.locator("figure svg")
    assert figures.count() == 10
    for figure in figures.all():
        box = figure.bounding_box()
        assert box["width"] > 300 and box["height"] > 100
        assert figure.locator("title").text_content()
        # Not empty: its pixels are of more than a few colours.
        assert len(figure.screenshot()) > 5000
    ink, paper = (
        page.evaluate(f"getComputedStyle(document.body).{name}")
        for name in ("color", "backgroundColor")
    )
    assert abs(brightness(ink) - brightness(paper)) > 180
    assert (brightness(paper) > 128) == (scheme == "light")
    text = page.locator("figure svg text").first
    assert text.evaluate("e => getComputedStyle(e).fill") == ink
    page.screenshot(path=str(tmp_path / f"{scheme}.png"), full_page=True)
    page.close()


def brightness(color):
    """The mean of red, green and blue of a CSS colour."""
    numbers = color[color.index("(") + 1 : -1].split(",")[:3]
    return sum(map(float, numbers)) / 3
