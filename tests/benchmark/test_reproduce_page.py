"""The numbers of docs/reproduce-the-table.md are those of the code."""

from pathlib import Path

import pytest

from dgfas.benchmark.catalogue import plain_entries
from dgfas.benchmark.folders import Folders
from dgfas.benchmark.forecast import COSTS, Forecast, stated_flops
from dgfas.benchmark.study import Training, trainings
from dgfas.core.config import NetworkConfig, setting_values
from dgfas.core.progress import in_words
from dgfas.datasets.registry import find_reader
from dgfas.evaluation.protocols import named_protocols
from dgfas.evaluation.slices import LETTERS
from dgfas.faces.options import PrepareOptions
from dgfas.methods.registry import preset_values
from dgfas.training.estimate import encoder_flops
from documented_commands import DOCS, documented_commands

PAGE = DOCS / "reproduce-the-table.md"
TEXT = " ".join(PAGE.read_text(encoding="utf-8").split())
TASKS = named_protocols()["ocim"].parsed()
FULL = setting_values("full")


@pytest.fixture(scope="module")
def jobs() -> list[Training]:
    """Return the trainings that the page's command asks for."""
    [command] = [words for words in documented_commands(PAGE) if words[0] == "benchmark" and "--dry-run" not in words]
    methods = command[command.index("--methods") + 1].split(",")
    folders = Folders(dict.fromkeys(LETTERS.values(), Path("prepared")), None)
    common = {"subjects": None, "setting": "full", "iterations": None, "scratch": Path("scratch")}
    return list(trainings(plain_entries(methods), TASKS, [1], folders, **common))


def test_how_long_each_training_takes_at_the_assumed_rate(jobs: list[Training]) -> None:
    assert len(jobs) == 20
    gflop = encoder_flops(NetworkConfig(**FULL["network"])) / 1e9
    assert f"is {gflop:.2f} GFLOP (counted)" in TEXT
    assert "on 60 frames, 20,000 times" in TEXT
    assert FULL["training"] == {"iterations": 20000, "batch_per_class": 10}
    for job in jobs[:5]:
        cost = COSTS.relative[job.entry.method]
        operations = 3 * gflop * 1e9 * 60 * 20000 * cost
        assert operations == pytest.approx(stated_flops(job))
        assert f"| `{job.entry.method}` | {cost} | {in_words(operations / 10e12)} |" in TEXT


@pytest.mark.parametrize(("tflops", "words"), [(10, "all five on four tasks, one seed | |"), (50, "50 TFLOP/s | |")])
def test_how_long_the_table_takes(jobs: list[Training], tmp_path: Path, tflops: float, words: str) -> None:
    said = str(Forecast(jobs, tmp_path, 1, tflops)).partition("about ")[2].partition(",")[0]
    assert f"{words} {said} |" in TEXT


def test_what_lies_on_disk() -> None:
    counts = {letter: sum(find_reader(name).expected.values()) for letter, name in LETTERS.items()}
    for letter, name in LETTERS.items():
        row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| {letter} | `/data/"))
        assert row.split("|")[2].strip() == f"`/data/{find_reader(name).word}`"
        assert row.split("|")[4].strip() == f"{counts[letter]:,}"
    options = PrepareOptions()
    assert options.frames_per_recording is not None
    crops = options.frames_per_recording * sum(counts.values())
    assert f"{options.frames_per_recording} frames of each recording are {crops:,} crops of {options.size} px" in TEXT
    assert f"at most {crops * 3 * 256**2 / 1e9:.0f} GB, and {crops * 6 * 256**2 / 1e9:.0f} GB more" in TEXT
    assert f"all {sum(counts.values()):,} recordings" in TEXT


def test_the_settings_that_all_methods_share(jobs: list[Training]) -> None:
    for job in jobs[:5]:
        options = preset_values(job.entry.method, "default")
        assert (options["learning_rate"], options["depth_weight"]) == (1e-3, 10)
    assert {task.lists for task in TASKS} == {"ssdg"}
    for fact in ("20,000 iterations for all", "10 live and 10 spoof a domain for all", "1e-3 for all", "weight 10 |"):
        assert fact in TEXT
