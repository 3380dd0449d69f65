"""`dgfas prepare ... --on ray`: a machine is lost in the middle of the work, and the result is that of one run."""

import filecmp
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from command_line import dgfas, succeed

from dgfas.benchmark.cluster import joined
from dgfas.core.progress import Silent
from dgfas.core.recording import Recording
from dgfas.core.work import Answer, Call, Executor
from dgfas.datasets.folder import read_folder
from dgfas.faces.machines import prepare_on
from dgfas.faces.options import PrepareOptions
from dgfas.faces.record import Store
from heard import Heard
from two_machines import two_machines, wait_for

FROM_NONE = ["--domain", "office", "--detector", "none", "--size", 32]
REPORTS = {"report.html", "sheet.png"}


@pytest.fixture
def photos(tmp_path: Path, models: None) -> Path:
    """Six photos, and one that cannot be read."""
    random = np.random.default_rng(0)
    for name in ("live/a.png", "live/b.png", "live/c.png", "print/d.png", "print/e.png", "print/f.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(tmp_path / "photos" / name), random.integers(0, 256, (40, 40, 3), np.uint8))
    (tmp_path / "photos" / "live" / "bad.png").touch()
    return tmp_path / "photos"


class Watched(Store):
    """Notes in folder `log` that a recording begins; `a` and `b` last until the folder holds a file `go`."""

    log: Path

    def process(self, recording: Recording, finder: Any) -> None:
        stem = recording.sources[0].stem
        (self.log / f"{stem}.{len(list(self.log.glob(f'{stem}.*')))}").touch()
        while stem in "ab" and not (self.log / "go").exists():
            time.sleep(0.05)
        super().process(recording, finder)


def watched(log: Path, work: Callable[..., Any], recordings: Any, store: Store, *rest: Any) -> Any:
    store.__class__, store.log = Watched, log
    return work(recordings, store, *rest)


@dataclass(frozen=True)
class Watching:
    """An executor that watches the recordings."""

    inner: Executor
    log: Path

    @property
    def at_once(self) -> int:
        return self.inner.at_once

    def answers(self, work: Callable[..., Any], calls: Sequence[Call], report: Silent) -> Iterator[Answer]:
        return self.inner.answers(partial(watched, self.log, work), calls, report)


def times(out: Path) -> dict[str, int]:
    """The time of each file of a data set: it changes if it is made again."""
    found = [path for folder in ("faces", "finished") for path in (out / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(out)): path.stat().st_mtime_ns for path in found}


@pytest.mark.slow
def test_a_machine_is_lost_and_the_result_is_that_of_one_run(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines of one CPU, of which each has begun a recording when the second is killed."""
    out, log, heard = tmp_path / "out", tmp_path / "log", Heard()
    log.mkdir()
    options = PrepareOptions(size=32, detector="none")
    recordings = read_folder(photos, domain="office").recordings
    with two_machines(monkeypatch, __file__) as (machines, lost):

        def lose() -> None:
            wait_for(lambda: len(list(log.glob("[ab].0"))) == 2, 120)
            machines.remove_node(lost, allow_graceful=False)
            wait_for(lambda: any(line.startswith("again: shard ") for line in heard.notes), 120)
            (log / "go").touch()

        with joined(machines.address, processes=9, gpus_per_job=0) as cluster:
            killer = threading.Thread(target=lose)
            killer.start()
            result = prepare_on(Watching(cluster, log), recordings, out, options, heard)
            killer.join()
        begun = {stem: len(list(log.glob(f"{stem}.*"))) for stem in ("a", "b", "c", "bad", "d", "e", "f")}
        assert sorted((begun.pop("a"), begun.pop("b"))) == [1, 2]  # one of them was lost with its machine
        assert set(begun.values()) == {1}
        assert heard.seen == [(number, 7) for number in range(1, 8)]
        assert (result.recordings, result.rejected, len(result.manifest.frames)) == (7, 1, 6)

        before = times(out)
        words = ["--on", "ray", "--address", machines.address]
        answer = succeed("prepare", "folder", photos, out, *FROM_NONE, *words)
        assert "7 recordings, 6 frames, 1 rejected" in answer.out
        made_again = dict(times(out).items() - before.items())
        assert len(made_again) == 1  # what could not be read was tried again
        assert next(iter(made_again)).startswith("finished/")

    succeed("prepare", "folder", photos, tmp_path / "one", *FROM_NONE, "--workers", 1)
    one, many = (
        sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.name not in REPORTS)
        for root in (tmp_path / "one", out)
    )
    assert one == many
    assert sum(name.startswith("faces/") for name in one) == 6
    assert filecmp.cmpfiles(tmp_path / "one", out, one, shallow=False)[1:] == ([], [])


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        ("--on ray --shard 1/2", "--on ray prepares all parts on a cluster, --shard one of them here; leave one out"),
        ("--address 127.0.0.1:1", "--address goes with --on ray"),
        ("--on ray --address 127.0.0.1:1 --workers 2", "--workers is for this machine"),
        ("--on ray --address 127.0.0.1:1", "no Ray cluster answers (Connection refused)"),
    ],
)
def test_a_mistake_is_said_before_anything_is_done(words: str, mistake: str, photos: Path, tmp_path: Path) -> None:
    assert mistake in dgfas("prepare", "folder", photos, tmp_path / "out", *FROM_NONE, *words.split()).mistake
    assert not (tmp_path / "out").exists()


def test_ray_that_is_not_installed(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    answer = dgfas("prepare", "folder", photos, tmp_path / "out", *FROM_NONE, "--on", "ray")
    assert 'pip install "dgfas[cluster]"' in answer.mistake
