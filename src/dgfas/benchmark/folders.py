"""Where the data of a study lie: in folders that are named one by one, or in one folder that holds one a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dgfas.core.errors import UserError
from dgfas.core.manifest import MANIFEST_NAME, Manifest, is_data_set
from dgfas.datasets.registry import readers
from dgfas.evaluation.protocols import protocol_tasks, resolve_protocol
from dgfas.evaluation.slices import parse_slice, stored_name
from dgfas.evaluation.tasks import Task
from dgfas.simulation.capture_domains import CAPTURE_DOMAINS
from dgfas.training.task_data import check_domains_once, prepared_frames


@dataclass(frozen=True)
class Folders:
    """Which prepared data set holds which domain. In a path `{seed}` stands for the seed."""

    of_domain: dict[str, Path]
    frames: pd.DataFrame | None  # rows of their manifests at the first seed; None if they are still to be drawn

    def tasks(self, protocols: Sequence[str]) -> list[Task]:
        """Return the tasks of protocols on these data, see `resolve_protocol`."""
        tasks = [task for text in protocols for task in resolve_protocol(text, list(self.of_domain), self.frames)]
        return list({str(task): task for task in tasks}.values())  # a task that two protocols share is done once

    def of(self, task: Task) -> tuple[Path, ...]:
        """Return the folders that a task needs, in the order of its domains, so that no other task moves them."""
        return tuple(dict.fromkeys(self.of_domain[name] for name in _needed([task], list(self.of_domain))))


def of_seed(path: Path, seed: int) -> Path:
    """Return the path of the data of a seed."""
    return Path(str(path).replace("{seed}", str(seed)))


def drawn(path: Path) -> Folders:
    """Return the folder of a simulated data set that need not be there yet."""
    return Folders(dict.fromkeys(CAPTURE_DOMAINS, path), None)


def given(paths: Sequence[Path], seed: int) -> Folders:
    """Return these prepared data sets. Raises UserError if one is none, or a domain is in two of them."""
    roots = [of_seed(path, seed) for path in paths]
    frames = prepared_frames(roots)
    check_domains_once(frames, roots)
    held = frames.drop_duplicates("domain")
    return Folders({name: paths[number] for name, number in zip(held["domain"], held["data_set"], strict=True)}, frames)


def below(root: Path, protocols: Sequence[str], seed: int) -> Folders:
    """Return the data sets that some protocols need, each in its own folder of `root`: oulu_npu in `oulu-npu`.

    Others need not be there. Raises UserError, naming the command that makes it, for one that is missing, unfinished or
    another data set than its folder says.
    """
    here = of_seed(root, seed)
    places = [_place(folder) for folder in sorted(here.glob("*")) if is_data_set(folder)]
    at_hand = {place.name: place for place in places}
    frames = _rows([place for place in places if place.fault is None])
    tasks = [task for text in protocols for task in protocol_tasks(text, list(at_hand), frames)]
    needed = {
        name: at_hand[name] if name in at_hand else _place(here / _word(name)) for name in _needed(tasks, list(at_hand))
    }
    faulty = {name: place for name, place in needed.items() if place.fault is not None}
    for name, place in faulty.items():
        others = " and ".join(_word(other) for other in faulty if other != name)
        also = f"; {others} will not do either" if others else ""
        raise UserError(f"{place.folder}: {place.fault}; make it by `{_command(name, place.folder)}`{also}")
    return Folders({name: root / _word(name) for name in needed}, _rows(list(needed.values())))


def _needed(tasks: Sequence[Task], names: Sequence[str]) -> list[str]:
    """Return the data sets of tasks, each once, as they are called where they are prepared."""
    domains = [domain for task in tasks for domain in (*task.sources, task.target)]
    return list(dict.fromkeys(stored_name(parse_slice(domain).data_set, names) for domain in domains))


@dataclass(frozen=True)
class _Place:
    """A folder that should hold the data set of its name: its rows, or what is wrong with it."""

    folder: Path
    name: str
    frames: pd.DataFrame | None = None
    fault: str | None = None


def _place(folder: Path) -> _Place:
    """Read the data set that a folder is named for; others that it may hold are left out."""
    guess = folder.name.replace("-", "_")
    if not folder.is_dir():
        return _Place(folder, guess, fault="does not exist")
    if not (folder / MANIFEST_NAME).is_file():
        fault = "is not prepared to its end" if is_data_set(folder) else f"holds no prepared data set ({MANIFEST_NAME})"
        return _Place(folder, guess, fault=fault)
    try:
        frames = Manifest.read(folder).frames
    except UserError as error:
        return _Place(folder, guess, fault=str(error).removeprefix(f"{folder}/"))
    domains = [str(name) for name in frames["domain"].unique()]
    own = [name for name in domains if _word(name) == folder.name]
    if not own:
        held = ", ".join(domains) or "no frame"
        return _Place(folder, guess, fault=f"holds {held}, not {guess}; move it elsewhere")
    return _Place(folder, own[0], frames[frames["domain"] == own[0]])


def _rows(places: Sequence[_Place]) -> pd.DataFrame | None:
    tables = [place.frames for place in places if place.frames is not None]
    return pd.concat(tables, ignore_index=True) if tables else None


def _word(name: str) -> str:
    """Return the name of a data set's folder."""
    return name.replace("_", "-")


def _command(name: str, folder: Path) -> str:
    if name in {reader.name for reader in readers()}:
        return f"dgfas prepare {_word(name)} SOURCE {folder}"
    if name in CAPTURE_DOMAINS:
        return f"dgfas simulate {folder} --domain {name}"
    return f"dgfas prepare folder SOURCE {folder} --domain {name}"
