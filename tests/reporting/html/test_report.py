"""What a report says: its numbers are those of the files, and it says what they cannot tell."""

import json
from pathlib import Path
from statistics import mean, stdev

import pytest
import yaml
from results_on_disk import FEW, MANY, alter, benchmark, config, evaluation, report, run, scores, write

from dgfas.benchmark.catalogue import load_study
from dgfas.evaluation.foreign import evaluate_files
from dgfas.evaluation.intervals import clopper_pearson
from dgfas.evaluation.scores_file import read_scores, write_scores
from dgfas.evaluation.thresholds import fix_threshold
from dgfas.evaluation.tracks import SELECTION_WORDS, Evaluation, evaluate_scores
from dgfas.reporting.html import page as page_module
from dgfas.reporting.html import write_report
from dgfas.reporting.html.attacks import attack_table
from dgfas.reporting.html.groups import grouped
from dgfas.reporting.html.measured import read_measured
from dgfas.reporting.html.origin import commands, files
from dgfas.reporting.results import write_result

pytestmark = pytest.mark.slow

BOTH, ERRORS = "Both tracks, by recording", "Errors of the deployable track"
ATTACKS = "Attacks, deployable track, by recording"
LIVE = "Live presentations (bona fide), deployable track, by recording"


def stored(path: Path) -> dict[tuple[str, str], dict]:  # type: ignore[type-arg]
    return {(one["track"], one["level"]): one for one in json.loads(path.read_text())["results"]}


def test_the_numbers_of_a_run_are_those_of_its_file(tmp_path: Path) -> None:
    page = report(run(tmp_path / "rfm"), out=tmp_path / "report.html")
    results = stored(tmp_path / "rfm" / "evaluation" / "phone" / "result.json")
    for track in ("deployable", "oracle"):
        one = results[track, "recording"]
        low, high = one["bootstrap"]["hter"]
        expected = f"{100 * one['hter']:.2f}\n[{100 * low:.1f}, {100 * high:.1f}]"
        assert page.column(BOTH, f"HTER % {track}") == [expected]
        assert page.column(BOTH, f"AUC % {track}")[0].startswith(f"{100 * one['auc']:.2f}\n")
    one = results["deployable", "recording"]
    gap = 100 * (one["hter"] - results["oracle", "recording"]["hter"])
    assert page.column(BOTH, "gap") == [f"{gap:+.2f}"]
    assert page.column(BOTH, "Test set") == [f"ssdg\n{one['recordings_hash'][:12]}"]
    assert page.column(BOTH, "live + spoof") == ["150 + 190\n15 subjects"]
    assert page.column(ERRORS, "HTER % by frame")[0].startswith(f"{100 * results['deployable', 'frame']['hter']:.2f}\n")
    assert page.column("Test sets", "SHA-256 of its recordings, subjects and labels") == [one["recordings_hash"]]
    thresholds = page.column("Items under test", "Threshold"), page.column("Items under test", "fixed by and on")
    assert thresholds == (["0.5"], ["fixed value; no data"])


def test_species_have_counts_limits_and_their_maximum(tmp_path: Path) -> None:
    page = report(run(tmp_path / "rfm"), out=tmp_path / "report.html")
    assert page.column(ATTACKS, "Species") == ["mask/latex", "print", "maximum"]
    low, high = clopper_pearson(6, 40)
    assert page.column(ATTACKS, "APCER") == [
        f"15.00 %\n6 of 40, [{100 * low:.1f}, {100 * high:.1f}] %",
        "0.00 %\n0 of 150 (≤ 2.4 %)",
        "15.00 %\nmask/latex",
    ]
    assert page.column(ATTACKS, "Presentations") == ["40", "150", ""]
    assert page.column(ATTACKS, "Subjects") == ["4", "15", ""]
    assert page.column(LIVE, "BPCER")[0].startswith("6.67 %\n10 of 150, [")
    one = stored(tmp_path / "rfm" / "evaluation" / "phone" / "result.json")["deployable", "recording"]
    for name, level in (("BPCER10 %", "0.1"), ("BPCER20 %", "0.05"), ("BPCER100 %", "0.01")):
        assert page.column(LIVE, name) == [f"{100 * one['bpcer_at_apcer'][level]:.2f}"]


