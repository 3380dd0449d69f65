"""The border between models and metrics: one row a frame with its score."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from dgfas.core.errors import UserError, nearest
from dgfas.core.label import Label
from dgfas.evaluation.frozen_lists import recordings_hash
from dgfas.evaluation.slices import data_set_of

COLUMNS = ["domain", "subject", "recording", "frame", "species", "label", "score"]
TEXT_COLUMNS = ["domain", "subject", "recording", "species"]

Level = Literal["frame", "recording"]
LEVELS: tuple[Level, ...] = ("frame", "recording")
#: unit: P(live) in [0, 1]. any: every finite number, such as a logit; the unit of thresholds is then the scores' own.
ScoreRange = Literal["unit", "any"]


@dataclass(frozen=True)
class Scores:
    """Scored frames (or recordings), checked when made.

    `rows` has the columns of `COLUMNS`: `label` is a `Label` or empty where unknown, `score` is higher for more live
    and within `score_range`, or empty for a non-response (no face found), `frame` is empty for a whole recording. Its
    index is the `line` of each row in the file, kept by every choice of rows (of rows without a file counted from 2).
    `origin` names where the rows come from and opens every error message. Raises UserError naming line and column of
    the first cell at fault.
    """

    rows: pd.DataFrame
    origin: str
    score_range: ScoreRange = "unit"

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", _checked(self.rows, self.origin, self.score_range))

    @property
    def score(self) -> np.ndarray:
        """Scores `(N,)`; a non-response is minus infinity, which every threshold rejects."""
        return self.rows["score"].fillna(-np.inf).to_numpy(dtype=float)

    @property
    def answered(self) -> np.ndarray:
        """Whether each row has a score, `(N,)`."""
        return self.rows["score"].notna().to_numpy()

    @property
    def is_live(self) -> np.ndarray:
        """Whether each row is live, `(N,)`. Raises UserError if a label is unknown."""
        labels = self.rows["label"]
        if labels.isna().any():
            line = labels.index[labels.isna()][0]
            raise UserError(f"{self.origin}: line {line}, column 'label' is empty; only labelled rows can be measured")
        return (labels == Label.LIVE).to_numpy(dtype=bool)

    @property
    def person(self) -> np.ndarray:
        """Number of the person of each row, `(N,)` in 0..P-1; subjects of two data sets are two persons."""
        return self.rows.groupby([self.data_set, self.rows["subject"]], sort=True).ngroup().to_numpy()

    @property
    def data_set(self) -> pd.Series:
        """The data set of each row, `(N,)`: its domain, or that of which the domain is a slice."""
        return self.rows["domain"].map({name: data_set_of(name) for name in self.rows["domain"].unique()})

    def column(self, name: str) -> np.ndarray:
        """Return one column of text as an array `(N,)`."""
        return self.rows[name].to_numpy(dtype=object)

    def by_recording(self) -> "Scores":
        """Return one row a recording: the mean of its answered frames, or a non-response where none answered."""
        groups = self.rows.groupby(["domain", "recording"], sort=False)
        recordings = groups.agg({"subject": "first", "species": "first", "label": "first", "score": "mean"})
        recordings = recordings.reset_index().set_axis(groups.head(1).index)  # the line of its first row
        recordings["frame"] = pd.Series(pd.NA, index=recordings.index, dtype="Int64")
        if self.score_range == "unit":
            recordings["score"] = recordings["score"].clip(0, 1)  # rounding may lift a mean of ones above one
        return Scores(recordings, f"{self.origin} by recording", self.score_range)

    @property
    def recordings_hash(self) -> str:
        """SHA-256 over the sorted recordings (data set, subject, recording, label): which test set this is."""
        keys = self.rows.assign(domain=self.data_set)[["domain", "subject", "recording", "label"]].drop_duplicates()
        return recordings_hash(keys.itertuples(index=False, name=None))

    def counts(self) -> dict[str, dict[str, int]]:
        """Return for each species, `live` too, how many subjects and rows there are, and rows without an answer."""
        groups = {str(name): self.rows[self.rows["species"] == name] for name in sorted(self.rows["species"].unique())}
        return {
            name: {
                "subjects": len(rows.drop_duplicates(["domain", "subject"])),
                "rows": len(rows),
                "unanswered": int(rows["score"].isna().sum()),
            }
            for name, rows in groups.items()
        }

    def at(self, level: Level) -> "Scores":
        """Return these scores by frame (unchanged) or by recording."""
        return self if level == "frame" else self.by_recording()

    def of_domain(self, domain: str) -> "Scores":
        """Return the rows of one domain."""
        return Scores(self.rows[self.rows["domain"] == domain], f"{self.origin}, domain {domain}", self.score_range)

    def require_both_classes(self) -> None:
        """Raise UserError unless there are live rows, spoof rows and at least one score."""
        is_live = self.is_live
        if is_live.all() or not is_live.any():
            missing = Label.SPOOF.word if is_live.all() else Label.LIVE.word
            raise UserError(f"{self.origin}: has no {missing} rows; both classes are needed")
        if not self.answered.any():
            raise UserError(f"{self.origin}: no row has a score, so nothing can be measured")


def scores_of_frames(frames: pd.DataFrame, score: np.ndarray, rejected: pd.DataFrame, origin: str) -> Scores:
    """Join the frames of a manifest to their scores `(N,)`, and add rejected recordings as non-responses.

    `frames` has N rows of the manifest in the order of `score`; `rejected` has rows of `Manifest.rejected` (or none).
    Raises ValueError if a score is not a number: a frame with a crop must get one.
    """
    if len(score) != len(frames):
        raise ValueError(f"{len(score)} scores for {len(frames)} frames")
    if np.isnan(score).any():
        raise ValueError(
            f"{origin}: {int(np.isnan(score).sum())} of {len(score)} scores are NaN; the model has diverged"
        )
    answered = frames[COLUMNS[:-1]].assign(score=np.asarray(score, dtype=float))
    silent = rejected.reindex(columns=COLUMNS)
    parts = [
        part.astype({"frame": "Int64", "label": "Int64", "score": float}) for part in (answered, silent) if len(part)
    ]
    return Scores(pd.concat(parts, ignore_index=True) if parts else answered, origin)


def _checked(rows: pd.DataFrame, origin: str, score_range: ScoreRange) -> pd.DataFrame:
    require_columns(rows, origin)
    rows = rows[COLUMNS].copy()
    if rows.index.name != "line":
        rows.index = pd.RangeIndex(2, len(rows) + 2, name="line")
    if rows.empty:
        raise UserError(f"{origin}: holds no rows")
    for name in TEXT_COLUMNS:
        rows[name] = rows[name].astype(object)
        texts = [cell for cell in rows[name].unique() if isinstance(cell, str) and cell.strip()]
        require(rows[name].isin(texts), rows[name], origin, "is not a text")
    score = rows["score"] = rows["score"].astype(float)
    require(score.isna() | np.isfinite(score), score, origin, "is not finite; leave the cell empty for a non-response")
    if score_range == "unit":
        fault = "is not in [0, 1]; for logits and other ranges give --score-range any"
        require(score.isna() | score.between(0, 1), score, origin, fault)
    for name in ("frame", "label"):
        if not pd.api.types.is_integer_dtype(rows[name]):  # floats would round large whole numbers
            rows[name] = rows[name].astype("Float64")
            whole = (rows[name] % 1 == 0).fillna(False)
            require(rows[name].isna() | whole, rows[name], origin, "is not a whole number")
        rows[name] = rows[name].astype("Int64")
    label, species = rows["label"], rows["species"]
    require(label.isna() | label.isin(list(Label)), label, origin, "is neither 0 (spoof) nor 1 (live)")
    require(
        (label != Label.LIVE) | (species == "live"), species, origin, "contradicts label 1: live has species 'live'"
    )
    require((label != Label.SPOOF) | (species != "live"), species, origin, "contradicts label 0: name the attack")
    _check_recordings(rows, origin)
    return rows


def _check_recordings(rows: pd.DataFrame, origin: str) -> None:
    keys = ["domain", "recording"]
    require(~rows.duplicated([*keys, "frame"]), rows["frame"], origin, "comes twice in this recording")
    size = rows.groupby(keys)["score"].transform("size")
    require(rows["frame"].notna() | (size == 1), rows["frame"], origin, "is empty in a recording with several rows")
    for name in ("subject", "species", "label"):
        first = rows.groupby(keys)[name].transform("first")
        same = (rows[name] == first) | (rows[name].isna() & first.isna())
        require(same, rows[name], origin, "differs from the rows before of the same recording")


def require_columns(rows: pd.DataFrame, origin: str) -> None:
    """Raise UserError naming the first of `COLUMNS` that is missing."""
    for name in COLUMNS:
        if name not in rows:
            hint = nearest(name, [str(column) for column in rows.columns])
            raise UserError(f"{origin}: column {name!r} is missing ({hint}); needed: {', '.join(COLUMNS)}")


def require(good: pd.Series, cells: pd.Series, origin: str, fault: str) -> None:
    """Raise UserError naming line, column and content of the first cell that is not `good`."""
    wrong = ~good.fillna(True).to_numpy(dtype=bool)
    if wrong.any():
        position = int(np.flatnonzero(wrong)[0])
        cell = cells.iloc[position]
        shown = cell.item() if isinstance(cell, np.generic) else cell
        raise UserError(f"{origin}: line {cells.index[position]}, column {cells.name!r}: {shown!r} {fault}")
