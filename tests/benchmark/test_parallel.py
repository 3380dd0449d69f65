"""Processes: a killed one costs one call, Ctrl-C ends all, and none remains."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dgfas.benchmark.parallel import Processes, run_in_parallel
from dgfas.core.errors import UserError
from dgfas.core.progress import Silent

HERE = Path(__file__).parent


def double(number: int, report: Silent) -> int:
    report.progress("doubling", number, 4)
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 3:
        os._exit(7)
    if number == 9:
        raise UserError("nine is too many")
    report.note("doubled")
    return 2 * number


class Heard(Silent):
    def __init__(self) -> None:
        self.lines: list[tuple[object, ...]] = []

    def note(self, text: str) -> None:
        self.lines.append((text,))

    def progress(self, name: str, done: int, total: int) -> None:
        self.lines.append((name, done, total))


@pytest.mark.parametrize("number", [1, 2])
def test_a_killed_process_is_one_failure(number: int) -> None:
    heard = Heard()
    calls = [(f"n{n}", (n,)) for n in (2, 1, 3, 4, 5)]
    answers = {calls[answer.number][0]: answer for answer in Processes(number).answers(double, calls, heard)}
    assert {name: answer.result for name, answer in answers.items()} == {
        "n1": 2,
        "n2": None,
        "n3": None,
        "n4": 8,
        "n5": 10,
    }
    assert "killed (SIGKILL, out of memory?)" in str(answers["n2"].error)
    assert "exit code 7" in str(answers["n3"].error)
    assert ("n4: doubling", 4, 4) in heard.lines
    assert ("n4: doubled",) in heard.lines


def test_results_come_in_order_and_a_mistake_is_raised_as_it_was() -> None:
    assert run_in_parallel(double, [(str(n), (n,)) for n in (5, 1, 4)], 2, Silent()) == [10, 2, 8]
    with pytest.raises(UserError, match="nine is too many"):
        run_in_parallel(double, [("9", (9,)), ("1", (1,))], 1, Silent())


def test_a_killed_process_is_said_in_a_line() -> None:
    with pytest.raises(UserError, match=r"^rfm: its process was killed .*; give the command again"):
        run_in_parallel(double, [("rfm", (2,)), ("1", (1,))], 2, Silent())


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import test_parallel
from dgfas.benchmark.parallel import Processes
from dgfas.core.progress import Printed
if __name__ == "__main__":
    try:
        for answer in Processes(2).answers(test_parallel.sleep, [(str(n), (n,)) for n in range(4)], Printed()):
            print("answer", answer.number, flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


def sleep(number: int, report: Silent) -> None:
    report.note(f"pid {os.getpid()}")
    time.sleep(0 if number == 0 else 600)


def test_ctrl_c_ends_all_processes_without_a_word() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(HERE)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    while sum("pid" in line for line in lines) < 3 or "answer 0\n" not in lines:
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr and process.stderr.read()
    workers = {int(line.split("pid ")[1]) for line in lines if "pid" in line}
    for pid in workers:
        os.kill(pid, signal.SIGINT)  # a terminal sends it to all
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out == "stopped\n"
    assert err == ""
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
