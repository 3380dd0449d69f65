"""Adaptation features, attention and clusters, against what the run's own networks and files say."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from dgfas.methods.d2am import D2AM
from dgfas.reporting.figures import PaperFigure, d2am, paper_figures
from dgfas.reporting.figures.features import trained
from dgfas.reporting.figures.finished_run import FinishedRun
from dgfas.reporting.roc import COLOURS
from heard import Heard

pytestmark = pytest.mark.slow


def colours_of(axes) -> dict[str, int]:  # type: ignore[no-untyped-def]
    """Return how many points of each colour there are."""
    counts: dict[str, int] = {}
    for collection in axes.collections:
        if len(collection.get_offsets()):
            colour = to_hex(collection.get_facecolor()[0]).upper()
            counts[colour] = counts.get(colour, 0) + len(collection.get_offsets())
    return counts


def test_features_of_rfm_and_d2am_are_coloured_by_data_set(drawn: dict[str, PaperFigure], d2am_run: Path) -> None:
    run = FinishedRun.read(d2am_run)
    frames = [run.data.part(part)["domain"] for part in ("train", "target")]
    counts = np.concatenate(frames).tolist()
    expected = {COLOURS[k]: counts.count(name) for k, name in enumerate(["desk", "webcam", "laptop", "phone"])}
    for name, titles in (("d2am-4ab", ["(a) RFM", "(b) D2AM"]), ("d2am-4cd", ["(c) from F+", "(d) from F−"])):
        panels = drawn[name].figure.axes
        assert [axes.get_title() for axes in panels] == titles
        for axes in panels:
            assert colours_of(axes) == expected
        assert all(f"{title}, " in drawn[name].caption for title in titles)


def test_low_and_high_attention_by_plain_loops(drawn: dict[str, PaperFigure], d2am_run: Path) -> None:
    run = FinishedRun.read(d2am_run)
    method = trained(run, D2AM)
    axes = np.array(drawn["d2am-5"].figure.axes).reshape(3, -1)
    assert [one.get_ylabel() for one in axes[:, 0]] == ["crop", "low attention", "high attention"]
    rows = {run.data.crop(index).tobytes(): row for index, row in run.data.frames.iterrows()}
    for place in range(axes.shape[1]):
        row = rows[axes[0, place].images[0].get_array().tobytes()]
        assert axes[0, place].get_title() == f"{row['domain']}\n{row['species']}"
        packed = run.data.packed[row["data_set"]].images[row["row"]]
        with torch.no_grad():
            x = method.encoder.stem(torch.from_numpy(packed[None].astype(np.float32) / 255))
            for stage, drlm in zip(method.encoder.stages, method.drlms, strict=True):
                before = stage(x)
                x = drlm(before)
            attention = method.drlms[-1].attention(before)[0].numpy()
        order = np.argsort(attention)
        half = len(order) // 2
        for line, channels in ((1, order[:half]), (2, order[-half:])):
            expected = sum(before[0, channel].numpy() for channel in channels) / half
            np.testing.assert_allclose(axes[line, place].images[1].get_array(), expected, rtol=1e-3, atol=1e-5)


def test_clusters_are_the_saved_domains(drawn: dict[str, PaperFigure], d2am_run: Path) -> None:
    panels = drawn["d2am-6"].figure.axes
    live = FinishedRun.read(d2am_run).data.live("train")
    assert [axes.get_title().partition(",")[0] for axes in panels] == [
        f"before iteration {iteration}" for iteration in (1, 2, 3, 4)
    ]
    for number, axes in enumerate(panels):  # all training frames are shown
        stored = np.load(d2am_run / "domains" / f"clustering_{number:03d}.npz")["domain"]
        expected: dict[tuple[str, int], int] = {}
        for k, is_live in zip(stored, live, strict=True):
            cell = (COLOURS[k], 4 if is_live else 3)  # colour, corners of the marker
            expected[cell] = expected.get(cell, 0) + 1
        found = {
            (to_hex(one.get_facecolor()[0]).upper(), len(one.get_paths()[0].vertices) - 1): len(one.get_offsets())
            for one in axes.collections
            if len(one.get_offsets())
        }
        assert found == expected


def test_statistics_are_of_the_channels_of_high_and_of_low_attention(
    d2am_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = FinishedRun.read(d2am_run)
    method, frames = trained(run, D2AM), d2am.draw_of_the_task(run)
    shown: dict[str, np.ndarray] = {}
    monkeypatch.setattr(d2am, "draw_embeddings", lambda features, *more: shown.update(features))
    d2am.task_and_domain_channels(run, [run])
    with torch.no_grad():
        x = method.encoder.stem(frames.images())
        for stage, drlm in zip(method.encoder.stages, method.drlms, strict=True):
            before = stage(x)
            x = drlm(before)
        attention = method.drlms[-1].attention(before)[:, :, None, None]
    order = np.argsort(attention.mean(dim=(0, 2, 3)).numpy())
    half = len(order) // 2
    for title, features, channels in (
        ("(c) from F+", attention * before, order[-half:]),
        ("(d) from F−", (1 - attention) * before, order[:half]),
    ):
        columns = [features[:, c].mean(dim=(1, 2)) for c in channels]
        columns += [(features[:, c].var(dim=(1, 2), correction=0) + 1e-5).sqrt() for c in channels]
        varies = [place for place, column in enumerate(columns) if column.std() > 1e-3]  # other channels are dead
        assert len(varies) > half / 2
        for place in varies:
            expected = (columns[place] - columns[place].mean()) / columns[place].std(correction=0)
            np.testing.assert_allclose(shown[title][:, place], expected.numpy(), rtol=1e-3, atol=1e-3)


def test_domains_drawn_by_lot_have_no_distances(make_run: Callable[..., Path]) -> None:
    heard = Heard()
    paper_figures([make_run("d2am_random", "d2am", "domains.provider=random")], heard)
    assert any("D2AM, figure 7: not drawn" in note and "drawn by lot" in note for note in heard.notes)
