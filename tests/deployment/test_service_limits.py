"""Requests that are refused: with the status that a client expects, and one form of error."""

import asyncio
import io
import resource
import socket
import struct
import threading
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator

import httpx
import numpy as np
import pytest
from asgi_client import Client, connected
from pictures import encoded, face_at
from PIL import Image
from running import in_thread

from clips import video
from dgfas.deployment.detector import Detector
from dgfas.deployment.service import run
from dgfas.deployment.service.app import create_app
from dgfas.deployment.service.settings import ServiceLimits
from dgfas.faces.images import read_image
from dgfas.faces.source import InMemory

FACE = encoded(face_at(200, 100))
IN_PARTS = {"Content-Type": "multipart/form-data; boundary=x"}
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + FACE


def refused(client: Client, status: int, code: str, **request: object) -> str:
    answer = client.post("/v1/score", **request)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert set(answer.json()) == {"code", "detail"}
    return answer.json()["detail"]


def test_a_body_beyond_the_limit_announced_or_not(serve) -> None:
    client = serve(body_bytes=1000)
    sent = 0

    def chunks() -> Iterator[bytes]:  # chunked, so without Content-Length
        nonlocal sent
        for _ in range(50):
            sent += 100
            yield b"\xff\xd8\xff" + bytes(97)

    assert "0.001 MB" in refused(client, 413, "body_too_large", content=bytes(1001))
    refused(client, 413, "body_too_large", content=chunks())
    refused(client, 413, "body_too_large", files={"file": bytes(1001)})
    refused(client, 415, "unknown_kind", content=bytes(1000))
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    refused(client, 413, "body_too_large", content=iter([part, *[bytes(100)] * 20]), headers=IN_PARTS)