def test_no_rate_is_printed_of_fewer_than_thirty_presentations(tmp_path: Path) -> None:
    write(tmp_path / "result.json", evaluation(FEW))
    page = report(tmp_path / "result.json", out=tmp_path / "report.html")
    prints, replays, maximum = page.column(ATTACKS, "APCER")
    assert prints.startswith("7.50 %\n3 of 40, [")
    assert replays == "2 of 10\nno rate below 30"
    assert maximum == page.column(ERRORS, "APCER worst species")[0] == "no rate below 30"
    assert page.column(LIVE, "BPCER10 %") == ["no rate below 30"]
    assert page.column(LIVE, "BPCER")[0].startswith("7.50 %\n3 of 40")
    assert "No rate is printed of fewer than 30 presentations" in page.text


def test_non_responses_are_shown(tmp_path: Path) -> None:
    write_scores(tmp_path / "scores.csv", scores(MANY, unanswered=3))
    write_result(evaluate_files(tmp_path / "scores.csv", None, threshold="fixed=0.5"), tmp_path / "results")
    page = report(tmp_path / "results", out=tmp_path / "report.html")
    assert page.column(ATTACKS, "APNRR %")[:2] == ["7.50", "2.00"]
    assert page.column(LIVE, "BPNRR %") == ["2.00"]


def test_a_species_that_a_seed_lacks_is_shown_and_said(tmp_path: Path) -> None:
    folder = benchmark(benchmark(tmp_path / "study", ["rfm"], [1], FEW), ["rfm"], [2], MANY)
    table = attack_table(grouped(read_measured([folder])))
    assert [row[1:4] for row in table.rows] == [
        ("mask/latex\nin 1 of 2 seeds", "– + 4", "– + 40"),
        ("print", "4 + 15", "40 + 150"),
        ("replay\nin 1 of 2 seeds", "1 + –", "10 + –"),
        ("maximum", "", ""),
    ]
    assert [row[4].split("\n")[:2] for row in table.rows[:1]] == [["15.00 %", "6 of 40, [5.7, 29.8] %"]]


def test_seeds_are_means_with_deviations_and_count_together_where_their_data_differ(tmp_path: Path) -> None:
    page = report(benchmark(tmp_path / "study", ["rfm", "anrl"], [1, 2, 3]), out=tmp_path / "report.html")
    folder = tmp_path / "study" / "runs" / "desk&hall-to-phone" / "rfm"
    values = [100 * stored(folder / f"seed-{seed}.json")["oracle", "recording"]["hter"] for seed in (1, 2, 3)]
    assert page.column(BOTH, "Method") == ["anrl", "rfm"]
    text = page.column(BOTH, "HTER % oracle")[1]
    assert text.startswith(f"{mean(values):.2f} ± {stdev(values):.2f}\n[")
    low, high = map(float, text.split("[")[1].rstrip("]").split(", "))
    least = 4.302653 * stdev(values) / 3**0.5  # Student's t of two degrees of freedom
    assert low <= max(0, mean(values) - least) + 0.05
    assert high >= mean(values) + least - 0.05
    assert page.column(BOTH, "live + spoof")[1] == "150 + 190\n15 subjects\n3 seeds"
    assert page.column(ATTACKS, "APCER")[1] == "0.00 %\n0 of 450 (≤ 0.8 %)\nseeds 0.00 to 0.00 %"
    assert page.column(ATTACKS, "Presentations")[1] == "3 × 150"
    assert len(page.tables["Every run, by recording"]) == 1 + 6
    same = {"data_sets": {"data": {"made_by": "preparation"}}}
    page = report(benchmark(tmp_path / "same", ["rfm"], [1, 2], **same), out=tmp_path / "report.html")
    assert page.column(ATTACKS, "APCER")[1] == "0.00 %\n0 of 300\nseeds 0.00 to 0.00 %"


