"""What is on disk of a preparation: crops, one row file a finished recording, and the options they were made with."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np

from dgfas.core.errors import UserError
from dgfas.core.files import locked, read_json, write_json
from dgfas.core.label import Label
from dgfas.core.manifest import MANIFEST_NAME, PREPARED_NAME
from dgfas.core.recording import Recording
from dgfas.faces.finder import NO_FACE, FaceCrop, FaceFinder
from dgfas.faces.frames import is_image, read_recording
from dgfas.faces.given import given_boxes, given_depth, given_files
from dgfas.faces.models import MODELS
from dgfas.faces.options import PrepareOptions
from dgfas.faces.rotation import turn_hint, turns_needed

ROWS_FOLDER = "finished"
FORMAT = 1  # raised when the crops of the same options would change


@dataclass(frozen=True)
class Outcome:
    """What became of a recording: rows for the manifest, counts of frames, and the reason if it has no usable face.

    A `note` is what a person should look at.
    """

    frames: list[dict[str, Any]]
    counts: dict[str, int]
    reason: str | None
    note: str | None = None

    @property
    def failed(self) -> bool:
        """Whether there is no usable face for a reason that may be gone at another time, such as a permission."""
        return self.reason is not None and not self.reason.startswith(NO_FACE)


def only_writer(root: Path) -> AbstractContextManager[None]:
    """Keep other preparations out of folder `root`. Raises UserError if one is at work there."""
    busy = f"{root}: another preparation writes there; wait for it, or choose another folder"
    return locked(root / ".lock", busy=busy)


class Store:
    """The folder of a data set that is being prepared."""

    def __init__(self, root: Path, options: PrepareOptions) -> None:
        self.root = root
        self.options = options
        #: All that decides what lands on disk.
        self.made_with = {**options.content, "format": FORMAT, "models": {n: m.sha256 for n, m in MODELS.items()}}

    def open(self, recordings: Sequence[Recording]) -> list[str]:
        """Make the folder, or check that it was begun with some of the same recordings; return which options changed.

        Where one changed the manifest is removed until all that depends on it is made anew. Raises UserError
        if the folder holds another data set, or one of other recordings.
        """
        path = self.root / PREPARED_NAME
        _check_names(recordings)
        if not path.is_file():
            if (self.root / MANIFEST_NAME).exists():
                raise UserError(f"{self.root}: holds another data set; choose a new folder")
            (self.root / ROWS_FOLDER).mkdir(parents=True, exist_ok=True)
            write_json(path, self.made_with)
            return []
        if self.count() and not any(self._rows_path(recording).exists() for recording in recordings):
            raise UserError(f"{self.root}: was prepared from other recordings; choose a new folder, or delete this one")
        begun = read_json(path)
        changed = [
            f"{key} was {begun.get(key)} and is now {value}"
            for key, value in self.made_with.items()
            if begun.get(key) != value
        ]
        if changed:
            (self.root / MANIFEST_NAME).unlink(missing_ok=True)
            write_json(path, self.made_with)
        return changed

    def count(self) -> int:
        """Return the number of finished recordings on disk."""
        return sum(1 for _ in (self.root / ROWS_FOLDER).glob("*.json"))

    def finished(self, recording: Recording) -> Outcome | None:
        """Return the outcome of a recording, or None if it is not finished or what it depends on changed since."""
        path = self._rows_path(recording)
        if not path.is_file():
            return None
        content = read_json(path, "fingerprint")
        if content.pop("fingerprint") != fingerprint(recording, self.made_with):
            return None
        return Outcome(**content)

    def bytes_of(self, recording: Recording) -> int:
        """Return how much the crops and depth maps of a recording take on disk."""
        return sum(path.stat().st_size for path in self._folder(recording).glob("*.png"))

    def process(self, recording: Recording, finder: FaceFinder) -> None:
        """Write the crops of a recording and then, at once, its row file."""
        self.forget(recording)
        for path in self._folder(recording).glob("*.png"):  # of a killed run, or of older sources
            if path.is_file():  # else it is the folder of another recording
                path.unlink()
        self.finish(recording, self._outcome(recording, finder))

    def forget(self, recording: Recording) -> None:
        """Remove the row file of a recording: from here on it is not finished."""
        self._rows_path(recording).unlink(missing_ok=True)

    def withdraw(self, waiting: Sequence[Recording]) -> None:
        """Remove the manifest if it names crops that are to be replaced: some of these were finished before."""
        if any(self._rows_path(recording).exists() for recording in waiting):
            (self.root / MANIFEST_NAME).unlink(missing_ok=True)

    def finish(self, recording: Recording, outcome: Outcome) -> None:
        """Write the row file of a recording: from here on it is finished."""
        made_from = fingerprint(recording, self.made_with)
        write_json(self._rows_path(recording), {"fingerprint": made_from, **asdict(outcome)})

    def _outcome(self, recording: Recording, finder: FaceFinder) -> Outcome:
        counts = {"frames_tried": 0, "frames_unreadable": 0, "frames_without_face": 0, "most_faces": 0}
        rows: list[dict[str, Any]] = []
        reason: str | None = None
        note: str | None = None
        try:
            boxes = given_boxes(recording) if self.options.detector == "given" else None
            depth_map = given_depth(recording)
            turns = turns_needed(recording)
            for frame in read_recording(recording.sources, self.options.frames_per_recording, self.options.stride):
                counts["frames_tried"] += 1
                if frame.image is None:
                    counts["frames_unreadable"] += 1
                    reason = reason or frame.reason
                    continue
                upright = np.ascontiguousarray(np.rot90(frame.image, turns))
                given = None if depth_map is None else depth_map(frame.position)
                if given is not None:
                    given = np.ascontiguousarray(np.rot90(given, turns))
                found = finder.find(upright, frame.position, boxes, given_depth=given)
                if depth_map is not None and given is None:
                    found = replace(found, depth=None)
                if counts["frames_tried"] == 1:
                    note = turn_hint(upright, found, finder)
                counts["most_faces"] = max(counts["most_faces"], found.faces_found)
                if found.image is None:
                    counts["frames_without_face"] += 1
                else:
                    rows.append(self._write_frame(recording, found, found.image))
        except UserError as error:  # raised by reading only: the sources are unreadable
            return Outcome([], counts, str(error))
        if rows:
            return Outcome(rows, counts, None, note)
        if counts["frames_without_face"] or reason is None:
            reason = f"{NO_FACE} in {counts['frames_tried']} frames"
        return Outcome([], counts, reason, note)

    def _write_frame(self, recording: Recording, found: FaceCrop, image: np.ndarray) -> dict[str, Any]:
        stem = f"faces/{recording.domain}/{recording.name}/{found.position:06d}"
        face_name, depth_name = f"{stem}.png", None
        _write_png(self.root / face_name, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        depth_kind = "zero" if recording.planar else "unknown"
        if recording.label is Label.LIVE and found.depth is not None:
            depth_kind, depth_name = "map", f"{stem}_depth.png"
            _write_png(self.root / depth_name, np.round(found.depth * 255).astype(np.uint8))
        left, top, right, bottom = found.box or (None, None, None, None)
        yaw, pitch, roll = found.angles or (None, None, None)
        return {
            "frame": found.position,
            "face": face_name,
            "depth": depth_name,
            "depth_kind": depth_kind,
            "faces_found": found.faces_found,
            "detection_score": found.score,
            "box_left": left,
            "box_top": top,
            "box_right": right,
            "box_bottom": bottom,
            "yaw": yaw,
            "pitch": pitch,
            "roll": roll,
        }

    def _folder(self, recording: Recording) -> Path:
        return self.root / "faces" / recording.domain / recording.name

    def _rows_path(self, recording: Recording) -> Path:
        key = f"{recording.domain}\x1f{recording.name}"
        return self.root / ROWS_FOLDER / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def fingerprint(recording: Recording, made_with: Mapping[str, object]) -> str:
    """Return a hash of what the crops and depth maps of a recording depend on.

    These are its sources and the given files that are used (by name, size and time), its label, and the options of
    `made_with` that matter to it: only live recordings have depth maps, and of a single photo no frames are chosen. The
    folder in which the sources lie does not count, so that it may move.
    """
    without = set() if recording.label is Label.LIVE else {"depth_size"}
    if len(recording.sources) == 1 and is_image(recording.sources[0]):
        without |= {"frames_per_recording", "stride"}
    matters = {name: value for name, value in made_with.items() if name not in without}
    parts = [str(recording.label), recording.species, json.dumps([recording.factors, matters], sort_keys=True)]
    given = given_files(recording, boxes=made_with["detector"] == "given")
    for path in (*recording.sources, *(path for path in given if not path.is_dir())):
        try:
            status = path.stat()
            parts.append(f"{path.name} {status.st_size} {status.st_mtime_ns}")
        except OSError:
            parts.append(f"{path.name} missing")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _check_names(recordings: Sequence[Recording]) -> None:
    seen: set[tuple[str, str]] = set()
    for recording in recordings:
        for name in (recording.domain, recording.name):
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or not path.parts:
                raise UserError(f"recording {name!r}: the name must be a relative path without '..'")
        if (recording.domain, recording.name) in seen:
            raise UserError(f"recording {recording.name!r} of domain {recording.domain!r} appears twice")
        seen.add((recording.domain, recording.name))


def _write_png(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image):
        raise OSError(f"{path}: cannot be written")