def test_pixels_frames_and_seconds(serve) -> None:
    client = serve(pixels=640 * 480, frames=2, seconds=1.0)
    assert client.post("/v1/score", content=FACE).status_code == 200
    assert "641 x 480" in refused(client, 413, "too_large", content=encoded(face_at(200, 100, 641)))
    assert "more than 2 files" in refused(client, 413, "too_many_frames", files=[("file", FACE)] * 3)
    still = [np.zeros((64, 64, 3), np.uint8)]
    assert client.post("/v1/score", content=video(still * 25)).status_code == 200
    assert "longer than 1 seconds" in refused(client, 413, "too_large", content=video(still * 27))
    assert "120 frames" in refused(client, 413, "too_large", content=video(still * 121, rate=500))
    wide = [np.zeros((482, 640, 3), np.uint8)]
    assert "frames of more than 0.3072 million" in refused(client, 413, "too_large", content=video(wide))


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of black pixels, as its header says, with further chunks; the pixels are those of one row."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 + 3 * min(width, 10_000)))
    every = ((b"IHDR", header), *chunks, (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in every
    )


def test_bombs_are_refused_before_they_are_decoded(serve) -> None:
    assert "30000 x 30000" in refused(serve(), 413, "too_large", content=png(30_000, 30_000))
    inflated = zlib.compress(bytes(50_000_000), 9)
    assert len(inflated) < 100_000
    for chunk in ((b"zTXt", b"key\0\0" + inflated), (b"iCCP", b"name\0\0" + inflated)):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = serve().post("/v1/score", content=png(1, 1, chunk))
        assert answer.status_code in (200, 422)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kB


@pytest.mark.parametrize("size", [(1, 1), (1, 30_000), (30_000, 1), (30_000, 40), (2, 3)])
def test_odd_sizes_have_an_answer(serve, size: tuple[int, int]) -> None:
    body = serve().post("/v1/score", content=encoded(np.full((size[1], size[0], 3), 200, np.uint8), "PNG")).json()
    assert (body["decision"], body["reason"]) == ("undecided", "no_face")
    assert (body["width"], body["height"]) == size


def test_every_common_kind_of_photo_shows_the_same_face(serve) -> None:
    client, scene = serve(), face_at(200, 100)
    expected = client.post("/v1/score", content=encoded(scene, "PNG")).json()
    image = Image.fromarray(scene)
    turned = Image.Exif()
    turned[0x0112] = 6  # stored a quarter turn counter-clockwise
    files = {
        "cmyk": (image.convert("CMYK"), "JPEG", {"quality": 95}),
        "alpha": (image.convert("RGBA"), "PNG", {}),
        "palette": (image.quantize(256), "PNG", {}),
        "webp": (image, "WEBP", {"lossless": True}),
        "turned": (image.transpose(Image.Transpose.ROTATE_90), "JPEG", {"exif": turned, "quality": 95}),
        "progressive": (image, "JPEG", {"progressive": True, "quality": 95}),
        "animated": (image, "WEBP", {"save_all": True, "append_images": [Image.new("RGB", image.size)], "quality": 95}),
    }
    for name, (picture, kind, options) in files.items():
        file = io.BytesIO()
        picture.save(file, kind, **options)
        body = client.post("/v1/score", content=file.getvalue()).json()
        assert body["decision"] == "live", name
        assert body["score"] == pytest.approx(expected["score"], abs=0.03), name
        assert body["box"] == pytest.approx(expected["box"], abs=4), name
        assert (body["width"], body["height"]) == (640, 480), name


def test_sixteen_bits_have_an_answer(serve) -> None:
    grey = face_at(200, 100).mean(axis=2)
    file = io.BytesIO()
    Image.fromarray((grey * 257).astype(np.uint16)).save(file, "PNG")
    assert serve().post("/v1/score", content=file.getvalue()).json()["decision"] == "live"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_truncated_photos_are_unreadable(serve, kind: str) -> None:
    whole = encoded(face_at(200, 100), kind)
    for share in (0.1, 0.5, 0.95):
        refused(serve(), 422, "unreadable", content=whole[: int(len(whole) * share)])


def test_truncated_videos_are_unreadable(serve) -> None:
    noise = [np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8) for number in range(20)]
    for kind, codec in (("mp4", "libx264"), ("matroska", "libx264"), ("avi", "mpeg4")):
        whole = video(noise, kind, codec)
        refused(serve(), 422, "unreadable", content=whole[: len(whole) // 2])


def test_one_damaged_frame_among_several_is_named(serve) -> None:
    files = [("file", ("first.jpg", FACE)), ("file", ("second.jpg", FACE[:2000]))]
    assert refused(serve(), 422, "unreadable", files=files).startswith("second.jpg: not a readable image")


@pytest.mark.parametrize(
    ("status", "code", "request_"),
    [
        (422, "empty", {"content": b""}),
        (422, "empty", {"files": {"file": b""}}),
        (422, "no_file", {"content": b"--x--\r\n", "headers": IN_PARTS}),
        (422, "not_a_file", {"files": {"image": FACE}}),
        (422, "not_a_file", {"files": {"file": (None, "text")}}),
        (422, "video_among_files", {"files": [("file", FACE), ("file", video([face_at(0, 0)]))]}),
        (400, "malformed", {"content": FACE, "headers": {"Content-Type": "multipart/form-data"}}),
        (400, "malformed", {"content": FACE, "headers": IN_PARTS}),
        (400, "malformed", {"content": PART, "headers": IN_PARTS}),
        (400, "malformed", {"content": PART + b"\r\n" + PART[:2000], "headers": IN_PARTS}),
        (400, "malformed", {"content": PART + b"\r\n--x-", "headers": IN_PARTS}),
        (415, "media_type", {"json": {"image": "..."}}),
        (415, "media_type", {"data": {"file": "..."}}),
        (415, "encoded_body", {"content": FACE, "headers": {"Content-Encoding": "gzip"}}),
        (415, "unknown_kind", {"content": b"GIF89a" + bytes(100)}),
        (415, "unknown_kind", {"content": b"#EXTM3U\nfile:///etc/passwd\n"}),
        (415, "unknown_kind", {"content": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00"}),
        (415, "unknown_kind", {"content": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}),
    ],
)
def test_bodies_that_are_no_photo_or_video(serve, status: int, code: str, request_: dict[str, object]) -> None:
    refused(serve(), status, code, **request_)


def test_too_many_requests(tiny_detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one client's, the third is told 429; of all clients', the fourth 503; when there is room all are taken."""
    go_on = threading.Event()
    score_frames = Detector.score_frames

    def slow(detector: Detector, images: object) -> object:
        assert go_on.wait(20)
        return score_frames(detector, images)

    monkeypatch.setattr(Detector, "score_frames", slow)
    app = create_app(tiny_detector, ServiceLimits(workers=1, waiting=2, per_client=2))

    async def scenario() -> None:
        def post(address: str) -> asyncio.Task[httpx.Response]:
            return asyncio.create_task(connected(app, address).post("/v1/score", content=FACE, timeout=60))

        taken = [post("10.0.0.1"), post("10.0.0.1")]
        await asyncio.sleep(0.01)
        third = await post("10.0.0.1")
        assert (third.status_code, third.json()["code"]) == (429, "too_many_requests")
        assert int(third.headers["Retry-After"]) >= 1
        assert (await connected(app, "10.0.0.9").get("/readyz")).status_code == 200
        taken.append(post("10.0.0.2"))
        await asyncio.sleep(0.01)
        fourth = await post("10.0.0.3")
        assert (fourth.status_code, fourth.json()["code"]) == (503, "busy")
        assert int(fourth.headers["Retry-After"]) >= 1
        assert (await connected(app, "10.0.0.9").get("/readyz")).status_code == 503
        assert (await connected(app, "10.0.0.9").get("/healthz")).status_code == 200
        go_on.set()
        assert [answer.status_code for answer in await asyncio.gather(*taken)] == [200, 200, 200]
        assert (await post("10.0.0.1")).status_code == 200
        assert (await connected(app, "10.0.0.9").get("/readyz")).status_code == 200

    asyncio.run(scenario())


def test_a_body_that_does_not_come_in_time_gives_its_place_back(tiny_detector: Detector) -> None:
    app = create_app(tiny_detector, ServiceLimits(workers=1, waiting=1, per_client=1, receive_seconds=0.2))

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"\xff"
            await asyncio.sleep(0.05)

    async def scenario() -> None:
        async with connected(app) as client:
            answer = await client.post("/v1/score", content=endless())
            assert (answer.status_code, answer.json()["code"]) == (408, "too_slow")
            assert (await client.post("/v1/score", content=FACE, timeout=60)).status_code == 200

    asyncio.run(scenario())


def test_a_connection_without_a_whole_header_is_closed(
    tiny_detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where bytes trickle in, and behind an answer; a body may take longer."""
    monkeypatch.setattr(run, "HEADER_SECONDS", 0.5)
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    body = b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"

    def closed(connection: socket.socket) -> bool:
        try:
            for _ in range(40):
                connection.sendall(b"x")
                time.sleep(0.05)
        except OSError:
            return True
        return connection.recv(1) == b""

    with in_thread(create_app(tiny_detector, ServiceLimits(workers=1))) as address:
        port = int(address.rpartition(":")[2])

        def connect(*sent: bytes) -> socket.socket:
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            for part in sent:
                connection.sendall(part)
            return connection

        with connect() as silent:
            assert silent.recv(1) == b""
        with connect(b"GET / HTTP/1.1\r\nx: ") as slow:
            assert closed(slow)
        with connect(whole) as second:
            answer = b""
            while not answer.endswith(b"}"):
                answer += second.recv(10_000)
            assert answer.startswith(b"HTTP/1.1 200")
            second.sendall(whole[:20])
            assert second.recv(1) == b""
        with connect(body) as patient:
            time.sleep(1)
            patient.sendall(b"text")
            assert b" 415 " in patient.recv(100)


def test_a_deep_grey_photo_takes_few_bytes_a_pixel() -> None:
    file = InMemory(encoded(np.full((2000, 2000), 40_000, np.uint16), "PNG"), "deep.png")
    tracemalloc.start()
    image = read_image(file)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (image == 40_000 >> 8).all()
    assert most < 12 * 2000 * 2000
