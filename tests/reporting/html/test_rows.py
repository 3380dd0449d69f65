"""Which results make one row, what it is called, and which rows were measured on the same recordings."""

import json
from pathlib import Path
from typing import Any

import pytest
from results_on_disk import FEW, MANY, alter, benchmark, config, run, scores, write

from dgfas.core.errors import UserError
from dgfas.evaluation.foreign import evaluate_files
from dgfas.evaluation.scores_file import write_scores
from dgfas.reporting.html.groups import Group, grouped
from dgfas.reporting.html.headline import different_test_sets, every_run, headline
from dgfas.reporting.html.measured import read_measured
from dgfas.reporting.html.origin import commands, files
from dgfas.reporting.html.study import comparison
from dgfas.reporting.results import write_result
from dgfas.reporting.tables import EXACT_NOTE

PREPARED = {"data_sets": {"data": {"made_by": "preparation"}}}


def rows(*paths: Path) -> dict[str, list[int | None]]:
    """Return the seeds of each row by its name."""
    return {group.label: group.seeds for group in groups(*paths)}


def groups(*paths: Path) -> list[Group]:
    return grouped(read_measured(paths))


def trained(folder: Path, seeds: list[int], iterations: int, **more: Any) -> Path:
    """Write a benchmark's results of one method, trained so long."""
    for seed in seeds:
        training = {"seed": seed, "iterations": iterations, **more}
        benchmark(folder, ["rfm"], [seed], FEW, config=config(seed=seed, training=training))
    return folder


def foreign(folder: Path, species: dict[str, tuple[int, int]], domain: str = "phone", source: str = "desk") -> Path:
    """Write a system of others on the task "SOURCE to DOMAIN"."""
    folder.mkdir()
    write_scores(folder / "target.csv", scores(species, domain))
    write_scores(folder / "source.csv", scores(FEW, source))
    result = evaluate_files(folder / "target.csv", folder / "source.csv", threshold="eer", name="Acme")
    write_result(result, folder)
    return folder


def odd(*paths: Path) -> list[str]:
    """Return the rows that are marked to be measured on another test set."""
    return [note.split()[1].rstrip(",") for note in different_test_sets(groups(*paths))]


def test_seeds_that_were_trained_otherwise_are_another_row(tmp_path: Path) -> None:
    short, long = trained(tmp_path / "short", [1, 2], 480), trained(tmp_path / "long", [3], 960)
    assert rows(short, long) == {"rfm (short)": [1, 2], "rfm (long)": [3]}
    assert rows(short, trained(tmp_path / "same", [3], 480)) == {"rfm": [1, 2, 3]}
    older = trained(tmp_path / "older", [4], 480, flip=True)  # a key that the others do not have
    assert rows(short, older) == {"rfm": [1, 2, 4]}
    assert rows(trained(short, [3, 4], 960)) == {
        "rfm (training.iterations 480)": [1, 2],
        "rfm (training.iterations 960)": [3, 4],
    }


def test_seeds_that_were_measured_by_another_rule_are_another_row(tmp_path: Path) -> None:
    runs = [run(tmp_path / str(seed), seed=seed) for seed in (1, 2, 3)]
    other = {"value": 0.9, "rule": "fixed value", "data": "no data"}
    path = runs[2] / "evaluation/phone/result.json"
    alter(path, lambda content: [result.update(threshold=other) for result in content["results"]])
    assert rows(*runs) == {"rfm (1)": [1, 2], "rfm (3)": [3]}


def test_a_label_that_a_folder_has_twice_needs_two_commands(tmp_path: Path) -> None:
    folder = trained(trained(tmp_path / "study", [1], 480), [2], 960)
    for seed, iterations in ((1, 480), (2, 960)):
        entry = {"label": "rfm", "method": "rfm", "assignments": [f"training.iterations={iterations}"]}
        path = folder / f"runs/desk&hall-to-phone/rfm/seed-{seed}.json"
        alter(path, lambda content, entry=entry: content["job"].update(entry=entry))
    found = groups(folder)
    assert [line.split()[3:6] for line in commands(found, [])[:-1]] == [
        [f"study-{number}.yaml", "--seeds", f"{number}-{number}"] for number in (1, 2)
    ]
    assert ["=480" in text for _, text in files(found)] == [True, False]


def test_runs_of_one_folder_name_are_told_apart_by_more_of_their_paths(tmp_path: Path) -> None:
    runs = [run(tmp_path / name / "rfm", config=config(options={"order": name})) for name in ("e1", "e2")]
    runs.append(run(tmp_path / "e1" / "drdg", config=config("drdg")))
    assert rows(*runs) == {"rfm (e1/rfm)": [1], "rfm (e2/rfm)": [1], "drdg": [1]}
    more = {"task": "desk to hall", "target": "hall"}
    runs.append(run(tmp_path / "e2" / "hall", config=config(options={"order": "e2"}), **more))
    matrix = headline(groups(*runs))[0]
    assert [row[0] for row in matrix.rows] == ["rfm (e1/rfm)", "rfm (e2/rfm)", "drdg"]
    assert ["–" in row for row in matrix.rows] == [True, False, True]


