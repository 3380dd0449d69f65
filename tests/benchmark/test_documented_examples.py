"""What the documentation shows runs as it stands there."""

from pathlib import Path

from dgfas.simulation.data_set import simulate
from dgfas.training.configure import build_config
from dgfas.training.evaluate import evaluate_run
from dgfas.training.loop import resume, train
from dgfas.training.selection import freeze_operating_point

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "mixup_cnn.py"


def test_the_documented_method_trains_resumes_and_is_measured(tmp_path: Path) -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 41
    data = tmp_path / "data"
    simulate(data, subjects=5, live_recordings=1, spoof_recordings=1, frames=1, image_size=32, workers=1)
    small = ["network.image_size=32", "network.width=0.1", "training.iterations=2", "training.batch_per_class=2"]
    config = build_config(
        str(EXAMPLE),
        roots=[data],
        sources=["desk", "webcam"],
        target="phone",
        assignments=[*small, "training.threads=1"],
    )
    assert config.options["alpha"] == 0.2
    run = train(config, tmp_path / "run")
    assert resume(run) == run
    freeze_operating_point(run, selection="last", threshold="eer")
    evaluation = evaluate_run(run, None, selection="last", threshold="eer")
    assert evaluation.title.startswith("mixup_cnn, desk&webcam to phone")
