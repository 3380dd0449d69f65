"""The frames of a run: prepared data sets on disk -> the parts of a task, ready for the device."""

import logging
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int, UInt8
from numpy import ndarray

from dgfas.core.config import DataConfig
from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.manifest import Manifest
from dgfas.core.progress import NamedProgress, named
from dgfas.data.frames import PackedFrames, pack
from dgfas.evaluation.parts import PARTS, Part, TaskSplit, count_recordings, name_domains, split_task
from dgfas.evaluation.slices import parse_slice, stored_name
from dgfas.faces.options import PrepareOptions
from dgfas.training.data_record import data_set_record

logger = logging.getLogger("dgfas")

if TYPE_CHECKING:
    import torch

    from dgfas.data.batches import BatchLoader


@dataclass(frozen=True)
class TaskData:
    """All frames of the prepared data sets in one table, divided into the parts of one task.

    `frames` has the manifest's columns, `domain` named as the task names it, and `data_set`, `row`: where it lies.
    """

    manifests: list[Manifest]
    frames: pd.DataFrame
    split: TaskSplit
    packed: list[PackedFrames]

    def part(self, part: Part) -> pd.DataFrame:
        """Return the frames of one part of the task."""
        return self.frames.loc[self.split.index(part)]

    def live(self, part: Part) -> Bool[ndarray, " n"]:
        """Return which frames of a part are live."""
        return (self.part(part)["label"] == Label.LIVE).to_numpy(dtype=bool)

    def domain(self, part: Part, domains: tuple[str, ...]) -> Int[ndarray, " n"]:
        """Return the number of each frame's domain in `domains`."""
        return pd.Categorical(self.part(part)["domain"], categories=domains).codes.astype(np.int64)

    def loader(self, part: Part, device: "torch.device") -> "BatchLoader":
        """Return the loader of a part's frames; its row i is the part's i-th frame."""
        return self.loader_of(self.part(part), device)

    def loader_of(self, frames: pd.DataFrame, device: "torch.device") -> "BatchLoader":
        """Return the loader of some rows of `frames`; its row i is the i-th of them."""
        from dgfas.data.batches import BatchLoader  # here, so that hand-crafted methods need no torch

        live = (frames["label"] == Label.LIVE).to_numpy(dtype=bool)
        return BatchLoader(self.packed, frames[["data_set", "row"]].to_numpy(), live, device)

    def crop(self, index: Hashable) -> UInt8[ndarray, "s s 3"]:
        """Return the RGB crop of a frame, given by its label in the index of `frames`."""
        data_set, row = self.frames.loc[index, ["data_set", "row"]]
        return np.ascontiguousarray(self.packed[data_set].images[row, :3].transpose(1, 2, 0))

    @property
    def manifest_hashes(self) -> dict[str, str]:
        """SHA-256 of each data set's manifest, by folder."""
        return {str(manifest.root): manifest.content_hash for manifest in self.manifests}

    def facts(self) -> dict[str, Any]:
        """Return what the record of a run says of its data.

        Hashes; recordings by part, domain and class, with a face and rejected; how each data set was made; and how
        the crops of the sources were cut, if from photos (of several, by their first).
        """
        counts = count_recordings(self.frames, self.split)
        sources = [self.manifests[number] for number in self.part("train")["data_set"].unique()]
        options = next((made for _, made in preparations(sources)), None)
        return {
            "manifests": self.manifest_hashes,
            "recordings": counts.to_dict("records"),
            "rejected": self._rejected(),
            "data_sets": {str(manifest.root): data_set_record(manifest.root) for manifest in self.manifests},
            "preparation": None if options is None else options.content,
        }

    def _rejected(self) -> list[dict[str, Any]]:
        """Count the recordings without a face: by part, domain, class and reason."""
        counts = []
        for part in PARTS:
            rows = self.split.rejected[part]
            for (domain, label, reason), same in rows.groupby(["domain", "label", "reason"]):
                word, reason = Label(int(label)).word, str(reason)
                counts.append(
                    {"part": part, "domain": domain, "class": word, "reason": reason, "recordings": len(same)}
                )
        return counts


