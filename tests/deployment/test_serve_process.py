"""`dgfas serve` as a process: how it ends, and starts again."""

import http.client
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest
from pictures import encoded, face_at
from running import as_process

from clips import video

pytestmark = pytest.mark.slow

KEY = "a-key-of-more-than-16-characters"
FACE = encoded(face_at(200, 100))


def test_sigterm_finishes_what_is_in_flight(models: None, tiny_model: Path) -> None:
    clip = video([face_at(200 + number, 100) for number in range(60)])
    with as_process(tiny_model, "--port", 0, "--workers", 1, key=KEY) as running:
        headers = {"Authorization": f"Bearer {KEY}"}
        answers: list[httpx.Response] = []

        def ask() -> None:
            answers.append(httpx.post(f"{running.address}/v1/score", files={"file": clip}, headers=headers, timeout=60))

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        while "dgfas_requests_inside 3.0" not in httpx.get(f"{running.address}/metrics", headers=headers).text:
            assert not answers  # they are still being answered
            time.sleep(0.005)
        running.process.send_signal(signal.SIGTERM)
        for thread in asking:
            thread.join()
        out, err = running.process.communicate(timeout=60)
        assert [answer.status_code for answer in answers] == [200] * 3
        assert {answer.json()["decision"] for answer in answers} == {"live"}
        assert (running.process.returncode, out, err) == (0, "", "")  # the key is nowhere either
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{running.address}/healthz")


def test_a_killed_server_starts_again_at_its_port(models: None, tiny_model: Path) -> None:
    with as_process(tiny_model, "--port", 0) as running:
        before = httpx.post(f"{running.address}/v1/score", content=FACE, timeout=60).json()
        port = running.address.rpartition(":")[2]
        running.process.kill()
        running.process.wait()
    with as_process(tiny_model, "--port", port) as running:
        after = httpx.post(f"{running.address}/v1/score", content=FACE, timeout=60).json()
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(60) == 0
    assert {**before, "milliseconds": None} == {**after, "milliseconds": None}


def test_a_real_socket_is_limited_while_it_sends(models: None, tiny_model: Path) -> None:
    with as_process(tiny_model, "--port", 0, "--max-megabytes", 0.2) as running:
        host = running.address.removeprefix("http://")
        for headers in ({"Transfer-Encoding": "chunked"}, {"Content-Length": "100000000000"}):
            connection = http.client.HTTPConnection(host, timeout=60)
            connection.putrequest("POST", "/v1/score")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            sent = 0
            try:
                while sent < 50_000_000:
                    chunk = bytes(50_000)
                    connection.send(b"%x\r\n%b\r\n" % (len(chunk), chunk) if "Transfer-Encoding" in headers else chunk)
                    sent += len(chunk)
            except OSError:
                pass  # the server has hung up
            assert sent < 20_000_000  # what the sockets buffered, not the whole
            connection.close()
        assert httpx.post(f"{running.address}/v1/score", content=FACE, timeout=60).status_code == 200
        assert httpx.post(f"{running.address}/v1/score", content=bytes(200_001), timeout=60).status_code == 413
