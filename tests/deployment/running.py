"""A service on a socket: in this process, or as a process of its own."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from dgfas.deployment.service.run import PromptHeader


@contextmanager
def in_thread(app: ASGIApp) -> Iterator[str]:
    """Serve `app` on a free port of loopback; gives its address, `http://127.0.0.1:PORT`."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", http=PromptHeader, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Process:
    """`dgfas serve` as a user starts it, and the address that it printed."""

    process: subprocess.Popen[str]
    address: str


@contextmanager
def as_process(*words: object, key: str | None = None) -> Iterator[Process]:
    """Start `dgfas serve WORDS` and wait until it serves; end it behind the block."""
    environment = {**os.environ, "PYTHONWARNINGS": "error", **({"DGFAS_API_KEY": key} if key else {})}
    command = [sys.executable, "-m", "dgfas", "serve", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"serving at (http://\S+)/ ", line):
                yield Process(process, found[1])
                break
        else:
            raise AssertionError(process.communicate()[1])
    finally:
        process.kill()
        process.communicate()


def fake_camera(photo: bytes, folder: Path) -> list[str]:
    """Return Chromium's arguments for a camera that shows a JPEG photo."""
    (folder / "face.jpg").write_bytes(photo)
    film = folder / "face.mjpeg"
    command = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-y",
        "-loop",
        "1",
        "-i",
        str(folder / "face.jpg"),
        "-t",
        "2",
        "-r",
        "10",
    ]
    subprocess.run([*command, "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "2", str(film)], check=True)
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    return [*flags, f"--use-file-for-fake-video-capture={film}"]
