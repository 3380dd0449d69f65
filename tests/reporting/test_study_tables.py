"""The tables of a study against hand-counted numbers: cells, intervals, tracks, comparisons, species and test sets."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dgfas.core.errors import UserError
from dgfas.reporting.cells import cell
from dgfas.reporting.study import measured_sets, other_test_sets, read_study, study_table
from dgfas.reporting.study_page import comparison_note, comparison_table, gap_table, study_page
from dgfas.reporting.study_species import species_table


def write(folder: Path, task: str, label: str, seed: int, hter: float, **more: Any) -> None:
    """Write a result: deployable HTER as given, oracle half of it; `more` are the deployable recording row's."""
    path = folder / task.replace(" ", "-") / label / f"seed-{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    roots = more.pop("roots", [])
    result = {"track": "deployable", "level": "recording", "checkpoint": 1, "hter": hter, "auc": 1 - hter, **more}
    content = {
        "job": {"task": task, "seed": seed, "entry": {"label": label, "method": label}},
        "results": [result, {**result, "track": "oracle", "hter": hter / 2}, {**result, "level": "frame", "hter": 0.9}],
        "about": {
            "uses_target_images": label == "self_da",
            "config": {"data": {"roots": roots, "lists": "ssdg"}} if roots else {},
        },
        "made_by": {"commit": "abc", "seconds": 1.0},
    }
    path.write_text(json.dumps(content))


def test_the_table_by_hand(tmp_path: Path) -> None:
    for seed, (first, second) in enumerate([(0.10, 0.30), (0.20, 0.40)]):
        write(tmp_path, "a to c", "rfm", seed, first)
        write(tmp_path, "b to c", "rfm", seed, second)
    write(tmp_path, "a to c", "self_da", 0, 0.25)
    study = read_study(tmp_path)
    table = study_table(study, "hter", "deployable", "recording", ["rfm", "self_da", "drdg"])
    assert table.to_dict("records") == [
        {"method": "rfm", "a to c": "15.0 ± 7.1", "b to c": "35.0 ± 7.1", "mean of tasks": "25.0 ± 7.1"},
        {
            "method": "self_da (uses target images)",
            "a to c": "25.0 (1)",
            "b to c": "–",
            "mean of tasks": "–",
        },
        {"method": "drdg", "a to c": "–", "b to c": "–", "mean of tasks": "–"},
    ]
    assert study_table(study, "hter", "oracle", "recording", ["rfm"])["a to c"].tolist() == ["7.5 ± 3.5"]
    for seed in range(2):
        write(tmp_path, "b to c", "self_da", seed, 0.3)
        write(tmp_path, "a to c", "self_da", seed, 0.3)
    for line in study_page(read_study(tmp_path), "Title", ["rfm", "self_da"]).splitlines():
        assert not line.startswith("| self_da |"), line  # each table says that it saw the target
    page = study_page(study, "Title", ["rfm"])
    assert "| rfm | 15.0 ± 7.1 [0.0, 78.5] | 35.0 ± 7.1 [0.0, 98.5] | 25.0 ± 7.1 [0.0, 88.5] |" in page
    assert "Commits: abc" in page


def test_an_interval_covers_persons_that_all_seeds_share(tmp_path: Path) -> None:
    for seed, hter in enumerate((0.2, 0.3)):
        bootstrap = {"hter": [hter - 0.06, hter + 0.05], "auc": None, "persons": 9}
        write(tmp_path / "same", "a to c", "rfm", seed, hter, roots=["/data"], bootstrap=bootstrap)
        write(tmp_path / "own", "a to c", "rfm", seed, hter, roots=[f"/data-{seed}"], bootstrap=bootstrap)
    rows = {name: read_study(tmp_path / name) for name in ("same", "own")}
    found = {name: cell(study.iloc[[0, 3]], "hter") for name, study in rows.items()}
    seeds, persons = 0.05**2, (0.06 / stats.norm.ppf(0.975)) ** 2
    freedom = (seeds + persons) ** 2 / seeds**2
    half = stats.t.ppf(0.975, freedom) * np.sqrt(seeds + persons)
    assert found["same"].interval == pytest.approx((max(0, 0.25 - half), 0.25 + half))
    assert found["own"].interval == pytest.approx((0, 0.25 + stats.t.ppf(0.975, 1) * 0.05))
    table = study_table(rows["same"], "hter", "deployable", "recording", ["rfm"], intervals=True)
    assert list(table) == ["method", "a to c"]  # of one task the mean would be the same column again
    assert table["a to c"].tolist() == [f"25.0 ± 7.1 [0.0, {100 * (0.25 + half):.1f}]"]


def test_folds_on_the_same_data_set_are_no_surer_than_one_of_them(tmp_path: Path) -> None:
    bootstrap = {"hter": [0.15, 0.25], "auc": None, "persons": 9}
    tasks = [f"a to c[camera={k}]" for k in range(6)]
    for task in [*tasks, "a to d", "a to e"]:
        for seed in range(3):
            write(tmp_path, task, "rfm", seed, 0.19 + 0.01 * seed, roots=["/data"], bootstrap=bootstrap)
    rows = read_study(tmp_path)
    rows = rows[(rows["track"] == "deployable") & (rows["level"] == "recording")]

    def half_width(*names: str) -> float:
        found = cell(rows[rows["task"].isin(names)], "hter")
        assert found is not None
        assert found.interval is not None
        return found.interval[1] - found.mean

    one = half_width(tasks[0])
    assert half_width(*tasks) == pytest.approx(one)
    assert half_width("a to d", "a to e") < 0.8 * one  # persons of their own


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two tasks, three seeds; rfm is 5, 7 and 3 points better than cnn, ssdg lacks a task at seed 2."""
    for seed, better in enumerate((0.05, 0.07, 0.03)):
        for task, hter in (("a to c", 0.3), ("b to c", 0.4)):
            write(tmp_path, task, "cnn", seed, hter, recordings_hash="one")
            write(tmp_path, task, "rfm", seed, hter - better, recordings_hash="one")
            if (task, seed) != ("b to c", 2):
                write(tmp_path, task, "ssdg", seed, hter + 0.1, recordings_hash="two" if task == "b to c" else "one")
    return tmp_path


def test_methods_are_compared_by_whole_seeds(study: Path) -> None:
    frame = read_study(study)
    table = comparison_table(frame, "hter", "deployable", "recording", ["cnn", "rfm", "ssdg"], "cnn")
    differences = np.array([-5.0, -7.0, -3.0])
    low, high = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert table.to_dict("records") == [
        {
            "method": "rfm",
            "seeds": 3,
            "minus cnn, points": f"-5.0 [{low:+.1f}, {high:+.1f}]",
            "d_z": "-2.50",
            "rank-biserial": "-1.00",
            "p": "0.250",
            "p (Holm)": "0.500",
        },
        {
            "method": "ssdg †",  # one task on other recordings
            "seeds": 2,  # the seed without a task does not count
            "minus cnn, points": "+10.0",  # equal at both seeds: no interval
            "d_z": "–",
            "rank-biserial": "+1.00",
            "p": "0.500",
            "p (Holm)": "0.500",
        },
    ]
    assert "p = 0.25, over 2 comparisons 0.5: so that nothing here can be significant" in comparison_note(table, frame)
    with pytest.raises(UserError, match="baseline 'rmf' is not in the study; did you mean 'rfm'"):
        comparison_table(frame, "hter", "deployable", "recording", ["rfm"], "rmf")


def test_eight_seeds_can_be_significant(tmp_path: Path) -> None:
    for seed in range(8):
        write(tmp_path, "a to c", "cnn", seed, 0.3)
        write(tmp_path, "a to c", "rfm", seed, 0.2 + seed / 1000)
    frame = read_study(tmp_path)
    table = comparison_table(frame, "hter", "deployable", "recording", ["rfm"], "cnn")
    assert table["p (Holm)"].tolist() == ["0.008 *"]
    assert "* significant at 0.05" in comparison_note(table, frame)


def test_both_tracks_stand_beside_each_other(study: Path) -> None:
    table = gap_table(read_study(study), "hter", "recording", ["rfm", "drdg"])
    assert table.to_dict("records") == [
        {
            "method": "rfm",
            "B deployable": "30.0 ± 2.0",
            "A oracle": "15.0 ± 1.0",
            "gap B - A": "+15.0 ± 1.0",
            "seeds": 3,
        },
        {"method": "drdg", "B deployable": "–", "A oracle": "–", "gap B - A": "–", "seeds": 0},
    ]


def test_another_test_set_is_marked_and_listed(study: Path) -> None:
    frame = read_study(study)
    assert other_test_sets(frame) == {("b to c", "ssdg")}
    table = study_table(frame, "hter", "deployable", "recording", ["cnn", "ssdg"]).set_index("method")
    assert table.loc["ssdg"].tolist() == ["40.0 ± 0.0", "50.0 ± 0.0 (2) †", "45.0 ± 0.0 (2) †"]
    assert not table.loc["cnn"].str.contains("†").any()
    sets = measured_sets(frame)
    assert sets[["task", "recordings (hash)", "methods"]].to_numpy().tolist() == [
        ["a to c", "one", "all"],
        ["b to c", "one", "cnn, rfm"],
        ["b to c", "two", "ssdg"],
    ]
    page = study_page(frame, "Title", ["cnn", "rfm", "ssdg"])
    assert "† measured on other recordings" in page
    assert "## Compared with cnn" in page


def test_another_test_set_is_marked_where_no_seed_is_shared_but_the_data_are(tmp_path: Path) -> None:
    for seed, (label, recordings) in enumerate([("cnn", "one"), ("rfm", "one"), ("ssdg", "two"), ("ssdg", "two")]):
        write(tmp_path / "same", "a to c", label, seed, 0.3, roots=["/data"], recordings_hash=recordings)
        write(tmp_path / "own", "a to c", label, seed, 0.3, roots=[f"/data-{seed}"], recordings_hash=recordings)
    assert other_test_sets(read_study(tmp_path / "same")) == {("a to c", "ssdg")}
    assert other_test_sets(read_study(tmp_path / "own")) == set()


@pytest.mark.parametrize("key", ["job", "about", "results"])
def test_a_damaged_result_is_named(study: Path, key: str) -> None:
    path = study / "a-to-c" / "cnn" / "seed-0.json"
    content = json.loads(path.read_text())
    for damaged in ({name: each for name, each in content.items() if name != key}, content | {key: ["text"]}):
        path.write_text(json.dumps(damaged))
        with pytest.raises(UserError, match=r"seed-0.json: is no result of a study \(.*; delete it to make it again"):
            read_study(study)


def test_errors_by_species_are_counted_together_only_for_persons_of_their_own(tmp_path: Path) -> None:
    for seed, errors in enumerate((0, 3)):
        counts = {
            "apcer": {"print": {"errors": 0, "total": 75}, "cut": {"errors": errors, "total": 20}},
            "bpcer": {"errors": 1, "total": 10},
        }
        write(tmp_path / "own", "a to c", "rfm", seed, 0.1, roots=[f"/data-{seed}"], **counts)
        write(tmp_path / "same", "a to c", "rfm", seed, 0.1, roots=["/data"], **counts)
    own, same = (
        species_table(read_study(tmp_path / name), "a to c", "deployable", ["rfm"]).iloc[0] for name in ("own", "same")
    )
    assert own["print"] == "0.0: 0 of 150 (≤ 2.4)"
    assert own["cut"] == "7.5: 3 of 40 [1.6, 20.4]"
    assert same["print"] == "0.0: 0, 0 of 75 (≤ 4.8)"
    assert same["cut"] == "7.5: 0, 3 of 20 [3.2, 37.9]"
    assert same["live"] == "10.0: 1, 1 of 10 [0.3, 44.5]"


def test_data_are_told_by_what_they_are_and_not_by_where_they_lie(tmp_path: Path) -> None:
    def write_drawn(folder: Path, label: str, place: str, seed: int) -> None:
        write(folder, "a to c", label, seed, 0.2)
        path = folder / "a-to-c" / label / f"seed-{seed}.json"
        content = json.loads(path.read_text())
        content["about"]["manifests"] = {place: "the same for all"}
        content["about"]["data_sets"] = {place: {"made_by": "simulation", "seed": seed}}
        path.write_text(json.dumps(content))

    write_drawn(tmp_path, "rfm", "/one/sim-1", 1)
    write_drawn(tmp_path, "drdg", "/two/sim-1", 1)
    write_drawn(tmp_path, "rfm", "/one/sim-2", 2)
    study = read_study(tmp_path)
    assert study["data"].nunique() == study["seed"].nunique() == 2
    assert (study.groupby("seed")["data"].nunique() == 1).all()


def test_persons_are_those_of_the_target_whatever_the_sources_are(tmp_path: Path) -> None:
    """Sources that are drawn anew make no new persons of a target that stays the same."""
    counts = {"apcer": {"print": {"errors": 1, "total": 20}}, "bpcer": {"errors": 1, "total": 10}}
    bootstrap = {"hter": [0.1, 0.3], "auc": None, "persons": 9}
    for target, seed, label in product(("mine", "phone"), (1, 2), ("rfm", "drdg")):
        write(tmp_path / target, f"desk to {target}", label, seed, seed / 10, **counts, bootstrap=bootstrap)
        path = tmp_path / target / f"desk-to-{target}" / label / f"seed-{seed}.json"
        content = json.loads(path.read_text())
        simulated = {"made_by": "simulation", "seed": seed, "desk": "office", "phone": "street"}
        content["about"] |= {
            "target": target,
            "manifests": {"sim": "one", "mine": "two"},
            "data_sets": {"sim": simulated, "mine": {"made_by": "preparation"}},
        }
        path.write_text(json.dumps(content))
    mine, phone = (read_study(tmp_path / target) for target in ("mine", "phone"))
    assert (mine["persons"].nunique(), phone["persons"].nunique()) == (1, 2)
    notes, intervals = [], []
    for study in (mine, phone):
        table = comparison_table(study, "hter", "deployable", "recording", ["drdg"], "rfm")
        notes.append(comparison_note(table, study))
        measured = study[(study["label"] == "rfm") & (study["track"] == "deployable") & (study["level"] == "recording")]
        intervals.append(getattr(cell(measured, "hter"), "interval", None))
    assert "the data measured are the same" in notes[0]
    assert "data seed and training seed vary together" in notes[1]
    assert intervals[0] != intervals[1]
    assert species_table(mine, "desk to mine", "deployable", ["rfm"])["print"].item().startswith("5.0: 1, 1 of 20 [")
    assert species_table(phone, "desk to phone", "deployable", ["rfm"])["print"].item().startswith("5.0: 2 of 40 [")


def test_a_result_that_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    """A folder that was set aside would count twice beside the one that took its place."""
    write(tmp_path, "a to c", "rfm", 1, 0.2)
    (tmp_path / "a-to-c" / "rfm").rename(tmp_path / "a-to-c" / "rfm-old")
    write(tmp_path, "a to c", "rfm", 1, 0.4)
    with pytest.raises(UserError, match=r"rfm-old/seed-1.json: is the result of a-to-c/rfm/seed-1.json; move it"):
        read_study(tmp_path)


def test_a_page_without_its_baseline_says_so(tmp_path: Path) -> None:
    write(tmp_path, "a to c", "rfm", 1, 0.2)
    page = study_page(read_study(tmp_path), "Title", ["lbp_top", "rfm"], "lbp_top")
    assert "No result of lbp_top is there, so that nothing can be compared." in page
    assert "| rfm | 20.0" in page


def test_comparisons_mark_who_was_measured_on_other_recordings(tmp_path: Path) -> None:
    for label, recordings in (("rfm", "one"), ("drdg", "one"), ("anrl", "two")):
        for seed in range(2):
            write(tmp_path, "a to c", label, seed, 0.2 + seed / 10, recordings_hash=recordings)
    study = read_study(tmp_path)
    labels = ["rfm", "drdg", "anrl"]
    assert gap_table(study, "hter", "recording", labels)["method"].tolist() == ["rfm", "drdg", "anrl †"]
    compared = comparison_table(study, "hter", "deployable", "recording", labels, "rfm")
    assert compared["method"].tolist() == ["drdg", "anrl †"]
