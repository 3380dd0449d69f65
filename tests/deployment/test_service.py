"""What the service answers: the detector's answer, with all that a client needs to judge it."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from pictures import encoded, face_at

from clips import damaged, video, write_clip
from dgfas.deployment.detector import Detector
from dgfas.faces.images import read_image
from dgfas.faces.source import InMemory
from tiny_model import FRAME_THRESHOLD, RECORDING_THRESHOLD

KEY = "a-key-of-more-than-16-characters"


def photos(*files: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", (f"{number}.jpg", file)) for number, file in enumerate(files)]


def test_a_photo_has_the_detectors_answer(serve, tiny_detector: Detector, tiny_model: Path) -> None:
    client, photo = serve(), encoded(face_at(200, 100))
    expected = tiny_detector.score(read_image(InMemory(photo, "photo")))
    assert expected.score is not None
    for answer in (
        client.post("/v1/score", files=photos(photo)),
        client.post("/v1/score", content=photo, headers={"Content-Type": "image/jpeg"}),
        client.post("/v1/score", content=photo, headers={"Content-Type": "application/octet-stream"}),
        client.post("/v1/score", content=photo),
    ):
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["score"] == expected.score
        assert body["decision"] == "live"
        assert body["reason"] is None
        assert body["box"] == list(expected.box)
        assert (body["width"], body["height"]) == (640, 480)
        assert (body["frames"], body["frames_scored"], body["faces_found"]) == (1, 1, 1)
        assert body["threshold"] == FRAME_THRESHOLD.to_dict()
        assert body["model"]["name"] == tiny_model.name
        assert body["model"]["sha256"] == tiny_detector.model.sha256
        spent = body["milliseconds"]
        assert all(spent[stage] >= 0 for stage in ("receive", "wait", "decode", "score"))
        assert sum(spent.values()) - spent["total"] <= spent["total"] + 1


def test_a_dark_face_is_no_live_face(serve) -> None:
    body = serve().post("/v1/score", files=photos(encoded(face_at(200, 100, brightness=0.4)))).json()
    assert (body["decision"], body["reason"]) == ("spoof", None)
    assert body["score"] < FRAME_THRESHOLD.value


def test_frames_are_one_presentation(serve) -> None:
    bright, dark = encoded(face_at(200, 100)), encoded(face_at(300, 150, brightness=0.3))
    body = serve().post("/v1/score", files=photos(bright, bright, dark)).json()
    each = body["each_frame"]
    assert [frame["decision"] for frame in each] == ["live", "live", "spoof"]
    assert body["score"] == pytest.approx(np.mean([frame["score"] for frame in each]))
    assert body["threshold"] == RECORDING_THRESHOLD.to_dict()
    assert body["box"] == each[2]["box"]
    assert (body["frames"], body["frames_scored"]) == (3, 3)


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4")])
def test_a_video_is_answered_like_by_the_detector(
    serve, tiny_detector: Detector, tmp_path: Path, kind: str, codec: str
) -> None:
    clip = video([face_at(20 + 2 * number, 20, 240, 240) for number in range(10)], kind, codec)
    (tmp_path / "clip.bin").write_bytes(clip)
    expected = tiny_detector.score_video(tmp_path / "clip.bin")
    body = serve().post("/v1/score", files={"file": clip}).json()
    assert body["frames"] == 8
    assert (body["decision"], body["score"]) == ("live", expected.score)


def test_a_video_of_which_few_frames_can_be_decoded_is_not_decided(serve, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.avi", [face_at(200, 100)] * 8, codec="mjpeg").read_bytes()
    body = serve().post("/v1/score", files={"file": damaged(clip, range(2, 8))}).json()
    assert (body["decision"], body["reason"]) == ("undecided", "unreadable")
    assert (body["frames"], body["frames_scored"], body["width"]) == (8, 2, 640)
    assert [frame["width"] for frame in body["each_frame"]] == [640] * 2 + [0] * 6


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.full((480, 640, 3), 90, np.uint8), "no_face"),
        (np.concatenate([face_at(50, 100, 320), face_at(70, 100, 320)], axis=1), "several_faces"),
        (face_at(200, 100, brightness=0.12), "too_dark"),
        (face_at(200, 100)[:, 270:], "cut_off"),
    ],
)
def test_what_a_frame_lacks(serve, image: np.ndarray, reason: str) -> None:
    body = serve().post("/v1/score", files=photos(encoded(image, quality=95))).json()
    assert (body["decision"], body["score"], body["reason"]) == ("undecided", None, reason)


def test_nothing_is_written_to_disk(serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    large = encoded(noise, "PNG")
    assert len(large) > 2_000_000  # Starlette's own parser writes parts of more than 1 MB to temporary files
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))  # any temporary file would fail
    client = serve()
    assert client.post("/v1/score", files=photos(large)).json()["reason"] == "no_face"
    assert client.post("/v1/score", content=large).status_code == 200
    with pytest.raises(FileNotFoundError):
        tempfile.mkstemp()  # the trap works


def test_nothing_of_an_image_is_logged(serve, caplog: pytest.LogCaptureFixture, capfd) -> None:
    client = serve(key=KEY)
    with caplog.at_level(0):
        for content in (encoded(face_at(200, 100)), b"\xff\xd8\xffsecret", b"secret"):
            files = {"file": ("secret.jpg", content)}
            client.post("/v1/score", files=files, headers={"Authorization": f"Bearer {KEY}"})
            client.post("/v1/score", files=files, headers={"Authorization": "Bearer wrong-secret"})
    said = caplog.text + "".join(capfd.readouterr())
    assert "secret" not in said
    assert KEY not in said


def test_the_key_guards_what_tells_something(serve) -> None:
    client = serve(key=KEY)
    for path in ("/v1/model", "/metrics"):
        for wrong in ({}, {"Authorization": KEY}, {"Authorization": f"Bearer {KEY}x"}, {"Authorization": "Bearer é"}):
            answer = client.get(path, headers={name: value.encode("latin-1") for name, value in wrong.items()})
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.json()["code"] in ("key_missing", "key_wrong")
        assert client.get(path, headers={"Authorization": f"Bearer {KEY}"}).status_code == 200
    assert client.post("/v1/score", files=photos(encoded(face_at(200, 100)))).status_code == 401
    for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz"):
        assert client.get(path).status_code == 200, path


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "127.8.9.10:8000"])
def test_without_a_key_this_machine_is_answered(serve, host: str) -> None:
    for path in ("/v1/model", "/metrics"):
        for site in ("same-origin", "same-site", "none"):
            assert serve().get(path, headers={"Host": host, "Sec-Fetch-Site": site}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        *(
            {"Host": host}
            for host in ("evil.example", "localhost.evil.example:8000", "192.168.0.1:8000", "127.0.0.1.x", "")
        ),
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_without_a_key_pages_from_elsewhere_are_refused(serve, headers: dict[str, str]) -> None:
    answer = serve().post("/v1/score", content=encoded(face_at(200, 100)), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "from_elsewhere")
    assert serve().get("/metrics", headers=headers).status_code == 403
    assert serve().get("/healthz", headers=headers).status_code == 200
    named = {**headers, "Authorization": f"Bearer {KEY}"}
    assert serve(key=KEY).get("/v1/model", headers=named).status_code == 200


def test_metrics_count_answers_not_addresses(serve) -> None:
    client = serve()
    client.post("/v1/score", files=photos(encoded(face_at(200, 100))))
    client.post("/v1/score", files=photos(b"text"))
    client.get("/no/such/page")
    page = client.get("/metrics").text
    assert 'dgfas_requests_total{route="/v1/score",status="200"} 1.0' in page
    assert 'dgfas_requests_total{route="/v1/score",status="415"} 1.0' in page
    assert 'dgfas_requests_total{route="other",status="404"} 1.0' in page
    assert 'dgfas_answers_total{decision="live",reason=""} 1.0' in page
    assert 'dgfas_stage_seconds_count{stage="score"} 1.0' in page
    assert "127.0.0.1" not in page
    assert "no/such" not in page


def test_pages_load_nothing_from_elsewhere(serve) -> None:
    client = serve()
    for path in ("/", "/docs", "/v1/model", "/nowhere"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
