"""Where the numbers come from: data, configurations, hashes, and the commands that make them again."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from dgfas.evaluation.parts import LIST_SPLITS, PARTS
from dgfas.evaluation.tasks import file_name
from dgfas.reporting.html.measured import Group, Measured
from dgfas.reporting.html.stored import Job
from dgfas.reporting.html.words import DASH, Table
from dgfas.training.data_record import simulated_records

SAME_MANIFEST = (
    "A manifest lists frames, not pixels: simulated data sets that differ in their seed alone share its hash.",
)


def data_sets(measured: Sequence[Measured]) -> Table:
    """Return every data set that was used: its folder, the hash of its manifest, and how it was made.

    One that was drawn is the same wherever it lies: of its folder the name is given, and it is listed once.
    """
    rows: dict[tuple[str, ...], None] = {}
    for item in measured:
        records, drawn = item.about.get("data_sets") or {}, simulated_records(item.about)
        for root, digest in (item.about.get("manifests") or {}).items():
            rows[(Path(root).name if root in drawn else root, digest, _in_words(records.get(root)))] = None
        for path, digest in (item.about.get("files") or {}).items():
            rows[(path, digest, "scores, given by others")] = None
    columns = ("Folder or file", "SHA-256 of its manifest", "How it was made")
    notes = SAME_MANIFEST if any(simulated_records(item.about) for item in measured) else ()
    return Table("Data", columns, list(rows), notes, texts=True)


def _in_words(record: dict[str, Any] | None) -> str:
    if record is None:
        return "not recorded"
    return "\n".join(f"{key.replace('_', ' ')}: {value}" for key, value in record.items())


def recordings(groups: Sequence[Group]) -> Table:
    """Return how many recordings with a face the parts of each task have, in its first result: a row a task."""
    rows = []
    for task in dict.fromkeys(group.task for group in groups):
        member = next(group for group in groups if group.task == task).members[0]
        counts: dict[str, dict[str, dict[str, int]]] = {part: {} for part in PARTS}
        for row in member.about.get("recordings") or []:
            counts[row["part"]].setdefault(row["domain"], {})[row["class"]] = row["recordings"]
        rows.append((task, *map(_live_and_spoof, counts.values())))
    columns = ("Task", "Training", "Source validation", "Target")
    return Table("Recordings with a face: live + spoof", columns, rows, texts=True)


def _live_and_spoof(domains: dict[str, dict[str, int]]) -> str:
    return "\n".join(f"{name} {of.get('live', 0)} + {of.get('spoof', 0)}" for name, of in domains.items()) or DASH


def excluded(groups: Sequence[Group]) -> list[str]:
    """Return what of the data was left out of the numbers, and why; recordings without a face are not left out."""
    said = []
    for group in groups:
        member = group.members[0]
        if not member.config:
            said.append("What the files of scores of others leave out cannot be known here.")
            continue
        lists = member.config["data"]["lists"]
        splits = ", ".join(LIST_SPLITS[lists][2])
        said.append(f"Lists {lists}: of the target only labelled recordings of the splits {splits} were measured.")
        rejected = [row for row in member.about.get("rejected") or [] if row["part"] == "target"]
        if rejected:
            counts = "; ".join(f"{row['recordings']} {row['class']} ({row['reason']})" for row in rejected)
            said.append(f"{group.task}: counted as not answered, not left out: {counts}.")
    return list(dict.fromkeys(said))


def test_sets(groups: Sequence[Group]) -> Table:
    """Return the whole hash of every test set: recordings of the target with subject and label."""
    rows: dict[tuple[str, str, str], None] = {}
    for group in groups:
        for member in group.members:
            seed = DASH if member.seed is None else str(member.seed)
            rows[(group.task, seed, member.result("deployable").recordings_hash)] = None
    return Table(
        "Test sets",
        ("Task", "Seed", "SHA-256 of its recordings, subjects and labels"),
        list(rows),
        headings=2,
        texts=True,
    )


def files(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Return the files that the commands name: studies, and configurations of single runs, by name, as YAML."""
    studies = [(f"study-{number}.yaml", _study(jobs)) for number, jobs in enumerate(_benchmarks(groups).values(), 1)]
    runs = [(_config_name(group), group.members[0].config) for group in groups if _is_run(group)]
    return [
        (name, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        for name, content in [*studies, *dict(runs).items()]
    ]


def commands(groups: Sequence[Group], report: Sequence[object]) -> list[str]:
    """Return the commands that make the results again, and `report`, the words of the one that makes the report."""
    lines = []
    for number, ((folder, _), jobs) in enumerate(_benchmarks(groups).items(), 1):
        given = [
            *(("--data", path) for path in jobs[0].folders),
            ("--simulate-subjects", jobs[0].subjects),
            ("--out", folder),
        ]
        options = [word for option in given if option[1] is not None for word in option]
        lines.append(_line("dgfas", "benchmark", "--study", f"study-{number}.yaml", "--seeds", _seeds(jobs), *options))
    for group in groups:
        for item in group.members:
            if _is_run(group):
                lines += _training(item, _config_name(group))
            elif item.content.job is None:
                lines.append(_foreign(item))
    return [*lines, _line(*report)]


def configurations(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Return the resolved configuration of a benchmark's methods, of the first seed on their first task, as YAML."""
    first = {group.label: group.members[0] for group in reversed(groups) if group.members[0].content.job is not None}
    return [
        (f"{label}, {item.task}, seed {item.seed}", yaml.safe_dump(item.config, sort_keys=False, allow_unicode=True))
        for label, item in reversed(first.items())
    ]


def _benchmarks(groups: Sequence[Group]) -> dict[tuple[Path, tuple[object, ...]], list[Job]]:
    """Return the jobs of each benchmark's folder that one command can ask for."""
    found: dict[tuple[Path, tuple[object, ...]], list[Job]] = {}
    for item in (item for group in groups for item in group.members):
        if item.content.job is not None:
            found.setdefault((item.path.parents[3], item.content.job.common), []).append(item.content.job)
    return found


def _study(jobs: Sequence[Job]) -> dict[str, Any]:
    """Return the study of these jobs: what `dgfas benchmark --study` reads."""
    entries = {job.entry.label: job.entry.model_dump(mode="json") for job in jobs}
    facts = {"setting": jobs[0].setting, "iterations": jobs[0].iterations}
    return {
        "title": "Trainings of this report",
        "tasks": list(dict.fromkeys(job.task for job in jobs)),
        "seeds": max(job.seed for job in jobs),
        **{key: value for key, value in facts.items() if value is not None},
        "entries": list(entries.values()),
    }


def _seeds(jobs: Sequence[Job]) -> str:
    seeds = sorted({job.seed for job in jobs})
    return f"{seeds[0]}-{seeds[0]}" if len(seeds) == 1 else ",".join(map(str, seeds))


def _is_run(group: Group) -> bool:
    return group.members[0].content.job is None and bool(group.members[0].config)


def _config_name(group: Group) -> str:
    return file_name(f"{group.label} on {group.task}") + ".yaml"


def _training(item: Measured, config: str) -> list[str]:
    run = item.run or item.path.parent
    return [
        _line("dgfas", "train", run, "--config", config, "--seed", item.seed),
        _line("dgfas", "evaluate", run, "--target", item.about["target"]),
    ]


def _foreign(item: Measured) -> str:
    scores, *development = item.about["files"]
    options = ["--scores", scores, *(["--development", development[0]] if development else [])]
    options += ["--threshold", item.about["threshold"]]
    options += ["--score-range", "any"] if item.about["score_range"] == "any" else []
    options += ["--name", item.about["system"]] if item.about["system"] else []
    return _line("dgfas", "evaluate", *options, "--out", item.path.parent)


def _line(*words: object) -> str:
    return shlex.join(map(str, words))