def load_task(data: DataConfig, image_size: int, target: str | None, progress: NamedProgress | None = None) -> TaskData:
    """Read the data sets of `data`, divide them into the parts of the task, and pack their frames at `image_size`.

    Raises UserError for a data set that is missing or broken, an unknown domain, or a part without a class.
    """
    manifests = [Manifest.read(root) for root in data.roots]
    tables = [
        manifest.frames.assign(data_set=number, row=np.arange(len(manifest.frames)))
        for number, manifest in enumerate(manifests)
    ]
    warn_of_other_crops(manifests)
    frames = pd.concat(tables, ignore_index=True)
    check_domains_once(frames, data.roots)
    if data.frames_per_recording is not None:
        frames = evenly_spaced(frames, data.frames_per_recording)
    rejected = pd.concat([manifest.rejected for manifest in manifests], ignore_index=True)
    frames = name_domains(frames, data.sources, target, data.lists)
    rejected = name_domains(rejected, data.sources, target, data.lists, need_rows=False)
    split = split_task(frames, data.sources, target, data.lists, rejected)
    packed = []
    for manifest in manifests:
        report = named(progress, f"packing {manifest.root.name} at {image_size} px")
        packed.append(pack(manifest, image_size, data.hsv, report))
    return TaskData(manifests, frames, split, packed)


def preparations(manifests: Iterable[Manifest]) -> list[tuple[Path, PrepareOptions]]:
    """Return how the data sets were prepared, without those that were not from photos, and their folders."""
    made = ((manifest.root, PrepareOptions.of_data_set(manifest.root)) for manifest in manifests)
    return [(root, options) for root, options in made if options is not None]


def warn_of_other_crops(manifests: Iterable[Manifest]) -> None:
    """Warn of each data set whose faces were cut otherwise than those of the first: one model should see one kind."""
    prepared = preparations(manifests)
    for root, options in prepared[1:]:
        first_root, first = prepared[0]
        for name in ("detector", "margin", "align"):
            own, other = getattr(options, name), getattr(first, name)
            if own != other:
                logger.warning(
                    f"{root}: was prepared with {name} {own}, {first_root} with {other}; faces of one model should be "
                    "cut alike: prepare one of them again"
                )


def evenly_spaced(frames: pd.DataFrame, number: int) -> pd.DataFrame:
    """Keep at most `number` frames of each recording, evenly spaced from its first frame on."""
    by_recording = frames.groupby(["domain", "recording"], sort=False)
    place, count = by_recording.cumcount(), by_recording["frame"].transform("size")
    kept = np.minimum(count, number)
    # Frame i of n is kept if it is the first in its of `kept` equal intervals.
    first = np.ceil((place * kept // count) * count / kept)
    return frames[place == first]


def check_domains_once(frames: pd.DataFrame, roots: Sequence[Path]) -> None:
    """Raise UserError if a domain is in more than one data set; `data_set` in `frames` is the number of its folder."""
    data_sets = frames.groupby("domain")["data_set"].nunique()
    for domain in data_sets.index[data_sets > 1]:
        raise UserError(f"domain {domain!r} is in more than one of {', '.join(map(str, roots))}; give each domain once")


def prepared_frames(roots: Iterable[Path]) -> pd.DataFrame:
    """Return the rows of the manifests of prepared data sets, in one table; `data_set` is the number of the folder."""
    tables = [Manifest.read(root).frames.assign(data_set=number) for number, root in enumerate(roots)]
    return pd.concat(tables, ignore_index=True)


def domains_but(target: str | None, roots: Iterable[Path]) -> list[str]:
    """Return the domains of prepared data sets, in their order, without that of which `target` is or is a slice."""
    domains = list(prepared_frames(roots)["domain"].unique())
    own = None if target is None else stored_name(parse_slice(target).data_set, domains)
    return [name for name in domains if name != own]
