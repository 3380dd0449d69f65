"""Many clients at once, each with an image of its own: `make load`."""

import argparse
import asyncio
import itertools
import time
from collections import Counter
from pathlib import Path

import httpx
from pictures import encoded, face_at

TOLERANCE = 2.0  # pixels between the box of an image alone and in the crowd; the images are 12 or more apart
WAIT = 0.2  # seconds that a client waits when it was told to come back


def identifiable(number: int) -> list[bytes]:
    """Return photos whose faces stand at different places, so that an answer's box says which photo it is of."""
    places = [(40 * column, 12 * row) for column in range(11) for row in range(23)]
    return [encoded(face_at(*places[index * len(places) // number])) for index in range(number)]


def distance(one: list[float], other: list[float]) -> float:
    """Return by how many pixels two boxes differ at most."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


class Crowd:
    """The clients of one service, what they were answered, and whose answers went astray."""

    def __init__(self, address: str, clients: int, headers: dict[str, str] | None = None) -> None:
        self.url, self.headers = f"{address}/v1/score", headers
        self.photos = identifiable(clients)
        self.boxes: list[list[float]] = []
        self.statuses: Counter[int] = Counter()
        self.astray = 0
        self.unanswered: Counter[str] = Counter()

    async def ask(self, seconds: float) -> None:
        """Learn each photo's box while the service is quiet; then ask about all at once for some time."""
        async with httpx.AsyncClient(timeout=120, headers=self.headers) as client:
            for photo in self.photos:
                self.boxes.append((await client.post(self.url, content=photo)).json()["box"])
        for one, other in itertools.pairwise(sorted(self.boxes)):
            assert distance(one, other) > 2 * TOLERANCE, "two photos cannot be told apart"
        end = time.monotonic() + seconds
        await asyncio.gather(*(self._client(index, end) for index in range(len(self.photos))))

    async def _client(self, index: int, end: float) -> None:
        """Be one client with an address of its own on loopback, which asks again as soon as it is answered."""
        transport = httpx.AsyncHTTPTransport(local_address=f"127.0.{1 + index // 200}.{1 + index % 200}")
        async with httpx.AsyncClient(transport=transport, timeout=120, headers=self.headers) as client:
            while time.monotonic() < end:
                try:
                    answer = await client.post(self.url, content=self.photos[index])
                except httpx.HTTPError as error:
                    self.unanswered[type(error).__name__] += 1
                    continue
                self.statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    box = answer.json()["box"]
                    self.astray += box is None or distance(box, self.boxes[index]) > TOLERANCE
                elif answer.status_code in (429, 503):
                    assert int(answer.headers["Retry-After"]) >= 1
                    await asyncio.sleep(WAIT)

    def check(self) -> None:
        """Raise AssertionError unless every request was answered, each with its own answer, and somebody was served."""
        assert not self.unanswered, dict(self.unanswered)
        assert set(self.statuses) <= {200, 429, 503}, dict(self.statuses)
        assert self.statuses[200]
        assert not self.astray, f"{self.astray} answers of another client's image"


def main() -> None:
    from running import as_process

    from tiny_model import write_tiny_model

    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--model", type=Path, help="A model file.  [default: a tiny one]")
    words.add_argument("--clients", type=int, default=200)
    words.add_argument("--seconds", type=float, default=60)
    words.add_argument("--scratch", type=Path, default=Path("build/load"))
    chosen = words.parse_args()
    chosen.scratch.mkdir(parents=True, exist_ok=True)
    with as_process(chosen.model or write_tiny_model(chosen.scratch / "tiny.onnx"), "--port", 0) as running:
        crowd = Crowd(running.address, chosen.clients)
        asyncio.run(crowd.ask(chosen.seconds))
        memory = Path(f"/proc/{running.process.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
    crowd.check()
    counts = ", ".join(f"{status}: {number}" for status, number in sorted(crowd.statuses.items()))
    print(f"{chosen.clients} clients, {chosen.seconds:g} s: {counts}; every request answered, none astray")
    print(f"most memory of the server: {int(memory) / 1000:.0f} MB")


if __name__ == "__main__":
    main()
