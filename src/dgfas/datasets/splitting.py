"""Divide subjects into train, dev and test so that no person is in two of them."""

from collections import defaultdict
from collections.abc import Sequence

from dgfas.core.errors import UserError
from dgfas.core.label import Label
from dgfas.core.recording import Split
from dgfas.core.seeding import stable_seed

#: Where the ordered subjects are cut: 70 % train, 15 % dev, 15 % test.
SHARES: tuple[tuple[Split, float], ...] = (("train", 0.70), ("dev", 0.85), ("test", 1.0))

#: domain, subject, the split that somebody named (or None), label
Claim = tuple[str, str, Split | None, Label | None]


def draw_splits(claims: Sequence[Claim], seed: int, notes: list[str]) -> list[Split]:
    """Return the split of every recording: the named one where its subject has one, else a drawn one.

    Subjects are drawn per domain, separately for those with live, with spoof and with both kinds of recordings, so
    that each split gets its share of both. The draw depends on `seed` and the subject's name only in its order, so an
    added subject moves few others. Appends to `notes`. Raises UserError if a subject is named in two splits.
    """
    named: dict[tuple[str, str], Split] = {}
    kinds: dict[tuple[str, str], set[Label | None]] = defaultdict(set)
    for domain, subject, split, label in claims:
        kinds[domain, subject].add(label)
        if split is not None and named.setdefault((domain, subject), split) != split:
            raise UserError(
                f"subject {subject!r} of domain {domain!r} is in {named[domain, subject]} and in {split}; a person "
                "must be in one split only. If they are different people, name them differently (folders or a table)"
            )
    chosen: dict[tuple[str, str], Split] = dict(named)
    strata: dict[tuple[str, tuple[str, ...]], list[str]] = defaultdict(list)
    for domain, subject in kinds:
        if (domain, subject) not in named:
            strata[domain, tuple(sorted(map(str, kinds[domain, subject])))].append(subject)
    for (domain, _), subjects in strata.items():
        ordered = sorted(subjects, key=lambda subject: stable_seed(seed, "split", domain, subject))
        for subject, split in zip(ordered, _shares(len(ordered)), strict=True):
            chosen[domain, subject] = split
    drawn = len(chosen) - len(named)
    if drawn:
        counts = ", ".join(f"{sum(s == name for s in chosen.values())} {name}" for name, _ in SHARES)
        notes.append(f"{drawn} of {len(chosen)} subjects were divided 70/15/15 by seed {seed}: in all {counts}")
    splits: dict[str, set[Split]] = defaultdict(set)
    for (_, subject), split in chosen.items():
        splits[subject].add(split)
    if apart := sum(len(own) > 1 for own in splits.values()):
        notes.append(
            f"{apart} names are in several domains, in other splits: they count as other people; where they are the "
            "same, say the split (a folder such as split=train, or a table)"
        )
    return [chosen[domain, subject] for domain, subject, _, _ in claims]


def _shares(count: int) -> list[Split]:
    """Return `count` splits in the proportions 70/15/15; with at least three there is one of each."""
    bounds = [round(count * share) for _, share in SHARES]
    if count >= 3:
        bounds[0] = min(bounds[0], count - 2)
        bounds[1] = min(max(bounds[1], bounds[0] + 1), count - 1)
    sizes = (bounds[0], bounds[1] - bounds[0], bounds[2] - bounds[1])
    return [name for (name, _), size in zip(SHARES, sizes, strict=True) for _ in range(size)]
