"""Write a file whole or not at all, read JSON, say which file it is, and keep other processes out."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dgfas.core.errors import UserError


def write_whole(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Write text (UTF-8) or bytes to `path`; whoever looks meanwhile, or after a kill, sees the old file or the new.

    With `durable` the new file also survives a loss of power. Raises OSError, leaving the old file, if it cannot be
    written.
    """
    temporary = path.with_name(path.name + ".partial")
    try:
        with temporary.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """Read a JSON object that has `keys`. Raises UserError naming the file."""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error})") from error
    if not isinstance(content, dict) or not set(keys) <= set(content):
        raise UserError(f"{path}: is damaged; it must hold {', '.join(keys) or 'keys and values'}")
    return content


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object at once or not at all."""
    write_whole(path, json.dumps(content, indent=2) + "\n")


def hash_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(path: Path, *, busy: str | None = None) -> Iterator[None]:
    """Hold the lock file `path`; a killed process holds it no longer.

    Where another process holds it: wait for that or, if `busy` is given, raise UserError with these words. The file
    stays, empty: who waits for a file that is then removed would hold another lock than who comes after.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX if busy is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(str(busy)) from None
        yield
