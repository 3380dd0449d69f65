"""The report of a preparation against hand-counted recordings."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from browser import WIDTHS, chromium, watch
from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.faces.options import PrepareOptions
from dgfas.faces.prepare import prepare
from dgfas.reporting.html.preparation import (
    counts_table,
    rejected_table,
    values_by_class,
    write_preparation_report,
)


@pytest.fixture
def data(tmp_path: Path, models: None) -> Path:
    """Two live recordings of train and one of dev, two prints; one of each class is empty. One name is hostile."""
    random = np.random.default_rng(0)
    recordings = []
    for name, split, label, broken in [
        ("a", "train", Label.LIVE, False),
        ("b", "train", Label.LIVE, True),
        ("c", "dev", Label.LIVE, False),
        ("<script>alert(1)</script>", "train", Label.SPOOF, True),
        ("e", "train", Label.SPOOF, False),
    ]:
        path = tmp_path / f"{len(recordings)}.png"
        assert cv2.imwrite(str(path), random.integers(0, 256, (40, 40, 3), np.uint8))
        if broken:
            path.write_bytes(b"")
        species = "live" if label else "print"
        recordings.append(Recording("d", f"s{len(recordings)}", name.replace("/", "_"), split, label, species, (path,)))
    prepare(recordings, tmp_path / "data", PrepareOptions(size=32, detector="none"))
    return tmp_path / "data"


def test_recordings_are_counted_by_split_and_species() -> None:
    rows = [("d", "s1", "dev", "print", 8, 1, 3, 2, None), ("d", "s1", "dev", "print", 8, 8, 0, 0, "unreadable")]
    rows += [("d", "s2", "train", "live", 4, 0, 0, 1, None)]
    counts = ("frames_tried", "frames_unreadable", "frames_without_face", "most_faces")
    table = pd.DataFrame(rows, columns=["domain", "subject", "split", "species", *counts, "reason"])
    assert counts_table(table).rows == [
        ("d", "train", "live", "1", "1", "0", "0.00", "4", "100.00", "0", "0"),
        ("d", "dev", "print", "1", "2", "1", "50.00", "16", "25.00", "9", "1"),
    ]


def test_of_many_rejected_recordings_the_first_are_shown() -> None:
    rows = pd.DataFrame([("d", "dev", "live", f"r{k}", "empty") for k in range(203)])
    rows.columns = ["domain", "split", "species", "recording", "reason"]
    table = rejected_table(rows)
    assert (table.caption, len(table.rows)) == ("Rejected recordings: 203", 200)
    assert table.notes == ("3 more are in rejected.csv.",)


def test_a_frame_without_label_or_value_is_in_no_histogram() -> None:
    frames = pd.DataFrame({"label": [1, 0, None, 0, 1], "yaw": [3.0, 4.0, 5.0, None, 6.0]}).astype({"label": "Int8"})
    values = {word: list(cells) for word, cells in values_by_class(frames, "yaw").items()}
    assert values == {"live": [3.0, 6.0], "spoof": [4.0]}


def test_the_page_is_whole_and_the_same_again(data: Path, tmp_path: Path) -> None:
    write_preparation_report(data, tmp_path / "one.html")
    write_preparation_report(data, tmp_path / "two.html")
    text = (tmp_path / "one.html").read_text()
    assert text == (tmp_path / "two.html").read_text()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;_script&gt;" in text
    assert text.count("data:image/jpeg") == 3  # train live, train print, dev live
    assert "the file is empty" in text


@pytest.mark.slow
def test_the_page_in_a_browser(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    write_preparation_report(data, page)
    with chromium() as browser:
        for width, height in WIDTHS.values():
            window = browser.new_page(viewport={"width": width, "height": height})
            watched = watch(window)
            window.goto(page.as_uri())
            assert watched.errors == []
            assert watched.broken_images() == []
            assert watched.overflow() == 0
            assert {address.partition(":")[0] for address in watched.requests} <= {"file", "data"}
            window.close()


def test_a_data_set_without_a_face_and_one_without_labels_have_a_report(tmp_path: Path, models: None) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    assert cv2.imwrite(str(tmp_path / "grey.png"), np.full((40, 40, 3), 90, np.uint8))
    for name in ("empty", "grey"):
        recording = Recording("d", "s", name, "train", None, "unknown", (tmp_path / f"{name}.png",))
        prepare([recording], tmp_path / name, PrepareOptions(size=32, detector="none"))
        write_preparation_report(tmp_path / name, tmp_path / f"{name}.html")
    assert "Rejected recordings: 1" in (tmp_path / "empty.html").read_text()
    assert (tmp_path / "grey.html").read_text().count("data:image/jpeg") == 1


def test_only_prepared_data_have_a_report(data: Path, tmp_path: Path) -> None:
    (data / "recordings.csv").unlink()
    with pytest.raises(UserError, match=r"recordings\.csv: not found; this report is of data sets made by"):
        write_preparation_report(data, tmp_path / "report.html")
