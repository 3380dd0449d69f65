"""What a report does not show: written for every report, from what its results say of themselves."""

from collections.abc import Sequence

from dgfas.reporting.html.groups import Group

#: Kinds of attack instruments that are looked for; a data set names its own by the words before a slash.
KNOWN_SPECIES = {
    "print": "prints",
    "replay": "screens",
    "cut": "prints with holes",
    "mask": "rigid or soft masks",
    "mannequin": "mannequins",
    "makeup": "make-up",
    "partial": "attacks that cover a part of the face",
}
ALWAYS = (
    "This is a measurement on recordings by whoever ran it. It is no certificate, makes no claim of conformity with "
    "ISO/IEC 30107-3 or any other standard or scheme, and no accredited laboratory took part.",
    "Nothing but the PAD subsystem was tested: no camera, no user interface, no face comparison, so no IAPAR.",
    "Digital injection (a virtual camera, a manipulated stream) was not tested: such a detector does not see it.",
    "Attackers did not adapt: no attack was made, or chosen, for its success against this detector.",
    "No attack potential (cost, time, skill of an attacker) was assessed.",
    "Error rates by age, sex, skin colour or other traits of subjects were not computed.",
)


def limits(groups: Sequence[Group]) -> list[str]:
    """Return what was not tested and what the numbers cannot say, a sentence or two each; never empty."""
    members = [member for group in groups for member in group.members]
    results = [result for group in groups for result in group.results("deployable")]
    said = [*ALWAYS]
    species = sorted({name for result in results for name in result.apcer})
    kinds = {name.split("/")[0].lower() for name in species}
    absent = [words for kind, words in KNOWN_SPECIES.items() if kind not in kinds]
    said.append(
        f"Attack species tested: {', '.join(species)}. Every other is untested"
        + (f", among them {', '.join(absent)}." if absent else ".")
    )
    targets = sorted({str(member.about.target or group.task) for group in groups for member in group.members})
    said.append(
        f"Each number stands for one target domain ({', '.join(targets)}), its cameras, places and people. "
        "Another domain may do worse."
    )
    subjects = [result.bootstrap.persons for result in results]
    said.append(f"A test set has {_range(subjects)} subjects; the intervals say how little that may be.")
    if any(member.simulated for member in members):
        said.append(
            "Data were simulated: drawn faces, cameras and attacks. The numbers compare methods under a known shift, "
            "and say nothing of how any of them does on real faces."
        )
    if any(member.config for member in members):
        said.append("The time that a decision takes was not measured here.")
    if any(member.config and member.run is None for member in members):
        said.append("Some weights were not kept: those items can be trained again by their command, not tested again.")
    if any(member.config and not member.about.weights for member in members):
        said.append("The hash of some weights was not recorded: which file was measured cannot be proved.")
    adapting = {group.label for group in groups for member in group.members if member.about.uses_target_images}
    if adapting:
        said.append(f"{', '.join(sorted(adapting))} saw unlabelled images of the target before it was measured.")
    if any(not member.config for member in members):
        said.append(
            "Systems of others are known by their scores alone: what they were trained on, whether they knew the test "
            "subjects, and how long an answer takes was not checked."
        )
        if any(result.threshold.rule == "fixed value" for result in results):
            said.append("A fixed threshold was given by hand: whether the target was used to find it cannot be seen.")
    if any(result.auc < 0.5 for result in results):
        said.append("An AUC below 50 % is worse than chance; for scores of others, check that higher means more live.")
    if any(len(group.members) == 1 and group.members[0].config for group in groups):
        said.append("One seed says little about a method: another seed may change the order of two methods.")
    return said


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"
