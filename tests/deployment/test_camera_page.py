"""The page at `/` in a real browser, with a face in front of its camera."""

import base64
import json
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from pictures import encoded, face_at
from playwright.sync_api import Browser, Page, expect
from running import fake_camera, in_thread
from skimage import data

from browser import WIDTHS, Watched, chromium, watch
from clips import video
from dgfas.deployment.detector import Detector
from dgfas.deployment.service.app import create_app
from dgfas.deployment.service.settings import ServiceLimits

pytestmark = pytest.mark.slow

KEY = "a-key-of-more-than-16-characters"
VERDICT, WORD, METER = "#camera-answer .verdict", "#camera-answer .word", "#camera-answer [role=meter]"
#: Counts the files of each question.
COUNTS = """
window.asked = [];
const send = window.fetch;
window.fetch = (path, options) => {
  if (options?.body) window.asked.push(options.body.getAll("file").length);
  return send(path, options);
};
"""
#: A camera whose picture the test chooses: `show(base64 of a JPEG)`.
OTHER_CAMERA = """
const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
const context = canvas.getContext("2d");
window.show = async (jpeg) => {
  const bytes = Uint8Array.from(atob(jpeg), (character) => character.charCodeAt(0));
  window.picture = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
};
setInterval(() => window.picture && context.drawImage(window.picture, 0, 0), 30);
navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30);
"""
#: A server whose answers the test chooses: `decide(number of files)` gives a decision, or a promise of one.
OTHER_SERVER = """
window.asked = 0;
window.decide = async () => "live";
const send = window.fetch;
window.fetch = async (path, { body, signal } = {}) => {
  if (!body) return send(path);
  window.asked += 1;
  const aborted = new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  const frames = body.getAll("file").length;
  const decision = await Promise.race([window.decide(frames), aborted]);
  const threshold = { value: 0.3, rule: "", data: "" };
  const whole = { score: 0.5, box: [200, 100, 400, 300], width: 640, height: 480, frames, frames_scored: frames };
  return new Response(JSON.stringify({ decision, threshold, model: { name: "", sha256: "" }, ...whole }));
};
"""
NEVER = "new Promise(() => {})"


