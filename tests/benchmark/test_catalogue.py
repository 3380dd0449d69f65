"""Every row of every study that comes with the package can be trained."""

from pathlib import Path

import pytest

from dgfas.benchmark.catalogue import (
    Study,
    changed_rows,
    load_study,
    plain_entries,
    read_rates,
    study_names,
    tuned_rows,
)
from dgfas.core.config import RunConfig
from dgfas.core.errors import UserError
from dgfas.evaluation.protocols import resolve_protocol
from dgfas.evaluation.tasks import Task
from dgfas.methods.base import Setup
from dgfas.methods.registry import (
    classical_names,
    classical_options,
    load_classical,
    load_method,
    method_names,
    method_options,
)
from dgfas.simulation.capture_domains import CAPTURE_DOMAINS
from dgfas.training.configure import build_config, provider_of

STUDIES = {name: load_study(name) for name in study_names()}
RATES = Path(__file__).parents[2] / "docs" / "results" / "rates" / "rates.json"
TINY = ("network.width=0.1", "network.image_size=32")


def tasks_of(study: Study) -> list[Task]:
    return [task for text in study.tasks for task in resolve_protocol(text, CAPTURE_DOMAINS)]


def config_of(study: Study, task: Task, row: int) -> RunConfig:
    entry = changed_rows(study.rows, read_rates(RATES), [])[row]  # papers' rates differ from these
    return build_config(
        entry.method,
        roots=[Path("data")],
        sources=task.sources,
        target=task.target,
        lists=task.lists,
        preset=entry.preset,
        setting=study.setting,
        assignments=[*TINY, *entry.assignments],
    )


@pytest.mark.parametrize(
    ("name", "row"), [(name, row) for name, study in STUDIES.items() for row in range(len(study.rows))]
)
def test_every_row_of_every_study_builds(name: str, row: int) -> None:
    study = STUDIES[name]
    config = config_of(study, tasks_of(study)[0], row)
    if config.method in classical_names():
        load_classical(config.method)(classical_options(config.method, config.options))
        return
    n_domains = provider_of(config).n_domains
    setup = Setup(config.network, n_domains, config.training.iterations, config.training.bn_batches)
    load_method(config.method)(method_options(config.method, config.options), setup)


@pytest.mark.parametrize("name", STUDIES)
def test_no_two_rows_of_a_study_are_the_same_training(name: str) -> None:
    study = STUDIES[name]
    configs = [config_of(study, tasks_of(study)[0], row).model_dump_json() for row in range(len(study.rows))]
    assert len(set(configs)) == len(configs) > 1
    assert study.baseline in {entry.label for entry in study.rows}


def test_one_label_means_one_training_in_all_studies() -> None:
    """So that studies may share a folder of results."""
    by_label = {}
    for study in STUDIES.values():
        for entry in study.rows:
            key = (entry.method, entry.preset, sorted(entry.assignments), study.setting, study.iterations)
            assert by_label.setdefault(entry.label, key) == key


def test_the_studies_are_those_of_the_papers() -> None:
    sizes = {name: (len(study.rows), len(tasks_of(study))) for name, study in STUDIES.items()}
    learned = len(method_names()) + 1
    assert sizes == {
        "methods": (learned + 4, 4),  # and the hand-crafted ones
        "methods-paper-rates": (13, 4),
        "methods-limited": (learned, 2),
        "methods-cameras": (learned, 6),
        "rfm-table-3": (3, 4),
        "rfm-figure-5": (3, 1),
        "d2am-table-3": (8, 1),
        "d2am-cameras": (3, 6),
        "drdg-table-3": (6, 1),
        "anrl-table-3": (5, 1),
        "anrl-table-4": (6, 1),
    }
    # desk, webcam, laptop and phone stand for C, I, M and O.
    targets = {name: {task.target for task in tasks_of(study)} for name, study in STUDIES.items()}
    assert targets["rfm-figure-5"] == {"desk"}
    assert targets["d2am-table-3"] == {"webcam"}
    assert targets["drdg-table-3"] == {"laptop"}
    assert targets["anrl-table-3"] == targets["anrl-table-4"] == {"phone"}


