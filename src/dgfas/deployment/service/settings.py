"""How much one service does at once, and for one request."""

import ipaddress
import os
import socket
from dataclasses import dataclass, field

from dgfas.core.errors import UserError
from dgfas.core.work import cores
from dgfas.faces.video import VideoLimits

LEAST_KEY_LENGTH = 16
VIDEO_FRAMES_SCORED = 8  # evenly spaced, as `Detector.score_video` takes them
MOST_FRAMES_A_SECOND = 120
MOST_VIDEO_PIXELS = 3_000_000_000  # of all frames together: about half a minute of 1080p


@dataclass(frozen=True)
class ServiceLimits:
    """What a request may hold, and how many there may be. Raises UserError if one is not positive.

    - `body_bytes`: of a request. `pixels`: of a photo or of a video's frame, before it is decoded.
    - `frames`: photos in a request. `seconds`: length of a video.
    - `workers`: requests that are decoded and scored at once. `waiting`: those that are received or wait besides.
    - `per_client`: requests of one address at once.
    - `receive_seconds`: in which a request must have arrived.
    """

    body_bytes: int = 20_000_000
    pixels: int = 50_000_000
    frames: int = 32
    seconds: float = 30.0
    workers: int = field(default_factory=cores)
    waiting: int = 16
    per_client: int = 8
    receive_seconds: float = 30.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise UserError(f"limit {name} is {value}; it must be more than 0")

    @property
    def at_once(self) -> int:
        """Requests that are taken in at once."""
        return self.workers + self.waiting

    @property
    def video(self) -> VideoLimits:
        """What is decoded of a video."""
        return VideoLimits(int(self.seconds * MOST_FRAMES_A_SECOND), self.seconds, self.pixels, MOST_VIDEO_PIXELS)


def check_key(key: str | None) -> None:
    """Raise UserError if a key is too short to keep anyone out, or cannot be sent in a header. Never shows it."""
    if key is not None and not (
        len(key) >= LEAST_KEY_LENGTH and key.isascii() and key.isprintable() and " " not in key
    ):
        raise UserError(
            f"the API key must have at least {LEAST_KEY_LENGTH} printable ASCII characters and no space; "
            'make one with `python -c "import secrets; print(secrets.token_urlsafe(32))"`'
        )


def listen(host: str, port: int, key: str | None) -> socket.socket:
    """Return a socket that listens on `host` and `port` (0: any free one).

    Raises UserError if the host can be reached from other machines and there is no key, or if it cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError, OverflowError) as error:
        raise UserError(f"--host {host} --port {port}: no address of this machine ({error})") from error
    if key is None and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise UserError(
            f"--host {host} can be reached from other machines; set a key (DGFAS_API_KEY) or stay on 127.0.0.1"
        )
    try:
        return socket.create_server(address[:2], family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        raise UserError(f"--host {host} --port {port}: {reason}; give another --port") from error