@pytest.fixture(scope="module")
def browser(models: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera shows the astronaut, and for which elsewhere.test is another name of this machine."""
    arguments = fake_camera(encoded(room_with(data.astronaut()[:480])), tmp_path_factory.mktemp("camera"))
    expect.set_options(timeout=60_000)
    with chromium(*arguments, "--host-resolver-rules=MAP elsewhere.test 127.0.0.1") as started:
        yield started
    expect.set_options()


def room_with(picture: np.ndarray) -> np.ndarray:
    room = np.full((480, 640, 3), 90, np.uint8)
    room[:, 64:576] = picture
    return room


@pytest.fixture(scope="module")
def address(tiny_detector: Detector) -> Iterator[str]:
    with in_thread(create_app(tiny_detector, ServiceLimits(workers=1, body_bytes=1_000_000))) as running:
        yield running


def opened(browser: Browser, address: str, window: str = "desktop", script: str = "") -> Watched:
    width, height = WIDTHS[window]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(60_000)
    if script:
        page.add_init_script(script)
    watched = watch(page)
    page.goto(address)
    return watched


@pytest.mark.parametrize("window", WIDTHS)
def test_a_face_before_the_camera_is_decided_by_the_server(browser: Browser, address: str, window: str) -> None:
    watched = opened(browser, address, window, COUNTS)
    page = watched.page
    page.click("text=Start the camera")
    expect(page.locator(WORD)).to_have_text("Live")
    assert page.evaluate("asked")[:9] == [1] * 8 + [8]  # decided by eight together, after each alone had a face
    expect(page.locator(VERDICT)).to_contain_text("Of 8 frames, 8 were scored")
    score = float(page.locator(METER).get_attribute("aria-valuenow"))
    assert score == pytest.approx(0.5, abs=0.1)
    mark, track = (page.locator(f"{METER} {part}").bounding_box() for part in (".mark", ".track"))
    assert (mark["x"] + mark["width"] / 2 - track["x"]) / track["width"] == pytest.approx(0.3, abs=0.01)
    fill = page.locator(f"{METER} .fill").bounding_box()
    assert fill["width"] / track["width"] == pytest.approx(score, abs=0.1)
    outline = page.locator("#outline ellipse").bounding_box()
    stage = page.locator("#stage").bounding_box()
    across = (outline["x"] + outline["width"] / 2 - stage["x"]) / stage["width"]
    assert across == pytest.approx(1 - (64 + 224) / 640, abs=0.04)  # the picture is mirrored, and so is the outline
    assert watched.overflow() == 0
    page.click("text=Stop the camera")
    expect(page.locator(WORD)).to_have_text("No decision yet")
    assert page.evaluate("document.querySelector('video').srcObject") is None
    assert watched.errors == []
    assert {url.split("/")[2] for url in watched.requests} == {address.split("/")[2]}
    page.close()


def show(page: Page, image: np.ndarray) -> None:
    page.evaluate("jpeg => show(jpeg)", base64.b64encode(encoded(image, quality=95)).decode())


def test_what_the_frame_lacks_is_said_and_takes_the_decision_back(browser: Browser, address: str) -> None:
    page = opened(browser, address, script=OTHER_CAMERA).page
    small = np.full((480, 640, 3), 90, np.uint8)
    small[200:282, 300:382] = cv2.resize(data.astronaut()[20:220, 125:325], (82, 82), interpolation=cv2.INTER_AREA)
    lacking = {
        "No face": np.full((480, 640, 3), 90, np.uint8),
        "One face only, please": np.concatenate([face_at(50, 100, 320), face_at(70, 100, 320)], axis=1),
        "Too dark": face_at(200, 100, brightness=0.12),
        "Face cut off": np.pad(face_at(200, 100)[:, 270:], ((0, 0), (0, 270), (0, 0)), constant_values=90),
        "Come closer": small,
    }
    face = face_at(200, 100)
    show(page, face)
    page.click("text=Start the camera")
    for words, image in lacking.items():
        expect(page.locator(WORD)).to_have_text("Live")
        show(page, image)
        expect(page.locator("#hint")).to_contain_text(words)
        expect(page.locator(WORD)).to_have_text("No decision")
        expect(page.locator(METER)).to_have_attribute("aria-valuetext", "no score")
        show(page, face)
    show(page, face_at(200, 100, brightness=0.4))
    expect(page.locator(WORD)).to_have_text("Not live")
    page.close()


def test_whatever_goes_wrong_nobody_is_live(browser: Browser, address: str) -> None:
    page = opened(browser, address, script=OTHER_CAMERA).page
    show(page, face_at(200, 100))
    page.click("text=Start the camera")
    expect(page.locator(WORD)).to_have_text("Live")
    busy = json.dumps({"code": "busy", "detail": "busy"})
    page.route("**/v1/score", lambda route: route.fulfill(status=503, body=busy, headers={"Retry-After": "1"}))
    expect(page.locator("#hint")).to_have_text("The server is busy: trying again")
    expect(page.locator(WORD)).to_have_text("No decision yet")
    page.unroute("**/v1/score")
    expect(page.locator(WORD)).to_have_text("Live")
    page.route("**/v1/score", lambda route: route.abort())
    expect(page.locator("#hint")).to_have_text("The server cannot be reached.")
    expect(page.locator(WORD)).to_have_text("No decision yet")
    page.close()


def live(browser: Browser, address: str, script: str = "") -> Page:
    """Return the page with "Live" shown by a server and to a camera of the test's own."""
    page = opened(browser, address, script=OTHER_CAMERA + OTHER_SERVER + script).page
    show(page, face_at(200, 100))
    page.click("text=Start the camera")
    expect(page.locator(WORD)).to_have_text("Live")
    return page


def test_a_server_that_hangs_takes_the_decision_back(browser: Browser, address: str) -> None:
    page = live(browser, address)
    page.evaluate(f"() => {{ window.decide = () => {NEVER}; }}")
    expect(page.locator("#hint")).to_have_text("The server cannot be reached.", timeout=30_000)
    expect(page.locator(WORD)).to_have_text("No decision yet")
    page.close()


def test_one_spoof_frame_takes_live_back(browser: Browser, address: str) -> None:
    page = live(browser, address)
    page.evaluate(f"() => {{ window.decide = (frames) => (frames > 1 ? {NEVER} : 'spoof'); }}")
    expect(page.locator(WORD)).to_have_text("Looking …", timeout=20_000)
    page.close()


def test_a_muted_camera_takes_the_decision_back(browser: Browser, address: str) -> None:
    page = live(browser, address)
    page.evaluate(f"() => {{ window.decide = () => {NEVER}; }}")
    page.evaluate("document.querySelector('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('mute'))")
    assert page.inner_text(WORD) == "No decision yet"
    page.close()


def test_an_answer_from_before_the_page_was_hidden_is_not_shown(browser: Browser, address: str) -> None:
    page = live(browser, address)
    page.evaluate(
        """() => new Promise((held) => {
          window.decide = (frames) => frames === 1 ? "live" : new Promise((answer) => {
            window.release = () => { window.decide = () => new Promise(() => {}); answer("live"); };
            held();
          });
        })"""
    )
    for hidden in ("true", "false"):
        page.evaluate(f"Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }})")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    asked = page.evaluate("release(), asked")
    while page.evaluate("asked") == asked:  # until the page has taken the answer and goes on
        page.wait_for_timeout(50)
    assert page.inner_text(WORD) != "Live"
    page.close()


@pytest.mark.parametrize("script", ["", "delete HTMLVideoElement.prototype.requestVideoFrameCallback;"])
def test_a_picture_that_stands_still_is_not_scored_again(browser: Browser, address: str, script: str) -> None:
    page = live(browser, address, script)
    page.evaluate("() => { window.picture = null; }")
    expect(page.locator("#hint")).to_have_text("The camera gives no new picture.", timeout=20_000)
    expect(page.locator(WORD)).to_have_text("No decision yet")
    asked = page.evaluate("asked")
    page.wait_for_timeout(1500)
    assert page.evaluate("asked") == asked
    show(page, face_at(200, 100))
    expect(page.locator(WORD)).to_have_text("Live")
    page.close()


def test_a_camera_that_is_started_twice_or_cannot_play_is_off_when_the_page_says_so(
    browser: Browser, address: str
) -> None:
    count = """
    window.streams = [];
    const camera = navigator.mediaDevices.getUserMedia;
    navigator.mediaDevices.getUserMedia = async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      window.streams.push(await camera());
      return window.streams.at(-1);
    };
    const play = HTMLVideoElement.prototype.play;
    window.broken = true;
    HTMLVideoElement.prototype.play = function () {
      return window.broken ? Promise.reject(new Error("it is broken")) : play.call(this);
    };
    """
    on = "streams.filter(stream => stream.getTracks().some(track => track.readyState === 'live')).length"
    page = opened(browser, address, script=OTHER_CAMERA + OTHER_SERVER + count).page
    show(page, face_at(200, 100))
    page.click("text=Start the camera")
    expect(page.locator("#camera-problem")).to_contain_text("it is broken", timeout=20_000)
    assert page.evaluate(on) == 0
    page.evaluate("() => { window.broken = false; }")
    page.evaluate("() => { const b = document.querySelector('#camera-button'); b.click(); b.click(); }")
    expect(page.locator(WORD)).to_have_text("Live")
    assert page.evaluate("streams.length") == 2
    page.click("text=Stop the camera")
    assert page.evaluate(on) == 0
    page.close()


def test_a_proxys_error_is_said(browser: Browser, address: str) -> None:
    page = browser.new_page()
    page.route("**/v1/model", lambda route: route.fulfill(status=502, body='{"message": "bad gateway"}'))
    page.goto(address)
    expect(page.locator("#model")).to_have_text("The server refuses (502).", timeout=20_000)
    page.close()


def test_a_service_with_a_key(browser: Browser, tiny_detector: Detector) -> None:
    with in_thread(create_app(tiny_detector, ServiceLimits(workers=1), KEY)) as address:
        watched = opened(browser, address)
        page = watched.page
        expect(page.get_by_label("API key")).to_be_focused()
        assert not page.locator("#main").is_visible()
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The key is wrong.")
        page.get_by_label("API key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Start the camera")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(WORD)).to_have_text("Live")
        kept = page.evaluate("[JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]")
        assert kept == ["{}", "{}", ""]
        assert KEY not in page.content()
        assert not any(KEY in url for url in watched.requests)
        page.close()


