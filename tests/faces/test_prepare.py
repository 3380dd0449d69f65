"""Recordings on disk -> prepared data set, with everything that can go wrong on the way."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from clips import damaged, write_clip
from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.manifest import Manifest, write_manifest
from dgfas.core.progress import Silent
from dgfas.core.recording import Recording
from dgfas.datasets.folder import read_folder
from dgfas.faces.frames import FrameRead
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import PrepareResult, prepare, prepare_one
from dgfas.faces.record import Store, fingerprint
from dgfas.faces.sheet import write_sheet
from heard import Heard

OPTIONS = PrepareOptions(size=64, frames_per_recording=4)


def write_image(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1])
    return path


@pytest.fixture
def photos(tmp_path: Path, models: None, variants: dict[str, np.ndarray]) -> Path:
    """A folder of photos: live in all variants, a print, a replay and a mask."""
    for name, image in variants.items():
        write_image(tmp_path / "photos" / "live" / f"{name}.png", image)
    for species in ("print", "replay", "mask"):
        write_image(tmp_path / "photos" / species / "face.png", variants["original"])
    return tmp_path / "photos"


def run(folder: Path, out: Path, options: PrepareOptions = OPTIONS, report: Silent | None = None) -> PrepareResult:
    return prepare(read_folder(folder, domain="desk").recordings, out, options, report)


def test_photos_become_a_checked_data_set(photos: Path, tmp_path: Path) -> None:
    heard = Heard()
    recordings = read_folder(photos, domain="desk").recordings
    result = prepare(recordings, tmp_path / "out", OPTIONS, heard)
    assert (result.recordings, result.rejected, result.resumed, result.exit_code) == (10, 0, 0, 0)
    assert heard.seen == [(number, 10) for number in range(1, 11)]
    manifest = Manifest.read(tmp_path / "out")
    manifest.check_files()
    frames = manifest.frames.set_index("recording")
    assert frames.loc["live/original.png", "face"] == "faces/desk/live/original.png/000000.png"
    assert set(frames.loc[frames["label"] == Label.LIVE, "depth_kind"]) == {"map"}
    assert frames.loc["print/face.png", "depth_kind"] == frames.loc["replay/face.png", "depth_kind"] == "zero"
    assert frames.loc["mask/face.png", "depth_kind"] == "unknown"
    assert frames.loc[["print/face.png", "mask/face.png"], "depth"].isna().all()
    crop = cv2.imread(str(tmp_path / "out" / frames.loc["live/original.png", "face"]))
    depth = cv2.imread(str(tmp_path / "out" / frames.loc["live/original.png", "depth"]), cv2.IMREAD_UNCHANGED)
    assert crop.shape == (64, 64, 3)
    assert crop[32, 32, 2] > crop[32, 32, 0] + 20  # skin is redder than blue
    assert depth.shape == (32, 32)
    assert depth.max() == 255
    assert depth[0, 0] == 0
    assert (frames["faces_found"] == 1).all()
    assert frames["detection_score"].between(0.5, 1).all()
    assert frames.loc["live/rotated 25 degrees.png", "roll"] == pytest.approx(-22, abs=5)
    assert frames.loc["live/original.png", "box_left"] == pytest.approx(180, abs=10)


@pytest.mark.parametrize(("codec", "suffix"), [("libx264", "mp4"), ("mjpeg", "mov")])
def test_videos_with_and_without_a_rotation_tag(
    tmp_path: Path,
    models: None,
    astronaut: np.ndarray,
    codec: str,
    suffix: str,
) -> None:
    moving = [np.roll(astronaut, 2 * number, axis=1) for number in range(12)]
    write_clip(tmp_path / "v" / "live" / f"upright.{suffix}", moving, codec)
    turned = [np.rot90(frame, -1) for frame in moving]
    write_clip(tmp_path / "v" / "live" / f"turned.{suffix}", turned, codec, rotation=90)
    frames = run(tmp_path / "v", tmp_path / "out").manifest.frames
    assert frames.groupby("recording")["frame"].apply(list).tolist() == [[1, 4, 7, 10]] * 2
    turned_box, upright_box = (table["box_left"].to_numpy() for _, table in frames.groupby("recording"))
    np.testing.assert_allclose(turned_box, upright_box, atol=6)
    assert np.diff(upright_box) == pytest.approx([6, 6, 6], abs=3)
    assert (frames["depth_kind"] == "map").all()


def test_frames_of_a_video_that_cannot_be_decoded_are_counted(tmp_path: Path, astronaut: np.ndarray) -> None:
    clip = write_clip(tmp_path / "mine" / "live" / "clip.avi", [astronaut] * 16, "mjpeg")
    whole = clip.read_bytes()
    for lost, counted, reason in ((range(12, 16), [4, 1], ""), (range(1, 16), [0, 0], "none of its chosen frames")):
        clip.write_bytes(damaged(whole, lost))
        result = run(tmp_path / "mine", tmp_path / f"out-{len(lost)}")
        table = pd.read_csv(tmp_path / f"out-{len(lost)}" / "recordings.csv")
        assert table.loc[0, ["frames_tried", "frames_unreadable"]].tolist() == counted
        assert result.frames_unreadable == counted[1]
        assert reason in str(table.loc[0, "reason"])


def test_what_cannot_be_used_is_listed_with_its_reason(photos: Path, tmp_path: Path, astronaut: np.ndarray) -> None:
    live = photos / "live"
    whole = write_clip(tmp_path / "whole.mp4", [astronaut] * 5).read_bytes()
    (live / "truncated.mp4").write_bytes(whole[: len(whole) // 2])
    (live / "empty.jpg").write_bytes(b"")
    (live / "apple.heic").write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")
    photo = (live / "original.png").read_bytes()
    (live / "half.png").write_bytes(photo[: len(photo) // 2])
    write_image(photos / "print" / "wall.png", np.full((200, 300, 3), 120, np.uint8))
    write_image(photos / "print" / "clip" / "frame_1.png", astronaut)
    write_image(photos / "print" / "clip" / "frame_2.png", np.zeros((60, 60, 3), np.uint8))
    (photos / "print" / "clip" / "frame_3.png").write_bytes(b"")
    result = run(photos, tmp_path / "out")
    assert (result.recordings, result.rejected, result.exit_code) == (16, 5, 0)
    assert (result.frames_without_face, result.frames_unreadable) == (2, 1)
    rejected = result.manifest.rejected.set_index("recording")
    for name, reason in {
        "live/truncated.mp4": "truncated",
        "live/empty.jpg": "the file is empty",
        "live/apple.heic": "HEIC is not read; convert it to JPEG",
        "live/half.png": "not a readable image",
        "print/wall.png": "no face found in 1 frames",
    }.items():
        assert reason in rejected.loc[name, "reason"]
    assert rejected.loc["print/wall.png", ["domain", "label", "species"]].tolist() == ["desk", 0, "print"]
    counts = pd.read_csv(tmp_path / "out" / "recordings.csv").set_index("recording")
    columns = ["frames_tried", "frames_unreadable", "frames_without_face", "most_faces"]
    assert counts.loc["print/clip", columns].tolist() == [3, 1, 1, 1]
    assert len(counts) == 16
    clip = result.manifest.frames.query("recording == 'print/clip'")
    assert clip["frame"].tolist() == [0]
    assert run(photos, tmp_path / "out", PrepareOptions(size=64, frames_per_recording=4, max_rejected=4)).exit_code == 3
    assert run(photos, tmp_path / "out", PrepareOptions(size=64, frames_per_recording=4, max_rejected=5)).exit_code == 0


def test_every_recording_failing_is_its_own_exit_code(tmp_path: Path, models: None) -> None:
    write_image(tmp_path / "photos" / "wall.png", np.full((50, 50, 3), 120, np.uint8))
    (tmp_path / "photos" / "empty.mp4").write_bytes(b"")
    result = run(tmp_path / "photos", tmp_path / "out")
    assert (result.rejected, result.exit_code) == (2, 3)
    manifest = Manifest.read(tmp_path / "out")
    assert manifest.frames.empty
    assert manifest.rejected["label"].isna().all()
    with pytest.raises(UserError, match="no frame to show"):
        write_sheet(manifest, tmp_path / "sheet.png")


def stamps(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*.png"))}


def test_a_second_run_does_nothing_again(photos: Path, tmp_path: Path) -> None:
    first = run(photos, tmp_path / "out")
    before = stamps(tmp_path / "out")
    second = run(photos, tmp_path / "out")
    assert second.resumed == 10
    assert stamps(tmp_path / "out") == before
    assert second.manifest.content_hash == first.manifest.content_hash


def test_only_changed_and_new_recordings_are_prepared(
    photos: Path, tmp_path: Path, variants: dict[str, np.ndarray]
) -> None:
    run(photos, tmp_path / "out")
    write_image(photos / "print" / "face.png", variants["128 pixels"])
    write_image(photos / "print" / "another.png", variants["blurred"])
    (photos / "live" / "mirrored.png").unlink()
    result = run(photos, tmp_path / "out")
    assert (result.recordings, result.resumed, result.left_out) == (10, 8, 1)
    frames = result.manifest.frames.set_index("recording")
    assert frames.loc["print/face.png", "box_right"] < 128
    assert "live/mirrored.png" not in frames.index


def test_another_data_set_is_refused(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    with pytest.raises(UserError, match="was prepared from other recordings"):
        prepare(read_folder(photos, domain="hall").recordings, tmp_path / "out", OPTIONS)
    frames = pd.read_parquet(tmp_path / "out" / "manifest.parquet")
    (tmp_path / "simulated").mkdir()
    write_manifest(tmp_path / "simulated", frames)
    with pytest.raises(UserError, match="holds another data set"):
        run(photos, tmp_path / "simulated")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "made_anew"),
    [
        ({"margin": 0.4}, 10),
        ({"depth_size": 16}, 7),  # of live faces only
        ({"frames_per_recording": 2, "stride": 3}, 0),  # of one photo nothing is chosen
        ({"max_rejected": 3}, 0),
    ],
)
def test_a_changed_option_redoes_what_it_changes(
    changes: dict[str, Any], made_anew: int, photos: Path, tmp_path: Path
) -> None:
    run(photos, tmp_path / "out")
    heard, options = Heard(), replace(OPTIONS, **changes)
    again = run(photos, tmp_path / "out", options, heard)
    assert again.resumed == 10 - made_anew
    afresh = run(photos, tmp_path / "afresh", options)
    pd.testing.assert_frame_equal(again.manifest.frames, afresh.manifest.frames)
    for name in (*again.manifest.frames["face"], *again.manifest.frames["depth"].dropna()):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "afresh" / name).read_bytes()
    assert PrepareOptions.of_data_set(tmp_path / "out") == replace(options, max_rejected=None)
    name, value = next(iter(changes.items()))
    line = f"{name} was {getattr(OPTIONS, name)} and is now {value}"
    assert [line in note for note in heard.notes[:1]] == ([] if "max_rejected" in changes else [True])


def test_a_data_set_half_made_anew_has_no_manifest(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    recordings = read_folder(photos, domain="desk").recordings
    with pytest.raises(KeyboardInterrupt):
        prepare(recordings, tmp_path / "out", replace(OPTIONS, margin=0.4), run=stop_at_once)
    assert not (tmp_path / "out" / "manifest.parquet").exists()
    assert run(photos, tmp_path / "out").resumed == 10  # with the first options again nothing is lost


def test_a_data_set_of_which_a_source_changed_has_no_manifest_until_it_is_whole(
    photos: Path, tmp_path: Path, variants: dict[str, np.ndarray]
) -> None:
    run(photos, tmp_path / "out")

    def stopped() -> bool:
        with pytest.raises(KeyboardInterrupt):
            prepare(read_folder(photos, domain="desk").recordings, tmp_path / "out", OPTIONS, run=stop_at_once)
        return (tmp_path / "out" / "manifest.parquet").exists()

    write_image(photos / "print" / "another.png", variants["blurred"])
    assert stopped()  # what is only new takes nothing from the others
    write_image(photos / "print" / "face.png", variants["128 pixels"])
    assert not stopped()
    assert run(photos, tmp_path / "out").resumed == 9


def test_a_kill_within_a_recording_at_another_size_leaves_nothing_finished_without_crops(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(photos, tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(Store, "_write_frame", kill)
        with pytest.raises(KeyboardInterrupt):
            run(photos, tmp_path / "out", replace(OPTIONS, size=32))
    again = run(photos, tmp_path / "out")
    assert again.resumed == 9
    again.manifest.check_files()


def test_a_recording_below_another_keeps_its_crops(tmp_path: Path, models: None, astronaut: np.ndarray) -> None:
    for name in ("1.png", "2.png", "second/1.png", "second/2.png"):
        write_image(tmp_path / "photos" / "live" / "anna" / name, astronaut)
    run(tmp_path / "photos", tmp_path / "out")
    write_image(tmp_path / "photos" / "live" / "anna" / "2.png", astronaut[::2, ::2])
    result = run(tmp_path / "photos", tmp_path / "out")
    assert (result.recordings, result.resumed) == (2, 1)
    result.manifest.check_files()
    (tmp_path / "photos" / "live" / "anna" / "2.png").unlink()
    shorter = read_folder(tmp_path / "photos", domain="desk", images="frames").recordings
    assert len(prepare(shorter, tmp_path / "out", OPTIONS).manifest.frames) == 3
    assert len(list((tmp_path / "out" / "faces").rglob("*.png"))) == 6  # crops and depth maps


def test_two_preparations_of_one_folder_do_not_mix(photos: Path, tmp_path: Path) -> None:
    def prepare_too(*_: object) -> Iterator[Recording]:
        with pytest.raises(UserError, match="out: another preparation writes there; wait for it, or choose another"):
            run(photos, tmp_path / "out")
        raise KeyboardInterrupt
        yield

    recordings = read_folder(photos, domain="desk").recordings
    with pytest.raises(KeyboardInterrupt):
        prepare(recordings, tmp_path / "out", OPTIONS, run=prepare_too)
    assert run(photos, tmp_path / "out").resumed == 0  # a lock does not outlast its command


@pytest.mark.parametrize("given", ["eyes", "boxes", "depth_maps"])
def test_what_is_given_with_a_recording_is_noticed_when_it_changes(
    given: str, tmp_path: Path, models: None, astronaut: np.ndarray
) -> None:
    write_image(tmp_path / "a.png", astronaut)
    options = replace(OPTIONS, detector="blazeface" if given == "depth_maps" else "given")
    if given == "depth_maps":
        path = write_image(tmp_path / "maps" / "a.png", np.zeros_like(astronaut))
        factors = {given: str(path.parent)}
    else:
        (path := tmp_path / "a.txt").write_text("1 180 70 100 100")  # of another frame
        factors = {given: path.name}
    recording = Recording("d", "s", "a", "train", Label.LIVE, "live", (tmp_path / "a.png",), factors)
    first = prepare([recording], tmp_path / "out", options)
    assert first.rejected == (given != "depth_maps")
    assert prepare([recording], tmp_path / "out", options).resumed == 1
    if given == "depth_maps":
        write_image(path, np.full_like(astronaut, 200))
        write_image(path.with_name("b.png"), astronaut)  # of another photo
    else:
        path.write_text({"boxes": "0 180 70 100 100", "eyes": "0 200 110 250 110"}[given])
    second = prepare([recording], tmp_path / "out", options)
    assert (second.resumed, second.rejected) == (0, 0)
    write_image(tmp_path / "maps" / "b.png", astronaut[::2])
    assert prepare([recording], tmp_path / "out", options).resumed == 1


def test_a_fingerprint_is_that_of_before_where_nothing_given_is_used(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"photo")
    os.utime(tmp_path / "a.png", ns=(0, 0))
    (tmp_path / "a.txt").write_text("0 1 2 3 4")
    recording = Recording("d", "s", "a", "train", Label.LIVE, "live", (tmp_path / "a.png",), {})
    plain = fingerprint(recording, {"detector": "blazeface", "size": 64})
    assert plain == "3b72acd61888653e1f4bdfed204fdb80fead834177d409842617b121c8b226cc"
    with_eyes = replace(recording, factors={"eyes": "a.txt"})
    before = fingerprint(with_eyes, {"detector": "blazeface", "size": 64})
    (tmp_path / "a.txt").unlink()
    assert fingerprint(with_eyes, {"detector": "blazeface", "size": 64}) == before


def test_what_failed_for_another_reason_than_its_face_is_tried_again(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(photos / "print" / "wall.png", np.full((200, 300, 3), 120, np.uint8))
    with monkeypatch.context() as patch:
        patch.setattr("dgfas.faces.record.read_recording", not_permitted)
        assert run(photos, tmp_path / "out").rejected == 11
    heard = Heard()
    again = run(photos, tmp_path / "out", report=heard)
    assert (again.rejected, again.resumed) == (1, 0)
    assert heard.notes[0] == "11 recordings that failed for another reason than their faces are tried again"
    assert run(photos, tmp_path / "out").resumed == 11  # the wall has no face, and that stays


def not_permitted(sources: tuple[Path, ...], *_: object) -> Iterator[FrameRead]:
    raise UserError(f"{sources[0]}: not a readable image (Permission denied)")
    yield


def kill(*_: object) -> None:
    raise KeyboardInterrupt


def stop_at_once(*_: object) -> Iterator[Recording]:
    raise KeyboardInterrupt
    yield


def test_what_it_takes_is_foretold(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    run(photos, tmp_path / "out", OPTIONS, heard)
    assert re.fullmatch(r"10 recordings, at most 10 frames and 0\.1 MB; .* are free", heard.notes[0])
    size = sum(path.stat().st_size for path in (tmp_path / "out" / "faces").rglob("*.png")) * 6 / 10
    found = re.fullmatch(r"the other 6 recordings take about \d+ s and (.*) MB", heard.notes[1])
    assert found is not None
    assert float(found[1]) == pytest.approx(size / 1e6, rel=0.6)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("dgfas.faces.forecast.shutil.disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=r"the other 6 recordings need about .* are free; make room and run again"):
        run(photos, tmp_path / "full")
    assert len(list((tmp_path / "full" / "finished").glob("*.json"))) == 4
    monkeypatch.undo()
    assert run(photos, tmp_path / "full").resumed == 4


def test_the_options_of_a_data_set_can_be_read_back(photos: Path, tmp_path: Path) -> None:
    options = PrepareOptions(size=64, margin=0.3, align="eyes", frames_per_recording=None)
    run(photos, tmp_path / "out", options)
    assert PrepareOptions.of_data_set(tmp_path / "out") == options
    assert PrepareOptions.of_data_set(tmp_path) is None


def test_a_moved_folder_of_photos_is_not_prepared_again(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    photos.rename(tmp_path / "moved")
    assert run(tmp_path / "moved", tmp_path / "out").resumed == 10


def test_a_folder_that_cannot_be_written_is_named(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UserError, match="out: cannot be written"):
        run(photos, tmp_path / "out")


@pytest.mark.parametrize("name", ["../outside", "/etc/face", "a/../../b"])
def test_names_cannot_leave_the_folder(tmp_path: Path, models: None, name: str) -> None:
    recording = Recording("d", "s", name, "train", Label.LIVE, "live", (tmp_path / "a.png",))
    with pytest.raises(UserError, match="must be a relative path"):
        prepare([recording], tmp_path / "out", OPTIONS)


def test_a_missing_model_is_one_error_not_many_rejections(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DGFAS_MODELS", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="--fetch-models"):
        run(photos, tmp_path / "out")


def test_quarter_turns_of_a_data_set_are_applied(tmp_path: Path, models: None, astronaut: np.ndarray) -> None:
    path = write_image(tmp_path / "upside_down.png", astronaut[::-1, ::-1])
    recording = Recording("d", "s", "r", "train", Label.LIVE, "live", (path,), {"quarter_turns": "2"})
    result = prepare([recording], tmp_path / "out", OPTIONS)
    assert result.manifest.frames["box_left"].tolist() == pytest.approx([180], abs=10)


SCRIPT = """
import sys
from pathlib import Path
from dgfas.datasets.folder import read_folder
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare
if __name__ == "__main__":
    recordings = read_folder(Path(sys.argv[1]), domain="desk").recordings
    options = PrepareOptions(size=64, frames_per_recording=None, workers=int(sys.argv[3]))
    prepare(recordings, Path(sys.argv[2]), options)
