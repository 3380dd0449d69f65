"""Which folders a study's tasks need, named one by one or found below one folder, and what is wrong with them."""

import re
from pathlib import Path

import pandas as pd
import pytest

from dgfas.benchmark.folders import below, drawn, given
from dgfas.core.errors import UserError
from dgfas.core.manifest import write_manifest
from dgfas.evaluation.tasks import parse_task

WORDS = ("oulu-npu", "casia-fasd", "replay-attack", "msu-mfsd")


def write(folder: Path, *domains: str) -> Path:
    """Write a prepared data set, by its manifest alone, of a live and a spoof frame in each domain."""
    folder.mkdir(parents=True)
    rows = [
        {
            "domain": domain,
            "subject": species,
            "recording": species,
            "frame": 0,
            "split": "train",
            "label": int(species == "live"),
            "species": species,
            "face": "face.png",
            "depth": None,
            "depth_kind": "unknown",
        }
        for domain in domains
        for species in ("live", "print")
    ]
    write_manifest(folder, pd.DataFrame(rows))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four data sets, each in a folder of its own, beside others that no protocol names."""
    for word in WORDS:
        write(tmp_path / "all" / word, word.replace("-", "_"))
    write(tmp_path / "all" / "my-office", "my-office")
    (tmp_path / "all" / "raw").mkdir()
    return tmp_path / "all"


def test_each_task_has_the_folders_that_it_needs_in_its_own_order(root: Path) -> None:
    folders = below(root, ["ocim", "limited"], 1)
    tasks = folders.tasks(["ocim", "limited"])
    assert [str(task) for task in tasks[-2:]] == ["M&I to C", "M&I to O"]
    found = {str(task): [path.name for path in folders.of(task)] for task in tasks}
    assert found["O&C&I to M"] == ["oulu-npu", "casia-fasd", "replay-attack", "msu-mfsd"]
    assert found["M&I to C"] == ["msu-mfsd", "replay-attack", "casia-fasd"]
    one = parse_task("M&I to C")
    assert below(root, [str(one)], 1).of(one) == folders.of(one) == given([root / word for word in WORDS], 1).of(one)


def test_what_no_task_needs_may_be_missing_or_broken(root: Path) -> None:
    (root / "oulu-npu" / "manifest.parquet").write_text("no table")
    (root / "casia-fasd" / "manifest.parquet").unlink()
    folders = below(root, ["replay_attack to M"], 1)
    assert set(folders.of_domain) == {"replay_attack", "msu_mfsd"}
    assert folders.frames is not None
    assert sorted(folders.frames["domain"].unique()) == ["msu_mfsd", "replay_attack"]
    with pytest.raises(UserError, match=r"oulu-npu: manifest\.parquet: not a readable"):
        below(root, ["leave-one-out"], 1)  # takes all that is there


def test_a_protocol_over_all_takes_every_prepared_folder(root: Path) -> None:
    folders = below(root, ["single-source"], 1)
    assert len(folders.tasks(["single-source"])) == 5 * 4
    assert folders.of_domain["my-office"] == root / "my-office"


def test_the_seed_in_a_path(tmp_path: Path) -> None:
    for seed in (1, 2):
        write(tmp_path / f"{seed}" / "msu-mfsd", "msu_mfsd")
        write(tmp_path / f"{seed}" / "my-office", "my-office")
    task = parse_task("my-office to M")
    assert below(tmp_path / "{seed}", [str(task)], 2).of(task) == (
        tmp_path / "{seed}" / "my-office",
        tmp_path / "{seed}" / "msu-mfsd",
    )


@pytest.mark.parametrize(
    ("fault", "mistake"),
    [
        ("missing", r"oulu-npu: does not exist; make it by `dgfas prepare oulu-npu SOURCE .*/all/oulu-npu`$"),
        ("raw", r"oulu-npu: holds no prepared data set \(manifest.parquet\); make it by `dgfas prepare oulu-npu "),
        ("unfinished", r"oulu-npu: is not prepared to its end; make it by `dgfas prepare oulu-npu "),
        ("other", r"oulu-npu: holds celeba_spoof, not oulu_npu; move it elsewhere; make it by `dgfas prepare oulu"),
        ("two", r"oulu-npu: does not exist; .*; casia-fasd will not do either$"),
        ("own", r"attic: does not exist; make it by `dgfas prepare folder SOURCE .*/all/attic --domain attic`$"),
        ("drawn", r"phone: does not exist; make it by `dgfas simulate .*/all/phone --domain phone`$"),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_makes_it(root: Path, fault: str, mistake: str) -> None:
    folder = root / "oulu-npu"
    tasks = {"own": "M to attic", "drawn": "M to phone"}
    if fault not in tasks:
        folder.rename(root / "elsewhere")
    if fault in ("raw", "unfinished"):
        folder.mkdir()
    if fault == "unfinished":
        (folder / "prepare.json").touch()
    if fault == "other":
        write(folder, "celeba_spoof")
    if fault == "two":
        (root / "casia-fasd").rename(root / "casia")
    with pytest.raises(UserError) as error:
        below(root, [tasks.get(fault, "ocim")], 1)
    assert re.search(mistake, str(error.value))


def test_a_domain_in_two_given_folders_is_a_mistake(root: Path, tmp_path: Path) -> None:
    again = write(tmp_path / "again", "msu_mfsd")
    with pytest.raises(UserError, match=r"domain 'msu_mfsd' is in more than one of .*msu-mfsd, .*again"):
        given([root / "msu-mfsd", again], 1)


def test_a_data_set_that_is_still_to_be_drawn_has_the_simulated_domains(tmp_path: Path) -> None:
    task = parse_task("desk&webcam to phone")
    assert drawn(tmp_path / "sim-{seed}").of(task) == (tmp_path / "sim-{seed}",)
