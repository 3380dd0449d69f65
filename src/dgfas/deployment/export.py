"""Turn a run into the file that is shipped, and show that both score alike, from the image file on."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dgfas.core.errors import UserError
from dgfas.core.manifest import MANIFEST_NAME
from dgfas.core.progress import NamedProgress, Silent, named
from dgfas.deployment.card import model_card
from dgfas.deployment.model_file import FACTS_KEY, Model, ModelFacts, open_session, write_model
from dgfas.deployment.run_model import facts_of
from dgfas.faces.images import read_image
from dgfas.training.configure import is_classical, need_torch
from dgfas.training.record import read_config, read_record
from dgfas.training.selection import read_operating_point
from dgfas.training.task_data import TaskData, load_task

if TYPE_CHECKING:
    from dgfas.training.trained import TrainedModel

PARITY = 1e-5  # the largest difference of P(live) between a run and its model file
PARITY_FRAMES = 200


def export_run(run: Path, out: Path, *, roots: Sequence[Path] = (), report: Silent | None = None) -> ModelFacts:
    """Write the chosen checkpoint of a learned method's run as a model file `out`; return what the file says of itself.

    Up to 200 source development frames are read from their files and scored by both. `roots` are the run's prepared
    data sets, if they have moved. Raises UserError, and writes nothing, if the run has not finished, its data are not
    at hand, the method cannot be exported, or a score differs by more than 1e-5.
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
    facts = replace(facts, provenance={**facts.provenance, "parity": parity(trained, model, data, report.progress)})
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
    if sorted(task.manifest_hashes.values()) != sorted(read_record(run)["manifests"].values()):
        raise UserError(
            f"{', '.join(map(str, data.roots))}: not the data that {run} was trained on (another manifest hash); "
            "name the folders of those, all of them, with --data"
        )
    return task