def test_several_tasks_have_a_matrix_with_the_mean_of_each_seed(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "study", ["rfm"], [1, 2])
    benchmark(folder, ["rfm", "anrl"], [1, 2], FEW, task="desk&phone to hall", target="hall")
    page = report(folder, out=tmp_path / "report.html")
    headings, *rows = page.tables["HTER %, deployable track, by recording"]
    assert headings == ["Method", "desk&hall to phone", "desk&phone to hall", "mean of tasks"]
    tasks = [
        sorted((folder / "runs" / task / "rfm").iterdir()) for task in ("desk&hall-to-phone", "desk&phone-to-hall")
    ]
    means = [
        mean(stored(path)["deployable", "recording"]["hter"] for path in pair) for pair in zip(*tasks, strict=True)
    ]
    cells = {row[0]: row for row in rows}
    assert cells["rfm"][3] == f"{100 * mean(means):.2f} ± {100 * stdev(means):.2f}"
    assert (cells["anrl"][1], cells["anrl"][3]) == ("–", "–")


def test_methods_are_compared_by_seed_and_set_beside_the_papers_on_their_data_alone(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "study", ["rfm", "binary_cnn"], [1, 2])
    page = report(folder, out=tmp_path / "report.html")
    (caption,) = (caption for caption in page.tables if caption.startswith("Compared with binary_cnn"))
    assert (page.column(caption, "method"), page.column(caption, "seeds")) == (["rfm"], ["2"])
    assert "sign-flip test" in page.text
    assert "simulated domains never are" in page.text
    task = "oulu_npu&casia_fasd&replay_attack to msu_mfsd"
    real = benchmark(tmp_path / "real", ["rfm"], [1], task=task, data_sets={"data": {"made_by": "preparation"}})
    page = report(real, out=tmp_path / "report.html")
    assert page.column(f"Beside the papers: {task}", "HTER %, paper")[0].startswith("13.89 (RFM table 1)")
    assert not any(caption.startswith("Compared") for caption in page.tables)


def test_another_test_set_is_marked(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "study", ["rfm", "drdg"], [1])
    benchmark(folder, ["anrl"], [1], FEW)
    page = report(folder, out=tmp_path / "report.html")
    assert page.column(BOTH, "Method") == ["anrl †", "drdg", "rfm"]
    assert "† anrl, desk&hall to phone: measured on another test set (" in page.text
    assert "†" not in report(benchmark(tmp_path / "b", ["rfm", "drdg"], [1]), out=tmp_path / "b.html").text


def test_simulated_sets_differ_by_how_they_were_drawn_and_not_by_where_they_lie(tmp_path: Path) -> None:
    drawn = {"made_by": "simulation", "seed": 1, "subjects": 20}
    folder = benchmark(tmp_path / "study", ["rfm", "drdg"], [1], data_sets={"data/sim-1": drawn})
    benchmark(folder, ["anrl"], [1], data_sets={"/elsewhere/sim-1": drawn})
    assert "†" not in report(folder, out=tmp_path / "report.html").text
    benchmark(folder, ["anrl"], [1], data_sets={"data/sim-1": {**drawn, "subjects": 30}})
    assert report(folder, out=tmp_path / "report.html").column(BOTH, "Method") == ["anrl †", "drdg", "rfm"]


