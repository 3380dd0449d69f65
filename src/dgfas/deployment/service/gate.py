"""How many requests are let in at once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from dgfas.deployment.service.refusal import Refusal

RETRY = {"Retry-After": "1"}


class Gate:
    """Lets `at_once` requests in, of one client `per_client`. It belongs to one event loop, so it needs no lock."""

    def __init__(self, at_once: int, per_client: int) -> None:
        self.at_once, self.per_client = at_once, per_client
        self.inside: Counter[str] = Counter()

    @property
    def number_inside(self) -> int:
        return self.inside.total()

    @property
    def is_full(self) -> bool:
        return self.number_inside >= self.at_once

    @contextmanager
    def entered(self, client: str) -> Iterator[None]:
        """Hold a place for as long as the request lasts. Raises Refusal (429, 503) if there is none."""
        if self.inside[client] >= self.per_client:
            detail = f"{self.per_client} requests of this client are being answered; wait for one"
            raise Refusal(429, "too_many_requests", detail, RETRY)
        if self.is_full:
            raise Refusal(503, "busy", f"{self.at_once} requests are being answered; try again", RETRY)
        self.inside[client] += 1
        try:
            yield
        finally:
            self.inside[client] -= 1
            if not self.inside[client]:
                del self.inside[client]
