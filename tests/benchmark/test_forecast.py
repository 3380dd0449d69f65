"""How long a study takes: by the stated cost of an iteration, then by what has finished."""

import json
from pathlib import Path

import pytest

from dgfas.benchmark.folders import Folders
from dgfas.benchmark.forecast import COSTS, Forecast, stated_flops, stated_seconds
from dgfas.benchmark.runner import result_path
from dgfas.benchmark.study import Entry, Training, trainings
from dgfas.evaluation.tasks import parse_task
from dgfas.methods.registry import method_names

THREE, TWO = parse_task("a&b&c to d"), parse_task("a&b to d")


def jobs(*entries: Entry, task: str = str(THREE), seeds: tuple[int, ...] = (1,), **common: object) -> list[Training]:
    common = {
        "subjects": None,
        "setting": "small",
        "iterations": None,
        "scratch": Path("s"),
    } | common
    folders = Folders(dict.fromkeys("abcd", Path("d")), None)
    return list(trainings(entries, [parse_task(task)], seeds, folders, **common))


def entry(method: str, *assignments: str) -> Entry:
    return Entry(label=method, method=method, assignments=assignments)


def test_every_learned_method_has_a_stated_cost() -> None:
    assert set(COSTS.relative) == set(method_names())
    assert COSTS.relative["binary_cnn"] == 1


@pytest.mark.parametrize(
    ("changes", "factor"),
    [
        ({}, 600),  # the setting's iterations
        ({"iterations": 100}, 100),
        ({"task": str(TWO)}, 400),
        ({"entry": entry("binary_cnn", "training.batch_per_class=8")}, 1200),
        ({"entry": entry("drdg")}, 600 * 1.7),
        ({"entry": entry("binary_cnn", "network.image_size=128")}, 2400),
    ],
)
def test_the_stated_cost_follows_the_work(changes: dict[str, object], factor: float) -> None:
    changes = dict(changes)
    first = changes.pop("entry", entry("binary_cnn"))
    assert isinstance(first, Entry)
    [job] = jobs(first, **changes)  # type: ignore[arg-type]
    seconds = stated_seconds(job)
    assert seconds == pytest.approx(COSTS.seconds_around + factor * COSTS.seconds_per_iteration, rel=0.01)


def test_what_has_finished_corrects_the_rest(tmp_path: Path) -> None:
    planned = jobs(entry("binary_cnn"), entry("rfm"), entry("ms_lbp"), seeds=(1, 2))
    stated = {job.entry.label: stated_seconds(job) for job in planned}
    assert stated["ms_lbp"] is None
    forecast = Forecast(planned, tmp_path, 2)
    assert forecast.seconds(planned[0]) == stated["binary_cnn"]
    assert str(forecast).startswith("6 trainings to do, 2 at once: about ")
    assert "by the stated cost of an iteration" in str(forecast)
    assert str(forecast).endswith("without ms_lbp, of which none has finished")
    alone = Forecast(jobs(entry("ms_lbp")), tmp_path, 2)
    assert str(alone) == "1 trainings to do, 2 at once: how long is not known, for none of ms_lbp has finished"

    path = result_path(tmp_path, planned[0])
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"made_by": {"seconds": 10 * stated["binary_cnn"]}}))
    forecast = Forecast(planned, tmp_path, 2)
    assert forecast.seconds(planned[3]) == pytest.approx(10 * stated["binary_cnn"])  # the same row, another seed
    assert forecast.seconds(planned[1]) == pytest.approx(10 * stated["rfm"])  # this machine is ten times slower

    sentence = forecast.done(planned[2], 600.0)
    assert sentence is not None
    total = 10 * stated["binary_cnn"] + 2 * 10 * stated["rfm"] + 600
    assert sentence.startswith(f"4 trainings to do, 2 at once: about {total / 2 / 60:.0f} min, by 2 finished ones")
    assert "without" not in sentence
    assert forecast.done(planned[3], 1.0) is None  # not the first of its kind


def test_operations_are_counted_and_taken_at_an_assumed_rate(tmp_path: Path) -> None:
    """At the setting `full` 93.84 GFLOP a frame, three forwards an update, 60 frames, 20,000 iterations."""
    one, other = jobs(entry("binary_cnn"), entry("drdg"), setting="full")
    assert stated_flops(one) == pytest.approx(93.84e9 * 3 * 60 * 20000, rel=1e-3)
    assert stated_flops(other) == pytest.approx(1.7 * stated_flops(one))
    forecast = Forecast([one, other], tmp_path, 1, tflops=20)
    hours = 2.7 * stated_flops(one) / 20e12 / 3600
    assert f"about {hours:.1f} h, an estimate: 9.1e+17 counted floating-point operations" in str(forecast)
    assert "at 20 TFLOP/s, which is assumed, not measured" in str(forecast)
    pair = jobs(entry("binary_cnn"), seeds=(1, 2), setting="full")
    each = {at_once: str(Forecast(pair, tmp_path, at_once, tflops=20)).split("about")[1] for at_once in (1, 2)}
    assert each[1] == each[2]  # on one device two at once are no faster
    assert forecast.seconds(jobs(entry("ms_lbp"))[0]) is None
