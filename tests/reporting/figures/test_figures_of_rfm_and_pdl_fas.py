"""ROC curves, attention on attacks, frames of the target."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex

from dgfas.evaluation.metrics import auc
from dgfas.methods.base import Method
from dgfas.reporting.figures import PaperFigure, paper_figures
from dgfas.reporting.figures.features import trained
from dgfas.reporting.figures.finished_run import FinishedRun
from dgfas.reporting.figures.pdl_fas import CLASS_COLOURS
from dgfas.training.evaluate import score_target
from heard import Heard

pytestmark = pytest.mark.slow


def test_every_figure_is_there_once(drawn: dict[str, PaperFigure]) -> None:
    assert set(drawn) == {
        "rfm-4",
        "rfm-6-rfm",
        "d2am-4ab",
        "d2am-4cd",
        "d2am-5",
        "d2am-6",
        "d2am-7",
        "drdg-4a",
        "drdg-4b",
        "drdg-5ab",
        "drdg-5cd",
        "anrl-1",
        "anrl-4",
        "anrl-5",
        "anrl-6",
        "anrl-7ad",
        "anrl-7ef",
        "anrl-8",
        "pdl_fas-4",
    }
    for figure in drawn.values():
        assert "checkpoint 4" in figure.caption or figure.name == "anrl-8"
        assert "nan" not in figure.caption


def test_a_panel_a_task_and_a_curve_a_method_with_its_auc(drawn: dict[str, PaperFigure], all_runs: list[Path]) -> None:
    first, second = drawn["rfm-4"].figure.axes
    assert first.get_title() == "desk&webcam&laptop to phone"
    assert second.get_title() == "desk&webcam to phone"
    labels = [text.get_text() for text in first.get_legend().get_texts()]
    assert [label.partition(",")[0] for label in labels] == ["rfm", "d2am", "binary_cnn", "drdg", "anrl", "pdl_fas"]
    assert len(second.get_legend().get_texts()) == 1
    run = next(run for run in all_runs if run.name == "rfm")
    scores = score_target(run, "phone")[0][4].by_recording()
    assert labels[0] == f"rfm, AUC {100 * auc(scores.score, scores.is_live):.2f} %"
    assert "No run of mldg, reptile and metareg was given" in drawn["rfm-4"].caption


def test_stored_scores_are_taken_where_there_are_some(make_run: Callable[..., Path]) -> None:
    run = FinishedRun.read(make_run("rfm_stored", "rfm", "training.seed=3"))
    fresh = run.target_scores("phone")
    folder = run.path / "evaluation" / "phone"
    folder.mkdir(parents=True)
    rows = fresh.rows.assign(score=0.25)
    rows.to_csv(folder / f"scores-{run.step:07d}.csv", index=False)
    assert set(run.target_scores("phone").score) == {0.25}
    assert len(set(fresh.score)) > 1


def test_attention_is_shown_on_attacks_of_the_target_beside_binary_cnn(
    drawn: dict[str, PaperFigure], make_run: Callable[..., Path]
) -> None:
    axes = np.array(drawn["rfm-6-rfm"].figure.axes).reshape(3, -1)
    assert [one.get_ylabel() for one in axes[:, 0]] == ["crop", "Binary CNN", "RFM"]
    assert {one.get_title() for one in axes[0]} == {"print", "replay"}
    run = FinishedRun.read(make_run("rfm", "rfm"))
    target = run.data.part("target")
    crops = {run.data.crop(index).tobytes(): row for index, row in target.iterrows()}
    for place, one in enumerate(axes[0]):
        row = crops[one.images[0].get_array().tobytes()]
        assert row["species"] == one.get_title()
        # Recomputed for one frame alone, the map is the same.
        packed = run.data.packed[row["data_set"]].images[row["row"]]
        images = torch.from_numpy(packed[None].astype(np.float32) / 255)
        for line, name in ((1, "binary_cnn"), (2, "rfm")):
            method = trained(FinishedRun.read(make_run(name, name)), Method)
            features = method.encoder(images).last.detach().requires_grad_()
            head = method.classifier if name == "binary_cnn" else method.meta_learner
            [gradient] = torch.autograd.grad(-head(features).sum(), features)
            heat = (gradient.mean(dim=(2, 3))[0, :, None, None] * features[0]).sum(dim=0).relu().detach().numpy()
            shown = axes[line, place].images[1].get_array()
            np.testing.assert_allclose(shown, heat, rtol=1e-3, atol=1e-5 * (1 + heat.max()))


def test_without_binary_cnn_figure_6_is_left_out_and_said(make_run: Callable[..., Path]) -> None:
    heard = Heard()
    run = make_run("rfm", "rfm")
    assert [figure.name for figure in paper_figures([run], heard)] == ["rfm-4"]
    said = f"RFM, figure 6: not drawn of {run}: needs a run of binary_cnn on desk&webcam&laptop to phone beside it"
    assert said in heard.notes


def test_target_frames_have_the_colour_of_their_true_class(
    drawn: dict[str, PaperFigure], make_run: Callable[..., Path]
) -> None:
    run = FinishedRun.read(make_run("pdl_fas", "pdl_fas"))
    [axes] = drawn["pdl_fas-4"].figure.axes
    counts = dict.fromkeys(CLASS_COLOURS.values(), 0)
    for collection in axes.collections:
        if len(collection.get_offsets()):
            counts[to_hex(collection.get_facecolor()[0]).upper()] += len(collection.get_offsets())
    live = run.data.live("target")
    assert counts == {CLASS_COLOURS["live"]: live.sum(), CLASS_COLOURS["spoof"]: (~live).sum()}