"""


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_killed_run_goes_on_where_it_stopped(
    tmp_path: Path, models: None, astronaut: np.ndarray, workers: int
) -> None:
    half = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    for number in range(8):
        moving = [np.roll(half, number + frame, axis=1) for frame in range(12)]
        write_clip(tmp_path / "videos" / ("live" if number % 2 else "print") / f"{number}.mp4", moving)
    script, out = tmp_path / "run.py", tmp_path / "out"
    script.write_text(SCRIPT)
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path / "videos"), str(out), str(workers)])
    finished: list[Path] = []
    while len(finished) < 3 and process.poll() is None:
        time.sleep(0.005)
        finished = list((out / "finished").glob("*.json"))
    children = children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert not (out / "manifest.parquet").exists()
    for child in children:
        wait_for_end(child)
    kept = {path.name: path.stat().st_mtime_ns for path in (out / "finished").glob("*.json")}
    assert 3 <= len(kept) < 8
    options = PrepareOptions(size=64, frames_per_recording=None)
    result = prepare(read_folder(tmp_path / "videos", domain="desk").recordings, out, options)
    assert (result.recordings, result.resumed, result.rejected) == (8, len(kept), 0)
    now = {path.name: path.stat().st_mtime_ns for path in (out / "finished").glob("*.json")}
    assert {name: now[name] for name in kept} == kept
    result.manifest.check_files()
    assert result.manifest.frames.groupby("recording").size().tolist() == [12] * 8
    afresh = prepare(read_folder(tmp_path / "videos", domain="desk").recordings, tmp_path / "afresh", options)
    assert afresh.manifest.content_hash == result.manifest.content_hash


def children_of(process: int) -> list[int]:
    path = Path(f"/proc/{process}/task/{process}/children")
    return [int(child) for child in path.read_text().split()]


def wait_for_end(process: int) -> None:
    for _ in range(1000):
        status = Path(f"/proc/{process}/stat")
        if not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    raise AssertionError(f"process {process} outlived its parent")


CRASHING = """
import os, sys
from pathlib import Path
import dgfas.faces.record as record
from dgfas.datasets.folder import read_folder
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare
reading = record.read_recording
def crash_on_mirrored(sources, count, stride):
    if "mirrored" in str(sources[0]):
        os.abort()
    return reading(sources, count, stride)
