"""Weights of samples and channels, against DRDG's own modules called by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dgfas.domains.provider import Assignment
from dgfas.methods.drdg import DRDG
from dgfas.reporting.figures import PaperFigure
from dgfas.reporting.figures.drdg import outlying, weighed
from dgfas.reporting.figures.features import trained
from dgfas.reporting.figures.finished_run import FinishedRun

pytestmark = pytest.mark.slow


@pytest.fixture
def run(make_run: Callable[..., Path]) -> FinishedRun:
    return FinishedRun.read(make_run("drdg", "drdg"))


def by_crop(run: FinishedRun) -> dict[bytes, tuple[torch.Tensor, bool, str, str]]:
    """Return image, class, domain and recording of each training frame by its crop's bytes."""
    found = {}
    for index, row in run.data.part("train").iterrows():
        packed = run.data.packed[row["data_set"]].images[row["row"]]
        image = torch.from_numpy(packed[None].astype(np.float32) / 255)
        found[run.data.crop(index).tobytes()] = (image, row["species"] == "live", row["domain"], row["recording"])
    return found


def test_shown_samples_have_the_highest_and_the_lowest_weights(drawn: dict[str, PaperFigure], run: FinishedRun) -> None:
    method, known = trained(run, DRDG), by_crop(run)
    with torch.no_grad():
        weight = {}
        for crop, (image, live, domain, recording) in known.items():
            features = method.frm(method.encoder(image).concat)
            srm = method.srm_live if live else method.srm_spoof
            weight[crop] = (srm(features).item(), live, domain, recording)
    grid = np.array(drawn["drdg-4a"].figure.axes).reshape(4, 6)
    shown = weighed(run)
    in_batch = {crop.tobytes() for crop in shown.frames.crops()}
    for line, (live, high) in enumerate(((True, True), (True, False), (False, True), (False, False))):
        for k, domain in enumerate(("desk", "webcam", "laptop")):
            best: dict[str, float] = {}  # of each recording
            for crop, (value, is_live, name, recording) in weight.items():
                if crop in in_batch and (is_live, name) == (live, domain):
                    best.setdefault(recording, value)
                    best[recording] = (max if high else min)(best[recording], value)
            expected = sorted(best.values(), reverse=high)[:2]
            for axes, value in zip(grid[line, 2 * k : 2 * k + 2], expected, strict=True):
                crop = axes.images[0].get_array().tobytes()
                assert weight[crop][0] == pytest.approx(value, abs=1e-4)
                assert axes.get_title().endswith(f"W {value:.3f}") or abs(value * 1000 % 1 - 0.5) < 0.05
                assert weight[crop][1:3] == (live, domain)


def test_channel_maps_by_hand(drawn: dict[str, PaperFigure], run: FinishedRun) -> None:
    method, known = trained(run, DRDG), by_crop(run)
    axes = np.array(drawn["drdg-4b"].figure.axes).reshape(3, -1)
    for place in range(axes.shape[1]):
        image, *_ = known[axes[0, place].images[0].get_array().tobytes()]
        with torch.no_grad():
            encoded = method.encoder(image).concat
            weights, features = method.frm.weights(encoded)[0].numpy(), method.frm(encoded)[0].numpy()
        order = np.argsort(weights)
        number = len(order) // 4
        for line, channels in ((1, order[:number]), (2, order[-number:])):
            expected = sum(features[channel] for channel in channels) / number
            np.testing.assert_allclose(axes[line, place].images[1].get_array(), expected, rtol=1e-3, atol=1e-5)
        assert axes[1, place].images[1].get_clim() == axes[2, place].images[1].get_clim()


def test_the_steps_of_frm_change_frm_alone_and_are_shown_in_one_embedding(
    drawn: dict[str, PaperFigure], run: FinishedRun
) -> None:
    before, after = drawn["drdg-5ab"].figure.axes
    number = len(weighed(run).weight)
    for axes in (before, after):
        assert sum(len(collection.get_offsets()) for collection in axes.collections) == number
        low = [c for c in axes.collections if c.get_label().startswith("low W")]
        high = [c for c in axes.collections if c.get_label().startswith("high W")]
        assert sum(len(c.get_offsets()) for c in low) == sum(len(c.get_offsets()) for c in high) > 0
    assert before.get_xlim() == after.get_xlim()
    moved = [
        np.abs(np.asarray(a.get_offsets()) - np.asarray(b.get_offsets())).max()
        for a, b in zip(before.collections, after.collections, strict=True)
    ]
    assert max(moved) > 0
    # The figure trained on a copy: the run on disk still gives the weights it gave.
    np.testing.assert_array_equal(weighed(run).weight, weighed(run).weight)


def test_outlying_is_the_ratio_of_mean_distances() -> None:
    features = np.array([[0.0, 0], [2, 0], [0, 8], [-2, -8]])  # the centre is (0, 0)
    low, high = np.array([False, False, True, False]), np.array([False, True, False, False])
    assert outlying(features, low, high) == pytest.approx(8 / 2)


def test_the_baseline_stands_beside(drawn: dict[str, PaperFigure]) -> None:
    assert [axes.get_title() for axes in drawn["drdg-5cd"].figure.axes] == ["(c) Baseline", "(d) DRDG"]
    assert "run drdg_baseline" in drawn["drdg-5cd"].caption


def test_found_domains_are_those_that_the_checkpoint_learnt_with(make_run: Callable[..., Path]) -> None:
    run = make_run("drdg_found", "drdg", "domains.provider=random", "domains.recluster_every=1")
    shown = weighed(replace(FinishedRun.read(run), step=2))
    train = FinishedRun.read(run).data.part("train").index
    domain = [Assignment.read(run / "domains" / f"clustering_{n:03d}.npz").domain for n in range(4)]
    places = train.get_indexer(shown.frames.table.index)
    same = [(of_all[places] == shown.batch.domain.numpy()).all() for of_all in domain]
    assert same == [False, True, False, False]
