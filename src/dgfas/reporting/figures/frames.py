"""Which frames a figure shows: a seeded choice from the parts of a task."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int, UInt8
from numpy import ndarray
from torch import Tensor

from dgfas.core.label import Label
from dgfas.core.seeding import stable_rng
from dgfas.data.batches import BatchLoader
from dgfas.evaluation.parts import Part
from dgfas.evaluation.slices import data_set_of
from dgfas.reporting.figures.finished_run import FinishedRun
from dgfas.training.task_data import TaskData
from dgfas.training.trained import scoring_device


@dataclass(frozen=True)
class Frames:
    """Some frames of a task, in the order of `table`, which has the manifest's columns."""

    data: TaskData
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, rows: Int[ndarray, " m"] | Bool[ndarray, " n"] | slice) -> "Frames":
        return Frames(self.data, self.table[rows] if isinstance(rows, slice) else self.table.iloc[rows])

    def spread(self, number: int, by: Sequence[str] = ("domain", "label")) -> Int[ndarray, " m"]:
        """Return at most `number` rows, sorted by group: as many of each group `by` as they go, drawn at random.

        A second frame of a recording comes only when every recording has given one.
        """
        shuffled = stable_rng("spread", *by).permutation(len(self))
        table = self.table.iloc[shuffled]
        group = table.groupby(list(by), sort=True).ngroup().to_numpy()
        again = table.groupby(["domain", "recording"]).cumcount().to_numpy()
        turn = table.groupby([group, again]).cumcount().to_numpy()
        chosen = np.lexsort((group, turn, again))[:number]
        rows: ndarray = shuffled[chosen[np.argsort(group[chosen], kind="stable")]]
        return rows

    @property
    def live(self) -> Bool[ndarray, " n"]:
        """Whether each frame is live."""
        return (self.table["label"] == Label.LIVE).to_numpy(dtype=bool)

    @property
    def domain(self) -> ndarray:
        """The name of each frame's domain, `(n,)`."""
        return self.table["domain"].to_numpy(dtype=object)

    @property
    def person(self) -> ndarray:
        """The number of each frame's person, `(n,)`."""
        data_set = self.table["domain"].map(data_set_of)  # slices of one share their persons
        return self.table.groupby([data_set, "subject"], sort=True).ngroup().to_numpy()

    def crops(self) -> list[UInt8[ndarray, "s s 3"]]:
        """The frames as RGB pictures."""
        return [self.data.crop(index) for index in self.table.index]

    def chunks(self) -> Iterator[Float[Tensor, "b 6 s s"]]:
        """Yield the frames as the network's input, in order, some at a time."""
        where = self.table[["data_set", "row"]].to_numpy()
        yield from BatchLoader(self.data.packed, where, self.live, scoring_device()).chunks()

    def images(self) -> Float[Tensor, "n 6 s s"]:
        """Return all frames at once as the network's input."""
        return torch.cat(list(self.chunks()))


def draw_frames(
    run: FinishedRun, parts: Sequence[Part], number: int, *, by: Sequence[str] = ("domain", "label"), purpose: str = ""
) -> Frames:
    """Return at most `number` frames of these parts of a run's task, drawn at random by the run's seed.

    Of each group `by` (columns of the manifest) as many are drawn, as far as they go; without `by` from all alike.
    """
    table = pd.concat([run.data.part(part) for part in parts])
    random = stable_rng(run.seed, "figure", purpose, *parts)
    shuffled = table.iloc[random.permutation(len(table))]
    turn = shuffled.groupby(list(by)).cumcount().to_numpy() if by else np.arange(len(shuffled))
    chosen = np.argsort(turn, kind="stable")[:number]
    return Frames(run.data, table.loc[table.index.isin(shuffled.index[chosen])])
