"""A folder that anybody may enter, and to be somebody without rights."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in folder.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.fixture
def somebody_else(open_folder: Path) -> Iterator[Callable[[], None]]:
    """Return what makes root somebody without rights, for as long as the test lasts."""
    me = os.geteuid()
    yield lambda: os.seteuid(65534) if me == 0 else None
    os.seteuid(me)
