"""What a simulated data set promises: the same pixels for a seed, people in one split, resumption, clear mistakes."""

import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import cv2
import numpy as np
import pytest

from dgfas.core.errors import UserError
from dgfas.core.files import locked
from dgfas.core.label import Label
from dgfas.core.manifest import MANIFEST_NAME, Manifest
from dgfas.simulation import simulate
from dgfas.simulation.data_set import SPLIT_CYCLE

SMALL = {"subjects": 5, "live_recordings": 1, "spoof_recordings": 1, "frames": 2, "image_size": 32}


def digest(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix in (".png", ".parquet", ".json"))
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return simulate(tmp_path_factory.mktemp("simulated") / "set", **SMALL, workers=1)


def test_rows_and_files_fit_together(small: Manifest) -> None:
    assert len(small.frames) == 4 * 5 * 2 * 2
    small.check_files()
    for row in small.frames.itertuples():
        face = cv2.imread(str(small.root / row.face))
        assert face.shape == (32, 32, 3)
        if row.label == Label.LIVE:
            assert (row.species, row.depth_kind, row.factor_instrument) == ("live", "map", "none")
            depth = cv2.imread(str(small.root / row.depth), cv2.IMREAD_UNCHANGED)
            assert (depth.shape, depth.dtype) == ((32, 32), np.uint8)
            assert depth[10:22, 10:22].max() > 200  # the nose is near
            assert depth[0, 0] < 30  # the corner is background
        else:
            assert row.depth_kind == "zero"
            assert not isinstance(row.depth, str)
            assert row.factor_instrument != "none"


def test_every_domain_has_both_classes_in_its_train_split(small: Manifest) -> None:
    train = small.frames[small.frames["split"] == "train"]
    assert (train.groupby("domain")["label"].nunique() == 2).all()


def test_subjects_stay_in_one_split_and_one_domain(small: Manifest) -> None:
    owners = small.frames.groupby("subject")[["split", "domain"]].nunique()
    assert (owners == 1).all(axis=None)
    shares = small.frames.drop_duplicates("subject")["split"].value_counts(normalize=True)
    assert dict(shares) == pytest.approx({split: SPLIT_CYCLE.count(split) / 5 for split in ("train", "dev", "test")})


@pytest.mark.slow
def test_pixels_do_not_depend_on_the_number_of_workers(small: Manifest, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    simulate(tmp_path / "two", **SMALL, workers=2, progress=lambda done, total: told.append((done, total)))
    assert digest(tmp_path / "two") == digest(small.root)
    assert told == [(number, 20) for number in range(1, 21)]


def test_another_seed_gives_other_pixels(small: Manifest, tmp_path: Path) -> None:
    other = simulate(tmp_path / "set", **SMALL, seed=1, domains=["desk"], workers=1)
    first = other.frames["face"].iloc[0]
    assert (other.root / first).read_bytes() != (small.root / first).read_bytes()


@pytest.mark.slow
def test_a_stopped_run_continues_without_repeating_subjects(small: Manifest, tmp_path: Path) -> None:
    root = tmp_path / "set"

    def stop(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(root, **SMALL, workers=1, progress=stop)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*.png")}
    assert len(before) == 7 * 6
    told: list[int] = []
    simulate(root, **SMALL, workers=1, progress=lambda done, total: told.append(done))
    assert told[0] == 8
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert digest(root) == digest(small.root)
    repeated = simulate(root, **SMALL, progress=lambda done, total: pytest.fail("nothing is left to do"))
    assert repeated.content_hash == small.content_hash


def test_changed_options_in_an_old_folder_are_refused(small: Manifest) -> None:
    with pytest.raises(UserError, match="another 'seed'; choose another folder or delete"):
        simulate(small.root, **SMALL, seed=5)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("dear")
    with pytest.raises(UserError, match="not empty"):
        simulate(tmp_path, **SMALL)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"subjects": 0}, "subjects: 0"),
        ({"frames": 0}, "frames: 0"),
        ({"image_size": 60}, "divisible by 8"),
        ({"image_size": 16}, "at least 32"),
        ({"live_recordings": 0, "spoof_recordings": 0}, "both 0"),
        ({"workers": 0}, "workers: 0"),
    ],
)
def test_wrong_numbers_are_refused(tmp_path: Path, wrong: dict[str, int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        simulate(tmp_path / "set", **{**SMALL, **wrong})


def test_an_unwritable_folder_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot be written"):
        simulate(tmp_path / "file" / "set", **SMALL, workers=1)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_the_users_mistake(tmp_path: Path) -> None:
    root = tmp_path / "set"
    folder = root / "faces" / "desk" / "desk-000-0-live"

    def fill(done: int, total: int) -> None:
        raise AssertionError("the first subject cannot be written")

    simulate(root, **{**SMALL, "subjects": 1}, domains=["desk"], workers=1)
    for path in (root / "rows" / "desk" / "desk-000.json", root / "manifest.parquet", folder / "0000.png"):
        path.unlink()
    (folder / "0000.png").symlink_to("/dev/full")
    with pytest.raises(UserError, match=r"No space left.*choose another folder"):
        simulate(root, **{**SMALL, "subjects": 1}, domains=["desk"], workers=1, progress=fill)


def test_a_killed_worker_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def submit(*_: object) -> Future[None]:
        broken: Future[None] = Future()
        broken.set_exception(BrokenProcessPool("a child process terminated abruptly"))
        return broken

    monkeypatch.setattr("dgfas.simulation.data_set.ProcessPoolExecutor.submit", submit)
    with pytest.raises(UserError, match=r"was killed, .*repeat the command with fewer --workers"):
        simulate(tmp_path / "set", **SMALL, workers=2)


@pytest.mark.slow
def test_a_second_command_waits_for_the_first(tmp_path: Path) -> None:
    first = simulate(tmp_path / "set", **SMALL, workers=1)
    (tmp_path / "set" / MANIFEST_NAME).unlink()
    with ThreadPoolExecutor(1) as thread:
        with locked(tmp_path / "set" / ".lock"):
            second = thread.submit(simulate, tmp_path / "set", **SMALL, workers=1)
            assert not wait([second], timeout=1).done
        assert second.result(timeout=60).content_hash == first.content_hash
