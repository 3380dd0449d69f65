"""Which figures runs allow, what is said of those they do not, and what is written."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dgfas.core.errors import UserError
from dgfas.core.progress import Silent
from dgfas.reporting.figures import PaperFigure, _short_names, paper_figures, write_figures
from dgfas.training.record import add_to_record, read_record
from heard import Heard

pytestmark = pytest.mark.slow


def test_runs_of_no_paper_give_no_figures_and_a_note(make_run: Callable[..., Path]) -> None:
    heard = Heard()
    assert paper_figures([make_run("binary_cnn", "binary_cnn")], heard) == []
    assert heard.notes == [
        "no figures of RFM (no run of rfm), D2AM (no run of d2am), DRDG (no run of drdg), ANRL (no run of anrl), "
        "PDL-FAS (no run of pdl_fas)"
    ]


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not the folder of a run"):
        paper_figures([tmp_path], Silent())


def test_two_runs_of_a_method_give_two_figures_of_their_own_names(
    make_run: Callable[..., Path], d2am_run: Path
) -> None:
    other = make_run("d2am_again", "d2am", "training.seed=1")
    names = [figure.name for figure in paper_figures([d2am_run, other], Silent())]
    assert len(set(names)) == len(names)
    assert {"d2am-7-d2am", "d2am-7-d2am_again"} <= set(names)


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["/a/x/one", "/a/x/two"], ["one", "two"]),
        (["/a/x/one", "/a/y/one"], ["x-one", "y-one"]),
        (["/a/x/one", "/b/x/one", "/b/x/two"], ["a-x-one", "b-x-one", "b-x-two"]),
        (["/one"], ["one"]),
        ([], []),
    ],
)
def test_names_of_runs_are_short_and_differ(folders: list[str], names: list[str]) -> None:
    assert _short_names([Path(folder) for folder in folders]) == names


def test_given_domains_show_no_clustering_and_the_note_says_so(make_run: Callable[..., Path]) -> None:
    heard = Heard()
    run = make_run("d2am_given", "d2am", "domains.provider=given")
    names = {figure.name for figure in paper_figures([run], heard)}
    assert "d2am-7" not in names
    assert any(line.startswith("D2AM, figure 7: not drawn") and "given, not found" in line for line in heard.notes)


def test_of_a_run_whose_data_changed_nothing_is_drawn_that_needs_them(d2am_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(d2am_run, run)
    record = read_record(run)
    add_to_record(run, {"manifests": dict.fromkeys(record["manifests"], "0" * 64)})
    heard = Heard()
    assert [figure.name for figure in paper_figures([run], heard)] == ["d2am-7"]  # it is of what the run stored
    refused = [line for line in heard.notes if "its prepared data have changed since the run began" in line]
    assert [line.partition(":")[0] for line in refused] == [f"D2AM, figure {part}" for part in ("4c and d", "5", "6")]


def test_figure_7_shows_the_numbers_of_the_saved_clusterings(drawn: dict[str, PaperFigure], d2am_run: Path) -> None:
    figure = drawn["d2am-7"]
    stored = [np.load(file) for file in sorted((d2am_run / "domains").glob("*.npz"))]
    logs = [dict(zip(one["log_names"], one["log_values"], strict=True)) for one in stored]
    assert len(logs) == 4
    distance, agreement = figure.figure.axes
    for axes, key, position, first in (
        (distance, "mmd_found", 0, 0),
        (distance, "mmd_given", 1, 0),
        (agreement, "nmi_previous", 0, 1),
        (agreement, "nmi_given", 1, 0),
    ):
        line = axes.get_lines()[position]
        assert list(line.get_xdata()) == list(range(first, 4))
        np.testing.assert_array_equal(line.get_ydata(), [log[key] for log in logs[first:]])


def test_files_and_captions_are_written_and_the_same_again(
    drawn: dict[str, PaperFigure], d2am_run: Path, tmp_path: Path
) -> None:
    figures = [drawn[name] for name in ("d2am-4cd", "d2am-5", "d2am-6", "d2am-7")]
    files = write_figures(figures, tmp_path / "one")
    captions = json.loads((tmp_path / "one" / "figures.json").read_text())
    assert [caption["name"] for caption in captions] == [figure.name for figure in figures]
    for caption in captions:
        assert caption["files"] == [f"{caption['name']}.png", f"{caption['name']}.svg"]
        assert all((tmp_path / "one" / file).is_file() for file in caption["files"])
        assert caption["source"].startswith("D2AM, figure ")
        assert all(len(caption[key]) > 10 for key in ("title", "caption", "expectation"))
    assert len(files) == 2 * len(figures) + 1
    again = write_figures(paper_figures([d2am_run], Silent()), tmp_path / "two")
    assert [file.read_bytes() for file in files] == [file.read_bytes() for file in again]


def test_the_words_leave_the_drawing_out(drawn: dict[str, PaperFigure]) -> None:
    assert set(drawn["rfm-4"].words()) == {"name", "source", "title", "caption", "expectation"}
