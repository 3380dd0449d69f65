"""Write a simulated data set: a prepared data set whose every frame knows its ground truth."""

import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from dgfas.core.errors import UserError
from dgfas.core.files import locked, read_json, write_json, write_whole
from dgfas.core.label import Label
from dgfas.core.manifest import MANIFEST_NAME, SIMULATED_NAME, Manifest, write_manifest
from dgfas.core.recording import Split
from dgfas.core.work import cores
from dgfas.simulation.capture_domains import CAPTURE_DOMAINS, CaptureDomain, load_domains
from dgfas.simulation.recordings import record

ROWS_FOLDER = "rows"  # one file a finished subject, so that a killed run resumes
VERSION = 3  # of the pictures; goes up whenever the same options give other pixels

#: Subjects take these splits in turn, so that a smaller data set is a part of a larger one.
SPLIT_CYCLE: tuple[Split, ...] = ("train", "train", "train", "dev", "test")


@dataclass(frozen=True)
class Job:
    """The recordings of one subject."""

    root: Path
    domain: CaptureDomain
    subject: int
    live_recordings: int
    spoof_recordings: int
    frames: int
    image_size: int
    seed: int

    @property
    def name(self) -> str:
        return f"{self.domain.name}-{self.subject:03d}"

    @property
    def rows_path(self) -> Path:
        return self.root / ROWS_FOLDER / self.domain.name / f"{self.name}.json"


