"""Normalisations beside each other, and alpha, against AFNM called by hand."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dgfas.core.errors import UserError
from dgfas.evaluation.metrics import auc
from dgfas.methods.anrl import ANRL
from dgfas.networks.normalization import AFNM
from dgfas.reporting.figures import PaperFigure, paper_figures
from dgfas.reporting.figures.anrl import data_sets
from dgfas.reporting.figures.features import trained
from dgfas.reporting.figures.finished_run import FinishedRun
from heard import Heard

pytestmark = pytest.mark.slow


@pytest.fixture
def run(make_run: Callable[..., Path]) -> FinishedRun:
    return FinishedRun.read(make_run("anrl", "anrl"))


def inputs_of_afnm(run: FinishedRun, images: torch.Tensor) -> list[tuple[AFNM, torch.Tensor]]:
    """Return every AFNM of the encoder, in order, with what goes into it."""
    found: list[tuple[AFNM, torch.Tensor]] = []
    method = trained(run, ANRL)
    for layer in method.modules():
        if isinstance(layer, AFNM):
            layer.register_forward_pre_hook(lambda module, arguments: found.append((module, arguments[0])))
    with torch.no_grad():
        method.score(images)
    return found


def all_target_images(run: FinishedRun) -> torch.Tensor:
    target = run.data.part("target")
    rows = [run.data.packed[data_set].images[row] for data_set, row in target[["data_set", "row"]].to_numpy()]
    return torch.from_numpy(np.stack(rows).astype(np.float32) / 255)


def test_bars_are_the_auc_of_both_normalisations(drawn: dict[str, PaperFigure], make_run: Callable[..., Path]) -> None:
    [axes] = drawn["anrl-1"].figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["desk&webcam&laptop\nto phone"]
    heights = [bar.get_height() for bar in axes.patches]
    for height, kind in zip(heights, ("batch", "instance"), strict=True):
        scores = FinishedRun.read(make_run(f"anrl_{kind}", "anrl")).target_scores("phone").by_recording()
        assert height == pytest.approx(100 * auc(scores.score, scores.is_live))


def test_every_domain_that_was_not_trained_on_is_a_target(make_run: Callable[..., Path]) -> None:
    kinds = [
        make_run(f"two_{kind}", "anrl", f"options.normalization={kind}", sources=("desk", "webcam"))
        for kind in ("batch", "instance")
    ]
    figures = {figure.name: figure for figure in paper_figures(kinds, Heard())}
    labels = [label.get_text() for label in figures["anrl-1"].figure.axes[0].get_xticklabels()]
    assert labels == ["desk&webcam\nto phone", "desk&webcam\nto laptop"]


def test_a_domain_that_only_one_normalisation_can_be_measured_on_has_no_bars(make_run: Callable[..., Path]) -> None:
    batch = make_run("two_batch", "anrl", "options.normalization=batch", sources=("desk", "webcam"))
    options = {"sources": ("webcam", "desk"), "target": "laptop[lighting=room]"}
    kinds = [batch, make_run("two_part", "anrl", "options.normalization=instance", **options)]
    figures = {figure.name: figure for figure in paper_figures(kinds, Heard())}
    [axes] = figures["anrl-1"].figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["desk&webcam\nto phone"]
    assert np.isfinite([bar.get_height() for bar in axes.patches]).all()


def test_without_other_normalisations_figures_1_and_4_are_left_out_and_said(run: FinishedRun) -> None:
    heard = Heard()
    names = {figure.name for figure in paper_figures([run.path], heard)}
    assert names == {"anrl-5", "anrl-6", "anrl-7ad", "anrl-7ef", "anrl-8"}
    assert any("options.normalization=batch and =instance" in line for line in heard.notes)
    assert any("ANRL, figure 4: not drawn" in line for line in heard.notes)


def test_a_panel_a_normalisation(drawn: dict[str, PaperFigure]) -> None:
    assert [axes.get_title() for axes in drawn["anrl-4"].figure.axes] == ["BN", "IN", "AFNM"]


def test_maps_of_both_normalisations_by_hand(drawn: dict[str, PaperFigure], run: FinishedRun) -> None:
    five = np.array(drawn["anrl-5"].figure.axes).reshape(5, -1)
    six = np.array(drawn["anrl-6"].figure.axes).reshape(4, -1)
    target = run.data.part("target")
    places = {run.data.crop(index).tobytes(): place for place, index in enumerate(target.index)}
    layer, x = inputs_of_afnm(run, all_target_images(run))[-1]
    with torch.no_grad():
        alpha = layer.balance(x).numpy()
        batch, instance = layer.batch(x).numpy(), layer.instance(x).numpy()
        fused = layer(x).numpy()
    for column in range(five.shape[1]):
        frame = places[five[0, column].images[0].get_array().tobytes()]
        order = np.argsort(alpha[frame], kind="stable")
        quarter = len(order) // 4
        parts = [(batch, order[:quarter]), (batch, order[-quarter:]), (instance, order[-quarter:])]
        for axes, (features, channels) in zip(five[1:, column], [*parts, (instance, order[:quarter])], strict=True):
            expected = np.mean([np.maximum(features[frame, c], 0) for c in channels], axis=0)
            np.testing.assert_allclose(axes.images[1].get_array(), expected, rtol=1e-3, atol=1e-5)
        weight = alpha[frame][:, None, None]
        for axes, features in zip(
            six[1:, column], (weight * batch[frame], (1 - weight) * instance[frame], fused[frame]), strict=True
        ):
            np.testing.assert_allclose(
                axes.images[1].get_array(), np.maximum(features, 0).mean(axis=0), rtol=1e-3, atol=1e-5
            )


def test_the_mean_of_alpha_by_layer(drawn: dict[str, PaperFigure], run: FinishedRun) -> None:
    [axes] = drawn["anrl-7ad"].figure.axes
    assert axes.get_title() == "desk&webcam&laptop to phone"
    layers = inputs_of_afnm(run, all_target_images(run))
    with torch.no_grad():
        expected = [layer.balance(x).mean().item() for layer, x in layers]
    assert len(expected) == 10
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], expected, atol=1e-5)


def test_the_channels_of_alpha_that_vary_most(drawn: dict[str, PaperFigure], run: FinishedRun) -> None:
    live, spoof, _ = drawn["anrl-7ef"].figure.axes
    layer, x = inputs_of_afnm(run, all_target_images(run))[0]
    with torch.no_grad():
        alpha = layer.balance(x).numpy()
    channels = sorted(range(alpha.shape[1]), key=lambda channel: -alpha[:, channel].var())[:12]
    is_live = run.data.live("target")
    means = alpha[:, channels].mean(axis=0)
    for axes, rows in ((live, alpha[is_live]), (spoof, alpha[~is_live])):
        apart = [row[channels] - means for row in rows]  # all are shown, as there are fewer than 24
        shown = np.asarray(axes.images[0].get_array()).T
        assert len(shown) == len(apart)
        np.testing.assert_allclose(sorted(shown.tolist()), sorted(np.array(apart).tolist()), atol=1e-6)
    labels = [label.get_text() for label in live.get_yticklabels()]
    assert labels == [f"c{k}, mean {mean:.2f}" for k, mean in enumerate(means, start=1)]


def test_the_data_sets_say_what_their_features_are(drawn: dict[str, PaperFigure]) -> None:
    assert drawn["anrl-8"].caption.startswith("image features: ")
    assert len(drawn["anrl-8"].figure.axes) == 1


def test_the_data_sets_are_drawn_by_the_weights_that_the_run_names(
    run: FinishedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dgfas.networks.imagenet.resnet18_halves", lambda *_: (torch.nn.Sequential(), None))
    config = run.config.model_copy(update={"domains": {"imagenet_weights": "gone.pth"}})
    with pytest.raises(UserError, match=r"gone\.pth: cannot be read .*FileNotFoundError"):
        data_sets(replace(run, config=config), [])
