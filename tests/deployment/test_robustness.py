"""Small versions of `make fuzz` and `make load`, and that these would see what goes wrong."""

import asyncio
import resource

import pytest
from fuzz import cases, fuzz, whole_files
from load import Crowd
from running import in_thread

from dgfas.deployment.detector import Detector
from dgfas.deployment.service.app import create_app
from dgfas.deployment.service.settings import ServiceLimits

pytestmark = pytest.mark.slow


def test_damaged_files_have_a_defined_answer(tiny_detector: Detector) -> None:
    app = create_app(tiny_detector, ServiceLimits(workers=1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counts = fuzz(app, 500, seed=1)
    assert counts.total() == 500
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000  # kB
    statuses = {name: {status for kind, status in counts if kind == name} for name in whole_files()}
    assert all(seen != {415} for seen in statuses.values())  # the damage lies deeper than the first bytes
    assert sum(number for (_, status), number in counts.items() if status == 200) > 50
    assert sum(number for (_, status), number in counts.items() if status == 422) > 50


def test_the_same_seed_gives_the_same_cases() -> None:
    assert list(cases(30, 3)) == list(cases(30, 3))
    assert [content for _, content in cases(30, 3)] != [content for _, content in cases(30, 4)]


def test_a_crash_would_be_seen(tiny_detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*words: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Detector, "_look", broken)
    with pytest.raises(AssertionError, match="500"):
        fuzz(create_app(tiny_detector, ServiceLimits(workers=1)), 50, seed=1)


def test_every_client_has_its_own_answer(tiny_detector: Detector) -> None:
    app = create_app(tiny_detector, ServiceLimits(workers=2, waiting=4))
    with in_thread(app) as address:
        crowd = Crowd(address, clients=20)
        asyncio.run(crowd.ask(seconds=3))
    crowd.check()
    assert crowd.statuses[503]  # 20 clients and 6 places


def test_an_answer_that_went_astray_would_be_seen(tiny_detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    score_frames, last = Detector.score_frames, []

    def of_the_one_before(detector: Detector, images: object) -> object:
        last.append(score_frames(detector, images))
        return last[-2] if len(last) > 12 else last[-1]

    monkeypatch.setattr(Detector, "score_frames", of_the_one_before)
    with in_thread(create_app(tiny_detector, ServiceLimits(workers=1))) as address:
        crowd = Crowd(address, clients=5)
        asyncio.run(crowd.ask(seconds=1))
    with pytest.raises(AssertionError, match="of another client's image"):
        crowd.check()
