"""The `dgfas` commands that a page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
INLINE = re.compile(r"`dgfas ([^`]+)`")
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def documented_commands(page: Path) -> list[list[str]]:
    """Return the words after `dgfas` of every whole command in the code blocks of a page, without comments."""
    blocks = [
        text for language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if language in ("", "sh", "bash")
    ]
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    commands = [shlex.split(line, comments=True)[1:] for line in lines if line.lstrip().startswith("dgfas ")]
    return [words for words in commands if "..." not in words]


def mentioned_commands(page: Path) -> list[list[str]]:
    """Return the words after `dgfas` of every command, whole or not, that a page's text mentions."""
    return [text.split() for text in INLINE.findall(page.read_text(encoding="utf-8"))]
