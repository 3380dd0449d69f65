"""From a video of 640 x 480 pixels, H.264, to answers: decoding, finding the face, crop, limits, score, at `small`.

A model file of RFM with random weights in 32 bits, as `dgfas export` writes it, in `Detector.score_video`; every frame
is scored, in one thread. The face is scikit-image's photo of an astronaut, moved by some pixels from frame to frame.
"""

import tempfile
from pathlib import Path

from benchmarks.networks import SMALL, build
from benchmarks.preparation import write_video
from benchmarks.result import Figure, per_second
from benchmarks.timing import interleaved, one_thread
from dgfas.deployment.detector import Detector
from dgfas.deployment.export import with_facts
from dgfas.deployment.graph import scoring_graph
from dgfas.deployment.model_file import ModelFacts, write_model
from dgfas.evaluation.scores import LEVELS
from dgfas.evaluation.thresholds import fixed_threshold
from dgfas.faces.models import fetch_models
from dgfas.faces.options import PrepareOptions


def write_random_model(path: Path) -> None:
    """Write a model file of RFM at the setting `small`."""
    thresholds = dict.fromkeys(LEVELS, fixed_threshold(0.5))
    facts = ModelFacts(
        "rfm", "float32", SMALL.image_size, "pillow", PrepareOptions(), None, thresholds, {}, "random weights"
    )
    write_model(path, with_facts(scoring_graph(build("rfm", SMALL).eval()), facts))


def run(quick: bool) -> list[Figure]:
    one_thread()
    fetch_models()
    frames, rounds = (25, 2) if quick else (100, 7)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_video(folder / "video.mp4", frames)
        write_random_model(folder / "model.onnx")
        detector = Detector.load(folder / "model.onnx")

        def work() -> None:
            answer = detector.score_video(folder / "video.mp4", frames)
            assert answer.frames_scored == frames, "a frame was not scored"

        times = interleaved({"detector": work}, rounds)
    return [per_second("frames of 640 x 480 pixels scored", "frames", frames, times["detector"], least=15)]