def test_without_a_secure_origin_the_upload_stays(browser: Browser, tiny_detector: Detector) -> None:
    with in_thread(create_app(tiny_detector, ServiceLimits(workers=1), KEY)) as address:
        page = opened(browser, f"http://elsewhere.test:{address.rpartition(':')[2]}/").page
        page.get_by_label("API key").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#camera-problem")).to_contain_text("only to pages from this machine")
        expect(page.locator("#camera-problem")).to_contain_text("https")
        assert not page.get_by_role("button", name="Start the camera").is_visible()
        upload(page, "face.jpg", encoded(face_at(200, 100)))
        expect(page.locator("#upload-answer .word")).to_have_text("Live")
        page.close()


def upload(page: Page, name: str, *files: bytes) -> None:
    kind = "video/mp4" if name.endswith("mp4") else "image/jpeg"
    page.set_input_files("#files", [{"name": name, "mimeType": kind, "buffer": file} for file in files])


def test_uploads(browser: Browser, address: str) -> None:
    watched = opened(browser, address, "phone")
    page = watched.page
    face, dark = encoded(face_at(200, 100)), encoded(face_at(200, 100, brightness=0.4))
    word, problem = page.locator("#upload-answer .word"), page.locator("#upload-problem")
    upload(page, "face.jpg", face)
    expect(word).to_have_text("Live")
    upload(page, "dark.jpg", dark)
    expect(word).to_have_text("Not live")
    upload(page, "empty.jpg", encoded(np.full((480, 640, 3), 90, np.uint8)))
    expect(word).to_have_text("No decision")
    expect(page.locator("#upload-answer .why")).to_have_text("No face: look into the camera")
    upload(page, "frames.jpg", face, face, dark)
    expect(page.locator("#upload-answer .why")).to_contain_text("Of 3 frames, 3 were scored")
    assert page.locator("figcaption").count() == 3
    upload(page, "clip.mp4", video([face_at(20, 20, 240, 240)] * 3))
    expect(page.locator("#upload-answer .seen")).to_contain_text("clip.mp4")
    expect(word).to_have_text("Live")
    assert watched.errors == []  # also from the outlines and previews
    upload(page, "broken.jpg", face[:3000])
    expect(problem).to_contain_text("broken.jpg: not a readable image")
    expect(word).to_be_hidden()
    upload(page, "large.jpg", bytes(1_000_001))
    expect(problem).to_have_text("Too large: at most 1 MB are taken.")
    assert watched.overflow() == 0
    page.close()


