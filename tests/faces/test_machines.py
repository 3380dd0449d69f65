"""Preparation by machines that are played here: the result of one run, deaths, and machines that see something else."""

import filecmp
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.manifest import Manifest
from dgfas.core.progress import Silent
from dgfas.core.recording import Recording
from dgfas.core.work import Answer, Call, Died
from dgfas.faces import machines
from dgfas.faces.machines import MARK_NAME, prepare_on
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare
from dgfas.faces.record import Store

OPTIONS = PrepareOptions(size=32, detector="none", frames_per_recording=2)


@pytest.fixture
def recordings(tmp_path: Path, models: None) -> list[Recording]:
    """Seven photos in an order that their names do not have; the second and the last cannot be read."""
    return write_photos(tmp_path / "photos", "gfaedcb", unreadable="fb")


def write_photos(folder: Path, names: str, unreadable: str = "") -> list[Recording]:
    random = np.random.default_rng(0)
    found = []
    folder.mkdir()
    for number, name in enumerate(names):
        path = folder / f"{name}.png"
        assert cv2.imwrite(str(path), random.integers(0, 256, (40, 40, 3), np.uint8))
        if name in unreadable:
            path.write_bytes(b"")
        label = Label.LIVE if number % 2 else Label.SPOOF
        found.append(Recording("d", name, name, "train", label, "live" if label else "print", (path,)))
    return found


@dataclass
class Played:
    """Does the work in this process; `change` plays what another machine sees. Its process dies in `deadly`."""

    change: Callable[[list[Recording], Store], None] = lambda recordings, store: None
    deadly: str = ""
    at_once: int = 2
    asked: list[str] = field(default_factory=list)

    def answers(self, work: Callable[..., Any], calls: Sequence[Call], report: Silent) -> Iterator[Answer]:
        for number, (name, (recordings, store, *rest)) in enumerate(calls):
            self.asked.append(name)
            there, sent = Store(store.root, store.options), list(recordings)
            there.made_with = dict(store.made_with)
            self.change(sent, there)
            deadly = [index for index, recording in enumerate(sent) if recording.name in self.deadly]
            try:
                for _ in range(2 if deadly else 1):  # what died is begun again
                    result = work(sent[: deadly[0]] if deadly else sent, there, *rest, report)
            except UserError as error:
                yield Answer(number, error=error)
            else:
                yield Answer(number, error=Died("it died")) if deadly else Answer(number, result)


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def require_same(one: Path, other: Path) -> None:
    assert files(one) == files(other)
    assert len(files(one)) > 5
    assert filecmp.cmpfiles(one, other, files(one), shallow=False)[1:] == ([], [])


@pytest.mark.parametrize("shards", [3, 1000])
def test_the_result_is_that_of_one_run(
    shards: int, recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "SHARDS", shards)
    prepare(recordings, tmp_path / "one", OPTIONS)
    played = Played()
    result = prepare_on(played, recordings, tmp_path / "many", OPTIONS)
    require_same(tmp_path / "one", tmp_path / "many")
    count = min(shards, 7)
    assert played.asked == [f"shard {index}/{count}" for index in range(1, count + 1)]
    assert (result.recordings, result.rejected, result.resumed) == (7, 2, 0)
    readable = [recording for recording in recordings if recording.name not in "fb"]
    assert prepare_on(Played(change=fail), readable, tmp_path / "many", OPTIONS).resumed == 5
    again = prepare_on(Played(), recordings, tmp_path / "many", OPTIONS)
    assert (again.resumed, again.rejected) == (5, 2)  # what could not be read was tried again
    smaller = replace(OPTIONS, margin=0.5)
    assert prepare_on(Played(), recordings, tmp_path / "many", smaller).resumed == 0
    prepare(recordings, tmp_path / "one", smaller)
    require_same(tmp_path / "one", tmp_path / "many")


def fail(recordings: list[Recording], store: Store) -> None:
    raise AssertionError("there was nothing to do")


