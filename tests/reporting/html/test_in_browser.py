"""A report in a real browser, at the widths of a desk and of a phone, and as print."""

from itertools import pairwise
from pathlib import Path

import pytest
from benchmarks.result import ROOT
from playwright.sync_api import Browser
from results_on_disk import benchmark, run

from browser import WIDTHS, watch
from dgfas.reporting.html import write_report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a benchmark on two tasks with a long-named method, and of a single run."""
    folder = tmp_path_factory.mktemp("report")
    study = benchmark(folder / "study", ["rfm", "a_method_with_a_long_name" * 4], [1, 2])
    benchmark(study, ["rfm"], [1, 2], task="desk&phone&" + "x" * 60 + " to hall", target="hall")
    write_report([study, run(folder / "run", method="drdg")], folder / "report.html", figures=False)
    return folder / "report.html"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_is_whole_and_fits_the_window(browser: Browser, page_file: Path, width: str) -> None:
    side, height = WIDTHS[width]
    with browser.new_page(viewport={"width": side, "height": height}) as page:
        watched = watch(page)
        page.goto(page_file.as_uri())
        assert watched.errors == []
        assert watched.requests == [page_file.as_uri()]
        assert watched.broken_images() == []
        assert page.evaluate("document.images.length") >= 2
        assert page.evaluate("[...document.images].every(image => image.alt.length > 10)")
        assert watched.overflow() <= 0
        wide = "[...document.querySelectorAll('.scroll')].some(box => box.scrollWidth > box.clientWidth)"
        assert page.evaluate(wide)  # what is wider than the page scrolls in a box of its own
        levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(heading => +heading.tagName[1])")
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        targets = "[...document.querySelectorAll('nav a')].every(link => document.querySelector(link.hash))"
        assert page.evaluate(targets)


def test_tables_of_a_study_fit_a_desk(browser: Browser, tmp_path: Path) -> None:
    rows = ["rfm", "binary_cnn-mixed", "self_da"]
    write_report([ROOT / "docs/results/limited"], tmp_path / "report.html", methods=rows, figures=False)
    side, height = WIDTHS["desktop"]
    with browser.new_page(viewport={"width": side, "height": height}) as page:
        page.goto((tmp_path / "report.html").as_uri())
        boxes = "[...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth)"
        assert page.evaluate(f"{boxes}.map(box => box.ariaLabel)") == []


def test_it_prints_with_all_that_is_folded(browser: Browser, page_file: Path) -> None:
    with browser.new_page() as page:
        page.emulate_media(media="print")
        page.goto(page_file.as_uri())
        assert page.locator("details pre").first.is_visible()
        assert not page.locator("nav").is_visible()
        assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
