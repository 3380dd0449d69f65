"""Every command that the documentation shows names verbs, arguments and options that there are."""

from __future__ import annotations

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from dgfas.cli import app
from documented_commands import DOCS, documented_commands, mentioned_commands

ALL_PAGES = [*sorted(DOCS.rglob("*.md")), DOCS.parent / "README.md"]
PAGES = [page for page in ALL_PAGES if documented_commands(page)]


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


def unknown_options(words: list[str]) -> set[str]:
    """The options of an incomplete command that its verb has not."""
    command, rest = get_command(app), list(words)
    while isinstance(command, TyperGroup) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    verbs = list(command.commands.values()) if isinstance(command, TyperGroup) else [command]  # prepare ...: any of its
    parameters = [parameter for verb in verbs for parameter in verb.params]
    known = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
    return {word for word in rest if word.startswith("--")} - known


def test_options_that_a_text_mentions_are_there() -> None:
    mentioned = [(page.name, words) for page in ALL_PAGES for words in mentioned_commands(page)]
    assert len(mentioned) > 20
    assert {(page, *words): found for page, words in mentioned if (found := unknown_options(words))} == {}
    assert unknown_options(["simulate", "OUT", "--domains", "phone"]) == {"--domains"}
