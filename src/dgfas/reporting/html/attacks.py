"""The part of a report that is shaped after ISO/IEC 30107-3: per species, with counts, limits and provenance."""

from collections.abc import Sequence
from statistics import mean

from dgfas.evaluation.measurement import APCER_LEVELS
from dgfas.reporting.html.groups import Group
from dgfas.reporting.html.stored import StoredRate, StoredResult
from dgfas.reporting.html.words import DASH, LEAST_PRESENTATIONS, TOO_FEW, Table, enough, rate, spread
from dgfas.reporting.tables import bpcer_name, percent

LEVEL = "PAD subsystem: software that sees RGB crops of a face. Data capture subsystem and full system: not tested."
ATTEMPTS = (
    "Each recording is one attempt; its score is the mean over its frames with a face. "
    "No second attempt, no time limit, no order of attempts was tested."
)
NOTES = (
    f"No rate is printed of fewer than {LEAST_PRESENTATIONS} presentations: even 0 errors of "
    f"{LEAST_PRESENTATIONS - 1} leave 12 % open.",
    "In brackets: exact 95 % intervals (Clopper and Pearson) that take presentations as independent; several of one "
    "subject are less than that, so read them as a lower bound of the uncertainty. Of no error: the upper limit.",
    "APCER is never pooled over species; its maximum over species is what counts.",
    "APNRR, BPNRR: no answer (no face found). It counts as rejected: right for an attack, an error for live.",
    "BPCER10, 20, 100: the BPCER where the APCER of every species is at most 10, 5, 1 %, at thresholds of the target's "
    "own scores; of fewer than 1 / APCER presentations of a species it allows no error at all.",
)


def item_table(groups: Sequence[Group]) -> Table:
    """Return the items under test: what each is, its weights, and where checkpoint and threshold come from."""
    rows = []
    for group in groups:
        for member in group.members:
            result = member.result("deployable")
            commit, weights = member.content.made_by.commit, member.about.weights
            version = f"dgfas {member.content.dgfas}" + ("" if commit is None else f"\ncommit {commit}")
            rows.append(
                (
                    group.marked,
                    DASH if member.seed is None else str(member.seed),
                    version if member.config else "by others; known by its scores",
                    str(weights.get(str(result.checkpoint), "not recorded" if member.config else "unknown")),
                    DASH if result.checkpoint is None else str(result.checkpoint),
                    result.selection,
                    f"{result.threshold.value:.6g}",
                    f"{result.threshold.rule}; {result.threshold.data}",
                )
            )
    columns = ("Item", "Seed", "Version", "Weights, SHA-256", "Checkpoint", "chosen by", "Threshold", "fixed by and on")
    return Table("Items under test", columns, rows, headings=2, texts=True)


def attack_table(groups: Sequence[Group]) -> Table:
    """Return APCER and APNRR: a row an item and species, and its maximum over species."""
    rows = []
    for group in groups:
        results = group.results("deployable")
        for species in sorted(set().union(*(result.apcer for result in results))):
            found = [result.apcer.get(species) for result in results]
            rates = [one for one in found if one is not None]
            missing = "" if len(rates) == len(found) else f"\nin {len(rates)} of {len(found)} seeds"
            rows.append(
                (
                    group.marked,
                    species + missing,
                    _numbers(results, species, "subjects"),
                    _counts([DASH if one is None else str(one.total) for one in found]),
                    rate(rates, group.independent),
                    _no_answer(results, species),
                )
            )
        rows.append((group.marked, "maximum", "", "", worst_apcer(results), ""))
    columns = ("Item", "Species", "Subjects", "Presentations", "APCER", "APNRR %")
    return Table("Attacks, deployable track, by recording", columns, rows, headings=2)


def live_table(groups: Sequence[Group]) -> Table:
    """Return BPCER, BPNRR and the BPCER at fixed APCER: a row an item."""
    rows = []
    for group in groups:
        results = group.results("deployable")
        rates = [result.bpcer for result in results]
        few = not enough([one for result in results for one in (*result.apcer.values(), result.bpcer)])
        at_apcer = [[result.bpcer_at_apcer[f"{level:g}"] for result in results] for level in APCER_LEVELS]
        rows.append(
            (
                group.marked,
                _numbers(results, "live", "subjects"),
                _counts([str(one.total) for one in rates]),
                rate(rates, group.independent),
                _no_answer(results, "live"),
                *(TOO_FEW if few else spread(shares) for shares in at_apcer),
            )
        )
    columns = ("Item", "Subjects", "Presentations", "BPCER", "BPNRR %", *map(bpcer_name, APCER_LEVELS))
    return Table("Live presentations (bona fide), deployable track, by recording", columns, rows)


def worst_apcer(results: Sequence[StoredResult]) -> str:
    """Write the highest APCER of a species, of several seeds their mean; no rate if any species has too few."""
    shares = {}
    for species in sorted(set().union(*(result.apcer for result in results))):
        rates: list[StoredRate] = [result.apcer[species] for result in results if species in result.apcer]
        if not enough(rates):
            return TOO_FEW
        shares[species] = mean([one.share for one in rates])
    worst = max(shares, key=lambda species: shares[species])
    return f"{percent(shares[worst])} %\n{worst}"


def _numbers(results: Sequence[StoredResult], species: str, what: str) -> str:
    return _counts(
        [str(getattr(result.species[species], what)) if species in result.species else DASH for result in results]
    )


def _counts(counts: Sequence[str]) -> str:
    """Write the counts of several seeds: "32 + 31", and of equal ones "2 × 32"."""
    return f"{len(counts)} × {counts[0]}" if len(counts) > 1 and len(set(counts)) == 1 else " + ".join(counts)


def _no_answer(results: Sequence[StoredResult], species: str) -> str:
    counts = [result.species[species] for result in results if species in result.species]
    return spread([one.unanswered / one.rows for one in counts]) if counts else DASH
