"""Protocols: lists of tasks, by name from YAML or made for the domains at hand."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from pydantic import Field

from dgfas.core.config import Lists, Strict, read_yaml, validated
from dgfas.core.errors import UserError, nearest
from dgfas.evaluation.parts import name_domains
from dgfas.evaluation.slices import LETTERS, column_text, parse_slice, stored_name
from dgfas.evaluation.tasks import DEFAULT_LISTS, Task, parse_task

NAMED_PROTOCOLS = Path(__file__).with_name("protocols.yaml")


class Protocol(Strict):
    """A named protocol as YAML has it; the tasks are written as `parse_task` reads them."""

    about: str
    lists: Lists = DEFAULT_LISTS
    tasks: tuple[str, ...] = Field(min_length=1)

    def parsed(self) -> list[Task]:
        """Return the tasks; one that names no lists takes the protocol's."""
        return [parse_task(text, self.lists) for text in self.tasks]


def leave_one_out(domains: Iterable[str], lists: Lists = DEFAULT_LISTS) -> list[Task]:
    """Return one task a domain: that domain is the target and all others are sources, in the given order."""
    names = _two_or_more(domains, "leave-one-out")
    return [Task(tuple(name for name in names if name != target), target, lists) for target in names]


def single_source(domains: Iterable[str], lists: Lists = DEFAULT_LISTS) -> list[Task]:
    """Return one task an ordered pair: each domain alone is the source, each other one the target."""
    names = _two_or_more(domains, "single-source")
    return [Task((source,), target, lists) for source in names for target in names if target != source]


def intra_domain(domains: Iterable[str], lists: Lists = "official") -> list[Task]:
    """Return one task a domain: it trains on its training subjects and is measured on its test subjects."""
    return [Task((name,), name, lists) for name in domains]


#: Protocols that are made for the domains at hand, or for those named behind a colon.
FAMILIES: dict[str, tuple[Callable[..., list[Task]], str]] = {
    "leave-one-out": (leave_one_out, "each domain in turn is the target, all others train"),
    "single-source": (single_source, "each domain alone trains, each other one is measured"),
    "intra": (intra_domain, "each domain trains and is measured on subjects of its own (official lists)"),
}


def named_protocols() -> dict[str, Protocol]:
    """Return the protocols that come with the package."""
    return {name: validated(Protocol, values, name) for name, values in read_yaml(NAMED_PROTOCOLS).items()}


def resolve_protocol(
    name: str, domains: Sequence[str], frames: pd.DataFrame | None = None, lists: Lists | None = None
) -> list[Task]:
    """Return the tasks of a protocol on prepared data.

    `name` is a task ("desk&webcam to phone"), a named protocol ("ocim"), a YAML file with the keys of one, or a family:
    "leave-one-out" over all `domains`, "leave-one-out:desk,webcam,phone" over some, "leave-one-out:phone[camera]" over
    the values of a column within one data set; "single-source" and "intra" alike. `domains` are the data sets that are
    prepared or will be simulated, `frames` the rows of their manifests (needed for a family over a column). `lists`
    replaces the protocol's own. Raises UserError for an unknown protocol, a malformed task, or a data set or slice
    that is not there.
    """
    tasks = protocol_tasks(name, domains, frames, lists)
    _check_prepared(name, tasks, domains, frames)
    return tasks


def protocol_tasks(
    name: str, domains: Sequence[str], frames: pd.DataFrame | None = None, lists: Lists | None = None
) -> list[Task]:
    """Return the tasks of a protocol as `resolve_protocol` does, whether their data sets are there or not.

    Raises UserError for a protocol that is unknown.
    """
    family, _, argument = name.partition(":")
    if " to " in name:
        tasks = [parse_task(name)]
    elif name.endswith((".yaml", ".yml")):
        tasks = validated(Protocol, read_yaml(Path(name)), name).parsed()
    elif family in FAMILIES:
        tasks = _of_family(family, argument, domains, frames)
    else:
        known = named_protocols()
        if name not in known:
            raise UserError(f"unknown protocol {name!r}; {nearest(name, [*known, *FAMILIES])}")
        tasks = known[name].parsed()
    if lists is not None:
        tasks = [replace(task, lists=lists) for task in tasks]
    return tasks


def _of_family(family: str, argument: str, domains: Sequence[str], frames: pd.DataFrame | None) -> list[Task]:
    make = FAMILIES[family][0]
    if "[" in argument and "=" not in argument:
        return make(_values(argument, frames), lists="official")
    named = [part.strip() for part in argument.split(",")] if argument else list(domains)
    return make(named)


def _values(argument: str, frames: pd.DataFrame | None) -> list[str]:
    """Return the slices of `phone[camera]`: one domain a value of the column."""
    data_set, _, column = argument.rstrip("] ").partition("[")
    if frames is None:
        raise UserError(f"protocol over {argument!r}: the data set must be there first, so that its values are known")
    own = frames[frames["domain"] == stored_name(data_set, frames["domain"].unique())]
    if own.empty:
        raise UserError(f"protocol over {argument!r}: {_not_prepared(data_set, sorted(frames['domain'].unique()))}")
    return [f"{data_set}[{column}={value}]" for value in sorted(set(column_text(own, column)) - {""})]


def _two_or_more(domains: Iterable[str], protocol: str) -> list[str]:
    names = list(domains)
    if len(names) < 2:
        raise UserError(f"{protocol} needs two domains or more; given: {', '.join(names) or 'none'}")
    return names


def _check_prepared(name: str, tasks: Sequence[Task], domains: Sequence[str], frames: pd.DataFrame | None) -> None:
    for domain in dict.fromkeys(domain for task in tasks for domain in (*task.sources, task.target)):
        data_set = parse_slice(domain).data_set
        if stored_name(data_set, domains) not in domains:
            raise UserError(f"protocol {name!r}: {_not_prepared(data_set, domains)}")
    if frames is not None:
        recordings = frames.drop_duplicates(["domain", "recording"])
        for task in tasks:
            name_domains(recordings, task.sources, task.target, task.lists)


def _not_prepared(data_set: str, domains: Sequence[str]) -> str:
    printed = f" (printed {data_set})" if data_set in LETTERS else ""
    return (
        f"data set {LETTERS.get(data_set, data_set)!r}{printed} is not prepared; the data hold "
        f"{', '.join(domains) or 'nothing'}; prepare it with `dgfas prepare` and name its folder with --data"
    )