def test_what_a_death_leaves_is_done_and_nothing_twice(
    recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One shard, g f a e d c b; its process dies in e, so that e, d, c and b are left, and e alone kills again."""
    monkeypatch.setattr(machines, "SHARDS", 1)
    done: list[str] = []
    process = Store.process

    def counted(self: Store, recording: Recording, finder: object) -> None:
        done.append(recording.name)
        process(self, recording, finder)

    monkeypatch.setattr(Store, "process", counted)
    played = Played(deadly="e")
    prepare_on(played, recordings, tmp_path / "many", OPTIONS)
    assert played.asked == ["shard 1/1", "d/e", "d/d", "d/c", "d/b"]
    assert done == list("gfadcb")  # e was done in a process of its own
    prepare(recordings, tmp_path / "one", OPTIONS)
    require_same(tmp_path / "one", tmp_path / "many")


def another_folder(recordings: list[Recording], store: Store) -> None:
    store.root = store.root.with_name("elsewhere")


def folder_of_another_run(recordings: list[Recording], store: Store) -> None:
    (store.root / MARK_NAME).write_text("another run")


def another_version(recordings: list[Recording], store: Store) -> None:
    store.made_with["format"] = 0


def no_source(recordings: list[Recording], store: Store) -> None:
    recordings[0] = replace(recordings[0], sources=(Path("/nowhere") / recordings[0].sources[0].name,))


def source_of_another_time(recordings: list[Recording], store: Store) -> None:
    [source] = recordings[0].sources
    copy = store.root / source.name
    copy.write_bytes(source.read_bytes())
    os.utime(copy, ns=(0, source.stat().st_mtime_ns - 1))
    recordings[0] = replace(recordings[0], sources=(copy,))


def no_eyes(recordings: list[Recording], store: Store) -> None:
    recordings[0] = replace(recordings[0], factors={"eyes": "eyes.txt"})


def full_disk(recordings: list[Recording], store: Store) -> None:
    def process(recording: Recording, finder: object) -> None:
        raise OSError(28, "No space left on device")

    store.process = process  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (another_folder, "elsewhere is not the same folder there as here; OUT must be one that all machines share"),
        (folder_of_another_run, "out is not the same folder there as here"),
        (another_version, "has another version of dgfas"),
        (no_source, "g.png is missing there, or not of the size and time that it has here"),
        (source_of_another_time, "g.png is missing there, or not of the size and time that it has here"),
        (no_eyes, "eyes.txt is missing there; every machine must see the same files"),
        (full_disk, r"out cannot be written there \(.*No space left.*finished recordings are kept"),
    ],
)
def test_a_machine_that_sees_something_else_is_named(
    change: Callable[[list[Recording], Store], None],
    mistake: str,
    recordings: list[Recording],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("platform.node", lambda: "north")
    with pytest.raises(UserError, match=f"^machine north: .*{mistake}"):
        prepare_on(Played(change), recordings, tmp_path / "out", OPTIONS)
    assert not (tmp_path / "out" / "manifest.parquet").exists()
    assert not (tmp_path / "out" / MARK_NAME).exists()
    assert prepare_on(Played(), recordings, tmp_path / "out", OPTIONS).recordings == 7
    prepare(recordings, tmp_path / "one", OPTIONS)
    if change is not source_of_another_time:  # which left its copy there
        require_same(tmp_path / "one", tmp_path / "out")


def test_a_machine_without_the_models_is_named(
    recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(recordings: list[Recording], store: Store) -> None:
        monkeypatch.setenv("DGFAS_MODELS", str(tmp_path))

    machines._finder.cache_clear()
    options = PrepareOptions(size=32)
    with pytest.raises(UserError, match=r"^machine .*: model file not found; run `dgfas doctor --fetch-models`"):
        prepare_on(Played(lose), recordings, tmp_path / "out", options)


def test_relative_paths_begin_where_the_command_was_given(
    recordings: list[Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    inside = [replace(recording, sources=(recording.sources[0].relative_to(tmp_path),)) for recording in recordings]
    (tmp_path / "elsewhere").mkdir()
    result = prepare_on(Played(lambda _, store: os.chdir(tmp_path / "elsewhere")), inside, Path("out"), OPTIONS)
    assert result.rejected == 2
    assert set(result.manifest.rejected["source"]) == {"photos/f.png", "photos/b.png"}


CRASHING = """
import os, sys
from pathlib import Path
import dgfas.faces.record as record
from dgfas.benchmark.parallel import Processes
from dgfas.datasets.folder import read_folder
from dgfas.faces import machines
from dgfas.faces.options import PrepareOptions
reading = record.read_recording
def crash_on_e(sources, count, stride):
    if "e.png" in str(sources[0]):
        os.abort()
    return reading(sources, count, stride)
record.read_recording = crash_on_e
machines.SHARDS = 2
if __name__ == "__main__":
    recordings = read_folder(Path(sys.argv[1]), domain="d").recordings
    options = PrepareOptions(size=32, detector="none")
    result = machines.prepare_on(Processes(1), recordings, Path(sys.argv[2]), options)
    print(result.recordings, result.rejected, result.exit_code)
"""


@pytest.mark.slow
def test_a_file_that_crashes_the_decoder_costs_only_itself(tmp_path: Path, models: None) -> None:
    write_photos(tmp_path / "live", "abcdef")
    (tmp_path / "run.py").write_text(CRASHING)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py"), str(tmp_path), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.split() == ["6", "1", "0"], done.stderr
    manifest = Manifest.read(tmp_path / "out")
    assert manifest.rejected["recording"].tolist() == ["live/e.png"]
    assert "crashed" in manifest.rejected["reason"].iloc[0]
