"""A study: every cell a training with the seed's own data; rates by source data; a table by hand-counted numbers."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from dgfas.benchmark.folders import Folders, drawn
from dgfas.benchmark.rates import choose_rates, validations_of_rates
from dgfas.benchmark.results import require_same_jobs
from dgfas.benchmark.runner import result_path
from dgfas.benchmark.study import Entry, Training, draw_data, require_sound_rows, train_and_measure, trainings
from dgfas.core.errors import UserError
from dgfas.core.files import write_json
from dgfas.core.manifest import SIMULATED_NAME, Manifest, write_manifest
from dgfas.core.progress import Silent
from dgfas.evaluation.tasks import parse_task
from dgfas.simulation.data_set import VERSION

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
    assert (row["selection"], row["threshold"]["rule"]) == (
        "the last checkpoint",
        "BPCER <= 0.05",
    )  # the entry's own rules
    assert 0 <= content["source_validation"]["mean_domain_auc"] <= 1
    assert not (tmp_path / "scratch" / job.name).exists()


def asked(label: str, seed: int = 1, *assignments: str, task: str = "a to c", **changes: object) -> Training:
    """A training of the method that the label names before its @."""
    common = {"data": Path("d"), "subjects": None, "setting": "small", "iterations": 480, "scratch": Path("s")}
    entry = Entry(label=label, method=label.split("@")[0], assignments=assignments)
    return Training(**{"entry": entry, "task": task, "seed": seed} | common | changes)


def keep(results: Path, job: Training, validation: float = 1, **about: object) -> Path:
    """Write a result of a training: what is read of it here."""
    path = result_path(results, job)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "job": job.model_dump(mode="json", exclude={"scratch", "kept"}),
        "source_validation": {"mean_domain_auc": validation},
        "about": {"manifests": {"there": "abc"}} | about,
        "results": [],
        "made_by": {"seconds": 1.0},
    }
    write_json(path, content)
    return path


def tried(seed: int, rate: str, method: str = "rfm", **changes: object) -> Training:
    return asked(f"{method}@{rate}", seed, f"options.learning_rate={rate}", **changes)


@pytest.mark.parametrize(("validations", "chosen"), [((0.9, 0.8, 0.7), 3e-4), ((0.9, 0.9, 0.9), 1e-3)])
def test_the_rate_is_chosen_by_source_validation(tmp_path: Path, validations: Sequence[float], chosen: float) -> None:
    jobs = [tried(0, rate) for rate in ("3e-4", "1e-3", "3e-3")]
    for job, validation in zip(jobs, validations, strict=True):
        keep(tmp_path, job, validation)
    found = validations_of_rates(jobs, tmp_path)
    assert found == {"rfm": dict(zip((3e-4, 1e-3, 3e-3), validations, strict=True))}
    assert choose_rates(found) == {"rfm": chosen}


def test_rates_are_compared_on_the_same_tasks_seeds_and_settings(tmp_path: Path) -> None:
    """A later command may try further rates and methods; what else lies in the folder does not count."""
    now = [tried(seed, "1e-2") for seed in (1, 2)]
    earlier = [tried(seed, rate, method) for seed in (1, 2) for rate in ("1e-3", "3e-3") for method in ("rfm", "drdg")]
    for job in (*now, *earlier):
        keep(tmp_path, job, 0.5 + 0.1 * job.seed)
    others = (
        tried(3, "1e-3"),
        tried(1, "1e-3", task="b to c"),
        tried(1, "3e-2", iterations=960),
        asked("rfm@1e-1", 1, "training.flip=false", "options.learning_rate=1e-1"),
        asked("ms_lbp"),
        asked("rfm", 1, "options.learning_rate=0.7"),
    )
    for job in others:
        keep(tmp_path, job, 1)
    found = validations_of_rates(now, tmp_path)
    assert found["rfm"] == pytest.approx({1e-3: 0.65, 3e-3: 0.65, 1e-2: 0.65})
    assert found["drdg"] == pytest.approx({1e-3: 0.65, 3e-3: 0.65})
    assert found.keys() == {"rfm", "drdg"}


def test_rates_that_were_tried_on_other_data_do_not_count(tmp_path: Path) -> None:
    drawn_now = {"made_by": "simulation", "version": VERSION, "subjects": 5, "seed": 1}
    jobs = [tried(1, "1e-2", subjects=5), tried(1, "3e-3", subjects=5), tried(1, "1e-3", subjects=5)]
    for job, seed in zip(jobs, (1, 1, 9), strict=True):
        keep(tmp_path, job, 0.9, data_sets={"there": {**drawn_now, "seed": seed}})
    assert validations_of_rates(jobs[:1], tmp_path) == {"rfm": {3e-3: 0.9, 1e-2: 0.9}}


def test_a_result_that_was_set_aside_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    path = keep(tmp_path, asked("rfm", 1))
    path.rename(path.with_name("seed-1 (copy).json"))
    with pytest.raises(UserError, match=r"seed-1 \(copy\).json: is the result of a-to-c/rfm/seed-1.json; move it"):
        require_same_jobs([asked("rfm", 1)], tmp_path)


def test_a_row_of_other_settings_is_refused_at_any_seed(tmp_path: Path) -> None:
    path = keep(tmp_path, asked("rfm", 11))
    for other in (
        asked("rfm", 11),
        asked("rfm", 13, data=Path("elsewhere")),
        asked("anrl", 13, iterations=960),
        asked("rfm", 13, task="b to c", iterations=960),
    ):
        require_same_jobs([other], tmp_path)
    for other, mistake in (
        (asked("rfm", 13, iterations=960), "iterations 480, not 960"),
        (asked("rfm", 13, setting="full"), "setting small, not full"),
        (asked("rfm", 13, subjects=60), "subjects None, not 60"),
        (asked("rfm", 13, "training.flip=false"), "--set {}, not {'training': {'flip': False}}"),
    ):
        with pytest.raises(UserError) as error:
            require_same_jobs([other], tmp_path)
        assert str(error.value) == f"{path}: was made with {mistake}; choose another folder, or delete it"


def test_results_of_other_data_are_refused_wherever_those_lie(prepared: Manifest, tmp_path: Path) -> None:
    results = tmp_path / "runs"
    path = keep(results, asked("rfm"), manifests={"/theirs": prepared.content_hash})
    moved = Path(shutil.copytree(tmp_path, tmp_path / "moved"))
    require_same_jobs([asked("rfm", data=moved)], results)
    require_same_jobs([asked("rfm", data=tmp_path / "not-here")], results)  # nothing tells
    for job in (asked("rfm", data=moved), asked("rfm", data=(moved, tmp_path))):
        write_manifest(moved, prepared.frames[prepared.frames["species"] != "mask"])
        with pytest.raises(UserError) as error:
            require_same_jobs([job], results)
        assert str(error.value).startswith(f"{path}: was made on other data (")
        assert str(error.value).endswith("); name another --out, or delete it to make it again")


def test_results_of_other_simulated_data_are_refused(prepared: Manifest, tmp_path: Path) -> None:
    """Their manifests name subjects and recordings, which are the same at all seeds."""
    results = tmp_path / "runs"
    record = {"version": VERSION, "subjects": 5, "seed": 1, "frames": 2}
    about = {
        "manifests": {"/theirs": prepared.content_hash},
        "data_sets": {"/theirs": {"made_by": "simulation", **record}},
    }
    drawn_now, drawn_before = asked("cnn", data=tmp_path), asked("rfm", data=tmp_path / "gone", subjects=5)
    keep(results, drawn_now, **about)
    keep(results, drawn_before, **about)
    write_json(tmp_path / SIMULATED_NAME, {**record, "domains": []})
    require_same_jobs([drawn_now, drawn_before], results)
    for changed, mistake in (({"seed": 2}, "seed 1, not 2"), ({"frames": 8}, "frames 2, not 8")):
        write_json(tmp_path / SIMULATED_NAME, {**record, **changed, "domains": []})
        with pytest.raises(UserError, match=re.escape(f"cnn/seed-1.json: was made on other data ({mistake}); name")):
            require_same_jobs([drawn_now], results)
    older = {"/theirs": {"made_by": "simulation", **record, "version": VERSION - 1}}
    keep(results, drawn_before, **about | {"data_sets": older})
    with pytest.raises(UserError, match=f"version {VERSION - 1}, not {VERSION}"):
        require_same_jobs([drawn_before], results)


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"job": {}}, "key 'job.entry' is missing"),
        ({"job": 1}, "job: must hold keys and values, not 1"),
        ({"made_by": {}}, "key 'made_by.seconds' is missing"),
        ({"about": None}, "about: must hold keys and values, not None"),
        ({"source_validation": {"mean_domain_auc": "high"}}, "source_validation.mean_domain_auc: "),
        (None, "cannot be read as JSON"),
    ],
)
def test_a_damaged_result_is_named(tmp_path: Path, changes: dict[str, object] | None, mistake: str) -> None:
    path = keep(tmp_path, asked("rfm"))
    path.write_text("{" if changes is None else json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(UserError) as error:
        require_same_jobs([asked("anrl")], tmp_path)  # the table reads all that lies there
    assert str(error.value).startswith(f"{path}: {mistake}")
    assert str(error.value).endswith("; delete it to make it again")


@pytest.mark.parametrize(
    ("entry", "mistake"),
    [
        ({"method": "rmf"}, "unknown method 'rmf'; did you mean 'rfm'"),
        ({"preset": "papier"}, "method rfm has no preset 'papier'; did you mean 'paper'"),
        ({"assignments": ("options.ordre=first",)}, "unknown key 'ordre'; did you mean 'order'"),
        ({"assignments": ("domains.provider=pdf",)}, "'pdf'"),
        ({"assignments": ("training.iterations=abc",)}, "training.iterations: "),
        ({"assignments": ("network.width=5",)}, "network.width: "),
        ({"assignments": ("training.seed=5",)}, "--set training.seed: is said by the row, --data"),
        ({"assignments": ("data={target: webcam}",)}, "--set data.target: is said by"),
        ({"assignments": ("method=anrl",)}, "--set method: is said by"),
    ],
)
def test_a_mistake_in_a_row_is_found_before_any_training(entry: dict[str, object], mistake: str) -> None:
    wrong = Entry(**{"label": "own", "method": "rfm"} | entry)
    with pytest.raises(UserError, match=mistake) as error:
        require_sound_rows([asked("rfm"), asked("own", entry=wrong)])
    assert str(error.value).startswith("row 'own': ")
    require_sound_rows([asked("rfm"), asked("ms_lbp")])