def test_a_rate_gives_way_to_a_row_and_a_row_to_the_command_line() -> None:
    rows = plain_entries(["rfm", "my/own.py"])
    assert [row.label for row in rows] == ["rfm", "own"]
    [changed, other] = changed_rows(rows, {"rfm": 0.003}, ["training.flip=false"])
    assert changed.assignments == ("options.learning_rate=0.003", "training.flip=false")
    assert other.assignments == ("training.flip=false",)
    own = rows[0].model_copy(update={"assignments": ("options.learning_rate=1",)})
    [kept] = changed_rows([own], {"rfm": 0.003}, [])
    task = Task(("desk", "webcam"), "phone")
    study = Study(title="", tasks=(str(task),), seeds=1, entries=(kept,))
    assert config_of(study, task, 0).options["learning_rate"] == 1
    tuned = tuned_rows([own], ["0.1", "0.2"])
    assert [row.label for row in tuned] == ["rfm@0.1", "rfm@0.2"]
    study = Study(title="", tasks=(str(task),), seeds=1, entries=tuple(tuned))
    assert config_of(study, task, 1).options["learning_rate"] == 0.2


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("title: x\ntasks: [simulated]\nseeds: 3\nentires: []", "unknown key 'entires'; did you mean 'entries'"),
        ("title: x\ntasks: []\nseeds: 3", "tasks: "),
        ("title: x\ntasks: [simulated]\nseeds: 0", "seeds: "),
        ("title: x\ntasks: [simulated]\nseeds: 1", "no method is named"),
        (
            "title: x\ntasks: [simulated]\nseeds: 1\nlearned_methods: true\nentries: [{label: rfm, method: rfm}]",
            "label 'rfm' comes twice",
        ),
        ("title: x\ntasks: [simulated]\nseeds: 1\nentries: [{label: a/b, method: rfm}]", "label: "),
        ("title: x\ntasks: [simulated]\nseeds: 1\nentries: [{label: .., method: rfm}]", "label: "),
        ("title: x\ntasks: [simulated]\nseeds: 20240101\nlearned_methods: true", "seeds: .* 1000"),
        (
            "title: x\ntasks: [simulated]\nseeds: 1\nlearned_methods: true\nbaseline: rmf",
            "mine.yaml: baseline 'rmf' is no row; did you mean 'rfm'",
        ),
    ],
)
def test_a_study_of_ones_own_with_a_mistake(tmp_path: Path, text: str, mistake: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=mistake):
        _ = load_study(str(path)).rows


def test_a_study_of_ones_own_names_its_rates(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "title: x\ntasks: [simulated]\nseeds: 1\nrates: rates.json\nlearned_methods: true"
    )
    (tmp_path / "rates.json").write_text('{"learning_rates": {"rfm": 0.003}}')
    study = load_study(str(tmp_path / "mine.yaml"))
    assert read_rates(study.rates) == {"rfm": 0.003}
    assert read_rates(None) == {}
    with pytest.raises(UserError, match="unknown study 'rfm-table3'; did you mean 'rfm-table-3'"):
        load_study("rfm-table3")


@pytest.mark.parametrize("rates", ['{"rfm": "abc"}', '["rfm"]', '{"rfm": 0}', '{"rfm": Infinity}', "3"])
def test_rates_that_are_none_are_refused(tmp_path: Path, rates: str) -> None:
    path = tmp_path / "rates.json"
    path.write_text(f'{{"learning_rates": {rates}, "source_validation_auc": {{}}}}')
    with pytest.raises(UserError, match=r"rates\.json: learning_rates"):
        read_rates(path)


def test_a_method_file_whose_name_cannot_be_a_label() -> None:
    with pytest.raises(UserError, match=r"method my/own file\.py: label: "):
        plain_entries(["my/own file.py"])
