"""Write a file whole or not at all."""

import os
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes to `path`; whoever looks meanwhile, or after a kill, sees the old file or the new."""
    temporary = path.with_name(path.name + ".partial")
    temporary.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(temporary, path)
