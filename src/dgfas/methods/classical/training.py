"""Fit and score a hand-crafted method over rows of a manifest: crops are read one at a time and never kept."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int, UInt8
from numpy import ndarray

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.progress import Progress
from dgfas.methods.classical.base import ClassicalMethod, Examples

#: Returns the RGB crop of a row, given by the row's label in the table's index.
ImageOf = Callable[[Hashable], UInt8[ndarray, "h w 3"]]

SAMPLES_AT_ONCE = 256  # feature vectors held while scoring


@dataclass(frozen=True)
class Sample:
    """What one feature vector stands for: positions of the rows that it describes, in temporal order, and scores."""

    described: Int[ndarray, " m"]
    scored: Int[ndarray, " k"]


def samples_of(method: ClassicalMethod, rows: pd.DataFrame) -> list[Sample]:
    """Return the samples of `rows`, ordered by domain, recording and frame: each frame, or each recording.

    A recording is described by its longest run of consecutive frames (the first, if several are as long). Raises
    UserError naming the first recording whose runs are all shorter than the method needs.
    """
    ordered = rows.reset_index(drop=True).sort_values(["domain", "recording", "frame"], kind="stable")
    if not method.needs_consecutive_frames:
        return [Sample(np.array([position]), np.array([position])) for position in ordered.index]
    samples = []
    for (domain, recording), part in ordered.groupby(["domain", "recording"], observed=True):
        positions = part.index.to_numpy()
        run = longest_run(part["frame"].to_numpy())
        if run.stop - run.start < method.least_frames:
            raise UserError(
                f"recording {recording!r} of domain {domain!r} has no {method.least_frames} consecutive frames (column "
                f"'frame': neighbours must differ by one), which {type(method).__name__} needs; prepare the data set "
                "with every frame and leave data.frames_per_recording empty, or choose another method"
            )
        samples.append(Sample(positions[run], positions))
    return samples


def longest_run(frame: Int[ndarray, " n"]) -> slice:
    """Return where the longest run of rising neighbours that differ by one lies; the first, if several are as long."""
    breaks = np.flatnonzero(np.diff(frame) != 1) + 1
    edges = np.concatenate([[0], breaks, [len(frame)]])
    longest = int(np.argmax(np.diff(edges)))
    return slice(int(edges[longest]), int(edges[longest + 1]))


def fit_method(
    method: ClassicalMethod,
    image_of: ImageOf,
    training: pd.DataFrame,
    development: pd.DataFrame,
    progress: Progress | None = None,
) -> None:
    """Fit `method` in place on source training rows; choose and calibrate on source development rows.

    Both tables have the manifest's columns domain, recording, frame, label and species, and an index whose labels
    `image_of` understands. Of each domain and class at most `options.samples_per_cell` training samples are used.
    `progress` gets (feature vectors done, in all). Raises UserError if a label is empty, a class is missing, or frames
    are not consecutive where the method needs them.
    """
    for rows, name in ((training, "training"), (development, "development")):
        if rows["label"].isna().any():
            unknown = rows.loc[rows["label"].isna()].iloc[0]
            raise UserError(f"{name} data: recording {unknown['recording']!r} has no label; leave it out or label it")
    drawn = evenly(samples_of(method, training), training, method.options.samples_per_cell)
    held_out = samples_of(method, development)
    total = len(drawn) + len(held_out)
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    method.fit(
        _examples(method, image_of, training, drawn, advance),
        _examples(method, image_of, development, held_out, advance),
    )


def score_rows(
    method: ClassicalMethod, image_of: ImageOf, rows: pd.DataFrame, progress: Progress | None = None
) -> Float[ndarray, " n"]:
    """Return P(live) of each of `rows`, in their order; every frame of a recording gets the recording's score, if the
    method describes recordings. `progress` gets (feature vectors done, in all). Raises UserError as `samples_of`.
    """
    samples = samples_of(method, rows)
    scores = np.full(len(rows), np.nan)
    for start in range(0, len(samples), SAMPLES_AT_ONCE):
        part = samples[start : start + SAMPLES_AT_ONCE]
        for sample, score in zip(part, method.score(_features(method, image_of, rows, part)), strict=True):
            scores[sample.scored] = score
        if progress is not None:
            progress(start + len(part), len(samples))
    return scores


def evenly(samples: Sequence[Sample], rows: pd.DataFrame, most: int) -> list[Sample]:
    """Return at most `most` samples of each domain and class: the middles of as many equal parts of their order."""
    first = rows.iloc[[sample.described[0] for sample in samples]]
    drawn: list[int] = []
    for cell in first.groupby(["domain", "label"], observed=True).indices.values():
        kept = min(most, len(cell))
        drawn += [int(cell[(2 * part + 1) * len(cell) // (2 * kept)]) for part in range(kept)]
    return [samples[position] for position in sorted(drawn)]


def _examples(
    method: ClassicalMethod,
    image_of: ImageOf,
    rows: pd.DataFrame,
    samples: Sequence[Sample],
    advance: Callable[[], None],
) -> Examples:
    first = rows.iloc[[sample.described[0] for sample in samples]]
    return Examples(
        _features(method, image_of, rows, samples, advance),
        (first["label"] == Label.LIVE).to_numpy(dtype=bool),
        first["domain"].to_numpy(dtype=str),
        first["species"].to_numpy(dtype=str),
    )


def _features(
    method: ClassicalMethod,
    image_of: ImageOf,
    rows: pd.DataFrame,
    samples: Sequence[Sample],
    advance: Callable[[], None] | None = None,
) -> Float[ndarray, "n d"]:
    matrix = np.empty((len(samples), method.dimensions))
    for row, sample in zip(matrix, samples, strict=True):
        row[:] = method.features(image_of(label) for label in rows.index[sample.described])
        if advance is not None:
            advance()
    return matrix
