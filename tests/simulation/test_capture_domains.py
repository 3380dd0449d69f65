"""Domains are data: the four that ship, a fifth of the user's own, and what a mistake in YAML says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dgfas.core.errors import UserError
from dgfas.simulation import CAPTURE_DOMAINS, simulate
from dgfas.simulation.capture_domains import DOMAIN_FOLDER, load_domain, load_domains


def shipped(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DOMAIN_FOLDER / f"{name}.yaml").read_text())
    return content


def written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "domain.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("name", CAPTURE_DOMAINS)
def test_shipped_domains_are_valid(name: str) -> None:
    assert load_domain(name).name == name


def test_domains_vary_as_the_real_sets_do() -> None:
    """Light, background and instruments of the four, after the variation table of RFM's supplement."""
    domains = {domain.name: domain for domain in load_domains(CAPTURE_DOMAINS)}
    assert {name: len(domain.lightings) > 1 for name, domain in domains.items()} == {
        "desk": False,
        "webcam": True,
        "laptop": False,
        "phone": True,
    }
    cluttered = {name: any(light.cluttered for light in domain.lightings) for name, domain in domains.items()}
    assert cluttered == {"desk": True, "webcam": True, "laptop": True, "phone": False}
    assert [name for name, domain in domains.items() if "cut" in domain.attacks] == ["desk"]
    assert {name: len(domain.cameras) for name, domain in domains.items()} == {
        "desk": 3,
        "webcam": 1,
        "laptop": 2,
        "phone": 6,
    }


def test_correlations_differ_in_sign_between_domains() -> None:
    offsets = [domain.correlations for domain in load_domains(CAPTURE_DOMAINS)]
    for name in ("luma", "log_contrast", "log_saturation", "warmth", "log_blur", "log_detail"):
        signs = [getattr(offset, name) > 0 for offset in offsets]
        assert sorted(signs) == [False, False, True, True], name


def test_a_fifth_domain_needs_only_yaml(tmp_path: Path) -> None:
    content = shipped("desk")
    content.update(name="kiosk", attacks=["replay"], prints=[])
    content["cameras"] = content["cameras"][:1]
    content["cameras"][0]["name"] = "door-camera"
    path = written(tmp_path, content)
    manifest = simulate(tmp_path / "set", domains=[path], subjects=1, frames=1, image_size=32, workers=1)
    assert set(manifest.frames["domain"]) == {"kiosk"}
    assert set(manifest.frames["factor_camera"]) == {"door-camera"}
    assert set(manifest.frames["species"]) == {"live", "replay"}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("blur_pixels", [0, 0], "must lie within 0.05 to 100"),
        ("resolution_pixels", [1300, 1400], "must lie within 16 to 1279"),
        ("jpeg_quality", [0, 90], "must lie within 1 to 100"),
    ],
)
def test_a_camera_that_cannot_be_is_refused(tmp_path: Path, key: str, value: list[float], said: str) -> None:
    content = shipped("desk")
    content["cameras"][1][key] = value
    with pytest.raises(UserError, match=rf"domain.yaml: .*cameras.1.{key}: .*{said}"):
        load_domain(written(tmp_path, content))


def test_a_grain_without_cells_is_refused(tmp_path: Path) -> None:
    content = shipped("desk")
    content["prints"][0]["grain_cycles"] = [0, 0]
    with pytest.raises(UserError, match=r"domain.yaml: .*prints.0.grain_cycles: .*must lie within 1 to 1279"):
        load_domain(written(tmp_path, content))


def test_every_split_gets_every_attack_where_there_are_five(tmp_path: Path) -> None:
    content = shipped("desk")
    content.update(name="kiosk", attacks=["print", "replay", "cut", "print", "replay"])
    options = {"spoof_recordings": 1, "live_recordings": 0, "frames": 1, "image_size": 32, "workers": 1}
    frames = simulate(tmp_path / "set", domains=[written(tmp_path, content)], subjects=25, **options).frames
    attacks = frames.groupby("split")["species"].nunique()
    assert attacks.to_dict() == {"dev": 3, "test": 3, "train": 3}


def test_unknown_domain_names_the_nearest() -> None:
    with pytest.raises(UserError, match="unknown simulated domain 'dexk'; did you mean 'desk'"):
        load_domain("dexk")


def test_unknown_key_names_file_and_nearest_key(tmp_path: Path) -> None:
    content = shipped("desk")
    content["tone"]["lumma"] = 0.4
    with pytest.raises(UserError, match=r"domain\.yaml: unknown key 'tone\.lumma'; did you mean 'luma'"):
        load_domain(written(tmp_path, content))


def test_a_list_entry_with_an_unknown_key_is_named(tmp_path: Path) -> None:
    content = shipped("desk")
    content["cameras"][1]["lens"] = 3
    with pytest.raises(UserError, match=r"domain\.yaml: unknown key 'cameras\.1\.lens'"):
        load_domain(written(tmp_path, content))


def test_reversed_range_is_refused(tmp_path: Path) -> None:
    content = shipped("desk")
    content["lightings"][0]["key"] = [1.0, 0.5]
    with pytest.raises(UserError, match=r"lightings\.0\.key: .*\[least, most\]"):
        load_domain(written(tmp_path, content))


def test_attack_without_instrument_is_refused(tmp_path: Path) -> None:
    content = shipped("desk")
    content["displays"] = []
    with pytest.raises(UserError, match="attacks names 'replay', but displays is empty"):
        load_domain(written(tmp_path, content))


def test_missing_file_and_double_names(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_domain(tmp_path / "nowhere.yaml")
    with pytest.raises(UserError, match="'desk' is named twice"):
        load_domains(["desk", "desk"])
    with pytest.raises(UserError, match="no simulated domain"):
        load_domains([])
