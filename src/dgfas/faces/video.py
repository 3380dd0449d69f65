"""Frames of a video as upright RGB arrays, decoded by FFmpeg through PyAV."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from dgfas.core.errors import UserError
from dgfas.faces.source import VIDEO_KINDS, InMemory, TooLarge, kind_of

#: A video that ends before this share of what its header promises is called truncated.
WHOLE_SHARE = 0.9


@dataclass(frozen=True)
class VideoLimits:
    """What is decoded of a video at most: frames, their length in time, pixels of one and of all together."""

    frames: int
    seconds: float
    frame_pixels: int
    all_pixels: int

    def check(self, path: Path | InMemory, frames: int, seconds: float, pixels: int) -> None:
        """Raise TooLarge for a video of as many frames of as many pixels each."""
        if frames > self.frames:
            raise TooLarge(f"{path}: more than {self.frames} frames")
        if seconds > self.seconds:
            raise TooLarge(f"{path}: longer than {self.seconds:g} seconds")
        if pixels > self.frame_pixels:
            raise TooLarge(f"{path}: frames of more than {self.frame_pixels / 1e6:g} million pixels")
        if frames * pixels > self.all_pixels:
            raise TooLarge(f"{path}: its frames have more than {self.all_pixels / 1e6:g} million pixels together")


def frame_count(path: Path | InMemory, limits: VideoLimits | None = None) -> int:
    """Return the number of video frames in a file, counted by its packets (nothing is decoded).

    Raises TooLarge beyond the `limits`, and UserError if the file is missing, empty, not a video, without frames, or
    ends before 90 % of what its header promises.
    """
    frames, seconds = 0, 0.0
    with _opened(path) as container:
        stream = container.streams.video[0]
        try:
            for packet in container.demux(stream):
                if packet.size:
                    frames += 1
                    if packet.pts is not None and stream.time_base is not None:
                        seconds = max(seconds, float((packet.pts + (packet.duration or 0)) * stream.time_base))
                    if limits is not None:
                        limits.check(path, frames, seconds, stream.width * stream.height)
        except av.error.FFmpegError as error:
            raise UserError(f"{path}: truncated or damaged after frame {frames} ({error.strerror})") from error
        if frames == 0:
            raise UserError(f"{path}: the video has no frames")
        if frames < WHOLE_SHARE * stream.frames:
            raise UserError(f"{path}: truncated, holds {frames} of {stream.frames} frames")
        promised_seconds = (container.duration or 0) / av.time_base
        if stream.frames == 0 and seconds < WHOLE_SHARE * promised_seconds:
            raise UserError(f"{path}: truncated, holds {seconds:.1f} of {promised_seconds:.1f} seconds")
    return frames


def read_frames(
    path: Path | InMemory, positions: Collection[int] | None = None, limits: VideoLimits | None = None
) -> Iterator[tuple[int, UInt8[np.ndarray, "h w 3"]]]:
    """Yield `(position, RGB frame)` in order, turned upright by the container's rotation tag.

    `positions` (0 = first frame) chooses frames; None takes all. Positions after the last frame yield nothing.
    A damaged packet is skipped. Raises TooLarge beyond the `limits`, UserError if the file cannot be opened or not one
    frame can be decoded.
    """
    wanted = None if positions is None else set(positions)
    last = None if wanted is None else max(wanted, default=-1)
    position = -1
    with _opened(path) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # recordings run in parallel, not the frames of one
        if limits is not None:
            stream.codec_context.options = {"max_pixels": str(2 * limits.frame_pixels)}  # counts padding too
        for frame in _decoded(container, stream):
            position += 1
            if limits is not None:  # a video may change its size on the way
                limits.check(path, position + 1, 0.0, frame.width * frame.height)
            if last is not None and position > last:
                return
            if wanted is None or position in wanted:
                upright = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
                yield position, np.ascontiguousarray(upright)
    if position < 0:
        raise UserError(f"{path}: not one frame of the video can be decoded")


def tagged_turns(path: Path) -> int:
    """Return the counter-clockwise quarter turns (0 to 3) that the container's rotation tag asks for.

    Raises UserError if the file cannot be opened or not one frame can be decoded.
    """
    with _opened(path) as container:
        for frame in _decoded(container, container.streams.video[0]):
            return round(frame.rotation / 90) % 4
    raise UserError(f"{path}: not one frame of the video can be decoded")


def _opened(path: Path | InMemory) -> av.container.InputContainer:
    try:
        if isinstance(path, InMemory):
            container = _opened_in_memory(path)
        elif path.stat().st_size == 0:
            raise UserError(f"{path}: the file is empty")
        else:
            container = av.open(str(path), metadata_errors="replace")
    except FileNotFoundError as error:
        raise UserError(f"{path}: file not found") from error
    except (av.error.FFmpegError, OSError) as error:
        raise UserError(f"{path}: not a readable video, or truncated ({error.strerror})") from error
    if not container.streams.video:
        container.close()
        raise UserError(f"{path}: the file has no video stream")
    if container.streams.video[0].codec_context is None:
        container.close()
        raise UserError(f"{path}: the video has an encoding that is not read")
    return container


def _opened_in_memory(video: InMemory) -> av.container.InputContainer:
    """Open what somebody sent: as one of few formats, since some others (playlists) would open further files."""
    start = video.getvalue()[:16]
    if not start:
        raise UserError(f"{video}: the file is empty")
    kind = kind_of(start)
    if kind not in VIDEO_KINDS:
        raise UserError(f"{video}: not an MP4, QuickTime, WebM, Matroska or AVI video")
    video.seek(0)
    return av.open(video, "r", format=kind, metadata_errors="replace")


def _decoded(container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue
