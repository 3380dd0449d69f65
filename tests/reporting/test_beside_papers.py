"""Ours beside the papers: in columns of their own, and never on other data without saying so."""

import pandas as pd

from dgfas.reporting.beside_papers import PaperTask, beside_papers, beside_papers_section, paper_tasks


def study(tasks: list[str], *, simulated: bool, labels: tuple[str, ...] = ("rfm", "ssdg", "mine")) -> pd.DataFrame:
    rows = [
        {
            "task": task,
            "label": label,
            "seed": seed,
            "track": track,
            "level": "recording",
            "hter": {"deployable": 0.3, "oracle": 0.2}[track] + seed / 100,
            "auc": 0.8,
            "hter_variance": 1e-4,
            "auc_variance": 1e-4,
            "lists": "ssdg",
            "live": 70,
            "spoof": 210,
            "subjects": 35,
            "recordings_hash": "one",
            "data": "/data",
            "persons": "/data",
            "simulated": simulated,
            "uses_target_images": False,
        }
        for task in tasks
        for label in labels
        for seed in (0, 2)
        for track in ("deployable", "oracle")
    ]
    return pd.DataFrame(rows)


def test_the_fields_task_stands_beside_the_papers_that_print_it() -> None:
    frame = study(["oulu_npu&casia_fasd&msu_mfsd to replay_attack"], simulated=False)
    [task] = paper_tasks(frame)
    assert (task.paper, task.same_data) == ("O&C&M to I", True)
    table = beside_papers(frame, task, ["rfm", "ssdg", "mine"]).set_index("method")
    assert list(table.columns) == [
        "HTER %, ours, track B",
        "HTER %, ours, track A",
        "HTER %, paper",
        "AUC %, ours, track B",
        "AUC %, ours, track A",
        "AUC %, paper",
    ]
    assert table.loc["rfm"].tolist()[:3] == ["31.0 ± 1.4", "21.0 ± 1.4", "17.3 (RFM table 1)"]
    assert table.loc["ssdg", "AUC %, paper"] == "94.61 (DRDG table 1); 90.61 ? (D2AM table 1)"
    assert table.loc["mine", "HTER %, paper"] == "–"
    text = "\n".join(beside_papers_section(frame, ["rfm", "ssdg", "mine"]))
    assert (
        "Ours: ssdg, 70 of 140 live and 210 of 700 spoof, not the frozen list (70 live + 210 spoof recordings)." in text
    )
    assert "90.61 (DRDG and ANRL print 94.61: a copying error here)" in text
    assert "ther data" not in text


def test_simulated_domains_say_that_they_only_stand_for_the_papers_data() -> None:
    frame = study(["webcam&laptop to desk"], simulated=True)
    assert paper_tasks(frame) == [PaperTask(("webcam&laptop to desk",), "M&I to C")]
    table = beside_papers(frame, paper_tasks(frame)[0], ["rfm"])
    assert [name for name in table.columns if "ours" in name and "other data" not in name] == []
    text = "\n".join(beside_papers_section(frame, ["rfm"]))
    assert "Other data: the simulated domains only stand for the real ones" in text
    assert "| rfm | 31.0 ± 1.4 | 21.0 ± 1.4 | 36.34 (D2AM table 2) |" in text


def test_what_no_paper_printed_has_no_section() -> None:
    """Domains of one's own that happen to be called like simulated ones stand for nothing."""
    for tasks in (["webcam&laptop to desk"], ["hall to desk"], ["phone to phone (official)"]):
        assert beside_papers_section(study(tasks, simulated=False), ["rfm"]) == []
    assert paper_tasks(study(["phone to phone (official)"], simulated=True)) == []


def test_six_folds_stand_beside_the_mean_of_oulu_protocol_3() -> None:
    folds = [
        f"oulu_npu[device={'&'.join(sorted(set('123456') - {phone}))}] to oulu_npu[device={phone}] (official)"
        for phone in "123456"
    ]
    frame = study(folds, simulated=False)
    [task] = paper_tasks(frame)
    assert (task.paper, task.same_data, len(task.ours)) == ("oulu_npu_3", True, 6)
    table = beside_papers(frame, task, ["rfm"]).set_index("method")
    assert table.loc["rfm", "HTER %, paper"] == "3.1 ± 1.6 (D2AM text, Result and Discussion)"
    assert paper_tasks(study(folds[:5], simulated=False)) == []


def test_other_recordings_are_marked_beside_the_papers() -> None:
    frame = study(["oulu_npu&casia_fasd&msu_mfsd to replay_attack"], simulated=False)
    frame.loc[frame["label"] == "ssdg", "recordings_hash"] = "fewer"
    [task] = paper_tasks(frame)
    assert beside_papers(frame, task, ["rfm", "ssdg", "mine"])["method"].tolist() == ["rfm", "ssdg †", "mine"]