def test_by_keyboard_and_for_a_screen_reader(browser: Browser, address: str) -> None:
    page = opened(browser, address).page
    expect(page.get_by_role("button", name="Start the camera")).to_be_visible()
    order = []
    for _ in range(4):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert order == ["For programs", "camera-button", "Where the threshold comes from", "files"]
    assert page.get_by_role("meter", name="Score").first.get_attribute("aria-valuemax") == "1"
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.locator("#hint").get_attribute("aria-live") == "polite"
    assert page.locator(VERDICT).get_attribute("aria-live") == "polite"
    unnamed = "[...document.querySelectorAll('button, input, img, video, a')].filter(e => e.checkVisibility())"
    names = page.evaluate(
        f"{unnamed}.map(e => e.ariaLabel || e.alt || e.textContent || e.labels?.[0]?.textContent).map(t => !!t)"
    )
    assert names.count(False) == 1  # the sign beside the title is an ornament
    page.close()


def contrast(first: list[float], second: list[float]) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""

    def luminance(colour: list[float]) -> float:
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted([luminance(first), luminance(second)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_told_apart(browser: Browser, address: str, scheme: str) -> None:
    assert contrast([0, 0, 0], [255, 255, 255]) == pytest.approx(21)
    page = browser.new_page(color_scheme=scheme)
    page.goto(address)
    names = ["page", "card", "ink", "quiet", "live", "attack", "warn", "accent", "on-accent", "track"]
    script = """names => names.map(name => {
        const context = document.createElement("canvas").getContext("2d");
        context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--" + name);
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    })"""
    colour = dict(zip(names, page.evaluate(script, names), strict=True))
    for text in ("ink", "quiet", "live", "attack", "warn", "accent"):
        for ground in ("page", "card"):
            assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
    assert contrast(colour["on-accent"], colour["accent"]) >= 4.5
    for bar in ("live", "attack", "quiet", "ink"):
        assert contrast(colour[bar], colour["track"]) >= 3
    page.close()


def test_the_page_of_the_interface(browser: Browser, address: str) -> None:
    watched = opened(browser, f"{address}/docs", "phone")
    expect(watched.page.get_by_text("/v1/score").first).to_be_visible()
    expect(watched.page.get_by_role("heading", name="ScoreAnswer")).to_be_visible()
    assert watched.overflow() == 0
    assert watched.errors == []
    assert {url.split("/")[2] for url in watched.requests} == {address.split("/")[2]}
    watched.page.close()
