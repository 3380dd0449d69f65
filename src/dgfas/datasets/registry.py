"""Find a reader by the name of its data set, or by the path of a Python file that holds `READER`."""

import importlib
from pathlib import Path

from dgfas.core.errors import UserError, nearest
from dgfas.core.own_code import module_of
from dgfas.datasets.reader import Reader

MODULES = ("oulu_npu", "casia_fasd", "replay_attack", "msu_mfsd", "celeba_spoof", "siw", "rose_youtu")


def readers() -> list[Reader]:
    """Return the readers that come with the package."""
    return [importlib.import_module(f"dgfas.datasets.{module}").READER for module in MODULES]


def find_reader(name: str) -> Reader:
    """Return a reader by name ("oulu-npu", "oulu_npu") or by the path of a Python file ("my_set.py").

    Raises UserError for a name that no reader has, and for a file that does not define `READER`.
    """
    if name.endswith(".py"):
        return _reader_of_file(Path(name))
    words = {reader.word: reader for reader in readers()}
    word = name.lower().replace("_", "-")
    if word not in words:
        raise UserError(f"unknown data set {name!r}; {nearest(word, words)}, or the path of a reader (my_set.py)")
    return words[word]


def _reader_of_file(path: Path) -> Reader:
    if not path.is_file():
        raise UserError(f"{path}: does not exist; a reader is a Python file that defines READER")
    reader = getattr(module_of(path, "reader"), "READER", None)
    if not isinstance(reader, Reader):
        raise UserError(f"{path}: does not define READER, a dgfas.datasets.reader.Reader")
    return reader
