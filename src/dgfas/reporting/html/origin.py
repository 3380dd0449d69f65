"""Where the numbers come from: data, configurations, hashes, and the commands that make them again."""

import shlex
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from dgfas.core.config import merge
from dgfas.evaluation.parts import LIST_SPLITS, PARTS
from dgfas.evaluation.tasks import file_name
from dgfas.evaluation.tracks import SELECTION_WORDS
from dgfas.reporting.html.groups import Group
from dgfas.reporting.html.measured import Measured
from dgfas.reporting.html.stored import Job, StoredConfig
from dgfas.reporting.html.words import DASH, Table

SAME_MANIFEST = (
    "A manifest lists frames, not pixels: simulated data sets that differ in their seed alone share its hash.",
)


def data_sets(measured: Sequence[Measured]) -> Table:
    """Return every data set that was used: its folder, the hash of its manifest, and how it was made.

    One that was drawn is the same wherever it lies: of its folder the name is given, and it is listed once.
    """
    rows: dict[tuple[str, ...], None] = {}
    for item in measured:
        for root, digest in item.about.manifests.items():
            name = Path(root).name if root in item.drawn else root
            rows[(name, digest, _in_words(item.about.data_sets.get(root)))] = None
        for path, digest in item.about.files.items():
            rows[(path, digest, "scores, given by others")] = None
    columns = ("Folder or file", "SHA-256 of its manifest", "How it was made")
    notes = SAME_MANIFEST if any(item.drawn for item in measured) else ()
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
        for row in member.about.recordings:
            counts[row.part].setdefault(row.domain, {})[row.label] = row.recordings
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
        if member.config is None:
            said.append("What the files of scores of others leave out cannot be known here.")
            continue
        lists = member.config.data.lists
        splits = ", ".join(LIST_SPLITS[lists][2])
        said.append(f"Lists {lists}: of the target only labelled recordings of the splits {splits} were measured.")
        rejected = [row for row in member.about.rejected if row.part == "target"]
        if rejected:
            counts = "; ".join(f"{row.recordings} {row.label} ({row.reason})" for row in rejected)
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
    runs: dict[str, dict[str, Any]] = {}
    for group in groups:
        for item in group.members:
            if item.content.job is None and item.config is not None:
                runs.setdefault(_config_name(group, item), item.whole_config)
    return [(name, _yaml(content)) for name, content in [*studies, *runs.items()]]


def commands(groups: Sequence[Group], report: Sequence[object]) -> list[str]:
    """Return the commands that make the results again, and `report`, the words of the one that makes the report."""
    lines = []
    for number, ((folder, *_), jobs) in enumerate(_benchmarks(groups).items(), 1):
        given = [
            *(("--data", path) for path in jobs[0].folders),
            ("--simulate-subjects", jobs[0].subjects),
            ("--out", folder),
        ]
        options = [word for option in given if option[1] is not None for word in option]
        lines.append(_line("dgfas", "benchmark", "--study", f"study-{number}.yaml", "--seeds", _seeds(jobs), *options))
    for group in groups:
        for item in group.members:
            if item.content.job is None:
                config, name = item.config, _config_name(group, item)
                lines += [_foreign(item)] if config is None else _training(item, config, name)
    return [*lines, _line(*report)]


def configurations(groups: Sequence[Group]) -> list[tuple[str, str]]:
    """Return the resolved configuration of a benchmark's methods, of the first seed on their first task, as YAML."""
    first = {group.label: group.members[0] for group in reversed(groups) if group.members[0].content.job is not None}
    return [
        (f"{label}, {item.task}, seed {item.seed}", _yaml(item.whole_config)) for label, item in reversed(first.items())
    ]


def _benchmarks(groups: Sequence[Group]) -> dict[tuple[Path, tuple[object, ...], int], list[Job]]:
    """Return the jobs of each benchmark's folder that one command can ask for: in a study a label is one row."""
    found: dict[tuple[Path, tuple[object, ...], int], list[Job]] = {}
    for item in (item for group in groups for item in group.members):
        job = item.content.job
        if job is not None:
            keys = ((item.folder, job.common, number) for number in count())
            fitting = (key for key in keys if all(_go_together(job, other) for other in found.get(key, [])))
            found.setdefault(next(fitting), []).append(job)
    return found


def _go_together(job: Job, other: Job) -> bool:
    return job.entry.label != other.entry.label or job.entry == other.entry


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


def _config_name(group: Group, item: Measured) -> str:
    """Return the name of a run's configuration: one for all seeds that differ in nothing else."""
    first = group.members[0].whole_config
    own = merge(first, {"training": {"seed": item.seed}}) != item.whole_config
    return file_name(f"{group.label} on {group.task}" + (f" seed {item.seed}" if own else "")) + ".yaml"


def _training(item: Measured, config: StoredConfig, name: str) -> list[str]:
    run, used = item.run or item.path.parent, item.result("deployable")
    selection = next((rule for rule, words in SELECTION_WORDS.items() if words == used.selection), config.selection)
    threshold = used.threshold.option
    options = [word for root in item.about.manifests if root not in config.data.roots for word in ("--data", root)]
    options += [] if selection == config.selection else ["--select", selection]
    options += [] if threshold == config.threshold else ["--threshold", threshold]
    return [
        _line("dgfas", "train", run, "--config", name, "--seed", item.seed),
        _line("dgfas", "evaluate", run, "--target", item.about.target, *options),
    ]


def _foreign(item: Measured) -> str:
    about = item.about
    if not about.files:
        return f"# {' '.join(item.label.split())}: its files of scores are not recorded"
    scores, *development = about.files
    options = ["--scores", scores, *(["--development", development[0]] if development else [])]
    options += ["--threshold", about.threshold or item.result("deployable").threshold.option]
    options += ["--score-range", "any"] if about.score_range == "any" else []
    options += ["--name", about.system] if about.system else []
    return _line("dgfas", "evaluate", *options, "--out", item.path.parent)


def _yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _line(*words: object) -> str:
    return shlex.join(map(str, words))
