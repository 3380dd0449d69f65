"""Scores on disk: `scores.csv`, a row a frame, of dgfas or of any other system."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

from dgfas.core.errors import UserError
from dgfas.core.files import write_whole
from dgfas.core.label import Label
from dgfas.evaluation.scores import COLUMNS, ScoreRange, Scores, require, require_columns

#: "3.0" is how pandas writes the 3 of a column with empty cells.
WHOLE_NUMBER = re.compile(r"([+-]?[0-9]{1,19})(?:\.0*)?")
LABEL_WORDS = {"0": Label.SPOOF, "1": Label.LIVE, "spoof": Label.SPOOF, "live": Label.LIVE}


def read_scores(path: str | Path, score_range: ScoreRange = "unit") -> Scores:
    """Read and check a `scores.csv` whose scores are within `score_range`.

    Raises UserError naming the file, line and column at fault.
    """
    text = _table(path)
    score, frame, label = text["score"], text["frame"], text["label"]
    numbers = {"frame": _whole_numbers(frame, str(path)), "score": _numbers(score, str(path))}
    require((label == "") | label.isin(LABEL_WORDS), label, str(path), "is neither 0 (spoof) nor 1 (live)")
    return Scores(text.assign(**numbers, label=label.map(LABEL_WORDS)), str(path), score_range)


def write_scores(path: str | Path, scores: Scores) -> None:
    """Write a `scores.csv` at once or not at all; reading it back gives the same numbers to the last bit."""
    write_whole(Path(path), scores.rows.to_csv(index=False, lineterminator="\n"))


def _table(path: str | Path) -> pd.DataFrame:
    """Return the stripped cells of a CSV file as texts, with the columns of `COLUMNS` and the line of each row."""
    line, lines, table = 1, [], []
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                lines.append(line)
                table.append([cell.strip() for cell in cells])
                line = reader.line_num + 1
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not a CSV table in UTF-8 ({error}); save it as one") from error
    except csv.Error as error:
        raise UserError(f"{path}: line {line}: is not a row of CSV ({error}); mend its quotation marks") from error
    if not table:
        raise UserError(f"{path}: is empty; the first line must be {','.join(COLUMNS)}")
    header, *rows = table
    if len(header) < 2:
        shown = "".join(header)[:60]
        raise UserError(f"{path}: line 1: {shown!r} has no commas; use commas between columns: {','.join(COLUMNS)}")
    for name in header:
        if name and header.count(name) > 1:
            raise UserError(f"{path}: line 1: column {name!r} comes {header.count(name)} times; keep one of them")
    for line, cells in zip(lines[1:], rows, strict=True):
        if len(cells) != len(header):
            fault = f"has {len(cells)} cells where the header has {len(header)}"
            raise UserError(f"{path}: line {line}: {fault}; write one for each column, empty ones too")
    text = pd.DataFrame(rows, columns=header, index=pd.Index(lines[1:], name="line"), dtype=object)
    require_columns(text, str(path))
    return text[COLUMNS]


def _whole_numbers(cells: pd.Series, origin: str) -> pd.Series:
    found = [WHOLE_NUMBER.fullmatch(cell) for cell in cells]
    whole = [int(match[1]) if match and abs(int(match[1])) < 2**63 else None for match in found]
    numbers = pd.Series(whole, index=cells.index, dtype="Int64")
    fault = "is not a whole number in plain digits below 2^63; leave the cell empty if there is none"
    require((cells == "") | numbers.notna(), cells, origin, fault)
    return numbers


def _numbers(cells: pd.Series, origin: str) -> pd.Series:
    numbers = pd.to_numeric(cells.replace("", None), errors="coerce")
    require((cells == "") | numbers.notna(), cells, origin, "is not a number; leave the cell empty if there is none")
    exact = [float(cell) if cell else np.nan for cell in cells]
    return pd.Series(exact, index=cells.index, dtype=float)
