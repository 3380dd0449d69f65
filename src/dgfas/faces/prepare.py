"""Recordings -> prepared data set: crops, depth maps and a manifest, in parallel and resumable."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dgfas.core.errors import UserError
from dgfas.core.files import write_whole
from dgfas.core.manifest import REJECTED_COLUMNS, Manifest, write_manifest
from dgfas.core.progress import Silent
from dgfas.core.recording import Recording
from dgfas.faces.finder import FaceCrop, FaceFinder
from dgfas.faces.forecast import Forecast
from dgfas.faces.frames import read_recording, sources_of
from dgfas.faces.models import MODELS, model_path
from dgfas.faces.options import PrepareOptions
from dgfas.faces.parallel import Run, run_all
from dgfas.faces.record import Store, only_writer

RECORDINGS_NAME = "recordings.csv"
FRAME_COLUMNS = ["domain", "subject", "recording", "frame", "split", "label", "species", "face", "depth", "depth_kind"]


@dataclass(frozen=True)
class PrepareResult:
    """What a preparation left on disk, and how it went. Counts are of recordings unless they say frames."""

    manifest: Manifest
    recordings: int
    rejected: int
    resumed: int  # finished by an earlier run
    frames_without_face: int
    frames_unreadable: int
    left_out: int  # finished by an earlier run, but not among the recordings given now
    noted: int  # in which something is to be looked at, see recordings.csv
    exit_code: int  # 0, or 3 if every recording or more than `max_rejected` failed


def prepare(
    recordings: Sequence[Recording],
    root: Path,
    options: PrepareOptions,
    report: Silent | None = None,
    run: Run = run_all,
) -> PrepareResult:
    """Write a prepared data set of `recordings` into folder `root`, and return what became of them.

    A recording without a usable face goes to rejected.csv with its reason and stops nothing. Every finished recording
    is on disk for good: after a kill the same call goes on where it stopped, and with other options only that is made
    anew which they change. What failed for another reason than its faces is tried again. `recordings.csv` counts, for
    every recording, the frames that were tried, unreadable and without a face. What the work will take is told before
    it starts (disk, at the most) and after its first recordings (disk and time). `run` does the work, by default in
    processes of this machine.

    Raises UserError if there is no recording, if `root` cannot be written, is written by another preparation, holds
    another data set or has not the space that is needed, or if a model file is missing.
    """
    if not recordings:
        raise UserError(f"{root}: there is no recording to prepare")
    report = report or Silent()
    store = Store(Path(root), options)
    for name in MODELS:
        model_path(name)  # a missing model file is an error of its own, not of every recording
    try:
        with only_writer(store.root):
            return _prepare(recordings, store, report, run)
    except OSError as error:  # of writing; what cannot be read is rejected
        raise UserError(
            f"{root}: cannot be written ({error}); mend that and run again, finished recordings are kept"
        ) from error


def _prepare(recordings: Sequence[Recording], store: Store, report: Silent, run: Run) -> PrepareResult:
    changed = store.open(recordings)
    outcomes = [(recording, store.finished(recording)) for recording in recordings]
    failed = [recording for recording, outcome in outcomes if outcome is not None and outcome.failed]
    waiting = [recording for recording, outcome in outcomes if outcome is None or outcome.failed]
    resumed = len(recordings) - len(waiting)
    if changed:
        report.note(f"{'; '.join(changed)}: {len(waiting)} of {len(recordings)} recordings are made anew")
    if failed:
        report.note(f"{len(failed)} recordings that failed for another reason than their faces are tried again")
    for recording in failed:
        store.forget(recording)
    store.withdraw(waiting)
    forecast = Forecast(waiting, store)
    if waiting:
        report.note(forecast.at_most())
    for done, recording in enumerate(run(waiting, store, store.options.workers), start=resumed + 1):
        report.progress("preparing recordings", done, len(recordings))
        line = forecast.add(recording)
        if line is not None:
            report.note(line)
    return _joined(recordings, store, resumed)


def prepare_one(path: Path, options: PrepareOptions, finder: FaceFinder | None = None) -> list[FaceCrop]:
    """Return the face crops of one photo, one video or one folder of frames, without depth maps.

    A frame without a face, or an unreadable one among several, is returned with its reason. `finder` saves loading the
    networks again. Raises UserError if nothing can be read.
    """
    finder = finder or FaceFinder(options)
    crops = []
    for frame in read_recording(sources_of(Path(path)), options.frames_per_recording, options.stride):
        if frame.image is None:
            crops.append(FaceCrop(frame.position, None, 0, None, frame.reason))
        else:
            crops.append(finder.find(frame.image, frame.position, with_depth=False))
    return crops


def _joined(recordings: Sequence[Recording], store: Store, resumed: int) -> PrepareResult:
    frames: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    counts: list[dict[str, Any]] = []
    for recording in recordings:
        outcome = store.finished(recording)
        if outcome is None:
            raise RuntimeError(f"recording {recording.name} was not finished")
        about = {
            "domain": recording.domain,
            "subject": recording.subject,
            "recording": recording.name,
            "split": recording.split,
            "label": recording.label,
            "species": recording.species,
        }
        frames += [{**about, **recording.factors, **row} for row in outcome.frames]
        counts.append({**about, **outcome.counts, "reason": outcome.reason, "note": outcome.note})
        if outcome.reason is not None:
            rejected.append(
                {**about, **recording.factors, "source": str(recording.sources[0]), "reason": outcome.reason}
            )
    _write_counts(store.root / RECORDINGS_NAME, counts)
    table = pd.DataFrame(frames, columns=None if frames else FRAME_COLUMNS)
    table["label"] = table["label"].astype("Int64")
    refused = pd.DataFrame(rejected, columns=None if rejected else REJECTED_COLUMNS).astype({"label": "Int64"})
    write_manifest(store.root, table, refused)
    limit = store.options.max_rejected
    failed = len(rejected) == len(recordings) or (limit is not None and len(rejected) > limit)
    return PrepareResult(
        manifest=Manifest.read(store.root),
        recordings=len(recordings),
        rejected=len(rejected),
        resumed=resumed,
        frames_without_face=sum(row["frames_without_face"] for row in counts),
        frames_unreadable=sum(row["frames_unreadable"] for row in counts),
        left_out=store.count() - len(recordings),
        noted=sum(row["note"] is not None for row in counts),
        exit_code=3 if failed else 0,
    )


def _write_counts(path: Path, counts: list[dict[str, Any]]) -> None:
    write_whole(path, pd.DataFrame(counts).to_csv(index=False))