def simulate(
    root: Path,
    *,
    domains: Sequence[str | Path] = CAPTURE_DOMAINS,
    subjects: int = 60,
    live_recordings: int = 2,
    spoof_recordings: int = 2,
    frames: int = 8,
    image_size: int = 64,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Draw a simulated data set into folder `root` and return its manifest.

    `domains` are names of CAPTURE_DOMAINS or YAML files; each gets `subjects` people of its own with
    `live_recordings` + `spoof_recordings` recordings of `frames` consecutive frames, `image_size` pixels square.
    The pixels depend on these and on `seed`, not on `workers` (processes; None: all cores). A run that was
    stopped continues with the next subject. `progress` is told (finished, all) subjects.
    Raises UserError for wrong options, a folder that cannot be written or holds another data set, or a killed worker.
    """
    root = Path(root)
    _check_numbers(subjects, live_recordings, spoof_recordings, frames, image_size, seed, workers)
    capture_domains = load_domains(domains)
    options: dict[str, Any] = {
        "version": VERSION,
        "domains": [domain.model_dump(mode="json") for domain in capture_domains],
        "subjects": subjects,
        "live_recordings": live_recordings,
        "spoof_recordings": spoof_recordings,
        "frames": frames,
        "image_size": image_size,
        "seed": seed,
    }
    jobs = [
        Job(root, domain, subject, live_recordings, spoof_recordings, frames, image_size, seed)
        for domain in capture_domains
        for subject in range(subjects)
    ]
    try:
        finished = _open_folder(root, options)
        if not finished:
            with locked(root / ".lock"):  # a second command waits, and finds nothing left to draw
                _run([job for job in jobs if not job.rows_path.is_file()], len(jobs), workers, progress)
                write_manifest(root, _join(jobs))
    except OSError as error:
        raise UserError(
            f"{root}: cannot be written ({error.strerror or error}); free space or choose another folder, and repeat"
        ) from error
    return Manifest.read(root)


def _check_numbers(
    subjects: int, live: int, spoof: int, frames: int, image_size: int, seed: int, workers: int | None
) -> None:
    for name, value, least in (
        ("subjects", subjects, 1),
        ("live recordings", live, 0),
        ("spoof recordings", spoof, 0),
        ("frames", frames, 1),
        ("seed", seed, 0),
        ("workers", 1 if workers is None else workers, 1),
    ):
        if value < least:
            raise UserError(f"{name}: {value} is too few; give at least {least}")
    if live + spoof == 0:
        raise UserError("live and spoof recordings are both 0; ask for at least one of them")
    if image_size < 32 or image_size % 8:
        raise UserError(
            f"image side {image_size} must be divisible by 8 and at least 32; use {max(32, image_size // 8 * 8)}"
        )


def _open_folder(root: Path, options: dict[str, Any]) -> bool:
    """Claim the folder for these options; returns whether the data set in it is already complete."""
    path = root / SIMULATED_NAME
    if path.is_file():
        changed = _first_difference(read_json(path), options)
        if changed:
            raise UserError(
                f"{root}: holds a simulated data set with another {changed!r}; choose another folder or delete this one"
            )
        return (root / MANIFEST_NAME).is_file()
    if root.is_dir() and any(root.iterdir()):
        raise UserError(f"{root}: is not empty and holds no simulated data set; choose another folder")
    root.mkdir(parents=True, exist_ok=True)
    write_json(path, options)
    return False


def _first_difference(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    return next((key for key in new if old.get(key) != json.loads(json.dumps(new[key]))), None)


def _run(jobs: list[Job], total: int, workers: int | None, progress: Callable[[int, int], None] | None) -> None:
    finished = total - len(jobs)
    count = min(workers or cores(), max(1, len(jobs)))
    if count == 1:
        for job in jobs:
            _record_subject(job)
            finished += 1
            if progress:
                progress(finished, total)
        return
    with ProcessPoolExecutor(count, get_context("spawn"), initializer=_start_worker) as pool:
        futures = [pool.submit(_record_subject, job) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
                finished += 1
                if progress:
                    progress(finished, total)
        except BrokenProcessPool as error:
            raise UserError(
                "a process that draws was killed, perhaps for want of memory; repeat the command with fewer --workers: "
                "finished people are kept"
            ) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _start_worker() -> None:
    """One OpenCV thread a process, and an end with the parent, even if that is killed."""
    cv2.setNumThreads(1)
    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def _record_subject(job: Job) -> None:
    """Write the frames of one subject, then the file of their rows: a subject counts when that exists."""
    attacks = job.domain.attacks
    species = ["live"] * job.live_recordings
    # Splits take every fifth subject: where the attacks are a multiple of five, each split would have its own for ever.
    shift = job.subject // len(SPLIT_CYCLE) if len(attacks) % len(SPLIT_CYCLE) == 0 else 0
    first = job.subject * job.spoof_recordings + shift
    species += [attacks[(first + number) % len(attacks)] for number in range(job.spoof_recordings)]
    rows = []
    for number, kind in enumerate(species):
        recording = f"{job.name}-{number}-{kind}"
        folder = Path("faces") / job.domain.name / recording
        (job.root / folder).mkdir(parents=True, exist_ok=True)
        frames = record(job.domain, job.subject, kind, number, job.frames, job.image_size, job.seed)
        for position, frame in enumerate(frames):
            face, depth = folder / f"{position:04d}.png", folder / f"{position:04d}_depth.png"
            _write_png(job.root / face, frame.image)
            if frame.depth is not None:
                _write_png(job.root / depth, frame.depth)
            rows.append(
                {
                    "domain": job.domain.name,
                    "subject": job.name,
                    "recording": recording,
                    "frame": position,
                    "split": SPLIT_CYCLE[job.subject % len(SPLIT_CYCLE)],
                    "label": int(Label.LIVE if kind == "live" else Label.SPOOF),
                    "species": kind,
                    "face": face.as_posix(),
                    "depth": depth.as_posix() if frame.depth is not None else None,
                    "depth_kind": "map" if frame.depth is not None else "zero",
                    **frame.factors,
                }
            )
    job.rows_path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(job.rows_path, json.dumps(rows))


def _write_png(path: Path, image: np.ndarray) -> None:
    _, code = cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image)
    path.write_bytes(code.tobytes())


def _join(jobs: list[Job]) -> pd.DataFrame:
    return pd.DataFrame([row for job in jobs for row in json.loads(job.rows_path.read_text())])
