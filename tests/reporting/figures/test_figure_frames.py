"""Which frames are drawn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from dgfas.reporting.figures.finished_run import FinishedRun
from dgfas.reporting.figures.frames import Frames, draw_frames


def test_groups_are_drawn_evenly_and_the_same_again(make_run: Callable[..., Path]) -> None:
    run = FinishedRun.read(make_run("binary_cnn", "binary_cnn"))
    frames = draw_frames(run, ["train", "target"], 16)
    counts = frames.table.groupby(["domain", "label"]).size()
    assert counts.tolist() == [2] * 8
    assert frames.table.index.tolist() == draw_frames(run, ["train", "target"], 16).table.index.tolist()
    assert frames.table.index.tolist() != draw_frames(run, ["train", "target"], 16, purpose="x").table.index.tolist()
    assert set(frames.domain) == {"desk", "webcam", "laptop", "phone"}


def test_only_the_parts_asked_for_and_no_more_frames_than_there_are(make_run: Callable[..., Path]) -> None:
    run = FinishedRun.read(make_run("binary_cnn", "binary_cnn"))
    target = run.data.part("target")
    frames = draw_frames(run, ["target"], 10_000, by=())
    assert frames.table.index.tolist() == target.index.tolist()


def test_images_crops_and_labels_belong_together(make_run: Callable[..., Path]) -> None:
    run = FinishedRun.read(make_run("binary_cnn", "binary_cnn"))
    frames = draw_frames(run, ["train", "target"], 10)
    images = frames.images().numpy()
    for row, (_, frame) in enumerate(frames.table.iterrows()):
        packed = frames.data.packed[frame["data_set"]].images[frame["row"]]
        np.testing.assert_allclose(images[row], packed / 255, atol=1e-6)
        np.testing.assert_array_equal(frames.crops()[row], packed[:3].transpose(1, 2, 0))
        assert frames.live[row] == (frame["species"] == "live")
        assert frames.domain[row] == frame["domain"]


def test_shown_rows_take_each_group_in_turn(make_run: Callable[..., Path]) -> None:
    run = FinishedRun.read(make_run("binary_cnn", "binary_cnn"))
    frames = draw_frames(run, ["train", "target"], 40)
    rows = frames.spread(8)
    shown = frames[rows]
    assert sorted(zip(shown.domain, shown.live, strict=True)) == list(zip(shown.domain, shown.live, strict=True))
    assert len(set(zip(shown.domain, shown.live, strict=True))) == 8


def test_parts_of_a_data_set_share_their_persons(make_run: Callable[..., Path]) -> None:
    data = FinishedRun.read(make_run("binary_cnn", "binary_cnn")).data
    rows = [("phone[camera=a]", "1"), ("phone[camera=b]", "1"), ("phone[camera=b]", "2"), ("desk", "1")]
    person = Frames(data, pd.DataFrame(rows, columns=["domain", "subject"])).person
    assert person[0] == person[1]
    assert len(set(person[1:])) == 3
