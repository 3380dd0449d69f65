"""Labels, recordings, seeds and hints."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dgfas.core.errors import nearest
from dgfas.core.label import Label
from dgfas.core.recording import Recording
from dgfas.core.seeding import stable_rng, stable_seed


def test_live_is_1_and_spoof_is_0() -> None:
    assert (Label.LIVE, Label.SPOOF) == (1, 0)
    assert (Label.LIVE.word, Label.SPOOF.word) == ("live", "spoof")
    assert Label(1) is Label.LIVE
    with pytest.raises(ValueError, match="2"):
        Label(2)


@pytest.mark.parametrize(
    ("label", "species", "planar"),
    [
        (Label.LIVE, "live", False),
        (Label.SPOOF, "print", True),
        (Label.SPOOF, "replay/phone", True),
        (Label.SPOOF, "mask", False),
        (None, "print", False),
    ],
)
def test_flat_attacks_are_planar(label: Label | None, species: str, planar: bool) -> None:
    assert Recording("desk", "1", "a", "train", label, species, (Path("a.mp4"),)).planar is planar


def test_a_seed_is_the_same_in_every_process() -> None:
    code = "from dgfas.core.seeding import stable_seed; print(stable_seed(3, 'sampler', '0/live', 7))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(other.stdout) == stable_seed(3, "sampler", "0/live", 7) == 5992007850239055636
    assert 0 <= stable_seed("a") < 2**63


def test_seeds_differ_by_every_part_and_its_place() -> None:
    parts = [(1,), (2,), (1, 2), (2, 1), (12,), ("1", "2", ""), ("ab", "c"), ("a", "bc")]
    assert len({stable_seed(*each) for each in parts}) == len(parts)


def test_generators_do_not_depend_on_what_was_drawn_before() -> None:
    first = stable_rng("a", 1).random(3)
    np.random.default_rng().random(5)
    assert np.array_equal(stable_rng("a", 1).random(3), first)
    assert not np.array_equal(stable_rng("a", 2).random(3), first)


def test_hints_name_what_is_near_or_all_there_is() -> None:
    assert nearest("widht", ["width", "depth"]) == "did you mean 'width'?"
    assert nearest("trian", ["train", "trains", "dev"]) == "did you mean 'train' or 'trains'?"
    assert nearest("xyz", ["b", "a"]) == "valid: a, b"
