"""Domains as a task names them: a data set, or a slice of one, written `phone[camera=phone-a+phone-b;session=1]`.

`+` joins values into one domain; `&` makes a domain of each: `phone[camera=a&b]` is `phone[camera=a]&phone[camera=b]`.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from dgfas.core.errors import UserError, nearest

#: The letters under which papers print the four data sets of the field; a data set of that very name goes first.
LETTERS = {"O": "oulu_npu", "C": "casia_fasd", "I": "replay_attack", "M": "msu_mfsd"}

FORM = "write a domain as NAME or NAME[column=value+value;column=value]"
NOT_IN_NAMES = re.compile(r"[\[\]&;+=]")
OUTSIDE_BRACKETS = r"(?![^\[]*\])"


@dataclass(frozen=True)
class Slice:
    """The recordings of a data set whose cells in some columns of the manifest are among given values."""

    data_set: str
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()  # (column, values) each

    def __str__(self) -> str:
        conditions = ";".join(f"{column}={'+'.join(values)}" for column, values in self.where)
        return f"{self.data_set}[{conditions}]" if conditions else self.data_set

    def mask(self, rows: pd.DataFrame, *, need_rows: bool = True) -> pd.Series:
        """Return which rows of a manifest belong to the slice.

        A column `camera` may also be called `factor_camera`. Raises UserError if a column is missing, or (if
        `need_rows`) if no row of the data set has one of the values.
        """
        own = rows["domain"] == stored_name(self.data_set, rows["domain"].unique())
        chosen = own.copy()
        for column, values in self.where if own.any() else ():
            cells = column_text(rows[own], column)
            unknown = sorted(set(values) - set(cells.unique())) if need_rows else []
            if unknown:
                hint = nearest(unknown[0], cells.unique())
                raise UserError(f"no recording of {self.data_set!r} has {unknown[0]!r} in column {column!r}; {hint}")
            chosen &= cells.isin(values).reindex(rows.index, fill_value=False)
        return chosen


def split_outside_brackets(text: str, separator: str) -> list[str]:
    """Cut `text` at each `separator` that is not within square brackets."""
    return [part.strip() for part in re.split(re.escape(separator) + OUTSIDE_BRACKETS, text)]


def parse_slices(text: str) -> list[Slice]:
    """Read `phone`, or `phone[camera=a&b;session=1+2]`, which is two domains. Raises UserError if malformed."""
    match = re.fullmatch(r"\s*([^\[\]&]*[^\[\]&\s])\s*(?:\[(.*)\])?\s*", text)
    if match is None or match[2] == "":
        raise UserError(f"domain {text!r}: {FORM}")
    choices: list[list[tuple[str, tuple[str, ...]]]] = []
    for condition in [] if match[2] is None else match[2].split(";"):
        column, _, right = (part.strip() for part in condition.partition("="))
        domains = [tuple(value.strip() for value in values.split("+")) for values in right.split("&")]
        names = [column, *itertools.chain(*domains)]
        if not all(names) or any(NOT_IN_NAMES.search(name) for name in names):
            raise UserError(f"domain {text!r}: {FORM}")
        choices.append([(column, values) for values in domains])
    return [Slice(match[1], where) for where in itertools.product(*choices)]


def parse_slice(text: str) -> Slice:
    """Read one domain. Raises UserError if it is malformed, or names several with `&`."""
    slices = parse_slices(text)
    if len(slices) > 1:
        raise UserError(f"domain {text!r} is {len(slices)} domains; join the values of one domain with +")
    return slices[0]


def data_set_of(name: str) -> str:
    """Return the data set that a domain is of: without its brackets, and in full where papers print a letter."""
    base = name.partition("[")[0].strip()
    return LETTERS.get(base, base)


def stored_name(name: str, domains: Iterable[str]) -> str:
    """Return the name under which prepared data hold a data set: its own, or that which its letter stands for."""
    return name if name in set(domains) else LETTERS.get(name, name)


def written(domains: Sequence[str]) -> str:
    """Write domains with `&` between them; neighbours that differ in the values of one column share their brackets."""
    groups: list[tuple[list[Slice], int | None]] = []  # slices, and the place of the one condition in which they differ
    for each in map(parse_slice, domains):
        place = _only_difference(groups[-1][0][-1], each) if groups else None
        if place is not None and groups[-1][1] in (None, place):
            groups[-1] = ([*groups[-1][0], each], place)
        else:
            groups.append(([each], None))
    return "&".join(_together(slices, place) for slices, place in groups)


def _only_difference(one: Slice, other: Slice) -> int | None:
    if one.data_set != other.data_set or [c for c, _ in one.where] != [c for c, _ in other.where]:
        return None
    places = [place for place, pair in enumerate(zip(one.where, other.where, strict=True)) if pair[0] != pair[1]]
    return places[0] if len(places) == 1 else None


def _together(slices: list[Slice], place: int | None) -> str:
    if place is None:
        return str(slices[0])
    column = slices[0].where[place][0]
    where = list(slices[0].where)
    where[place] = (column, ("&".join("+".join(each.where[place][1]) for each in slices),))
    return str(Slice(slices[0].data_set, tuple(where)))


def column_text(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of one data set's manifest as text, numbers without a needless point, empty cells as "".

    Raises UserError if there is no such column.
    """
    filled = [str(name) for name in rows.columns[rows.notna().any()]]
    name = column if column in filled else f"factor_{column}"
    if name not in filled:
        hint = nearest(column, [each.removeprefix("factor_") for each in filled])
        raise UserError(f"data set {rows['domain'].iloc[0]!r} has no column {column!r}; {hint}")
    texts = {cell: cell if isinstance(cell, str) else f"{cell:g}" for cell in rows[name].dropna().unique()}
    return rows[name].map(texts).fillna("")