def test_names_of_users_are_text_and_nothing_else(tmp_path: Path) -> None:
    evil = "<script>alert('x')</script>"
    about = {"task": f"desk{evil} to {evil}", "target": evil, "config": config(evil) | {"options": {"name": evil}}}
    species = {"live": (40, 30), f"{evil}\"'&": (40, 3)}
    write(tmp_path / "result.json", evaluation(species, evil, **about))
    page = report(tmp_path / "result.json", out=tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "<script" not in text
    assert evil in page.column(ATTACKS, "Species")[0]
    assert f"desk{evil} to {evil}" in page.text


def test_limits_are_always_written_and_no_claim_is_made(tmp_path: Path) -> None:
    write_scores(tmp_path / "scores.csv", scores(MANY))
    foreign = evaluate_files(tmp_path / "scores.csv", None, threshold="fixed=0.5", name="Acme 2.1")
    write_result(foreign, tmp_path / "results")
    ours, theirs = run(tmp_path / "rfm"), tmp_path / "results"
    for path, sentences in (
        (
            ours,
            [
                "Data were simulated",
                "hash of some weights was not recorded",
                "was not measured here",
                "One seed says little",
            ],
        ),
        (theirs, ["known by their scores alone", "A fixed threshold was given by hand"]),
    ):
        page = report(path, out=tmp_path / "report.html")
        for sentence in (
            "makes no claim of conformity with ISO/IEC 30107-3",
            "Every other is untested, among them screens, prints with holes, mannequins",
            "Digital injection",
            "no IAPAR",
            *sentences,
        ):
            assert sentence in page.text, sentence
        words = page.text.lower()
        assert "ibeta" not in words
        assert "compliant" not in words
        assert "rigid or soft masks" not in words  # a mask was tested
        assert "weights were not kept" not in words  # the run is there, or the system is not ours
    folder = benchmark(tmp_path / "study", ["rfm"], [1], weights={"1": "ab12"})
    text = report(folder, out=tmp_path / "report.html").text
    assert "Some weights were not kept" in text
    assert "was not recorded: which file" not in text


def test_a_method_that_saw_the_target_is_named(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "study", ["self_da"], [1, 2], uses_target_images=True)
    page = report(benchmark(folder, ["rfm"], [1, 2]), out=tmp_path / "report.html")
    assert "self_da saw unlabelled images of the target" in page.text
    [compared] = [caption for caption in page.tables if caption.startswith("Compared with")]
    for caption, heading in (
        (BOTH, "Method"),
        (ERRORS, "Method"),
        (ATTACKS, "Item"),
        (LIVE, "Item"),
        (compared, "method"),
    ):
        names = set(page.column(caption, heading))
        assert "self_da (uses target images)" in names, caption
        assert names <= {"self_da (uses target images)", "rfm"}, caption


def test_foreign_scores_say_whose_and_from_which_files(tmp_path: Path) -> None:
    write_scores(tmp_path / "scores.csv", scores(MANY))
    write_scores(tmp_path / "dev.csv", scores(FEW, "desk"))
    foreign = evaluate_files(tmp_path / "scores.csv", tmp_path / "dev.csv", threshold="bpcer=0.1", name="Acme 2.1")
    write_result(foreign, tmp_path / "results")
    page = report(tmp_path / "results", run(tmp_path / "rfm"), out=tmp_path / "report.html")
    assert page.column(BOTH, "Method") == ["Acme 2.1", "rfm"]
    assert page.column(BOTH, "Task") == ["desk to phone", "desk&hall to phone"]
    names = [str(tmp_path / "scores.csv"), str(tmp_path / "dev.csv"), "sim-1"]
    assert page.column("Data", "Folder or file") == names
    assert f"--scores {tmp_path}/scores.csv --development {tmp_path}/dev.csv --threshold bpcer=0.1" in page.text
    assert "--name 'Acme 2.1'" in page.text
    assert "No training here is on a task that the papers print numbers of" in page.text  # whatever the scores are of


def test_what_python_wrote_without_a_word_of_where_it_is_from(tmp_path: Path) -> None:
    """The example of docs/evaluation.md, and a system of others of which less is said."""
    write_scores(tmp_path / "source.csv", scores(FEW, "desk"))
    write_scores(tmp_path / "target.csv", scores(MANY))
    source, target = (read_scores(tmp_path / name) for name in ("source.csv", "target.csv"))
    results = evaluate_scores(source, target, threshold="eer")
    write_result(Evaluation("my system", results), tmp_path / "results")
    page = report(tmp_path / "results", out=tmp_path / "report.html")
    assert (page.column(BOTH, "Task"), page.column(BOTH, "Method")) == (["my system"], ["my system"])
    assert "# my system: its files of scores are not recorded\ndgfas report " in page.text
    about = {"files": {"target.csv": "ab", "source.csv": "cd"}}
    write_result(Evaluation("my system", results, about), tmp_path / "results")
    line = "dgfas evaluate --scores target.csv --development source.csv --threshold eer --out "
    assert commands(grouped(read_measured([tmp_path / "results"])), [])[0] == f"{line}{tmp_path}/results"


def test_excluded_and_rejected_recordings_are_named(tmp_path: Path) -> None:
    rejected = {"part": "target", "domain": "phone", "class": "live", "reason": "no face found", "recordings": 2}
    page = report(run(tmp_path / "rfm", rejected=[rejected]), out=tmp_path / "report.html")
    assert "counted as not answered, not left out: 2 live (no face found)" in page.text
    assert "Lists ssdg: of the target only labelled recordings of the splits train, test were measured" in page.text


def test_the_commands_make_it_again(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "study", ["rfm", "anrl"], [2, 1])
    groups = grouped(read_measured([folder, run(tmp_path / "run", method="drdg")]))
    lines = commands(groups, ["dgfas", "report", folder, tmp_path / "run", "--out", "my report.html"])
    assert lines == [
        f"dgfas benchmark --study study-1.yaml --seeds 1,2 --data 'data/sim-{{seed}}' --out {folder}",
        f"dgfas train {tmp_path}/run --config 'drdg-on-desk&hall-to-phone.yaml' --seed 1",
        f"dgfas evaluate {tmp_path}/run --target phone",
        f"dgfas report {folder} {tmp_path}/run --out 'my report.html'",
    ]
    named = dict(files(groups))
    assert list(named) == ["study-1.yaml", "drdg-on-desk&hall-to-phone.yaml"]
    assert yaml.safe_load(named["drdg-on-desk&hall-to-phone.yaml"]) == config("drdg")
    (tmp_path / "study-1.yaml").write_text(named["study-1.yaml"])
    read = load_study(str(tmp_path / "study-1.yaml"))
    assert (read.tasks, [row.method for row in read.rows]) == (("desk&hall to phone",), ["anrl", "rfm"])
    assert lines[0] in report(folder, tmp_path / "run", out=tmp_path / "report.html").text
    one = grouped(read_measured([benchmark(tmp_path / "one", ["rfm"], [3])]))
    assert "--seeds 3-3 " in commands(one, [])[0]


@pytest.mark.parametrize("rule", ["eer", "fixed=0.9", "bpcer=0.2", "apcer=0.05"])
def test_a_run_is_measured_again_by_the_rules_and_on_the_data_that_were_used(tmp_path: Path, rule: str) -> None:
    folder = run(tmp_path / "run", manifests={"data/sim-1": "ab", "data/more": "cd"})
    threshold = fix_threshold(scores(FEW, "desk"), rule, "source development recordings").to_dict()

    def measured_by(selection: str) -> str:
        used = {"threshold": threshold, "selection": SELECTION_WORDS[selection]}
        path = folder / "evaluation" / "phone" / "result.json"
        alter(path, lambda content: [result.update(used) for result in content["results"]])
        return commands(grouped(read_measured([folder])), [])[1]

    line = f"dgfas evaluate {folder} --target phone --data data/more"
    assert measured_by("last") == f"{line} --select last --threshold {rule}"
    path = folder / "evaluation" / "phone" / "result.json"
    alter(path, lambda content: content["about"]["config"].update(threshold=rule))
    assert measured_by("source_validation") == line


def test_seeds_that_trained_on_other_data_have_configurations_of_their_own(tmp_path: Path) -> None:
    same = config(seed=3, data=config(seed=1)["data"])
    runs = [run(tmp_path / str(seed), seed=seed, **more) for seed, more in ((1, {}), (2, {}), (3, {"config": same}))]
    groups = grouped(read_measured(runs))
    lines = commands(groups, [])
    names = ["rfm-on-desk&hall-to-phone.yaml", "rfm-on-desk&hall-to-phone-seed-2.yaml"]
    trained = [f"dgfas train {tmp_path}/{seed} --config '{names[seed == 2]}' --seed {seed}" for seed in (1, 2, 3)]
    assert lines[:-1:2] == trained
    assert [(name, yaml.safe_load(text)) for name, text in files(groups)] == [
        (names[0], config(seed=1)),
        (names[1], config(seed=2)),
    ]


def test_data_that_were_drawn_are_named_once_wherever_they_lie(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "study", ["rfm"], [1, 2])
    benchmark(folder, ["anrl"], [1, 2])
    for number, path in enumerate(sorted(folder.glob("runs/*/*/*.json"))):
        content = json.loads(path.read_text())
        content["job"] |= {"data": f"/place-{number}/sim-{{seed}}", "subjects": 20}
        write(path, content)
    line, _ = commands(grouped(read_measured([folder])), ["dgfas"])
    assert line.endswith(f"--seeds 1,2 --data 'sim-{{seed}}' --simulate-subjects 20 --out {folder}")
    there = {"manifests": {"there/sim-1": f"{1:064x}"}}
    there["data_sets"] = {"there/sim-1": {"made_by": "simulation", "seed": 1, "subjects": 20}}
    one = benchmark(benchmark(tmp_path / "one", ["rfm"], [1, 2]), ["anrl"], [1], **there)
    page = report(one, out=tmp_path / "report.html")
    assert page.column("Data", "Folder or file") == ["sim-1", "sim-2"]
    assert "A manifest lists frames, not pixels" in page.text


def test_a_report_of_some_methods_has_no_others_and_says_how_to_choose_them(tmp_path: Path) -> None:
    folder, out = benchmark(tmp_path / "study", ["rfm", "anrl", "drdg"], [1]), tmp_path / "report.html"
    page = report(folder, out=out, methods=["anrl", "rfm"])
    assert set(page.column(BOTH, "Method")) == {"rfm", "anrl"}
    assert "drdg" not in page.text
    assert f"dgfas report {folder} --methods anrl,rfm --no-figures --out {out}" in page.text


def test_runs_of_one_method_that_differ_are_called_by_their_folders(tmp_path: Path) -> None:
    runs = [run(tmp_path / name, config=config(options={"order": name})) for name in ("first", "second")]
    page = report(
        *runs, run(tmp_path / "third", seed=2, config=config(seed=2, options={"order": "first"})), out=tmp_path / "r"
    )
    assert page.column(BOTH, "Method") == ["rfm (first)", "rfm (second)"]
    assert page.column(BOTH, "live + spoof")[0].endswith("2 seeds")
    other = run(
        tmp_path / "other", task="desk&phone to hall", config=config(options={"order": "first"}, data={"lists": "ssdg"})
    )
    assert report(runs[0], other, out=tmp_path / "report.html").column(BOTH, "Method") == ["rfm"] * 2


def test_the_same_results_give_the_same_bytes_that_need_no_other_file(tmp_path: Path) -> None:
    folder = benchmark(tmp_path / "study", ["rfm"], [1])
    texts = []
    for _ in range(2):
        write_report([folder], tmp_path / "report.html")
        texts.append((tmp_path / "report.html").read_bytes())
    assert texts[0] == texts[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "study"]
    for address in (b"http:", b"https:", b"file:", b"url(", b"@import"):
        assert address not in texts[0].replace(b"data:image", b"")


def test_figures_are_pictures_with_words_and_what_is_missing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    from dgfas.reporting.figures import PaperFigure

    def drawn(runs, report):  # type: ignore[no-untyped-def]
        assert runs == [tmp_path / "rfm"]
        report.note("RFM, figure 6: not drawn: needs <more>")
        figure = Figure(figsize=(2, 1))
        figure.add_subplot().plot([0, 1])
        return [PaperFigure("rfm-4", "RFM, figure 4", "A <title>", "Shown.", "A line.", figure)]

    monkeypatch.setattr(page_module, "paper_figures", drawn)
    page = report(run(tmp_path / "rfm"), out=tmp_path / "report.html", figures=True)
    assert "After RFM, figure 4. Shown. Expected if the method works: A line." in page.text
    assert "RFM, figure 6: not drawn: needs <more>" in page.text
    text = (tmp_path / "report.html").read_text()
    assert 'alt="RFM, figure 4: A &lt;title&gt;"' in text
    assert 'src="data:image/png;base64,' in text
    files = {file.name for file in (tmp_path / "report-figures").iterdir()}
    assert files == {"rfm-4.png", "rfm-4.svg", "figures.json"}
    assert "--no-figures" in report(run(tmp_path / "two"), out=tmp_path / "report.html").text
    folder = benchmark(tmp_path / "study", ["rfm"], [1])
    assert "no folder of one is among" in report(folder, out=tmp_path / "report.html", figures=True).text
