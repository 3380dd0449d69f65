"""Every command that the documentation shows names verbs, arguments and options that there are."""

from __future__ import annotations

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from dgfas.cli import app
from documented_commands import DOCS, documented_commands

PAGES = [page for page in [*sorted(DOCS.rglob("*.md")), DOCS.parent / "README.md"] if documented_commands(page)]


def parse(words: list[str]) -> None:
    """Read the words of a command as the command line does, without doing it."""
    command, rest = get_command(app), [word for word in words if word != "--help"]
    while isinstance(command, TyperGroup):
        with command.make_context("dgfas", ["--", *rest], resilient_parsing=True) as context:
            command = command.get_command(context, rest.pop(0))
    assert command is not None, words
    command.make_context("dgfas", rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_parse(page) -> None:
    for words in documented_commands(page):
        parse(words)


@pytest.mark.parametrize(
    "words", [["trian", "run"], ["prepare", "oulu", "a", "b"], ["benchmark", "ocim", "--out", "x", "--dataroot", "y"]]
)
def test_a_command_that_is_none_does_not_parse(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"trian|oulu|dataroot"):
        parse(words)
