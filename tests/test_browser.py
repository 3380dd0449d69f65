"""The browser of the tests sees what it should: a negative control for the tests of pages."""

from pathlib import Path

from playwright.sync_api import Browser

from browser import WIDTHS, watch

BROKEN = """<!doctype html><title>t</title><p style="width: 2000px">wide</p>
<img src="missing.png" alt="a missing picture"><script>console.error("complaint"); nothing.here</script>"""


def test_a_broken_page_is_seen_to_be_broken(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(BROKEN)
    width, height = WIDTHS["phone"]
    with browser.new_page(viewport={"width": width, "height": height}) as page:
        watched = watch(page)
        page.goto((tmp_path / "page.html").as_uri())
        assert watched.overflow() > 1500
        assert watched.broken_images() == ["a missing picture"]
        assert any("complaint" in error for error in watched.errors)
        assert any("nothing is not defined" in error for error in watched.errors)
        assert [Path(url).name for url in watched.requests] == ["page.html", "missing.png"]


def test_a_whole_page_is_seen_to_be_whole(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<!doctype html><title>t</title><p>short</p>")
    with browser.new_page() as page:
        watched = watch(page)
        page.goto((tmp_path / "page.html").as_uri())
        watched.screenshot(tmp_path / "page.png")
    assert (watched.errors, len(watched.requests)) == ([], 1)
    assert (tmp_path / "page.png").stat().st_size > 0
