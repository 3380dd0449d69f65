"""The folders in which photos and videos are looked for."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from dgfas.core.errors import UserError
from dgfas.core.manifest import is_data_set


def walk(root: Path, notes: list[str], passed_over: Collection[str] = ()) -> Iterator[tuple[Path, list[str]]]:
    """Yield every folder from `root` on with the names of its files, hidden ones left out.

    Symbolic links are followed after all else, and no folder is read twice. Prepared data sets, and folders with a name
    in `passed_over` (lower case), are left out. Appends to `notes`. Raises UserError if a folder cannot be read.
    """
    seen: set[str] = set()
    waiting = [root]
    for top in waiting:  # grows by the links that are found
        for folder, below, files in os.walk(top, onerror=_refuse):
            place, real = Path(folder), os.path.realpath(folder)
            names = sorted(name for name in below if _shown(name) and name.casefold() not in passed_over)
            below.clear()
            if real in seen:
                notes.append(f"{place}: is a folder that was read under another name, and was passed over")
            elif is_data_set(place):  # its crops are no photos
                notes.append(f"{place}: is a prepared data set and was passed over")
            else:
                below += [name for name in names if not (place / name).is_symlink()]
                waiting += [place / name for name in names if (place / name).is_symlink()]
                yield place, sorted(name for name in files if _shown(name))
            seen.add(real)


def _shown(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _refuse(error: OSError) -> None:
    raise UserError(f"{error.filename}: cannot be read ({error.strerror}); mend the permissions or the path")
