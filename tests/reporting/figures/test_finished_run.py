"""What the figures know of a run."""

from collections.abc import Callable
from pathlib import Path

from dgfas.evaluation.tasks import Task
from dgfas.reporting.figures.finished_run import FinishedRun
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
