"""A task: source domains that train, one target that is measured, and which lists of recordings."""

import hashlib
import re
from dataclasses import dataclass
from typing import get_args

from dgfas.core.config import Lists
from dgfas.core.errors import UserError
from dgfas.evaluation.slices import parse_slice, parse_slices, split_outside_brackets, written

DEFAULT_LISTS: Lists = "ssdg"
LONGEST_FILE_NAME = 120  # characters; file systems take 255 bytes, and results add to it


@dataclass(frozen=True)
class Task:
    """Source domains and one target domain, written `desk&webcam&laptop to phone`.

    A domain is a data set or a slice of one (see `slices`). `lists` are written where they are not the default:
    `phone to phone (official)`. Only with "official" may the target also be a source: its splits share no subject.
    Raises UserError if the task is not of that form.
    """

    sources: tuple[str, ...]
    target: str
    lists: Lists = DEFAULT_LISTS

    def __post_init__(self) -> None:
        names = [*self.sources, self.target]
        if not self.sources or not all(names):
            raise UserError(f"task {self._written_plainly()!r}: write it as source&source to target")
        for name in names:
            parse_slice(name)
        if self.target in self.sources and self.lists != "official":
            raise UserError(
                f"task {str(self)!r}: target {self.target!r} is also a source; a target must be unseen "
                "(only the official lists divide one domain)"
            )
        if len(set(self.sources)) < len(self.sources):
            raise UserError(f"task {self._written_plainly()!r}: a source comes twice")

    def __str__(self) -> str:
        lists = "" if self.lists == DEFAULT_LISTS else f" ({self.lists})"
        return f"{written(self.sources)} to {self.target}{lists}"

    @property
    def key(self) -> tuple[frozenset[str], str, Lists]:
        """What two tasks share that differ in the order of their sources alone."""
        return frozenset(self.sources), self.target, self.lists

    @property
    def file_name(self) -> str:
        """The task as the name of a file or folder."""
        return file_name(str(self))

    def _written_plainly(self) -> str:
        return f"{'&'.join(self.sources)} to {self.target}"


def file_name(text: str) -> str:
    """Return a task or domain as the name of a file or folder: no blanks, no slashes, at most 120 characters."""
    name = text.replace(" ", "-").replace("/", "_")
    if len(name) <= LONGEST_FILE_NAME:
        return name
    return f"{name[: LONGEST_FILE_NAME - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def parse_task(text: str, lists: Lists = DEFAULT_LISTS) -> Task:
    """Read a task from `desk&webcam&laptop to phone` or `phone to phone (official)`; `lists` where it names none.

    Raises UserError if it is not of that form.
    """
    match = re.fullmatch(rf"(.*) \(({'|'.join(get_args(Lists))})\)\s*", text)
    task, own_lists = (match[1], match[2]) if match else (text, lists)
    sources, *target = split_outside_brackets(task, " to ")
    if len(target) != 1 or not sources or not target[0]:
        raise UserError(f"task {text!r}: write it as source&source to target")
    try:
        names = [str(each) for part in split_outside_brackets(sources, "&") for each in parse_slices(part)]
        return Task(tuple(names), str(parse_slice(target[0])), own_lists)  # type: ignore[arg-type]
    except UserError as error:
        raise error if str(error).startswith("task") else UserError(f"task {text!r}: {error}") from error
