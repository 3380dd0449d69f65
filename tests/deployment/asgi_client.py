"""A client of an ASGI application in this process, without a socket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
from starlette.types import ASGIApp


class Client:
    """Sends one request after the other; an iterator as `content` is sent chunk by chunk without Content-Length."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def get(self, path: str, **request: Any) -> httpx.Response:
        return self.send("GET", path, **request)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.send("POST", path, **request)

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        if isinstance(request.get("content"), Iterator):
            request["content"] = _chunks(request["content"])

        async def sent() -> httpx.Response:
            async with connected(self.app) as client:
                return await client.request(method, path, timeout=60, **request)

        return asyncio.run(sent())


def connected(app: ASGIApp, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """Return a client that comes from `address`."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def _chunks(content: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in content:
        yield chunk
