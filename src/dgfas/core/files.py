"""Write a file whole or not at all, say which file it is, and keep other processes out."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dgfas.core.errors import UserError


def write_whole(path: Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes to `path`; whoever looks meanwhile, or after a kill, sees the old file or the new."""
    temporary = path.with_name(path.name + ".partial")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(temporary, path)


def hash_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(path: Path, *, busy: str | None = None) -> Iterator[None]:
    """Hold the lock file `path`, which goes at the end; a killed process holds it no longer.

    Where another process holds it: wait for that or, if `busy` is given, raise UserError with these words.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if busy is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(str(busy)) from None
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
