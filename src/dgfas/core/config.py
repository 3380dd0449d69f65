"""The typed tree of a run's settings, read from YAML and changed by `--set a.b=c`."""

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from dgfas.core.errors import UserError, nearest

Lists = Literal["ssdg", "official", "everything"]
SelectionRule = Literal["source_validation", "last"]  # which checkpoint the deployable track takes
Item = TypeVar("Item")


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str | Path) else value


#: Several names or paths, also read from a single one.
OneOrMore = Annotated[tuple[Item, ...], BeforeValidator(_as_tuple)]


class Strict(BaseModel):
    """A part of the tree: unknown keys are errors, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(Strict):
    """Which frames a run sees."""

    roots: tuple[Path, ...] = Field(default=(), validate_default=True)  # folders of prepared data sets
    sources: tuple[str, ...] = ()  # domains that train, see evaluation/slices.py; empty takes all but the target's
    target: str | None = None  # the unseen domain
    lists: Lists = "ssdg"  # which recordings form source and target, see evaluation/parts.py
    frames_per_recording: int | None = Field(default=None, ge=1)  # evenly spaced; None takes all
    hsv: Literal["pillow", "cv2"] = "pillow"

    @field_validator("roots")
    @classmethod
    def _absolute(cls, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        if not roots:
            raise ValueError("name the folder of a prepared data set (--data FOLDER)")
        return tuple(root.resolve() for root in roots)

    @model_validator(mode="after")
    def _target_is_unseen(self) -> "DataConfig":
        if self.target in self.sources and self.lists != "official":
            raise ValueError(
                f"target domain {self.target!r} is also a source; a target must be unseen "
                "(only the official lists divide one domain)"
            )
        if len(set(self.sources)) < len(self.sources):
            raise ValueError(f"sources {list(self.sources)} name a domain twice")
        return self


class NetworkConfig(Strict):
    """Size and kind of the shared networks."""

    image_size: int = Field(ge=32)  # side of the square input in pixels
    width: float = Field(gt=0, le=1)  # multiplies every channel count of the paper
    stem_stride: Literal[1, 2] = 1  # 2 halves the resolution in the first convolution; the third max-pool goes
    normalization: str = "batch"  # the normalisation layer of the encoder, see networks/normalization.py
    checkpoint_activations: bool = False  # recompute activations in the backward pass: less memory, more time

    @field_validator("image_size")
    @classmethod
    def _divisible(cls, side: int) -> int:
        if side % 8:
            near = max(32, round(side / 8) * 8)
            raise ValueError(f"image side {side} is not divisible by 8; use {near}")
        return side


class TrainingConfig(Strict):
    """How long, on what, and from which seed."""

    iterations: int = Field(ge=1)
    batch_per_class: int = Field(ge=1)  # live frames, and as many spoof frames, of each domain in a batch
    flip: bool = True  # horizontal flip, the only augmentation
    bn_batches: Literal["per_domain", "mixed"] = "per_domain"  # one forward a domain, or one for all
    seed: int = Field(default=0, ge=0)
    accelerator: str = "auto"
    devices: int = Field(default=1, ge=1)
    nodes: int = Field(default=1, ge=1)
    precision: Literal["32-true", "64-true", "bf16-mixed"] = "32-true"
    threads: int | None = Field(default=None, ge=1)  # CPU threads a process; None leaves torch's default
    checkpoint_seconds: float = Field(default=60.0, gt=0)


class RunConfig(Strict):
    """Everything that determines a training run."""

    method: str  # a name, or the path of a Python file that defines one
    preset: str = "default"
    setting: str = "small"
    options: dict[str, Any] = Field(default_factory=dict)  # the method's own, resolved and validated by the method
    data: DataConfig
    network: NetworkConfig
    training: TrainingConfig
    domains: dict[str, Any] = Field(default_factory=lambda: {"provider": "given"})  # who names the domains
    selection: SelectionRule = "source_validation"  # of the checkpoint, at the end
    threshold: str = "eer"  # the rule that fixes it on source development data, see evaluation/thresholds.py

    @field_validator("method")
    @classmethod
    def _absolute(cls, method: str) -> str:
        return str(Path(method).resolve()) if method.endswith(".py") else method


Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], values: Mapping[str, Any], where: str) -> Model:
    """Build `model` from `values`; a mistake becomes one UserError that names the key, prefixed by `where`."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise UserError(f"{where}: {_first_mistake(model, error)}") from error


def _first_mistake(model: type[BaseModel], error: ValidationError) -> str:
    mistake = error.errors()[0]
    path = ".".join(str(part) for part in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        owner: Any = model
        for part in mistake["loc"][:-1]:
            owner = get_args(owner)[0] if isinstance(part, int) else owner.model_fields[part].annotation
        return f"unknown key {path!r}; {nearest(str(mistake['loc'][-1]), owner.model_fields)}"
    if mistake["type"] == "missing":
        return f"key {path!r} is missing"
    if mistake["type"] in ("model_type", "dict_type"):
        return f"{path}: must hold keys and values, not {mistake['input']!r}"
    if mistake["type"] == "tuple_type":
        return f"{path}: must be a list, not {mistake['input']!r}"
    message = mistake["msg"].removeprefix("Value error, ")
    given = "" if mistake["type"] == "value_error" else f" (given: {mistake['input']!r})"
    return f"{path}: {message}{given}" if path else message


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping. Raises UserError naming the file and, where known, the line."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: no date, such as 2024-13-45
        raise UserError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: must hold keys and values")
    return content


def setting_values(name: str) -> dict[str, Any]:
    """Return the values of a size setting: `full` (256 px, the papers' width) or `small` (64 px, ours).

    Raises UserError for another name.
    """
    folder = resources.files("dgfas.core") / "settings"
    valid = sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    if name not in valid:
        raise UserError(f"unknown setting {name!r}; {nearest(name, valid)}")
    content: dict[str, Any] = yaml.safe_load((folder / f"{name}.yaml").read_text())
    return content


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the leaves of `changes` put over it."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Turn `["training.seed=3", "options.order=first"]` into a nested mapping; values are read as YAML.

    Raises UserError for a text of another form, or a value that is no YAML.
    """
    tree: dict[str, Any] = {}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not all(key.split(".")):
            raise UserError(f"--set {assignment!r}: write it as key.subkey=value")
        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError) as error:  # ValueError: no date, such as 2024-13-45
            raise UserError(f"--set {assignment!r}: the value is not valid YAML") from error
        for part in reversed(key.split(".")):
            value = {part: value}
        tree = merge(tree, value)
    return tree
