"""From a request's body to the files in it. Nothing is written to disk."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from dgfas.deployment.service.refusal import Refusal
from dgfas.deployment.service.settings import ServiceLimits
from dgfas.faces.source import PHOTO_KINDS, InMemory, is_heic, kind_of

FIELD = "file"
RAW_TYPES = (
    *("image/jpeg", "image/png", "image/webp"),
    *("video/mp4", "video/quicktime", "video/webm", "video/x-matroska", "video/x-msvideo"),
    "application/octet-stream",
)
READ = "JPEG, PNG and WebP photos and MP4, QuickTime, WebM, Matroska and AVI videos are read"


async def read_upload(request: Request, limits: ServiceLimits) -> list[InMemory]:
    """Return the photos, or the one video, of a request. Raises Refusal (400, 408, 413, 415, 422)."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limits.body_bytes:
        raise _body_too_large(limits)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "encoded_body", "a compressed body is not read; send the files as they are")
    try:
        async with asyncio.timeout(limits.receive_seconds):
            files = await _files(request, limits)
    except TimeoutError as error:
        detail = f"the body did not arrive within {limits.receive_seconds:g} seconds"
        raise Refusal(408, "too_slow", detail, {"Connection": "close"}) from error
    except ClientDisconnect as error:
        raise Refusal(400, "gone", "the client has gone") from error
    _check_kinds(files)
    return files


async def _files(request: Request, limits: ServiceLimits) -> list[InMemory]:
    kind = request.headers.get("content-type", RAW_TYPES[-1]).partition(";")[0].strip().lower()
    async with aclosing(_limited(request, limits)) as body:
        if kind == "multipart/form-data":
            return await _parts(request, body, limits)
        if kind in RAW_TYPES or kind.startswith(("image/", "video/")):
            return [InMemory(b"".join([chunk async for chunk in body]), "the body")]
    raise Refusal(
        415, "media_type", f"Content-Type {kind[:80]!r} is not taken; send multipart/form-data, or a file as it is"
    )


async def _limited(request: Request, limits: ServiceLimits) -> AsyncGenerator[bytes, None]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > limits.body_bytes:
            raise _body_too_large(limits)
        yield chunk


def _body_too_large(limits: ServiceLimits) -> Refusal:
    detail = f"the body has more than {limits.body_bytes / 1e6:g} MB"
    return Refusal(413, "body_too_large", detail, {"Connection": "close"})


class _Parts(MultiPartParser):
    """Starlette's parser with all parts in memory, not more of them than are taken, and to their closing boundary."""

    def __init__(self, request: Request, body: AsyncGenerator[bytes, None], limits: ServiceLimits) -> None:
        super().__init__(request.headers, self._to_the_end(body))
        self.spool_max_size = limits.body_bytes + 1  # no part reaches it, so none goes to a temporary file
        self.most, self.number, self.ended = limits.frames, 0, False

    async def _to_the_end(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in body:
            yield chunk
        if not self.ended:
            raise MultiPartException("it ends before its closing boundary")

    def on_end(self) -> None:
        self.ended = True

    def on_part_begin(self) -> None:
        self.number += 1
        if self.number > self.most:
            raise Refusal(413, "too_many_frames", f"more than {self.most} files")
        super().on_part_begin()


async def _parts(request: Request, body: AsyncGenerator[bytes, None], limits: ServiceLimits) -> list[InMemory]:
    try:
        form = await _Parts(request, body, limits).parse()
    except MultiPartException as error:
        raise Refusal(400, "malformed", f"the multipart body is malformed ({error.message})") from error
    files: list[InMemory] = []
    try:
        for field, part in form.multi_items():
            if field != FIELD or not isinstance(part, UploadFile):
                raise Refusal(422, "not_a_file", f"field {field[:80]!r}: send only files, in fields named {FIELD!r}")
            name = (part.filename or "")[:80] or f"file {len(files) + 1}"
            files.append(InMemory(await part.read(), name))
    finally:
        await form.close()
    if not files:
        raise Refusal(422, "no_file", f"no file; send at least one in a field named {FIELD!r}")
    return files


def _check_kinds(files: list[InMemory]) -> None:
    for file in files:
        start = file.getvalue()[:16]
        if not start:
            raise Refusal(422, "empty", f"{file}: the file is empty")
        kind = kind_of(start)
        if kind is None:
            hint = "; HEIC and AVIF are not, convert to JPEG" if is_heic(start) else ""
            raise Refusal(415, "unknown_kind", f"{file}: of another kind; {READ}{hint}")
        if kind not in PHOTO_KINDS and len(files) > 1:
            raise Refusal(422, "video_among_files", f"{file}: a video must be sent alone")
