"""The parts of a task: which recordings train, validate and are measured; lists and held-out subjects."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from dgfas.core.config import Lists
from dgfas.core.errors import UserError, nearest
from dgfas.core.label import Label
from dgfas.core.recording import SPLITS
from dgfas.core.seeding import stable_seed
from dgfas.evaluation.slices import data_set_of, parse_slice
from dgfas.evaluation.tasks import Task

Part = Literal["train", "validation", "target"]
PARTS: tuple[Part, ...] = ("train", "validation", "target")

#: list -> (splits of a source that train, splits of a source that validate, splits of the target that are measured)
LIST_SPLITS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "ssdg": (("train", "test"), ("dev",), ("train", "test")),
    "official": (("train",), ("dev",), ("test",)),
    "everything": (SPLITS, (), SPLITS),
}
ONLY_OFFICIAL = (
    "a task inside one data set needs the official lists, whose splits share no subject: "
    "add ' (official)' to the task, or set data.lists to official"
)
HELD_OUT_SHARE = 0.15  # of a source's subjects, where no split of its own is left for validation


@dataclass(frozen=True)
class TaskSplit:
    """The parts of a task: rows of the frames given to `split_task` (by index), and rejected recordings a part."""

    train: pd.Index
    validation: pd.Index
    target: pd.Index
    rejected: dict[Part, pd.DataFrame]

    def index(self, part: Part) -> pd.Index:
        """Return the index of one part."""
        return {"train": self.train, "validation": self.validation, "target": self.target}[part]


def name_domains(
    rows: pd.DataFrame, sources: Iterable[str], target: str | None, lists: Lists, *, need_rows: bool = True
) -> pd.DataFrame:
    """Return `rows` of manifests with the column `domain` telling to which of the task's domains each belongs.

    Rows that belong to none keep the name of their data set. `need_rows`: a value that no row has is a mistake. Raises
    UserError if a row belongs to two sources, or if `lists` let a row both train and be measured.
    """
    train_splits, validation_splits, target_splits = LIST_SPLITS[lists]
    domain, taken = rows["domain"].copy(), pd.Series(False, index=rows.index)
    for name in sources:
        mask = parse_slice(name).mask(rows, need_rows=need_rows)
        if (mask & taken).any():
            raise UserError(f"domain {name!r} shares recordings with another source; keep them apart")
        domain[mask], taken = name, taken | mask
    if target is not None:
        mask = parse_slice(target).mask(rows, need_rows=need_rows)
        measured = mask & rows["split"].isin(target_splits)
        if (measured & taken & rows["split"].isin(train_splits + validation_splits)).any():
            raise UserError(f"target {target!r} shares recordings with a source; {ONLY_OFFICIAL}")
        domain[measured | (mask & ~taken)] = target
    return rows.assign(domain=domain)


def split_task(
    frames: pd.DataFrame,
    sources: Iterable[str],
    target: str | None,
    lists: Lists,
    rejected: pd.DataFrame | None = None,
) -> TaskSplit:
    """Divide the labelled frames of prepared data sets into training, source validation and target.

    `frames` are the rows of one or more manifests with a unique index, their column `domain` named for the task (see
    `name_domains`); `rejected` their recordings without a face.
    `lists`: "ssdg" trains on and measures the splits train and test, and validates on dev; "official" trains on
    train, validates on dev, measures test; "everything" takes all splits on both sides. A source without frames for
    validation gives 15 % of its subjects (at least one, both classes among them), chosen by a hash of their names.
    Slices of one data set hold out the same subjects. Without `target` that part is empty. Raises UserError for an
    unknown domain, a subject of a data set in two parts, and a part without frames of a domain or class.
    """
    sources = tuple(sources)
    _check_names(frames, sources, target, lists)
    if not frames.index.is_unique:
        raise ValueError("the index of frames is not unique; concatenate manifests with ignore_index=True")
    frames = frames[frames["label"].notna()]
    rejected = frames.iloc[:0] if rejected is None else rejected[rejected["label"].notna()]
    held_out = _held_out_subjects(frames, sources, lists)
    part = _parts(frames, held_out, target, lists)
    _check_subjects(frames, part)
    rejected_part = _parts(rejected, held_out, target, lists)
    for source in sources:
        _check_part(frames[part == "train"], source, "train", lists)
        _check_part(frames[part == "validation"], source, "validation", lists)
    if target is not None:
        _check_part(frames[part == "target"], target, "target", lists)
    return TaskSplit(
        train=frames.index[part == "train"],
        validation=frames.index[part == "validation"],
        target=frames.index[part == "target"],
        rejected={name: rejected[rejected_part == name] for name in PARTS},
    )


def count_recordings(frames: pd.DataFrame, split: TaskSplit) -> pd.DataFrame:
    """Count recordings with a face: columns part, domain, class ("live" or "spoof"), recordings; for headers."""
    counts: list[tuple[str, str, str, int]] = []
    for part in PARTS:
        recordings = frames.loc[split.index(part)].drop_duplicates(["domain", "recording"])
        for domain in sorted(recordings["domain"].unique()):
            labels = recordings.loc[recordings["domain"] == domain, "label"]
            counts += [(part, domain, label.word, int((labels == label).sum())) for label in Label]
    return pd.DataFrame(counts, columns=["part", "domain", "class", "recordings"])


def _parts(rows: pd.DataFrame, held_out: dict[str, set[str]], target: str | None, lists: Lists) -> pd.Series:
    """Name the part of each row (of frames or of rejected recordings); rows of no part are empty."""
    train_splits, validation_splits, target_splits = LIST_SPLITS[lists]
    part = pd.Series("", index=rows.index, dtype=object)
    for source, subjects in held_out.items():
        of_source = rows["domain"] == source
        trains = of_source & rows["split"].isin(train_splits)
        part[trains] = "train"
        part[trains & rows["subject"].isin(subjects)] = "validation"
        part[of_source & rows["split"].isin(validation_splits)] = "validation"
    part[(rows["domain"] == target) & rows["split"].isin(target_splits)] = "target"
    return part


def _held_out_subjects(frames: pd.DataFrame, sources: tuple[str, ...], lists: Lists) -> dict[str, set[str]]:
    """Return, for each source, the subjects that validate instead of training; none where a split does so.

    Slices of one data set share them. Of each class the first subject in the order of hashes validates and the last
    one trains.
    """
    train_splits, validation_splits, _ = LIST_SPLITS[lists]
    held_out: dict[str, set[str]] = {}
    for source in sources:
        name = data_set_of(source)
        rows = frames[frames["domain"].isin([each for each in sources if data_set_of(each) == name])]
        if rows["split"].isin(validation_splits).any():
            held_out[source] = set()
        else:
            held_out[source] = _first_subjects(rows[rows["split"].isin(train_splits)], name)
    return held_out


def _first_subjects(rows: pd.DataFrame, data_set: str) -> set[str]:
    order = sorted(rows["subject"].unique(), key=lambda subject: stable_seed("held out", data_set, subject))
    number = max(1, round(HELD_OUT_SHARE * len(order)))
    of_class = [set(rows.loc[rows["label"] == label, "subject"]) for label in Label]
    having = [[subject for subject in order if subject in subjects] for subjects in of_class]
    stay = {subjects[-1] for subjects in having if subjects}
    held_out = {subjects[0] for subjects in having if subjects} - stay
    free = [subject for subject in order if subject not in held_out | stay]
    return held_out | set(free[: max(0, number - len(held_out))])


def _check_subjects(frames: pd.DataFrame, part: pd.Series) -> None:
    """Raise UserError if a subject of a data set is in two parts; subjects of two data sets are two persons."""
    used = frames.loc[part != "", ["domain", "subject"]].assign(part=part).drop_duplicates()
    used["domain"] = used["domain"].map(data_set_of)
    shared = used.groupby(["domain", "subject"], observed=True)["part"].nunique()
    if (shared > 1).any():
        data_set, subject = shared.index[shared > 1][0]
        raise UserError(
            f"subject {subject!r} of {data_set!r} would be in more than one of training, validation and target; "
            + ONLY_OFFICIAL
        )


def _check_names(frames: pd.DataFrame, sources: tuple[str, ...], target: str | None, lists: Lists) -> None:
    domains = sorted(frames["domain"].unique())
    for name in (*sources, *([] if target is None else [target])):
        if name not in domains:
            raise UserError(f"unknown domain {name!r}; {nearest(name, domains)}")
    if lists not in LIST_SPLITS:
        raise UserError(f"unknown lists {lists!r}; {nearest(lists, LIST_SPLITS)}")
    if target is not None:
        Task(sources, target, lists)
    elif not sources or len(set(sources)) < len(sources):
        raise UserError(f"sources {list(sources)}: name one domain or more, each once")


def _check_part(rows: pd.DataFrame, domain: str, part: Part, lists: Lists) -> None:
    labels = rows.loc[rows["domain"] == domain, "label"]
    for label in Label:
        if not (labels == label).any():
            raise UserError(
                f"domain {domain!r} has no {label.word} frames in part {part!r} with lists {lists!r}; "
                "choose other lists or leave the domain out"
            )
