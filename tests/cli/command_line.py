"""`dgfas WORDS` in this process, as a user types it."""

import contextlib
import io
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dgfas.cli import main, shared

shared.LINE_EVERY = math.inf  # a slow machine prints no lines of progress between those that tests read
#: 32 px, narrow, two iterations, one thread.
TINY = ["network.image_size=32", "network.width=0.1", "training.batch_per_class=2", "training.threads=1"]
TINY = [word for value in TINY for word in ("--set", value)]


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def mistake(self) -> str:
        """The one line of a refused command; fails if there is anything else."""
        assert self.code == 2, self
        lines = self.err.strip().splitlines()
        assert [line[:7] for line in lines] == ["dgfas: "], self
        return lines[0]


def dgfas(*words: object) -> Answer:
    """Run `dgfas WORDS` in this process."""
    before, out, err = sys.argv, io.StringIO(), io.StringIO()
    sys.argv = ["dgfas", *map(str, words)]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as end:
            main()
    finally:
        sys.argv = before
    return Answer(int(end.value.code or 0), out.getvalue(), err.getvalue())


def succeed(*words: object) -> Answer:
    """Run `dgfas WORDS` and expect exit code 0."""
    answer = dgfas(*words)
    assert answer.code == 0, answer
    return answer


def train(run: Path, data: Path, *words: object, iterations: int = 2, target: str = "phone") -> Answer:
    """Run a tiny `dgfas train`."""
    length = ["--set", f"training.iterations={iterations}"]
    return dgfas("train", run, "--data", data, "--target", target, *TINY, *length, *words)
