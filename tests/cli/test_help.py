"""What somebody reads who has never seen the program."""

import re

import pytest
from command_line import dgfas

VERBS = [
    "simulate",
    "prepare",
    "train",
    "evaluate",
    "score",
    "benchmark",
    "report",
    "export",
    "serve",
    "demo",
    "doctor",
]


@pytest.mark.parametrize(
    "words", [[], *([verb] for verb in VERBS), ["prepare", "folder"], ["prepare", "merge"]], ids=" ".join
)
def test_the_help_of_a_verb_has_an_example_and_fits_80_columns(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    answer = dgfas(*words, "--help")
    assert answer.code == 0
    assert f"  Example: dgfas {' '.join(words)}" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80
    assert not re.search(r"\w\.\.\.$", answer.out, re.MULTILINE)  # no text is cut


def test_an_example_is_one_line_to_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for verb in VERBS:
        lines = dgfas(verb, "--help").out.splitlines()
        for number, line in enumerate(lines):
            if "Example: " in line:
                assert lines[number + 1].strip() == ""


def test_the_verbs_come_in_the_order_of_work() -> None:
    listed = re.findall(r"^  (\w+) ", dgfas("--help").out.partition("Commands:")[2].partition("\n\n")[0], re.MULTILINE)
    assert listed == VERBS


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["trian"], "No such command 'trian'"),
        (["train", "run", "--methd", "rfm"], "No such option: --methd"),
        (["simulate"], "Missing argument 'OUT'"),
        (["simulate", "x", "--subjects", "many"], "--subjects"),
        (["evaluate", "run", "--select", "best"], "'best' is not one of"),
        (["score", "photo.jpg"], "Missing option '--model'"),
    ],
)
def test_a_wrong_word_is_refused(words: list[str], fault: str) -> None:
    answer = dgfas(*words)
    assert answer.code == 2
    assert fault in answer.err
    assert "Traceback" not in answer.err
