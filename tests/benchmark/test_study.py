"""A study: every cell a training with the seed's own data; rates by source data; a table by hand-counted numbers."""

import json
from pathlib import Path

import pytest

from dgfas.benchmark.folders import Folders, drawn
from dgfas.benchmark.study import (
    Entry,
    choose_rates,
    draw_data,
    train_and_measure,
    trainings,
    validations_of_rates,
)
from dgfas.core.progress import Silent
from dgfas.evaluation.tasks import parse_task

TASKS = [parse_task("a&b to c"), parse_task("b&c to a")]


def test_whole_seeds_come_first(tmp_path: Path) -> None:
    entries = [Entry(label=name, method=name) for name in ("binary_cnn", "rfm")]
    folders = Folders({"a": Path("one-{seed}"), "b": Path("two"), "c": Path("one-{seed}"), "d": Path("three")}, None)
    common = {"subjects": None, "setting": "small", "iterations": 1, "scratch": tmp_path}
    jobs = list(trainings(entries, TASKS, [7, 8], folders, **common))
    assert [job.seed for job in jobs] == [7] * 4 + [8] * 4
    assert len({job.name for job in jobs}) == 8
    assert jobs[0].roots == [Path("one-7"), Path("two")]
    assert jobs[-1].roots == [Path("two"), Path("one-8")]  # in the order of the task, and no more than it needs
    assert jobs[0].name == "a&b-to-c/binary_cnn/seed-7"


@pytest.mark.slow
def test_a_training_is_measured_and_its_run_removed(tmp_path: Path) -> None:
    small = ("network.image_size=32", "network.width=0.1", "training.batch_per_class=2")
    rules = ("selection=last", "threshold=bpcer=0.05")
    [job] = trainings(
        [Entry(label="cnn", method="binary_cnn", assignments=(*small, *rules))],
        [parse_task("desk&webcam to phone")],
        [3],
        drawn(tmp_path / "data-{seed}"),
        subjects=5,
        setting="small",
        iterations=2,
        scratch=tmp_path / "scratch",
    )
    draw_data([job], Silent())
    assert (tmp_path / "data-3" / "manifest.parquet").is_file()
    content = json.loads(json.dumps(train_and_measure(job, Silent())))
    assert {(row["track"], row["level"]) for row in content["results"]} == {
        (track, level) for track in ("deployable", "oracle") for level in ("frame", "recording")
    }
    assert content["about"]["config"]["training"]["seed"] == 3
    assert content["about"]["config"]["training"]["iterations"] == 2
    [row] = [r for r in content["results"] if (r["track"], r["level"]) == ("deployable", "frame")]
    assert (row["selection"], row["threshold"]["rule"]) == ("last", "bpcer=0.05")  # the entry's own rules
    assert 0 <= content["source_validation"]["mean_domain_auc"] <= 1
    assert not (tmp_path / "scratch" / job.name).exists()


def write(
    folder: Path, task: str, label: str, seed: int, hter: float, rate: float = 1e-3, validation: float = 1
) -> None:
    path = folder / task.replace(" ", "-") / label / f"seed-{seed}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    result = {"track": "deployable", "level": "recording", "checkpoint": 1, "hter": hter, "auc": 1 - hter}
    content = {
        "job": {"task": task, "seed": seed, "entry": {"label": label, "method": label.split("@")[0]}},
        "results": [result, {**result, "track": "oracle", "hter": hter / 2}, {**result, "level": "frame", "hter": 0.9}],
        "about": {"uses_target_images": label == "self_da", "config": {"options": {"learning_rate": rate}}},
        "source_validation": {"mean_domain_auc": validation},
        "made_by": {"commit": "abc", "seconds": 1.0},
    }
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(("validations", "chosen"), [((0.9, 0.8, 0.7), 3e-4), ((0.9, 0.9, 0.9), 1e-3)])
def test_the_rate_is_chosen_by_source_validation(tmp_path: Path, validations, chosen: float) -> None:
    for rate, validation in zip((3e-4, 1e-3, 3e-3), validations, strict=True):
        # The rate that is worst on the target validates best: the target must not matter.
        write(tmp_path, "a to c", f"rfm@{rate}", 0, hter=validation / 2, rate=rate, validation=validation)
    tried = validations_of_rates(tmp_path)
    assert tried == {"rfm": dict(zip((3e-4, 1e-3, 3e-3), validations, strict=True))}
    assert choose_rates(tried) == {"rfm": chosen}
