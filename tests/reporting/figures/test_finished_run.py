"""What the figures know of a run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dgfas.core.errors import UserError
from dgfas.evaluation.tasks import Task
from dgfas.reporting.figures.finished_run import FinishedRun, companion, one_a_task
from dgfas.training.configure import build_config


def test_a_run_within_one_data_set_keeps_its_lists(make_run: Callable[..., Path]) -> None:
    run = FinishedRun.read(make_run("within", "binary_cnn", "data.lists=official", sources=("phone",)))
    assert run.task == Task(("phone",), "phone", "official")
    assert run.words.startswith("binary_cnn (run within: ")


def test_a_data_set_of_which_a_source_is_a_part_is_not_unseen(simulated: Path) -> None:
    config = build_config(
        "binary_cnn", roots=[simulated], sources=("desk[camera=old-usb]", "webcam"), target="phone", lists="official"
    )
    assert FinishedRun(Path("run"), config, 1).unseen_domains() == ["phone", "laptop"]


def test_runs_on_one_task_fit_whatever_the_order_of_its_sources(simulated: Path) -> None:
    def run(method: str, *sources: str, target: str | None = "phone") -> FinishedRun:
        return FinishedRun(Path(method), build_config(method, roots=[simulated], sources=sources, target=target), 1)

    first, turned = run("rfm", "desk", "webcam"), run("rfm", "webcam", "desk")
    plain, without = run("binary_cnn", "webcam", "desk"), run("binary_cnn", "desk", "webcam", target=None)
    other = run("rfm", "desk", "laptop")
    assert companion(first, [without, other, plain], "binary_cnn", lambda each: True, "a run") is plain
    assert one_a_task([without, first, turned, other]) == [first, other]
    with pytest.raises(UserError, match="trained with a target"):
        one_a_task([without])
