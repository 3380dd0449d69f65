"""The tables at the top of a report, and the one of every single run."""

from collections import Counter
from collections.abc import Sequence
from statistics import mean

from dgfas.evaluation.frozen_lists import words_of_list
from dgfas.reporting.html.attacks import worst_apcer
from dgfas.reporting.html.groups import Group
from dgfas.reporting.html.measured import Measured
from dgfas.reporting.html.stored import StoredResult
from dgfas.reporting.html.words import DASH, TOO_FEW, Table, enough, gap, spread, with_interval
from dgfas.reporting.study import MEAN
from dgfas.reporting.tables import EXACT_NOTE, percent

SHORT = 12  # digits of a hash in a table
TRACKS = (
    "Deployable (track B, the headline): checkpoint and threshold are fixed on source development data, before the "
    "target is touched. Oracle (track A): both are chosen on the target itself, as in most published tables. Gap: "
    "deployable minus oracle, in points.",
    "One seed: in brackets the 95 % interval, by drawing whole subjects with replacement. Several: mean ± standard "
    "deviation over seeds, and the 95 % interval of the mean for new seeds and new subjects.",
)


def headline(groups: Sequence[Group]) -> list[Table]:
    """Return the headline: of several tasks first a matrix of methods and tasks, then both tracks, then the errors."""
    tasks = list(dict.fromkeys(group.task for group in groups))
    matrix = [_matrix(groups, tasks)] if len(tasks) > 1 else []
    return [*matrix, _tracks(groups), _errors(groups)]


def _matrix(groups: Sequence[Group], tasks: Sequence[str]) -> Table:
    """Return HTER of the deployable track: a row a method, a column a task, and the mean of tasks seed by seed."""
    rows = []
    for label in dict.fromkeys(group.marked for group in groups):
        own = {group.task: group for group in groups if group.marked == label}
        cells = [_hter(own[task]) + _mark(own[task], groups) if task in own else DASH for task in tasks]
        rows.append((label, *cells, _mean_of_tasks([own[task] for task in tasks if task in own], len(tasks))))
    return Table("HTER %, deployable track, by recording", ["Method", *tasks, MEAN], rows, different_test_sets(groups))


def _hter(group: Group) -> str:
    return spread([result.hter for result in group.results("deployable")])


def _mean_of_tasks(groups: Sequence[Group], tasks: int) -> str:
    """Write the mean over tasks of the seeds that have them all; nothing where a task is missing."""
    if len(groups) < tasks:
        return DASH
    by_seed = [dict(zip(group.seeds, group.results("deployable"), strict=True)) for group in groups]
    seeds = [seed for seed in by_seed[0] if all(seed in of_task for of_task in by_seed)]
    return spread([mean(of_task[seed].hter for of_task in by_seed) for seed in seeds]) if seeds else DASH


def _tracks(groups: Sequence[Group]) -> Table:
    """Return both tracks beside each other, what was counted and which test set: a row a task and method."""
    rows = []
    for group in groups:
        deployable, oracle = group.results("deployable"), group.results("oracle")
        rows.append(
            (
                group.task,
                group.marked + _mark(group, groups),
                with_interval(deployable, "hter", group.independent),
                with_interval(oracle, "hter", group.independent),
                gap([result.hter for result in deployable], [result.hter for result in oracle]),
                with_interval(deployable, "auc", group.independent),
                with_interval(oracle, "auc", group.independent),
                _counts(group),
                test_set(group),
            )
        )
    columns = ["Task", "Method", "HTER %\ndeployable", "HTER %\noracle", "gap", "AUC %\ndeployable", "AUC %\noracle"]
    columns += ["live + spoof", "Test set"]
    alone = [group.results("deployable")[0] for group in groups if len(group.members) == 1]  # only these have a *
    starred = any(result.bootstrap.exact for result in alone)
    notes = (*TRACKS, *([EXACT_NOTE] if starred else []), *different_test_sets(groups))
    return Table("Both tracks, by recording", columns, rows, notes, headings=2)


