"""What a preparation will take: disk by counting before it starts, disk and time by its first recordings."""

import shutil
import time
from collections.abc import Sequence

from dgfas.core.errors import UserError
from dgfas.core.progress import in_words
from dgfas.core.recording import Recording
from dgfas.faces.frames import is_image
from dgfas.faces.record import Store

SAMPLED = 4  # recordings of each process after which the rest is foretold


class Forecast:
    """Counts what waits, then measures the first recordings that are finished."""

    def __init__(self, waiting: Sequence[Recording], store: Store) -> None:
        self.waiting, self.store = waiting, store
        self.sample = SAMPLED * store.options.workers
        self._finished: list[Recording] = []
        self._first_finished_at = 0.0

    def at_most(self) -> str:
        """Return a line on the most that the waiting recordings can take on disk."""
        frames = self._most_frames()
        free = f"{in_bytes(self._free())} are free"
        if frames is None:
            return f"{len(self.waiting)} recordings, all their frames; {free}"
        size = in_bytes(frames * 3 * self.store.options.size**2)  # lossless crops, were they not compressed
        return f"{len(self.waiting)} recordings, at most {frames} frames and {size}; {free}"

    def add(self, recording: Recording) -> str | None:
        """Take a finished recording; after the sample return a line on what the rest will take, else None.

        Raises UserError if the rest will not fit on the disk.
        """
        self._finished.append(recording)
        if len(self._finished) == 1:
            self._first_finished_at = time.monotonic()
        if len(self._finished) != self.sample or len(self.waiting) < 2 * self.sample:
            return None
        rest = len(self.waiting) - self.sample
        seconds = (time.monotonic() - self._first_finished_at) / (self.sample - 1) * rest
        needed = sum(self.store.bytes_of(finished) for finished in self._finished) / self.sample * rest
        free = self._free()
        if needed > free:
            raise UserError(
                f"{self.store.root}: the other {rest} recordings need about {in_bytes(needed)}, {in_bytes(free)} are "
                "free; make room and run again, finished recordings are kept"
            )
        return f"the other {rest} recordings take about {in_words(seconds)} and {in_bytes(needed)}"

    def _most_frames(self) -> int | None:
        count = self.store.options.frames_per_recording
        frames = 0
        for recording in self.waiting:
            images = len(recording.sources)
            if images == 1 and not is_image(recording.sources[0]):
                if count is None:
                    return None
                frames += count
            else:
                frames += min(images, count or images)
        return frames

    def _free(self) -> int:
        return shutil.disk_usage(self.store.root).free


def in_bytes(number: float) -> str:
    """Return a number of bytes as a person says it: `3.1 MB`, `12.0 GB`."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"
