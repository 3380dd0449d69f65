"""Videos as phones and webcams write them."""

from pathlib import Path

import av
import numpy as np
import pytest

from clips import write_clip
from dgfas.core.errors import UserError
from dgfas.faces.frames import choose_positions
from dgfas.faces.source import InMemory, TooLarge
from dgfas.faces.video import VideoLimits, frame_count, read_frames

CONTAINERS = [("libx264", "mp4"), ("libx264", "mkv"), ("mjpeg", "mov"), ("mjpeg", "avi"), ("libvpx", "webm")]


def numbered(count: int, height: int = 64, width: int = 96) -> list[np.ndarray]:
    """Frames whose brightness is their number times ten; the upper left corner is white."""
    frames = [np.full((height, width, 3), 10 * number, np.uint8) for number in range(count)]
    for frame in frames:
        frame[: height // 4, : width // 4] = 255
    return frames


def brightness(frame: np.ndarray) -> int:
    return round(float(frame[frame.shape[0] // 2 :].mean()) / 10)


@pytest.mark.parametrize(("codec", "suffix"), CONTAINERS)
def test_positions_are_those_of_the_stream(tmp_path: Path, codec: str, suffix: str) -> None:
    path = write_clip(tmp_path / f"clip.{suffix}", numbered(20), codec)
    assert frame_count(path) == 20
    assert [(position, brightness(frame)) for position, frame in read_frames(path)] == [(n, n) for n in range(20)]
    chosen = [(position, brightness(frame)) for position, frame in read_frames(path, [3, 11, 19, 50])]
    assert chosen == [(3, 3), (11, 11), (19, 19)]


@pytest.mark.parametrize(("codec", "suffix"), CONTAINERS)
def test_a_video_in_memory_is_the_one_on_disk(tmp_path: Path, codec: str, suffix: str) -> None:
    path = write_clip(tmp_path / f"clip.{suffix}", numbered(6), codec)
    video = InMemory(path.read_bytes(), "the upload")
    assert frame_count(video) == 6
    for (position, frame), (expected_position, expected) in zip(read_frames(video), read_frames(path), strict=True):
        assert position == expected_position
        np.testing.assert_array_equal(frame, expected)


def test_a_playlist_in_memory_opens_no_other_file(tmp_path: Path) -> None:
    secret = write_clip(tmp_path / "secret.mkv", numbered(3), "mpeg4")
    playlist = f"ffconcat version 1.0\nfile {secret.name}\n".encode()
    (tmp_path / "list.ffconcat").write_bytes(playlist)
    assert frame_count(tmp_path / "list.ffconcat") == 3  # FFmpeg follows it from a path
    with pytest.raises(UserError, match="the upload: not an MP4"):
        frame_count(InMemory(playlist, "the upload"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"frames": 9}, "more than 9 frames"),
        ({"seconds": 0.39}, "longer than 0.39 seconds"),
        ({"frame_pixels": 96 * 64 - 1}, "frames of more than 0.006143 million pixels"),
        ({"all_pixels": 10 * 96 * 64 - 1}, "more than 0.061439 million pixels together"),
    ],
)
def test_a_video_beyond_a_limit(tmp_path: Path, changed: dict[str, float], said: str) -> None:
    path = write_clip(tmp_path / "clip.mp4", numbered(10))
    exact = {"frames": 10, "seconds": 0.4, "frame_pixels": 96 * 64, "all_pixels": 10 * 96 * 64}
    assert frame_count(path, VideoLimits(**exact)) == 10
    assert len(list(read_frames(path, None, VideoLimits(**exact)))) == 10
    limits = VideoLimits(**{**exact, **changed})
    with pytest.raises(TooLarge, match=said):
        frame_count(path, limits)
    if "seconds" not in changed:
        with pytest.raises(TooLarge, match=said):
            list(read_frames(path, None, limits))


def test_a_frame_that_would_fill_the_memory_is_not_decoded(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", numbered(2))
    with pytest.raises(UserError, match="not one frame"):  # FFmpeg refuses it before there is anything to count
        list(read_frames(path, None, VideoLimits(10, 10, 1000, 10**6)))


@pytest.mark.parametrize(("codec", "suffix"), [("libx264", "mp4"), ("mjpeg", "mov")])
@pytest.mark.parametrize("rotation", [0, 90, -90, 180])
def test_the_rotation_tag_turns_frames_upright(tmp_path: Path, codec: str, suffix: str, rotation: int) -> None:
    upright = numbered(3)
    stored = [np.rot90(frame, -rotation // 90) for frame in upright]  # the tag turns counter-clockwise
    path = write_clip(tmp_path / f"clip.{suffix}", stored, codec, rotation)
    for position, frame in read_frames(path):
        assert frame.shape == (64, 96, 3)
        assert frame.flags["C_CONTIGUOUS"]
        assert frame[:12, :20].mean() > 240
        assert brightness(frame) == position


@pytest.mark.parametrize(("codec", "suffix"), CONTAINERS)
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_truncated_videos_are_named(tmp_path: Path, codec: str, suffix: str, share: float) -> None:
    noise = [np.random.default_rng(n).integers(0, 256, (64, 96, 3), np.uint8) for n in range(25)]
    whole = write_clip(tmp_path / f"whole.{suffix}", noise, codec)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    with pytest.raises(UserError, match=rf"cut.{suffix}: (truncated|not a readable video|the video has no frames)"):
        frame_count(cut)


def test_truncated_streaming_mp4_is_named(tmp_path: Path) -> None:
    path = tmp_path / "whole.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(50):
            noise = np.random.default_rng(number).integers(0, 256, (64, 96, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode(None))
    assert frame_count(path) == 50
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r"cut\.mp4: truncated"):
        frame_count(cut)


def test_other_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.avi").write_text("no video" * 100)
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for name, reason in {
        "empty.mp4": "the file is empty",
        "text.avi": "not a readable video",
        "sound.mp4": "no video stream",
        "nowhere.mov": "file not found",
    }.items():
        with pytest.raises(UserError, match=reason):
            frame_count(tmp_path / name)
        with pytest.raises(UserError, match=reason):
            list(read_frames(tmp_path / name))


def test_a_video_without_frames_is_named(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "none.avi"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        container.start_encoding()
    with pytest.raises(UserError, match="no frames"):
        frame_count(tmp_path / "none.avi")


def test_a_video_of_which_nothing_can_be_decoded_is_named(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mov", numbered(10), "mjpeg")
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    with pytest.raises(UserError, match="not one frame"):
        list(read_frames(path))


def test_chosen_positions_are_the_middles_of_equal_parts() -> None:
    assert choose_positions(10, None, 1) == list(range(10))
    assert choose_positions(10, None, 3) == [0, 3, 6, 9]
    assert choose_positions(100, 4, 1) == [12, 37, 62, 87]
    assert choose_positions(100, 2, 10) == [20, 70]
    assert choose_positions(3, 8, 1) == [0, 1, 2]
    assert choose_positions(0, 8, 1) == []
