"""Domains found during training: saved with the run, resumed, and free of given labels where there are none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from run_checks import assert_same_state
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dgfas.core.errors import UserError
from dgfas.core.manifest import MANIFEST_NAME, MIXTURE
from dgfas.domains.provider import Assignment
from dgfas.training import loop
from dgfas.training.loop import Training, resume, train
from dgfas.training.record import read_record


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["d2am", "pdl", "random"])
def test_any_method_takes_any_provider(tiny, tmp_path: Path, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    used, use = [], Training._use_domains
    monkeypatch.setattr(Training, "_use_domains", lambda self, domain: used.append(domain) or use(self, domain))
    run = train(tiny("binary_cnn", f"domains.provider={provider}", iterations=10), tmp_path / "run")
    files = sorted((run / "domains").iterdir())
    assert [file.name for file in files] == [f"clustering_{k:03d}.npz" for k in range(10)]
    for file, domain in zip(files, used, strict=True):
        np.testing.assert_array_equal(np.load(file)["domain"], domain)  # batches were drawn from what is saved
        assert set(domain) <= {0, 1, 2}
        assert len(np.unique(domain)) > 1
    events = EventAccumulator(str(run / "tensorboard")).Reload()
    for name in ("loss", "domains/size_0", "domains/nmi_given", "domains/empty_cells"):
        assert len(events.Scalars(name)) == 10, name
    sizes = [events.Scalars(f"domains/size_{k}")[-1].value for k in range(3)]
    assert sizes == np.bincount(used[-1], minlength=3).tolist()


@pytest.mark.parametrize(("provider", "said"), [("d2am", "image features: "), ("pdl", "")])
def test_the_record_says_what_the_domains_were_made_of(tiny, tmp_path: Path, provider: str, said: str) -> None:
    run = train(tiny("d2am", f"domains.provider={provider}", iterations=2), tmp_path / "run")
    notes = read_record(run)["domains"]
    assert notes == list(Assignment.read(run / "domains" / "clustering_000.npz").notes)
    assert any(said in note for note in notes) == bool(said)
    assert "processes" in read_record(run)  # the rest of the record stays


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        ("domains.k=4000", "4000 domains cannot be made of"),
        ("domains.imagenet_weights=no.pth", "no.pth does not exist"),
    ],
)
def test_domains_that_cannot_be_found_leave_no_run_behind(tiny, tmp_path: Path, value: str, mistake: str) -> None:
    with pytest.raises(UserError, match=mistake):
        train(tiny("d2am", value), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_run_with_found_domains_resumes_to_the_bit(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny("pdl_fas", "domains.recluster_every=4")
    straight = train(config, tmp_path / "straight")
    step = Training.step

    def stop_at_six(self: Training):
        if self.iteration == 6:
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(Training, "step", stop_at_six)
    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "stopped")
    monkeypatch.undo()
    resume(tmp_path / "stopped")
    assert_same_state(straight, tmp_path / "stopped")


def test_a_mixture_without_domain_labels_trains(tiny, simulated: Path, tmp_path: Path) -> None:
    """Three capture domains under one roof, the column `domain` gone."""
    root = tmp_path / "mixture"
    root.mkdir()
    (root / "faces").symlink_to(simulated / "faces")
    frames = pd.read_parquet(simulated / MANIFEST_NAME)
    frames[frames["domain"] != "phone"].drop(columns="domain").to_parquet(root / MANIFEST_NAME, index=False)
    config = tiny(
        "binary_cnn", "domains.provider=pdl", f"data.roots=[{root}, {simulated}]", f"data.sources=[{MIXTURE}]"
    )
    run = train(config, tmp_path / "run")
    assert len(list((run / "domains").iterdir())) == 10


def test_given_domains_are_named_once(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = []
    original = loop.Naming.name
    monkeypatch.setattr(loop.Naming, "name", lambda self, *arguments: named.append(1) or original(self, *arguments))
    run = train(tiny("binary_cnn"), tmp_path / "run")
    assert len(named) == 1
    assert not (run / "domains").exists()