def test_a_run_and_a_system_of_others_with_its_name_are_two_rows(tmp_path: Path) -> None:
    result = foreign(tmp_path / "theirs", FEW)
    alter(result / "result.json", lambda content: content["about"].update(system="rfm"))
    study = benchmark(tmp_path / "study", ["rfm"], [1])
    found = rows(run(tmp_path / "ours"), result, study)
    assert found == {"rfm (ours)": [1], "rfm (theirs)": [None], "rfm (study)": [1]}


def test_the_order_of_sources_makes_no_other_task(tmp_path: Path) -> None:
    ours = run(tmp_path / "ours", task="hall&desk to phone")
    other = run(tmp_path / "other", method="drdg")
    assert [group.task for group in groups(ours, other)] == ["hall&desk to phone"] * 2
    assert "†" not in str(headline(groups(ours, other)))


def test_curves_at_other_points_have_no_mean(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "study", ["rfm"], [1, 2], FEW)
    points = {"fpr": [0.0, 1.0], "tpr": [0.5, 1.0]}
    path = folder / "runs/desk&hall-to-phone/rfm/seed-2.json"
    alter(path, lambda content: [result.update(roc=points) for result in content["results"]])
    with pytest.raises(UserError, match=r"seed-2.json: roc.fpr is not that of .*seed-1.json; measure both"):
        groups(folder)


def test_fixed_recordings_are_compared_over_seeds(tmp_path: Path) -> None:
    ours = benchmark(tmp_path / "ours", ["rfm", "drdg"], [1], MANY, **PREPARED)
    assert odd(ours, benchmark(tmp_path / "same", ["anrl"], [2], MANY, **PREPARED)) == []
    assert odd(ours, benchmark(tmp_path / "other", ["anrl"], [2], FEW, **PREPARED)) == ["anrl"]
    fixed = {"data_sets": {"data": {"made_by": "simulation", "seed": 7, "subjects": 20}}}
    ours = benchmark(tmp_path / "drawn", ["rfm", "drdg"], [1], MANY, **fixed)
    assert odd(ours, benchmark(tmp_path / "fewer", ["anrl"], [2], FEW, **fixed)) == ["anrl"]


def test_a_method_with_many_seeds_is_one_method(tmp_path: Path) -> None:
    many = benchmark(tmp_path / "many", ["rfm"], [1, 2, 3], FEW, **PREPARED)
    assert odd(many, benchmark(tmp_path / "most", ["anrl", "drdg"], [1], MANY, **PREPARED)) == ["rfm"]


def test_recordings_that_are_drawn_anew_for_each_seed_are_compared_by_seed(tmp_path: Path) -> None:
    ours = benchmark(tmp_path / "ours", ["rfm", "drdg"], [1], MANY)
    assert odd(ours, benchmark(tmp_path / "next", ["anrl"], [2], FEW)) == []
    assert odd(ours, benchmark(tmp_path / "other", ["anrl"], [1], FEW)) == ["anrl"]
    another = {"data_sets": {"data": {"made_by": "simulation", "seed": 99, "subjects": 20}}}
    assert odd(ours, benchmark(tmp_path / "drawn otherwise", ["anrl"], [1], MANY, **another)) == ["anrl"]
    small = {"data_sets": {"data": {"made_by": "simulation", "seed": 2, "subjects": 5}}}
    assert odd(ours, benchmark(tmp_path / "small", ["anrl"], [2], MANY, **small)) == ["anrl"]
    for path in tmp_path.glob("*/runs/*/*/*.json"):  # older results say it in the job alone
        content = json.loads(path.read_text())
        del content["about"]["data_sets"]
        write(path, {**content, "job": {**content["job"], "subjects": 20}})
    assert odd(ours, tmp_path / "next") == []
    assert odd(ours, tmp_path / "other") == ["anrl"]


def test_scores_of_others_are_compared_with_every_seed(tmp_path: Path) -> None:
    one, two = (run(tmp_path / f"{seed}", task="desk to phone", seed=seed) for seed in (1, 2))
    assert odd(one, two, foreign(tmp_path / "same", MANY)) == []
    assert odd(one, two, foreign(tmp_path / "other", FEW)) == ["Acme"]


def test_a_comparison_marks_another_draw_of_the_same_seeds(tmp_path: Path) -> None:
    ours = benchmark(tmp_path / "ours", ["binary_cnn", "drdg"], [1, 2], MANY)
    another = {"data_sets": {"data": {"made_by": "simulation", "seed": 99, "subjects": 20}}}
    table = comparison(groups(ours, benchmark(tmp_path / "other", ["anrl"], [1, 2], MANY, **another)))
    assert table is not None
    assert [row[0] for row in table.rows] == ["drdg", "anrl †"]


def test_every_run_says_what_a_star_is(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "study", ["rfm"], [1, 2], FEW)

    def notes_where(exact: list[str]) -> list[str]:
        for path in folder.glob("runs/*/*/*.json"):
            alter(path, lambda content: [result["bootstrap"].update(exact=exact) for result in content["results"]])
        return list(every_run(groups(folder)).notes)

    assert notes_where([]) == []
    assert notes_where(["hter"]) == [EXACT_NOTE]