record.read_recording = crash_on_mirrored
if __name__ == "__main__":
    recordings = read_folder(Path(sys.argv[1]), domain="desk").recordings
    result = prepare(recordings, Path(sys.argv[2]), PrepareOptions(size=64, workers=2))
    print(result.rejected, result.exit_code)
"""


@pytest.mark.slow
def test_a_file_that_crashes_the_decoder_costs_only_itself(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(CRASHING)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py"), str(photos), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout.split() == ["1", "0"], done.stderr
    manifest = Manifest.read(tmp_path / "out")
    assert manifest.rejected["recording"].tolist() == ["live/mirrored.png"]
    assert "crashed" in manifest.rejected["reason"].iloc[0]
    assert len(manifest.frames) == 9


def test_one_file_alone(tmp_path: Path, models: None, astronaut: np.ndarray) -> None:
    photo = write_image(tmp_path / "photo.jpg", astronaut)
    (crop,) = prepare_one(photo, OPTIONS)
    assert crop.image is not None
    assert crop.image.shape == (64, 64, 3)
    assert crop.reason is None
    result = run_single(photo, tmp_path)
    written = cv2.imread(str(result.manifest.root / result.manifest.frames["face"].iloc[0]))[..., ::-1]
    np.testing.assert_array_equal(crop.image, written)  # scoring sees what training saw

    empty_room = [astronaut] * 6 + [np.zeros_like(astronaut)] * 6
    crops = prepare_one(write_clip(tmp_path / "clip.mp4", empty_room), OPTIONS)
    assert [crop.position for crop in crops] == [1, 4, 7, 10]
    assert [crop.reason for crop in crops] == [None, None, "no face found", "no face found"]

    write_image(tmp_path / "frames" / "1.png", astronaut)
    (tmp_path / "frames" / "2.png").write_bytes(b"")
    first, second = prepare_one(tmp_path / "frames", OPTIONS)
    assert first.image is not None
    assert "the file is empty" in str(second.reason)
    (tmp_path / "bad.mp4").write_bytes(b"")
    with pytest.raises(UserError, match=r"bad\.mp4: the file is empty"):
        prepare_one(tmp_path / "bad.mp4", OPTIONS)


def run_single(photo: Path, tmp_path: Path) -> PrepareResult:
    recording = Recording("d", "s", "r", "train", Label.LIVE, "live", (photo,))
    return prepare([recording], tmp_path / "single", OPTIONS)


def test_the_sheet_shows_frames_without_a_label(photos: Path, tmp_path: Path) -> None:
    manifest = run(photos, tmp_path / "out").manifest
    unlabelled = manifest.frames.assign(label=pd.array([pd.NA] * len(manifest.frames), dtype="Int64"))
    write_sheet(replace(manifest, frames=unlabelled), tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").is_file()


def test_the_sheet_shows_crops_beside_their_depth(photos: Path, tmp_path: Path) -> None:
    result = run(photos, tmp_path / "out")
    write_sheet(result.manifest, tmp_path / "sheet.png", frames=8, columns=3)
    sheet = cv2.imread(str(tmp_path / "sheet.png"), cv2.IMREAD_COLOR_RGB)
    assert sheet.shape == (3 * (128 + 18), 3 * 256, 3)
    assert (sheet[2 * 146 :, 2 * 256 :] == 255).all()  # the ninth place is empty
    fields = [sheet[row * 146 + 64, column * 256 + 192].tolist() for row in range(3) for column in range(3)][:8]
    assert fields.count([128, 128, 128]) == 1  # mask: unknown
    assert fields.count([0, 0, 0]) == 2  # print and replay: flat