def _errors(groups: Sequence[Group]) -> Table:
    """Return the errors of the deployable track at its threshold, and HTER by frame: a row a task and method."""
    rows = []
    for group in groups:
        results, frames = group.results("deployable"), group.results("deployable", "frame")
        bpcer = [result.bpcer for result in results]
        rows.append(
            (
                group.task,
                group.marked + _mark(group, groups),
                spread([one.share for one in bpcer]) if enough(bpcer) else TOO_FEW,
                worst_apcer(results),
                spread([result.eer for result in results]),
                with_interval(frames, "hter", group.independent),
                with_interval(frames, "auc", group.independent),
            )
        )
    columns = ["Task", "Method", "BPCER %", "APCER\nworst species", "EER %", "HTER %\nby frame", "AUC %\nby frame"]
    return Table("Errors of the deployable track", columns, rows, headings=2)


def _counts(group: Group) -> str:
    """Write how many recordings of how many subjects the test set has, a line each different one; and the seeds."""
    lines = []
    for result in group.results("deployable"):
        spoof = sum(rate.total for rate in result.apcer.values())
        lines.append(f"{result.bpcer.total} + {spoof}\n{result.bootstrap.persons} subjects")
    seeds = [f"{len(group.members)} seeds"] if len(group.members) > 1 else []
    return "\n".join([*dict.fromkeys(lines), *seeds])


def test_set(group: Group) -> str:
    """Write which recordings were measured: the lists that chose them, and the hash, a line each different one.

    Of a published data set it is said whether that is the whole frozen list.
    """
    lists = [_list(item, item.config.data.lists) for item in group.members if item.config]
    hashes = [result.recordings_hash[:SHORT] for result in group.results("deployable")]
    return "\n".join(dict.fromkeys([*lists, *hashes]))


def _list(item: Measured, lists: str) -> str:
    result = item.result("deployable")
    spoof = sum(rate.total for rate in result.apcer.values())
    return words_of_list(str(item.about.target), lists, result.bpcer.total, spoof, result.recordings_hash)


def _mark(group: Group, groups: Sequence[Group]) -> str:
    return " †" if _differs(group, groups) else ""


def _differs(group: Group, groups: Sequence[Group]) -> bool:
    """Whether a seed was measured on another test set than that of most methods on the task, of equals the first.

    Of data that are drawn anew for each seed the same draw is compared alone.
    """
    rivals = [other for other in groups if other.task == group.task]
    for member in group.members:
        found = Counter(test_set for other in rivals for test_set in _test_sets(other, member))
        if member.test_set != found.most_common(1)[0][0]:
            return True
    return False


def _test_sets(group: Group, beside: Measured) -> dict[str, None]:
    """Return the test sets of a method that one measurement is to be compared with, each once.

    Other draws are other seeds' own; of the same seed they are another test set.
    """
    rivals = [each for each in group.members if each.seed == beside.seed or not each.is_another_draw_than(beside)]
    return dict.fromkeys(beside.test_set if rival.has_test_set_of(beside) else rival.test_set for rival in rivals)


def different_test_sets(groups: Sequence[Group]) -> list[str]:
    """Return a warning for each method that was measured on other recordings than the others on its task."""
    return [
        f"† {group.name}: measured on another test set ({test_set(group).splitlines()[-1]}) than the other methods; "
        "do not compare it with them."
        for group in groups
        if _differs(group, groups)
    ]


def every_run(groups: Sequence[Group]) -> Table:
    """Return a row a training (or system) by recording, with both tracks."""
    rows = []
    for group in groups:
        for member in group.members:
            deployable, oracle = member.result("deployable"), member.result("oracle")
            seconds = member.content.made_by.seconds
            rows.append(
                (
                    group.task,
                    group.marked,
                    DASH if member.seed is None else str(member.seed),
                    *_fixed_and_measured(deployable),
                    *_fixed_and_measured(oracle),
                    with_interval([deployable], "auc"),
                    percent(deployable.eer),
                    DASH if seconds is None else f"{seconds:.0f}",
                )
            )
    columns = ["Task", "Method", "Seed"]
    for track in ("deployable", "oracle"):
        columns += [f"checkpoint,\nthreshold\n{track}", f"HTER %\n{track}"]
    columns += ["AUC %\ndeployable", "EER %\ndeployable", "seconds"]
    members = [member for group in groups for member in group.members]
    starred = any(
        each.result("deployable").bootstrap.exact or each.result("oracle").bootstrap.exact for each in members
    )
    return Table("Every run, by recording", columns, rows, [EXACT_NOTE] if starred else [], headings=3)


def _fixed_and_measured(result: StoredResult) -> tuple[str, str]:
    checkpoint = DASH if result.checkpoint is None else str(result.checkpoint)
    return f"{checkpoint}\n{result.threshold.value:.4g}", with_interval([result], "hter")
