"""What the names of folders say about the recordings in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dgfas.core.errors import UserError, nearest
from dgfas.core.label import Label
from dgfas.core.recording import Split

LABELS = {
    "live": Label.LIVE,
    "real": Label.LIVE,
    "bonafide": Label.LIVE,
    "genuine": Label.LIVE,
    "spoof": Label.SPOOF,
    "fake": Label.SPOOF,
    "attack": Label.SPOOF,
    "attacks": Label.SPOOF,
}
SPECIES = {
    "print": "print",
    "prints": "print",
    "printed": "print",
    "paper": "print",
    "poster": "print",
    "replay": "replay",
    "screen": "replay",
    "display": "replay",
    "cut": "cut",
    "mask": "mask",
    "masks": "mask",
    "3dmask": "mask",
}
#: Words too common to mean an attack unless a folder above says so. They are nobody's name either.
SPECIES_BELOW_ATTACK = {"photo": "print", "photos": "print", "video": "replay", "videos": "replay"}
SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "devel": "dev",
    "development": "dev",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}


@dataclass(frozen=True)
class Facts:
    """What is known about a recording; None where nobody said."""

    domain: str | None = None
    subject: str | None = None
    label: Label | None = None
    species: str | None = None
    split: Split | None = None


def plain(name: str) -> str:
    """Return a name in lower case without spaces, hyphens, underscores and dots."""
    return "".join(character for character in name.casefold() if character not in " -_.")


def is_word(name: str) -> bool:
    """Whether a folder name says a label, species or split."""
    return "=" in name or any(plain(name) in words for words in (LABELS, SPECIES, SPLITS, SPECIES_BELOW_ATTACK))


def parse_label(text: str, where: str) -> Label:
    """Return the label that a word ("live", "real", "spoof", "attack", "1", "0", ...) means, or raise UserError."""
    words = {**LABELS, "1": Label.LIVE, "0": Label.SPOOF}
    if plain(text) not in words:
        raise UserError(f"{where}: label {text!r} is not known; {nearest(plain(text), words)}")
    return words[plain(text)]


def parse_species(text: str) -> str:
    """Return a species as it is written everywhere: "live" for any word that means it, known ones in lower case."""
    word = plain(text)
    if LABELS.get(word) is Label.LIVE:
        return "live"
    return word if word in SPECIES.values() else text


def parse_split(text: str, where: str) -> Split:
    """Return the split that a word means, or raise UserError."""
    if plain(text) not in SPLITS:
        raise UserError(f"{where}: split {text!r} is not known; {nearest(plain(text), SPLITS)}")
    return SPLITS[plain(text)]


def facts_from_folders(folders: Sequence[str], *, domain_given: bool) -> Facts:
    """Read the names of the folders between the root and a recording, outermost first.

    See `read_folder` for the rules. Raises UserError if two folders contradict each other.
    """
    where = "/".join(folders)
    said: dict[str, object] = {}
    plain_above: list[str] = []
    plain_below: list[str] = []

    def say(key: str, value: object) -> None:
        if said.setdefault(key, value) != value:
            raise UserError(f"{where}: two folders name a different {key}; rename one, or give a table")

    for folder in folders:
        word = plain(folder)
        key, equals, value = folder.partition("=")
        if equals:
            _say_explicitly(say, key, value, where)
        elif word in LABELS:
            say("label", LABELS[word])
        elif word in SPECIES:
            say("label", Label.SPOOF)
            say("species", SPECIES[word])
        elif word in SPECIES_BELOW_ATTACK and "label" in said:
            if said["label"] is Label.SPOOF and "species" not in said:
                say("species", SPECIES_BELOW_ATTACK[word])
        elif word in SPLITS:
            say("split", SPLITS[word])
        elif "label" in said:
            plain_below.append(folder)
        else:
            plain_above.append(folder)
    if domain_given or "label" not in said:
        plain_below = [name for name in plain_above if plain(name) not in SPECIES_BELOW_ATTACK] + plain_below
    elif plain_above:
        said.setdefault("domain", plain_above[0])
    if plain_below:
        said.setdefault("subject", plain_below[0])
    return Facts(**said)  # type: ignore[arg-type]


def _say_explicitly(say: Callable[[str, object], None], key: str, value: str, where: str) -> None:
    if key not in Facts.__dataclass_fields__ or not value:
        raise UserError(
            f"{where}: folder '{key}={value}' is not understood; {nearest(key, Facts.__dataclass_fields__)}"
        )
    if key == "label":
        say("label", parse_label(value, where))
    elif key == "split":
        say("split", parse_split(value, where))
    else:
        if key == "species":
            value = parse_species(value)
            say("label", Label.LIVE if value == "live" else Label.SPOOF)
        say(key, value)
