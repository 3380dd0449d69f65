"""A CSV file that says what the recordings of a folder are."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dgfas.core.errors import UserError, nearest
from dgfas.core.label import Label
from dgfas.core.manifest import SCHEMA
from dgfas.datasets.folder_names import Facts, parse_label, parse_species, parse_split

#: The columns with a meaning; only `path` is required. Any other column is kept as a factor of the recording.
COLUMNS = ("path", "recording", "label", "species", "subject", "domain", "split", "box")

#: Quarter turns, counter-clockwise.
TURNS = ("0", "1", "2", "3", "-1", "-2", "-3")


@dataclass(frozen=True)
class TableRow:
    """One line of the table: a file, or a folder of frames, relative to the folder that is read."""

    line: int
    path: str
    recording: str | None
    facts: Facts
    factors: dict[str, str]


def read_table(table: Path) -> Iterator[TableRow]:
    """Yield the rows of a CSV file with a header.

    Columns: `path` (file, or folder of extracted frames), `label` (live or spoof, or one of the words and numbers of
    `parse_label`), `species`, `subject`, `domain`, `split` (train, dev, test), `recording` (files with the same value
    are frames of one recording, in the order of the lines), `box` ("left top right bottom" in pixels of the upright
    image, for the detector "given"), `quarter_turns` (counter-clockwise, that make the files upright). Empty cells are
    unknown. Other columns become factors. Raises UserError naming the line and column at fault.
    """
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            header = list(reader.fieldnames or [])
            _check_header(header, table)
            for cells in reader:
                yield _row(cells, reader.line_num, table)
    except OSError as error:
        raise UserError(f"{table}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{table}: not a readable CSV file ({error})") from error


def _check_header(header: list[str], table: Path) -> None:
    if "path" not in header:
        raise UserError(f"{table}: column 'path' is missing; {nearest('path', header)}")
    if len(set(header)) < len(header):
        raise UserError(f"{table}: a column name appears twice in the header")
    for name in header:
        if name in SCHEMA and name not in COLUMNS:
            raise UserError(f"{table}: column {name!r} is written by `dgfas prepare` itself; rename it")


def _row(cells: dict[str, str | None], line: int, table: Path) -> TableRow:
    where = f"{table}: line {line}"
    if None in cells or None in cells.values():
        raise UserError(f"{where}: has not as many cells as the header")
    filled = {name: str(cell).strip() for name, cell in cells.items() if str(cell).strip()}
    if "path" not in filled:
        raise UserError(f"{where}: column 'path' is empty")
    if Path(filled["path"]).is_absolute() or ".." in Path(filled["path"]).parts:
        raise UserError(f"{where}: column 'path': {filled['path']!r} must lie below the folder that is read")
    label = parse_label(filled["label"], where) if "label" in filled else None
    species = parse_species(filled["species"]) if "species" in filled else None
    if species is not None and label is None:
        label = Label.LIVE if species == "live" else Label.SPOOF
    if species is not None and (label is Label.LIVE) != (species == "live"):
        raise UserError(f"{where}: species {filled['species']!r} contradicts label {filled['label']!r}")
    facts = Facts(
        domain=filled.get("domain"),
        subject=filled.get("subject"),
        label=label,
        species=species,
        split=parse_split(filled["split"], where) if "split" in filled else None,
    )
    if filled.get("quarter_turns", "0") not in TURNS:
        raise UserError(
            f"{where}: column 'quarter_turns': {filled['quarter_turns']!r} is not a number of turns by 90 degrees; "
            "write 0, 1, 2 or 3 (counter-clockwise)"
        )
    if "box" in filled and not _is_box(filled["box"]):
        raise UserError(f"{where}: column 'box': {filled['box']!r} is not 'left top right bottom' in pixels")
    factors = {name: cell for name, cell in filled.items() if name not in COLUMNS or name == "box"}
    return TableRow(line, filled["path"], filled.get("recording"), facts, factors)


def _is_box(text: str) -> bool:
    try:
        left, top, right, bottom = (float(number) for number in text.split())
    except ValueError:
        return False
    return all(map(math.isfinite, (left, top, right, bottom))) and left < right and top < bottom
