"""Serve a model file until somebody stops it."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from pathlib import Path

import h11
import numpy as np
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from dgfas.deployment.detector import Detector
from dgfas.deployment.service.app import create_app
from dgfas.deployment.service.settings import ServiceLimits, check_key, listen

FINISH_SECONDS = 30  # that requests in flight have after a signal to stop
HEADER_SECONDS = 10  # in which the whole header of a request must have arrived


class PromptHeader(H11Protocol):
    """Closes a connection on which the header of a request does not arrive in time; uvicorn waits for ever."""

    _closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._closing = self.loop.call_later(HEADER_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:  # the header is there
            self._stop_waiting()
        elif self._closing is None:
            self._closing = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None


def serve(
    model: Path, host: str, port: int, key: str | None, limits: ServiceLimits, say: Callable[[str], None] = print
) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is in flight and return.

    Raises UserError if the model file is refused, the address cannot be had, or it can be reached from other machines
    and there is no key.
    """
    check_key(key)
    with listen(host, port, key) as socket:
        detector = Detector.load(model)
        side = detector.facts.image_size
        detector.score_crops([np.zeros((side, side, 3), np.uint8)])  # the first request is as quick as the next
        shown = f"[{host}]" if ":" in host else host
        say(f"{model.name}: {detector.facts.method}, SHA-256 {detector.model.sha256}")
        say(f"serving at http://{shown}:{socket.getsockname()[1]}/ (camera page; /docs says how programs ask)")
        config = uvicorn.Config(
            create_app(detector, limits, key),
            http=PromptHeader,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=FINISH_SECONDS,
        )
        logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it would warn of every malformed body
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # uvicorn repeats the signal when all is finished
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[socket])
