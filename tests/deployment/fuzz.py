"""Damaged photos and videos without end, and what must be true of every answer: `make fuzz`."""

import argparse
import asyncio
import io
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from asgi_client import connected
from pictures import encoded, face_at
from PIL import Image
from starlette.types import ASGIApp

from clips import video

CASE_SECONDS = 60  # of one case, on a busy machine too
NUMBERS = (b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0", bytes(4), b"\0\0\0\1")
ANSWERS = {200, 413, 415, 422}


def whole_files() -> dict[str, bytes]:
    """Return one small file of each kind and form, all with a face."""
    face = face_at(0, 0, 200, 200)
    image = Image.fromarray(face)

    def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        return file.getvalue()

    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [face_at(0, 0, 208, 208, brightness) for brightness in (1.0, 0.9, 0.8)]
    return {
        "JPEG": encoded(face),
        "JPEG, progressive": encoded(face, progressive=True),
        "JPEG, CMYK, turned": saved(image.convert("CMYK"), "JPEG", exif=exif),
        "PNG": encoded(face, "PNG"),
        "PNG, palette": saved(image.quantize(64), "PNG"),
        "PNG, alpha, interlaced": saved(image.resize((64, 64)).convert("RGBA"), "PNG"),
        "PNG, 16 bits": saved(Image.fromarray((face[..., 1] * 257.0).astype(np.uint16)), "PNG"),
        "WebP": encoded(face, "WEBP"),
        "WebP, lossless": encoded(face, "WEBP", lossless=True),
        "WebP, animated": saved(image, "WEBP", save_all=True, append_images=[image.rotate(90)]),
        "MP4, H.264": video(frames),
        "MP4, MPEG-4": video(frames, codec="mpeg4"),
        "WebM": video(frames, "webm", "libvpx"),
    }


def mutated(content: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """Damage a file in one to four ways; `other` lends parts. The first bytes mostly stay, so that it is decoded."""
    data = bytearray(content)
    for _ in range(random.integers(1, 5)):
        at = int(random.integers(12 if random.random() < 0.95 else 0, max(13, len(data))))
        if random.random() < 0.5:
            at = min(at, 12 + at % 600)  # half of the damage is in the headers
        length = int(random.integers(1, 64))
        match random.integers(8):
            case 0:  # one bit
                if at < len(data):
                    data[at] ^= 1 << random.integers(8)
            case 1:  # random bytes
                data[at : at + length] = random.bytes(length)
            case 2:  # the largest or smallest numbers
                data[at : at + 4] = random.choice(
                    [b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\0\0\0", bytes(4), b"\0\0\0\1"]
                )
            case 3:  # a part is missing
                del data[at : at + length * 4]
            case 4:  # a part comes twice
                data[at:at] = data[at : at + length * 8]
            case 5:  # the end is missing
                del data[max(at, 16) :]
            case 6:  # a part of another file
                start = int(random.integers(len(other)))
                data[at : at + length] = other[start : start + length * 4]
            case 7:  # two parts change places
                data[at : at + 2 * length] = data[at + length : at + 2 * length] + data[at : at + length]
    return bytes(data)


def cases(number: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield the kind and content of damaged files; the same for the same seed."""
    random = np.random.default_rng(seed)
    files = whole_files()
    names = list(files)
    for index in range(number):
        name = names[index % len(names)]
        yield name, mutated(files[name], files[names[random.integers(len(names))]], random)


async def _ask(app: ASGIApp, number: int, seed: int, failed: Path | None) -> Counter[tuple[str, int]]:
    counts: Counter[tuple[str, int]] = Counter()
    last = time.monotonic()
    async with connected(app) as client:
        for index, (name, content) in enumerate(cases(number, seed)):
            if failed is not None:
                failed.write_bytes(content)  # what a crash leaves
            answer = await asyncio.wait_for(client.post("/v1/score", content=content, timeout=None), CASE_SECONDS)
            assert answer.status_code in ANSWERS, f"case {index} ({name}): {answer.status_code} {answer.text}"
            body = answer.json()
            if answer.status_code == 200:
                live = body["score"] is not None and body["score"] >= body["threshold"]["value"]
                assert (body["decision"] == "live") == live, f"case {index} ({name}): {body}"
            counts[name, answer.status_code] += 1
            if failed is not None and time.monotonic() - last > 30:
                last = time.monotonic()
                print(f"{index + 1} of {number}", file=sys.stderr, flush=True)
    return counts


def fuzz(app: ASGIApp, number: int, seed: int, failed: Path | None = None) -> Counter[tuple[str, int]]:
    """Ask about `number` damaged files, and count the answers by kind and status. Raises if one is not as it must be.

    `failed`: a file that holds the case of the moment, so that a crash leaves it.
    """
    return asyncio.run(_ask(app, number, seed, failed))


def main() -> None:
    from dgfas.deployment.detector import Detector
    from dgfas.deployment.service.app import create_app
    from dgfas.deployment.service.settings import ServiceLimits
    from tiny_model import write_tiny_model

    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--cases", type=int, default=20_000)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--scratch", type=Path, default=Path("build/fuzz"))
    chosen = words.parse_args()
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    detector = Detector.load(write_tiny_model(chosen.scratch / "tiny.onnx"))
    counts = fuzz(
        create_app(detector, ServiceLimits(workers=1)), chosen.cases, chosen.seed, chosen.scratch / "case.bin"
    )
    for name in whole_files():
        statuses = ", ".join(f"{status}: {counts[name, status]}" for status in sorted(ANSWERS) if counts[name, status])
        print(f"{name:24} {statuses}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{counts.total()} cases (seed {chosen.seed}), no crash, no hang, no 5xx; most memory {memory:.0f} MB")


if __name__ == "__main__":
    main()
