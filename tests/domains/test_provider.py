"""Choosing a provider, and the two that read no statistics."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray
from unasked import never

from dgfas.core.errors import UserError
from dgfas.domains.provider import Assignment, FrameTable
from dgfas.domains.registry import domains_config, make_provider

FOUND = ("d2am", "pdl", "random")


def test_given_domains_are_those_of_the_manifest(make_frames: Callable[..., FrameTable], true_domain: ndarray) -> None:
    provider = make_provider({"provider": "given"}, 3, seed=0)
    assert provider.n_domains == 3
    assert not provider.reclusters
    assert provider.period(600) is None
    assignment = provider.assign(0, make_frames(), never, None)
    np.testing.assert_array_equal(assignment.domain, true_domain)
    assert assignment.log["size_1"] == 30


def test_given_domains_refuse_a_mixture(make_frames: Callable[..., FrameTable]) -> None:
    with pytest.raises(UserError, match=r"mixture without domains; set domains\.provider to d2am, pdl or random"):
        make_provider({"provider": "given"}, None, seed=0)
    with pytest.raises(UserError, match="'given' needs the domain of every frame"):
        make_provider({"provider": "given"}, 3, seed=0).assign(0, make_frames(given=None), never, None)


@pytest.mark.parametrize("name", FOUND)
def test_found_domains_need_no_given_ones(name: str) -> None:
    provider = make_provider({"provider": name, "k": 4}, None, seed=0)
    assert provider.n_domains == 4
    assert provider.reclusters
    assert provider.period(600) == 60
    assert provider.period(5) == 1
    assert make_provider({"provider": name, "recluster_every": 7}, None, seed=0).period(600) == 7


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"provider": "d3am"}, "domains.provider: unknown provider 'd3am'; did you mean 'd2am'"),
        ({"provider": 3}, "domains.provider: unknown provider 3"),
        ({"provider": "given", "k": 3}, "domains: unknown key 'k'"),
        ({"provider": "pdl", "clusters": "gmm"}, "domains: unknown key 'clusters'; did you mean 'clusterer'"),
        ({"provider": "pdl", "clusterer": "som"}, "domains: clusterer: .*'som'"),
        ({"provider": "random", "k": 1}, "domains: k: .*greater than or equal to 2"),
    ],
)
def test_a_wrong_configuration_is_refused(config: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        make_provider(config, 3, seed=0)


def test_one_line_changes_the_provider() -> None:
    preset = {"provider": "d2am", "k": 4, "recluster_every": 50, "select": False}
    assert domains_config(preset, {}) == preset
    assert domains_config(preset, {"k": 2}) == preset | {"k": 2}
    assert domains_config(preset, {"provider": "given"}) == {"provider": "given"}
    assert domains_config(preset, {"provider": "random"}) == {"provider": "random", "k": 4, "recluster_every": 50}
    assert domains_config({"provider": "given"}, {"provider": "pdl", "k": 5}) == {"provider": "pdl", "k": 5}


def test_random_domains_are_even_seeded_and_new_each_time(make_frames: Callable[..., FrameTable]) -> None:
    frames = make_frames()
    provider = make_provider({"provider": "random", "k": 4}, 3, seed=1)
    first, again, next_one = (provider.assign(k, frames, never, None).domain for k in (0, 0, 1))
    other_seed = make_provider({"provider": "random", "k": 4}, 3, seed=2).assign(0, frames, never, None).domain
    np.testing.assert_array_equal(first, again)
    assert (first != next_one).any()
    assert (first != other_seed).any()
    for of_class in (frames.live, ~frames.live):
        sizes = np.bincount(first[of_class], minlength=4)
        assert sizes.min() >= 11
        assert sizes.max() <= 12


@pytest.mark.parametrize("name", FOUND)
def test_more_domains_than_frames_of_a_class_are_refused(name: str) -> None:
    live = np.array([True, True, False, False, False, False])
    frames = FrameTable(live, None, lambda weights: never())
    with pytest.raises(UserError, match=r"domains.k: 3 domains cannot be made of 2 live training frames.*at most 2"):
        make_provider({"provider": name, "k": 3}, None, seed=0).assign(0, frames, never, None)


def test_an_assignment_is_saved_whole(tmp_path: Path) -> None:
    domain = np.array([0, 2, 1])
    path = Assignment(domain, {"nmi_class": 0.25, "size_0": 1.0}, ("a note",)).save(tmp_path / "domains", 12)
    assert path == tmp_path / "domains" / "clustering_012.npz"
    with np.load(path) as saved:
        np.testing.assert_array_equal(saved["domain"], domain)
        assert dict(zip(saved["log_names"].tolist(), saved["log_values"].tolist(), strict=True)) == {
            "nmi_class": 0.25,
            "size_0": 1.0,
        }
        assert saved["notes"].tolist() == ["a note"]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UserError, match=r"clustering_012.npz: is damaged"):
        Assignment.read(path)


def test_domains_are_found_without_torch() -> None:
    code = (
        "import dgfas.domains.image_statistics\n"
        "from dgfas.domains.registry import make_provider\n"
        "make_provider({'provider': 'd2am'}, None, 0); make_provider({'provider': 'pdl'}, None, 0)\n"
        "import sys; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
