"""The file that is shipped: an ONNX model with all that scoring needs in its metadata, and its own hash at its end.

An ONNX file is a protocol buffer, and two of these one behind the other are one with the entries of both. So the last
entry of the metadata can be written behind the finished file: the SHA-256 of all bytes before it.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from jaxtyping import Float, UInt8

from dgfas.core.errors import UserError
from dgfas.core.files import write_whole
from dgfas.data.colour import rgb_and_hsv, to_size
from dgfas.evaluation.calibration import Calibration
from dgfas.evaluation.scores import LEVELS, Level
from dgfas.evaluation.thresholds import Threshold
from dgfas.faces.options import PrepareOptions

FORMAT = 1  # raised when an older detector would misread the file
FACTS_KEY = "dgfas"
INPUT_NAME, OUTPUT_NAME = "rgb_hsv", "score"
_HASH_KEY = b"dgfas_sha256"
#: The bytes of `metadata_props { key: "dgfas_sha256" value: "<64 hexadecimal digits>" }` before the value.
_ENTRY_START = b"\x72\x50" + b"\x0a\x0c" + _HASH_KEY + b"\x12\x40"
_ENTRY_LENGTH = len(_ENTRY_START) + 64
BATCH = 8  # crops that go through the network together
REMEDY = "export it again with `dgfas export RUN`"


@dataclass(frozen=True)
class ModelFacts:
    """What a model file says of itself.

    `preprocessing`: how a face is cut out. `image_size` and `hsv`: how a crop becomes the input, bytes of RGB and HSV
    `(N, 6, image_size, image_size)`, see data/colour.py. `calibration`: from the network's output to P(live); None
    where the output is P(live). `provenance`: run, checkpoint, data hashes, versions. `card`: Markdown.
    """

    method: str
    precision: Literal["float32", "int8"]
    image_size: int
    hsv: str
    preprocessing: PrepareOptions
    calibration: Calibration | None
    thresholds: dict[Level, Threshold]
    provenance: dict[str, Any]
    card: str

    def to_json(self) -> str:
        """Return all facts and the format as one JSON object."""
        return json.dumps({"format": FORMAT, **asdict(self), "preprocessing": self.preprocessing.content})

    def with_provenance(self, **more: Any) -> "ModelFacts":
        """Return these facts with more of their provenance."""
        return replace(self, provenance={**self.provenance, **more})

    @classmethod
    def from_json(cls, text: str) -> "ModelFacts":
        """Read what `to_json` returned. Raises KeyError, TypeError, ValueError or UserError if it is damaged."""
        fields = json.loads(text)
        if fields.pop("format") != FORMAT:
            raise UserError("was exported by another version of dgfas, whose models this one does not read")
        fields["preprocessing"] = PrepareOptions(**fields["preprocessing"])
        calibration = fields["calibration"]
        fields["calibration"] = None if calibration is None else Calibration.from_dict(calibration)
        fields["thresholds"] = {level: Threshold.from_dict(fields["thresholds"][level]) for level in LEVELS}
        return cls(**fields)


@dataclass(frozen=True)
class Model:
    """An open model file. `session` may run in several threads at once; `sha256` is the hash of the whole file."""

    path: Path
    session: onnxruntime.InferenceSession
    facts: ModelFacts
    sha256: str

    def score_crops(self, crops: Sequence[UInt8[np.ndarray, "s s 3"]]) -> Float[np.ndarray, " n"]:
        """Return P(live) of square RGB face crops of any size, whatever they show."""
        facts = self.facts
        raw: list[float] = []
        for start in range(0, len(crops), BATCH):
            batch = [rgb_and_hsv(to_size(crop, facts.image_size), facts.hsv) for crop in crops[start : start + BATCH]]
            (scores,) = self.session.run(None, {INPUT_NAME: np.stack(batch)})
            raw += scores.astype(np.float64).tolist()
        if not np.isfinite(raw).all():
            raise RuntimeError(f"{self.path}: a score is not finite")
        if facts.calibration is not None:
            return facts.calibration.apply(np.array(raw))
        return np.clip(raw, 0, 1)  # a sigmoid in float32 may end a rounding above 1


def write_model(path: Path, content: bytes) -> None:
    """Write a serialised ONNX model, with its hash behind it, at once or not at all."""
    write_whole(path, sealed(content))


def sealed(content: bytes) -> bytes:
    """Return a serialised ONNX model with the entry of its hash."""
    return content + _ENTRY_START + hashlib.sha256(content).hexdigest().encode()


def open_model(path: Path, threads: int = 1, sha256: str | None = None) -> Model:
    """Check and open a model file; `sha256`, if given, is the hash that the whole file must have.

    Raises UserError, in one line, if the file is missing, not exported by dgfas, altered, another than asked for, of
    another format, or takes another input than it says.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name a file written by `dgfas export`") from error
    found = hashlib.sha256(content).hexdigest()
    _check_seal(content, path)
    if sha256 is not None and found != sha256.lower():
        raise UserError(f"{path}: is another model than asked for; its SHA-256 is {found}, not {sha256}")
    try:
        session = open_session(content, threads)
        facts = ModelFacts.from_json(session.get_modelmeta().custom_metadata_map[FACTS_KEY])
    except UserError as error:
        raise UserError(f"{path}: {error}; {REMEDY}") from error
    except Exception as error:  # onnxruntime's exceptions have no common class of their own
        raise UserError(f"{path}: cannot be opened ({' '.join(str(error).split())[:200]}); {REMEDY}") from error
    _check_input(session, facts, path)
    return Model(path, session, facts, found)


def open_session(content: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a serialised ONNX model on the CPU, with `threads` for each call."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4  # what goes wrong comes as an exception
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _check_seal(content: bytes, path: Path) -> None:
    body, entry = content[:-_ENTRY_LENGTH], content[-_ENTRY_LENGTH:]
    if not entry.startswith(_ENTRY_START):
        raise UserError(f"{path}: is no model file of `dgfas export`, or is truncated (its SHA-256 is not at its end)")
    if hashlib.sha256(body).hexdigest().encode() != entry.removeprefix(_ENTRY_START):
        raise UserError(f"{path}: is altered or damaged, its content does not have the SHA-256 at its end; {REMEDY}")


def _check_input(session: onnxruntime.InferenceSession, facts: ModelFacts, path: Path) -> None:
    inputs = [(each.name, each.type, each.shape[1:]) for each in session.get_inputs()]
    wanted = [(INPUT_NAME, "tensor(uint8)", [6, facts.image_size, facts.image_size])]
    if inputs != wanted or [each.name for each in session.get_outputs()] != [OUTPUT_NAME]:
        raise UserError(f"{path}: asks for input {inputs}, not {wanted}; {REMEDY}")
