"""Turn a run into the file that is shipped, and show that both score alike, from the image file on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dgfas.core.errors import UserError
from dgfas.core.manifest import MANIFEST_NAME
from dgfas.core.progress import NamedProgress, Silent, named
from dgfas.deployment.card import model_card
from dgfas.deployment.model_file import BATCH, FACTS_KEY, Model, ModelFacts, open_session, write_model
from dgfas.deployment.run_model import development_rates, facts_of
from dgfas.evaluation.scores import LEVELS, scores_of_frames
from dgfas.faces.images import read_image
from dgfas.training.configure import is_classical, need_torch
from dgfas.training.record import other_data, read_config, read_record
from dgfas.training.selection import read_operating_point
from dgfas.training.task_data import TaskData, load_task

if TYPE_CHECKING:
    from dgfas.training.trained import TrainedModel

PARITY = 1e-5  # the largest difference of P(live) between a run and its model file
PARITY_FRAMES = 200
CALIBRATION_FRAMES = 128  # source training frames that set the ranges of 8-bit activations
HTER_ALLOWANCE = 0.005  # by how much HTER on source development data may change in 8 bits


def export_run(
    run: Path,
    out: Path,
    *,
    roots: Sequence[Path] = (),
    int8: bool = False,
    accept_loss: bool = False,
    report: Silent | None = None,
) -> ModelFacts:
    """Write the chosen checkpoint of a learned method's run as a model file `out`; return what the file says of itself.

    Up to 200 source development frames are read from their files and scored by both. `roots` are the run's prepared
    data sets, if they have moved. With `int8` the convolutions compute in 8 bits, and all source development frames are
    scored with them. Raises UserError, and writes nothing, if the run has not finished, its data are not at hand, the
    method cannot be exported, a score differs by more than 1e-5 (before 8 bits), or 8 bits move HTER by more than half
    a point (which `accept_loss` allows, and the file says so).
    """
    report = report or Silent()
    step, _ = read_operating_point(run)
    config = read_config(run)
    if is_classical(config):
        raise UserError(
            f"{run}: {config.method} is a hand-crafted method without a network, it is not exported; "
            f"score with the run itself: `dgfas score FILE --model {run}`"
        )
    need_torch()
    from dgfas.deployment.graph import scoring_graph
    from dgfas.training.trained import TrainedModel

    trained = TrainedModel.load(run, step)
    data = _data_of(run, roots, report.progress)
    content = scoring_graph(trained.method)
    facts = facts_of(run, trained.calibration)
    model = Model(out, open_session(content), facts, "")
    facts = facts.with_provenance(parity=parity(trained, model, data, report.progress))
    if int8:
        content = _in_8_bits(content, data, report.progress)
        model = Model(out, open_session(content), replace(facts, precision="int8"), "")
        change = change_of_rates(model, data, report.progress)
        if change["largest_hter_change"] > HTER_ALLOWANCE and not accept_loss:
            raise UserError(
                f"{out}: not written; 8 bits move HTER on source development data by "
                f"{100 * change['largest_hter_change']:.2f} points, more than {100 * HTER_ALLOWANCE:g} "
                "(--accept-loss writes it all the same)"
            )
        facts = model.facts.with_provenance(int8={**change, "loss_accepted": accept_loss})
    facts = replace(facts, card=model_card(facts, trained.uses_target_images))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_model(out, with_facts(content, facts))
    return facts


def with_facts(content: bytes, facts: ModelFacts) -> bytes:
    """Return a serialised ONNX model with the facts in its metadata, in the place of what was there."""
    import onnx

    model = onnx.load_from_string(content)
    onnx.helper.set_model_props(model, {FACTS_KEY: facts.to_json()})
    serialised: bytes = model.SerializeToString()
    return serialised


def parity(
    trained: "TrainedModel", model: Model, data: TaskData, progress: NamedProgress | None = None
) -> dict[str, float]:
    """Return the number of frames compared and the largest difference of P(live), or raise UserError above 1e-5.

    The run reads its packed frames as in training, the model file the crops on disk as a detector does.
    """
    from dgfas.training.trained import scoring_device

    frames = spread(data.part("validation"), PARITY_FRAMES)
    expected = trained.score_as_trained(data.loader_of(frames, scoring_device()), named(progress, "scoring by the run"))
    crops = [read_image(data.manifests[row.data_set].root / row.face) for row in frames.itertuples()]
    difference = float(np.abs(model.score_crops(crops) - expected).max())
    if difference > PARITY:
        raise UserError(
            f"{model.path}: not written; of {len(frames)} frames one scores {difference:.1e} from the run, "
            f"more than {PARITY:g}"
        )
    return {"frames": len(frames), "largest_difference": difference, "allowed": PARITY}


def change_of_rates(model: Model, data: TaskData, progress: NamedProgress | None = None) -> dict[str, Any]:
    """Return HTER and AUC of a model on all source development frames, and the largest change of HTER in [0, 1].

    The change is against what the run's checkpoint had there, at the same thresholds, by frame and by recording.
    """
    frames = data.part("validation")
    show = named(progress, "scoring in 8 bits")
    scores: list[float] = []
    for first in range(0, len(frames), BATCH):
        scores += model.score_crops([data.crop(row) for row in frames.index[first : first + BATCH]]).tolist()
        if show is not None:
            show(len(scores), len(frames))
    scored = scores_of_frames(frames, np.array(scores), data.split.rejected["validation"], "source development data")
    after, before = development_rates(scored, model.facts.thresholds), model.facts.provenance["development"]
    largest = max(abs(after[level]["hter"] - before[level]["hter"]) for level in LEVELS)
    return {"development": after, "largest_hter_change": largest, "hter_change_allowed": HTER_ALLOWANCE}


def _in_8_bits(content: bytes, data: TaskData, progress: NamedProgress) -> bytes:
    from dgfas.deployment.quantize import quantized_graph

    frames = spread(data.part("train"), CALIBRATION_FRAMES)

    def batches() -> Iterator[np.ndarray]:
        for done, (data_set, row) in enumerate(frames[["data_set", "row"]].itertuples(index=False), start=1):
            progress("calibrating 8 bits", done, len(frames))
            yield data.packed[data_set].images[row][None]

    return quantized_graph(content, batches())


def spread(frames: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return at most `number` rows, evenly spaced from the first to the last."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(number, len(frames))).round().astype(int))
    return frames.iloc[chosen]


def _data_of(run: Path, roots: Sequence[Path], progress: NamedProgress) -> TaskData:
    """Return the data of the run, from where it found them or from `roots`, if they are the same."""
    config = read_config(run)
    data = config.data.model_copy(update={"roots": tuple(roots)}) if roots else config.data
    for root in data.roots:
        if not (root / MANIFEST_NAME).is_file():
            raise UserError(f"{root}: the data set that {run} was trained on is not here; name its folder with --data")
    task = load_task(data, config.network.image_size, config.data.target, progress)
    if (difference := other_data(read_record(run), task.facts())) is not None:
        raise UserError(
            f"{', '.join(map(str, data.roots))}: not the data that {run} was trained on ({difference}); "
            "name the folders of those, all of them, with --data"
        )
    return task
